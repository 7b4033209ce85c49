"""Gradients of ODE problems against values computed elsewhere in 34 to 50 digits, or closed forms.

The values belong to the exact flow: a gradient of the discrete problem converges to them with the
order of the method. Tolerance: 1e-9 relative in every entry, as the sources' digits allow.
"""

import numpy as np
import pytest
import scipy.integrate
from numpy.testing import assert_allclose

from occore import StructureError
from occore.adaptive import Tolerances
from occore.plugins import load_host
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.gauss4 import Gauss4
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.trapezoid import Trapezoid

LOTKA_VOLTERRA = {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}
ABCD = {"a": 1.5, "b": 1.0, "c": 3.0, "d": 1.0}
TENTHS = tuple(np.arange(101) / 10)
TIGHT = Tolerances(1e-11, 1e-13)

SUM = {  # loss of the SciML documentation, Taylor series in 50 digits
    "a": 8.305362662316553255,
    "b": -159.4842927151386363,
    "c": 75.20350821377277249,
    "d": -339.1950927660609070,
    "x0": -39.12754122266809437,
    "y0": -8.787780218992642678,
}
END = {
    "a": -4.096212993658197966,
    "b": -0.509408811911299175,
    "c": -1.145834886429737106,
    "d": -1.804327868767101297,
    "x0": -0.777983101192011978,
    "y0": 0.400282266224742443,
}


def agree(found, expected, rtol=1e-9):
    for name, value in expected.items():
        atol = 0.0 if value else 1e-12
        assert_allclose(found[name], value, rtol=rtol, atol=atol, err_msg=name)


@pytest.mark.parametrize("grid", [{"tolerances": TIGHT}, {"steps": 400}], ids=["adaptive", "fixed"])
def test_lotka_volterra_sum(gradient, grid):
    value, g = gradient(LOTKA_VOLTERRA, ABCD, [1, 1], [1, 1], 10.0, observations=TENTHS, **grid)
    assert_allclose(value, 450.7640640395388063, rtol=1e-12)
    agree(g, SUM)


def test_lotka_volterra_end(gradient):
    value, g = gradient(LOTKA_VOLTERRA, ABCD, [1, 1], [1, 1], 10.0, tolerances=TIGHT)
    assert_allclose(value, 1.936035845711130937, rtol=1e-11)
    agree(g, END)


@pytest.mark.parametrize(("steps", "error"), [(200, 9.6e-5), (500, 2.6e-6), (1000, 1.7e-7)])
def test_rk4_has_the_error_that_was_measured_elsewhere(gradient, steps, error):
    """The discrete adjoint of RK4: the worst entry is d/da, small by cancellation."""
    options = {"method": RK4(), "steps": steps, "observations": TENTHS}
    _, g = gradient(LOTKA_VOLTERRA, ABCD, [1, 1], [1, 1], 10.0, **options)
    worst = max(abs(g[name] / value - 1) for name, value in SUM.items())
    assert_allclose(worst, error, rtol=0.05)


def test_falling_mass(gradient):
    """m cancels, so that its gradient is zero to rounding; closed form −½ Σ t² for g."""
    times = tuple(np.arange(41) / 20)
    rates, unknowns = {"x": "v", "v": "-(m*g)/m"}, {"g": 9.81, "m": 1.0}
    value, found = gradient(
        rates, unknowns, [1, 0], [1, 0], 2.0, method=RK4(), steps=40, observations=times
    )
    assert_allclose(value, -230.49175, rtol=1e-13)
    assert_allclose(found["g"], -27.675, rtol=1e-13)
    assert abs(found["m"]) < 1e-12


def test_cubic_spiral(gradient):
    """The spiral of Chen et al. (2018) at t = 1.5."""
    rates = {"y": "A11*y**3 + A21*z**3", "z": "A12*y**3 + A22*z**3"}
    matrix = {"A11": -0.1, "A12": 2.0, "A21": -2.0, "A22": -0.1}
    value, g = gradient(rates, matrix, [2, 0], [1, 1], 1.5, tolerances=TIGHT)
    assert_allclose(value, 2.26457763741130281669, rtol=1e-11)
    expected = {
        "A11": 11.127882069334155,
        "A12": 1.8879096789059206,
        "A21": -0.81617970771301055,
        "A22": 10.469224814503693,
        "y0": 4.3807569035597288,
        "z0": 0.35439068204690633,
    }
    agree(g, expected)


