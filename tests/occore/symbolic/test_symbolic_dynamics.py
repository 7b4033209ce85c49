import pickle
import subprocess
import sys
from dataclasses import dataclass, replace

import array_api_strict
import numpy as np
import pytest

import occore
from occore.errors import InputError
from occore.symbolic.derivation import traced
from occore.symbolic.dynamics import SymbolicDynamics
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning
from occore.time_control import TIME


@dataclass(frozen=True)
class Pendulum(SymbolicDynamics):
    """The plugin of STYLE.md."""

    damping: float = 0.1
    frequency: float = 1.0
    compiler: str = "numpy"
    states = ("angle", "rate")
    controls = occore.Layout({"torque": ()})

    def rates(self, t, x, u):
        xp = occore.array_namespace(x["angle"])
        pull = self.frequency**2 * xp.sin(x["angle"])
        return {"angle": x["rate"], "rate": u["torque"] - self.damping * x["rate"] - pull}


@dataclass(frozen=True)
class Coupled(SymbolicDynamics):
    """Controls with shapes, and t."""

    states = ("a", "b", "c")
    controls = occore.Layout({"K": (3, 3), "v": (3,), "scale": ()})

    def rates(self, t, x, u):
        xp = occore.array_namespace(t)
        z = xp.stack([x[name] for name in self.states])
        y = xp.tanh(u["K"] @ z + xp.sin(3 * t) * u["v"]) * u["scale"]
        return {name: y[i] for i, name in enumerate(self.states)}


DYNAMICS = [Pendulum(), Pendulum(compiler="numba"), Coupled(), ExpressionDynamics.example().map]


def point(dynamics, rng, samples=2, dtype=np.float64):
    shape = (samples, *dynamics.state_shape)
    x, dx, py = rng.standard_normal((3, *shape)).astype(dtype)
    u, du = (dynamics.controls.random(rng, dtype) for _ in range(2))
    return x, u, py, dx, du


def test_value_by_hand():
    x, u = np.array([[0.5235987755982988, 0.5]]), {"torque": 0.2}
    np.testing.assert_allclose(Pendulum()(0.0, x, u), [[0.5, -0.35]], rtol=1e-15)


def test_example():
    example = ExpressionDynamics.example()
    value = example.map(0.0, np.array(example.x), example.u)
    np.testing.assert_allclose(value, example.value, rtol=1e-15)


@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
def test_products_agree_with_the_trace(dynamics, rng):
    x, u, py, dx, du = point(dynamics, rng)
    trace = traced(dynamics, 0.3, dynamics.state_shape)
    value, at = dynamics.linearize(0.3, x, u)
    np.testing.assert_allclose(value, trace.value(x, u), rtol=1e-14)
    np.testing.assert_allclose(at.jvp(dx, du), trace.jvp(x, u, dx, du), rtol=1e-12)
    for got, expected in (
        (at.vjp(py), trace.vjp(x, u, py)),
        (at.curvature(py, dx, du), trace.curvature(x, u, py, dx, du)),
    ):
        np.testing.assert_allclose(got[0], expected[0], rtol=1e-12, atol=1e-15)
        assert list(got[1]) == list(dynamics.controls)
        for name in dynamics.controls:
            np.testing.assert_allclose(got[1][name], expected[1][name], rtol=1e-12, atol=1e-15)


def test_time_derivative(rng):
    dynamics = Coupled()
    x, u, *_ = point(dynamics, rng)
    h = 1e-6  # truncation h² and rounding ε / h
    expected = (dynamics(0.3 + h, x, u) - dynamics(0.3 - h, x, u)) / (2 * h)
    _, part = dynamics.linearize_in_time(0.3, x, u)
    found = part.jvp(0 * x, {**dynamics.controls.zeros(), TIME: np.ones(())})
    np.testing.assert_allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
def test_complex_step(dynamics, rng):
    x, u, _, dx, du = point(dynamics, rng)
    stepped_u = {name: u[name] + 1e-30j * du[name] for name in u}
    in_controls = dynamics(0.3, x, stepped_u).imag / 1e-30
    in_state = dynamics(0.3, x + 1e-30j * dx, u).imag / 1e-30
    jvp = dynamics.linearize(0.3, x, u)[1].jvp(dx, du)
    np.testing.assert_allclose(jvp, in_controls + in_state, rtol=1e-12)


@pytest.mark.parametrize("dynamics", DYNAMICS, ids=repr)
def test_float32_stays(dynamics, rng):
    x, u, py, dx, du = point(dynamics, rng, dtype=np.float32)
    value, at = dynamics.linearize(0.3, x, u)
    px, pu = at.vjp(py)
    qx, qu = at.curvature(py, dx, du)
    arrays = [value, px, qx, *pu.values(), *qu.values(), at.jvp(dx, du)]
    assert {array.dtype for array in arrays} == {np.dtype(np.float32)}


def test_strict_arrays(rng):
    dynamics = Coupled()
    x, u, py, dx, _ = point(dynamics, rng)
    strict = [array_api_strict.asarray(a) for a in (x, py, dx)]
    controls = {name: array_api_strict.asarray(value) for name, value in u.items()}
    _, at = dynamics.linearize(0.3, strict[0], controls)
    px, pu = at.vjp(strict[1])
    expected_x, expected_u = dynamics.linearize(0.3, x, u)[1].vjp(py)
    np.testing.assert_allclose(np.asarray(px), expected_x, rtol=1e-13)
    np.testing.assert_allclose(np.asarray(pu["K"]), expected_u["K"], rtol=1e-13)


