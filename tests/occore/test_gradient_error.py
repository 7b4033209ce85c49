"""How far the discrete gradient is from the flow's, and the continuous adjoint."""

import numpy as np
import pytest
from numpy.testing import assert_allclose

import occore
from occore import Data, Phase, Problem
from occore.adaptive import Tolerances
from occore.cli import main
from occore.gradient_error import WARN_ABOVE, gradient_error, gradient_gap
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.forward_euler import ForwardEuler
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.trapezoid import Trapezoid
from occore_least_squares.least_squares import LeastSquares

THETA = np.array([1.5, 1.0, 3.0, 1.0, 1.0, 1.0])
EXACT = np.array(  # of x(10) + y(10): Taylor series in 50 digits
    [
        -4.096212993658197966,
        -0.509408811911299175,
        -1.145834886429737106,
        -1.804327868767101297,
        -0.777983101192011978,
        0.400282266224742443,
    ]
)


def lotka_volterra(method, **grid) -> Problem:
    rates = {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}
    dynamics = ExpressionDynamics(("x", "y"), (), rates, tuple("abcd"))
    free = np.ones(2, bool)
    phase = Phase("flow", dynamics, method, horizon=10.0, space=Constant(), free_start=free, **grid)
    objective = Bolza(terminal="x + y").for_phases((phase,))
    return Problem((phase,), objective, Data(np.zeros((1, 2))))


@pytest.mark.parametrize(
    ("method", "grid"),
    [
        (Dopri5(), {"tolerances": Tolerances(1e-3, 1e-6)}),
        (Dopri5(), {"tolerances": Tolerances(1e-8, 1e-11)}),
        (RK4(), {"steps": 200}),
        (Trapezoid(), {"steps": 400}),
    ],
    ids=["dopri5, 1e-3", "dopri5, 1e-8", "rk4", "trapezoid"],
)
def test_the_estimate_is_the_error(method, grid):
    problem = lotka_volterra(method, **grid)
    g = problem.value_and_gradient(THETA)[1]
    error = np.linalg.norm(g - EXACT) / np.linalg.norm(EXACT)
    assert_allclose(gradient_error(problem, THETA), error, rtol=0.1)


def test_loose_tolerances_are_above_the_warning_and_tight_ones_below():
    loose = lotka_volterra(Dopri5(), tolerances=Tolerances(1e-3, 1e-6))
    tight = lotka_volterra(Dopri5(), tolerances=Tolerances(1e-10, 1e-13))
    assert gradient_error(loose, THETA) > 100 * WARN_ABOVE
    assert gradient_error(tight, THETA) < WARN_ABOVE


CASE = """\
title = "Lotka and Volterra"
[[phase]]
name = "flow"
discretization = { kind = "dopri5", rtol = RTOL }
horizon = 10.0
controls = { kind = "constant" }
[phase.dynamics]
kind = "symbolic"
states = ["x", "y"]
controls = []
unknowns = ["a"]
parameters = { b = 1.0, c = 3.0, d = 1.0 }
rates = { x = "a*x - b*x*y", y = "-c*y + d*x*y" }
[phase.start]
x = 1.0
y = 1.0
[phase.guess]
a = 1.5
[objective]
kind = "bolza"
terminal = "(x - 1.0)**2 + (y - 0.9)**2"
[optimizer]
kind = "lbfgs"
max_iterations = 2
"""


@pytest.mark.parametrize(("rtol", "warned"), [("1e-3", True), ("1e-9", False)])
def test_a_run_at_loose_tolerances_warns(tmp_path, capsys, rtol, warned):
    (tmp_path / "case.toml").write_text(CASE.replace("RTOL", rtol))
    with pytest.raises(SystemExit) as caught:
        main(["run", str(tmp_path / "case.toml"), "-o", str(tmp_path / "run.h5")])
    assert caught.value.code == 0
    output = " ".join(capsys.readouterr().out.split())
    assert ("away from the flow's" in output) == warned
    error = occore.open_run(tmp_path / "run.h5").result["gradient_error"]
    assert (error > WARN_ABOVE) == warned


def tanh_problem(steps, method=None, horizon=1.0, gradient="discretize_optimize") -> Problem:
    rng = np.random.default_rng(5)
    phase = Phase(
        "field",
        Tanh((4,), 4),
        method or ForwardEuler(),
        steps,
        horizon,
        space=PiecewiseLinear(intervals=2),
        gradient=gradient,
    )
    data = Data(rng.standard_normal((3, 4)), rng.standard_normal((3, 4)))
    return Problem((phase,), LeastSquares(), data)


@pytest.fixture
def theta():
    return np.random.default_rng(6).standard_normal(tanh_problem(2).size)


def test_optimise_discretise_is_inconsistent_at_first_order_for_euler(theta):
    """Gholami, Keutzer and Biros (2019): the gap falls with h only; the exact gradient has none."""
    steps = np.array([10, 20, 40, 80, 160])
    gaps = [gradient_gap(tanh_problem(n), theta) for n in steps]
    assert abs(np.polyfit(np.log(1 / steps), np.log(gaps), 1)[0] - 1) < 0.1
    assert gradient_gap(tanh_problem(2), theta) > 0.05


def test_the_exact_gradient_agrees_with_complex_step(theta):
    problem = tanh_problem(2)
    g = problem.value_and_gradient(theta)[1]
    for k in range(0, problem.size, 9):
        moved = theta.astype(complex)
        moved[k] += 1e-30j
        u = problem.unflatten(moved)["field"]
        r = problem.phases[0](problem.data.inputs, u) - problem.data.targets
        assert_allclose(g[k], np.sum(r * r).imag / 2e-30, rtol=1e-13, atol=1e-14)


@pytest.mark.parametrize("method", [RK4(), Trapezoid()], ids=["rk4", "trapezoid"])
def test_the_continuous_adjoint_converges_to_the_exact_one(theta, method):
    steps = np.array([8, 16, 32])
    gaps = [gradient_gap(tanh_problem(n, method), theta) for n in steps]
    slope = np.polyfit(np.log(1 / steps), np.log(gaps), 1)[0]
    assert slope > method.order - 0.3


def test_the_continuous_adjoint_with_observations(theta):
    """States at several times, which let the costate jump."""
    rates = {"x": "-k*x"}
    dynamics = ExpressionDynamics(("x",), (), rates, ("k",))
    times = tuple(np.arange(5) / 4)
    found = []
    for gradient in ("discretize_optimize", "optimize_discretize"):
        phase = Phase(
            "decay", dynamics, RK4(), 64, space=Constant(), observations=times, gradient=gradient
        )
        _, part = phase.linearize(np.array([[2.0]]), {"k": np.array(0.7)})
        px, pu = part.vjp(np.ones((1, 5, 1)))
        found.append([px[0, 0], pu["k"]])
    t = np.asarray(times)
    exact = [np.sum(np.exp(-0.7 * t)), np.sum(-2 * t * np.exp(-0.7 * t))]
    assert_allclose(found, [exact, exact], rtol=1e-8)