class TestTorchdiffeq:
    """The four test problems of torchdiffeq, with unknown end times: y' = (t1 − t0) f(t0 + …)."""

    @staticmethod
    def rescaled(f):
        return {"y": f"(t1 - t0)*({f.replace('T', '(t0 + (t1 - t0)*t)')})"}

    def test_constant(self, gradient):
        rates = self.rescaled("a + (y - (a*T + b))**5")
        unknowns = {"a": 0.2, "b": 3.0, "t0": 1.0, "t1": 8.0}
        value, g = gradient(rates, unknowns, [3.2], [1], 1.0, steps=20)
        assert_allclose(value, 4.6, rtol=1e-13)
        agree(g, {"a": 7.0, "b": 0.0, "y0": 1.0, "t1": 0.2})

    def test_linear(self, gradient):
        """K skew-symmetric, K_ij = 0.1 (i − j)/(i + j + 1): by the matrix exponential."""
        i = np.arange(10)
        K = 0.1 * (i[:, None] - i) / (i[:, None] + i + 1)
        rates = {f"y{r}": " + ".join(f"e*({K[r, c]})*y{c}" for c in i) for r in i}
        weights = tuple(float(k + 1) for k in i)
        value, g = gradient(rates, {"e": 1.0}, np.ones(10), weights, 7.0, steps=40)
        assert_allclose(value, -13.95821302194861177, rtol=1e-12)
        expected = [
            14.2017279639212237,
            4.53545879598284892,
            0.143796915101331609,
            -2.345852464227428,
            -3.85485716393141549,
            -4.77075326099642176,
            -5.29301743935883347,
            -5.53746349435659115,
            -5.57699386145315599,
            -5.46025901263017016,
        ]
        agree(g, {f"y{k}0": value for k, value in enumerate(expected)})
        assert_allclose(g["e"], -132.839827664579823, rtol=1e-9)

    def test_sine(self, gradient):
        rates = self.rescaled("2*y/T + T**4*sin(2*T) - T**2 + 4*T**3")
        start = [4.4502780761394196829]
        value, g = gradient(rates, {"t0": 1.0, "t1": 8.0}, start, [1], 1.0, tolerances=TIGHT)
        assert_allclose(value, 9737.3227447806076441, rtol=1e-10)
        agree(g, {"y0": 64.0, "t0": -819.83062906268934792, "t1": 3239.0787011350444636})

    def test_exponential(self, gradient):
        rates = self.rescaled("-k*exp(-k*T)")
        unknowns = {"k": 0.1, "t0": 1.0, "t1": 8.0}
        value, g = gradient(rates, unknowns, [np.exp(-0.1)], [1], 1.0, steps=20)
        assert_allclose(value, 0.44932896411722159143, rtol=1e-13)
        expected = {"k": -2.6897942949018131583, "y0": 1.0, "t1": -0.044932896411722159143}
        agree(g, expected)


def test_petsc_ex23(gradient):
    """c x' = b x. PETSc's committed dx/dc is the Crank–Nicolson value at step 1e-3."""
    rates, unknowns = {"x": "b*x/c"}, {"b": 4.0, "c": 3.0}
    value, g = gradient(rates, unknowns, [2], [1], 1.0, steps=20)
    assert_allclose(value, 7.5873357893663554708, rtol=1e-12)
    agree(g, {"b": 2.5291119297887851569, "c": -3.3721492397183802092, "x0": 3.7936678946831777354})
    _, discrete = gradient(rates, unknowns, [2], [1], 1.0, method=Trapezoid(), steps=1000)
    assert_allclose(discrete["c"], -3.3721514, atol=5e-8)


def test_tolerance_trap(gradient):
    """u' = (t − θ)⁴: a method of order 5 sees no error and opens the step without limit."""
    options = {"method": Dopri5(), "tolerances": Tolerances(1e-6, 1e-9)}
    value, g = gradient({"u": "(t - theta)**4"}, {"theta": 0.3}, [0], [1], 1.0, **options)
    assert_allclose(value, 0.0341, rtol=1e-13)
    assert_allclose(g["theta"], -0.232, rtol=1e-12)