def test_no_controls(rng):
    @dataclass(frozen=True)
    class Free(SymbolicDynamics):
        states = ("y",)
        controls = occore.Layout({})

        def rates(self, t, x, u):
            return {"y": -x["y"]}

    for array in (np.array([[2.0]], np.float32), array_api_strict.asarray([[2.0]])):
        value, at = Free().linearize(0.0, array, {})
        assert value.dtype == array.dtype
        assert float(value[0, 0]) == -2
        assert at.vjp(array)[1] == {}


def test_one_kernel_for_equal_rates():
    assert Pendulum().kernels is Pendulum().kernels
    assert Pendulum().kernels is not Pendulum(damping=0.2).kernels


def test_pickles_without_its_kernels(rng):
    dynamics = ExpressionDynamics.example().map
    x, u, *_ = point(dynamics, rng)
    expected = dynamics(0.0, x, u)
    copy = pickle.loads(pickle.dumps(dynamics))  # noqa: S301 - pickled one line above
    assert copy == dynamics
    np.testing.assert_array_equal(copy(0.0, x, u), expected)


def test_sympy_waits_until_it_is_needed():
    code = (
        "import sys, occore.symbolic.dynamics, occore.symbolic.expression_dynamics as e; "
        "assert not {'sympy', 'numba'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def rates_of(rates):
    @dataclass(frozen=True)
    class Wrong(SymbolicDynamics):
        states = ("angle", "rate")
        controls = occore.Layout({"v": (2,)})

        def rates(self, t, x, u):
            return rates(x, u)

    return Wrong()


@pytest.mark.parametrize(("rates", "message"), [
    (lambda x, u: {"angle": x["rate"]}, "no rate for the state 'rate'"),
    (lambda x, u: dict.fromkeys(["angle", "rate", "rat"], 0), "no state. Did you mean 'rate'"),
    (lambda x, u: {"angle": u["v"], "rate": 0}, r"has the shape \(2,\); a number is expected"),
])  # fmt: skip
def test_wrong_rates(rates, message):
    with pytest.raises(InputError, match=message):
        _ = rates_of(rates).kernels


def test_wrong_state():
    assert Pendulum.for_state((2,), damping=0.5) == Pendulum(0.5)
    with pytest.raises(InputError, match=r"has the 2 states angle, rate; .* shape \(3,\)"):
        Pendulum.for_state((3,))


CASE = {"states": ["x", "v"], "controls": ["u"], "unknowns": ["k"], "parameters": {"mass": 0.1},
        "rates": {"x": "v", "v": "u/mass + k*t"}}  # fmt: skip


def test_options_of_a_case():
    dynamics = ExpressionDynamics.for_state((2,), **CASE)
    assert list(dynamics.controls) == ["u", "k"]
    value = dynamics(2.0, np.array([[1.0, 3.0]]), {"u": np.array(0.2), "k": np.array(0.25)})
    np.testing.assert_allclose(value, [[3.0, 2.5]], rtol=1e-15)
    with pytest.raises(InputError, match="2 states"):
        ExpressionDynamics.for_state((1,), **CASE)


@pytest.mark.parametrize(("change", "message"), [
    ({"states": ["x", "x"]}, "the name 'x' is given twice"),
    ({"controls": ["t"]}, "'t' is the time"),
    ({"controls": ["lambda"]}, "keyword"),
    ({"unknowns": ["x; import os"]}, "not a name"),
    ({"rates": {"x": "v"}}, "no rate is given for 'v'"),
    ({"rates": {"x": "v", "v": "u", "vv": "0"}}, "'vv', which is no state. Did you mean 'v'"),
    ({"rates": {"x": "v", "v": "u/mas"}}, "rate of 'v': .*unknown name 'mas'. Did you mean 'mass'"),
    ({"rates": {"x": "v", "v": "__import__('os')"}}, "rate of 'v'"),
])  # fmt: skip
def test_wrong_options(change, message):
    with pytest.raises(InputError, match=message):
        ExpressionDynamics.for_state((2,), **(CASE | change))


def test_all_faults_at_once():
    with pytest.raises(InputError, match=r"rate of 'x': .*; rate of 'v': "):
        ExpressionDynamics.for_state((2,), **(CASE | {"rates": {"x": "w", "v": "z"}}))


def test_changed_copy():
    dynamics = replace(ExpressionDynamics.for_state((2,), **CASE), parameters={"mass": 0.5})
    value = dynamics(0.0, np.array([[1.0, 3.0]]), {"u": np.array(0.2), "k": np.array(0.0)})
    np.testing.assert_allclose(value, [[3.0, 0.4]], rtol=1e-15)


@pytest.mark.parametrize(("text", "free_of_t"), [("x\n + u", True), ("x +\n u*t", False)])
def test_running_cost_on_several_lines(text, free_of_t):
    dynamics = ExpressionDynamics(("x",), ("u",), {"x": "u"})
    assert ExpressionRunning(text, dynamics).autonomous == free_of_t