ROBERTSON = {"x": "-k1*x + k3*y*z", "y": "k1*x - k3*y*z - k2*y**2", "z": "k2*y**2"}
RATES = {"k1": 0.04, "k2": 3e7, "k3": 1e4}


def implicit_methods():
    """Every registered method that solves equations, by its name."""
    entries = load_host().registry.entries("discretization")
    return [entry for entry in entries if "solver" in entry.cls.__dataclass_fields__]


@pytest.mark.parametrize("entry", implicit_methods(), ids=lambda entry: entry.name)
def test_robertson_sensitivities_conserve_mass(gradient, entry):
    """Σ states is constant for all parameters: ⟨1, x(T)⟩ has the gradient zero in all of them."""
    times = (0.0, *np.geomspace(1e-6, 40.0, 60))  # the initial layer is short
    options = {"method": entry.cls(), "times": times}
    try:
        _, single = gradient(ROBERTSON, RATES, [1, 0, 0], [1, 0, 0], 40.0, **options)
    except StructureError:
        pytest.skip("for fields with a splitting")
    value, g = gradient(ROBERTSON, RATES, [1, 0, 0], [1, 1, 1], 40.0, **options)
    assert_allclose(value, 1.0, rtol=1e-12)
    for name in RATES:
        assert abs(g[name]) <= 1e-10 * abs(single[name]), name
    agree(g, {"x0": 1.0, "y0": 1.0, "z0": 1.0}, rtol=1e-10)


def test_robertson_gradient(gradient):
    """A stiff problem: SciPy's Radau on the sensitivity equations at its tightest tolerances."""
    k1, k2, k3 = RATES.values()

    def sensitivities(t, Y):
        state, *S = Y.reshape(7, 3)
        x, y, z = state
        rates = [-k1 * x + k3 * y * z, k1 * x - k3 * y * z - k2 * y**2, k2 * y**2]
        J = np.array(
            [[-k1, k3 * z, k3 * y], [k1, -k3 * z - 2 * k2 * y, -k3 * y], [0, 2 * k2 * y, 0]]
        )
        in_k = np.array([[-x, x, 0], [0, -(y**2), y**2], [y * z, -y * z, 0], *np.zeros((3, 3))])
        return np.concatenate([[rates], S @ J.T + in_k]).ravel()

    start = np.vstack([[1, 0, 0], np.zeros((3, 3)), np.eye(3)]).ravel()
    options = {"method": "Radau", "rtol": 1e-12, "atol": 1e-18}
    found = scipy.integrate.solve_ivp(sensitivities, (0, 40), start, **options)
    exact = found.y[:, -1].reshape(7, 3)[:, 0]
    times = (0.0, *np.geomspace(1e-6, 40.0, 1200))
    value, g = gradient(ROBERTSON, RATES, [1, 0, 0], [1, 0, 0], 40.0, method=Gauss4(), times=times)
    assert_allclose(value, exact[0], rtol=1e-9)
    agree(g, dict(zip([*RATES, "x0", "y0", "z0"], exact[1:], strict=True)))


def test_errors_against_tolerance(gradient):
    """Looser tolerances cost accuracy in proportion: slopes near 1, and no silent nonsense."""
    tolerances, errors = 10.0 ** -np.arange(3, 12), []
    for rtol in tolerances:
        grid = {"method": Dopri5(), "tolerances": Tolerances(rtol, 1e-3 * rtol)}
        value, g = gradient(LOTKA_VOLTERRA, ABCD, [1, 1], [1, 1], 10.0, **grid)
        worst = max(abs(g[name] / exact - 1) for name, exact in END.items())
        errors.append([abs(value / 1.936035845711130937 - 1), worst])
    assert np.all(np.diff(errors, axis=0) < 0)
    slopes = np.polyfit(np.log(tolerances), np.log(errors), 1)[0]
    assert np.all((slopes > 0.7) & (slopes < 1.3))
