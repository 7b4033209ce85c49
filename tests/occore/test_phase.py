"""An integrated phase: grids, observations, unknown start and horizon, running costs."""

from dataclasses import dataclass, replace

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Phase, Problem, RunningObjective
from occore.adaptive import Tolerances
from occore.checks import Differentiable, check_map, check_problem, raise_on_failure
from occore.errors import InputError
from occore.linearization import Products
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.heun import Heun
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.trapezoid import Trapezoid
from occore_least_squares.least_squares import LeastSquares
from occore_least_squares.tikhonov import Tikhonov

PENDULUM = ExpressionDynamics(
    ("angle", "rate"),
    ("torque",),
    {"angle": "rate", "rate": "torque - damping*rate - sin(angle)"},
    ("damping",),
)


def pendulum(method=None, **options) -> Phase:
    options = {"steps": 6, "horizon": 1.5, "space": PiecewiseLinear(intervals=3)} | options
    return Phase("swing", PENDULUM, method or RK4(), **options)


def controls(phase, rng):
    u = phase.layout.random(rng)
    return u | ({"horizon": np.array(phase.horizon)} if phase.free_horizon else {})


@dataclass(frozen=True)
class Energy(RunningObjective):
    """ℓ = ½ torque² + (t + 1) angle²."""

    def __call__(self, t, x, u):
        return u["torque"] ** 2 / 2 + (t + 1) * x[:, 0] ** 2

    def linearize(self, t, x, u):
        def jvp(dx, du):
            return u["torque"] * du["torque"] + 2 * (t + 1) * x[:, 0] * dx[:, 0]

        def split(px, pt):
            zero = np.zeros_like(px)
            return np.stack([px, zero], 1), {"torque": np.asarray(pt), "damping": np.zeros(())}

        def vjp(py):
            return split(2 * (t + 1) * x[:, 0] * py, u["torque"] * np.sum(py))

        def curvature(py, dx, du):
            return split(2 * (t + 1) * dx[:, 0] * py, du["torque"] * np.sum(py))

        return self(t, x, u), Products(jvp, vjp, curvature)


@dataclass(frozen=True)
class Effort(RunningObjective):
    """ℓ = ½ torque² + 1, which does not depend on t."""

    autonomous = True

    def __call__(self, t, x, u):
        return u["torque"] ** 2 / 2 + np.ones(len(x))

    def linearize(self, t, x, u):
        def vjp(py):
            pt = np.asarray(u["torque"] * np.sum(py))
            return 0 * x, {"torque": pt, "damping": np.zeros(())}

        return self(t, x, u), Products(
            lambda dx, du: u["torque"] * du["torque"] + 0 * dx[:, 0], vjp
        )


OPTIONS = {
    "end state": {},
    "observations": {"observations": (0.0, 0.5, 1.5)},
    "free start": {"free_start": np.array([True, False])},
    "free horizon": {"free_horizon": True},
    "all three": {
        "observations": (0.75, 1.5),
        "free_start": np.array([False, True]),
        "free_horizon": True,
    },
    "given times": {"times": (0.0, 0.1, 0.7, 1.5)},
    "adaptive": {"tolerances": Tolerances(1e-3, 1e-4)},
    "backward": {"start": 1.5, "horizon": -1.5, "observations": (1.5, 0.4, 0.0)},
}


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("method", [Dopri5(), Trapezoid()], ids=["dopri5", "trapezoid"])
def test_every_phase_passes_the_ladder(rng, method, options):
    if method.step_with_error is None and "tolerances" in options:
        pytest.skip("fixed steps only")
    phase = pendulum(method, **options)
    x, u = rng.standard_normal((3, 2)), controls(phase, rng)
    phase = phase.frozen(x, u)
    raise_on_failure(check_map(Differentiable("phase", phase, phase.linearize, x, u), rng))


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
def test_running_costs_pass_the_ladder_in_a_problem(rng, options):
    phase = pendulum(Dopri5(), **options)
    cost = Effort() if phase.free_horizon else Energy()
    count = len(phase.observations or ())
    targets = rng.standard_normal((2, count, 2) if count else (2, 2))
    data = Data(rng.standard_normal((2, 2)), targets)
    problem = Problem((phase,), 0.7 * cost + LeastSquares() + 0.1 * Tikhonov(), data)
    theta = problem.flatten({"swing": controls(phase, rng)})
    raise_on_failure(check_problem(problem, theta, rng))


def test_a_running_cost_has_the_order_of_the_method():
    """∫ (t + 1) cos² t dt over an undamped linear swing, by hand."""
    dynamics = ExpressionDynamics(("x", "v"), ("torque",), {"x": "v", "v": "-x"}, ("damping",))
    t = 2.0
    exact = t**2 / 4 + t * np.sin(2 * t) / 4 + (np.cos(2 * t) - 1) / 8 + t / 2 + np.sin(2 * t) / 4
    steps, errors = np.array([10, 20, 40]), []
    for n in steps:
        phase = Phase("swing", dynamics, RK4(), int(n), t, space=Constant())
        problem = Problem((phase,), 1.0 * Energy(), Data(np.array([[1.0, 0.0]])))
        errors.append(abs(problem.value(np.zeros(problem.size)) - exact))
    assert abs(np.polyfit(np.log(1 / steps), np.log(errors), 1)[0] - 4) < 0.2


def test_observations_that_are_no_nodes_become_nodes():
    """Ten equal steps have none at 1/3, and a given grid has none at 1."""
    x, u = np.array([[1.0, 0.0]]), {"torque": np.zeros(4), "damping": np.array(0.1)}
    for grid in ({"steps": 10}, {"times": (0.0, 0.4, 0.8, 1.2, 1.5)}):
        phase = pendulum(observations=(1 / 3, 1.0, 1.5), **grid)
        y = phase(x, u)
        for place, t in enumerate(phase.observations):
            fine = pendulum(horizon=t, steps=50)(x, u)
            assert_allclose(y[:, place], fine, rtol=1e-3)
    with pytest.raises(InputError, match=r"\[2.0\] lie outside the phase, from 0 to 1.5"):
        pendulum(observations=(2.0,))(x, u)


def test_times_of_observations_are_fractions_of_an_unknown_horizon():
    phase = pendulum(observations=(0.75, 1.5), free_horizon=True, space=Constant())
    x = np.array([[1.0, 0.0]])
    u = {"torque": np.zeros(1), "damping": np.array(0.1), "horizon": np.array(3.0)}
    known = pendulum(observations=(1.5, 3.0), horizon=3.0, space=Constant())
    assert_allclose(phase(x, u), known(x, {n: u[n] for n in ("torque", "damping")}), rtol=1e-13)
    assert_allclose(phase.grid_times(x, u)[[0, 3, 6]], [0.0, 1.5, 3.0])


def test_the_horizon_is_a_number_like_any_other():
    """x' = x: dx(T)/dT = x(T), to the order of the method."""
    dynamics = ExpressionDynamics(("x",), (), {"x": "x"})
    phase = Phase("grow", dynamics, RK4(), 50, 2.0, space=Constant(), free_horizon=True)
    y, part = phase.linearize(np.ones((1, 1)), {"horizon": np.array(2.0)})
    _, pu = part.vjp(np.ones((1, 1)))
    assert_allclose([y[0, 0], pu["horizon"]], np.exp(2.0), rtol=1e-6)


def test_the_unknown_start_replaces_that_of_every_sample():
    phase = pendulum(free_start=np.array([True, False]))
    u = {"torque": np.zeros(4), "damping": np.array(0.1), "start": np.array([0.3])}
    x = np.array([[9.0, 1.0], [7.0, 2.0]])
    fixed = replace(phase, free_start=None)
    moved = np.array([[0.3, 1.0], [0.3, 2.0]])
    expected = fixed(moved, {n: u[n] for n in ("torque", "damping")})
    assert np.array_equal(phase(x, u), expected)
    _, part = phase.linearize(x, u)
    px, pu = part.vjp(np.ones((2, 2)))
    assert np.all(px[:, 0] == 0) and pu["start"].shape == (1,)


def test_adaptive_steps_do_not_change_how_many_controls_there_are(rng):
    phase = pendulum(Heun(), space=PiecewiseConstant(), tolerances=Tolerances(1e-4), steps=5)
    x, u = rng.standard_normal((1, 2)), controls(phase, rng)
    assert u["torque"].shape == (5,)
    _, part = phase.linearize(x, u)
    assert part.vjp(np.ones((1, 2)))[1]["torque"].shape == (5,)
    assert phase.march(x, u).grid.steps > 5


def test_equal_steps_keep_one_length():
    """Observations at nodes leave the uniform grid, whose factorisations are used again."""
    phase = pendulum(steps=15, observations=tuple(np.arange(16) / 10))
    x, u = np.ones((1, 2)), {"torque": np.zeros(4), "damping": np.array(0.1)}
    assert len(set(phase.march(x, u).grid.lengths)) == 1


def test_a_static_phase_is_its_dynamics(rng):
    layer = Phase("layer", Tanh((2,), 3))
    x, u = rng.standard_normal((4, 2)), layer.dynamics.controls.random(rng)
    assert np.array_equal(layer(x, u), layer.dynamics(0.0, x, u))
    assert next(iter(layer.states(x, u))).shape == (4, 3)


def test_many_observations_of_many_steps_take_no_time():
    """A hundred thousand steps, ten thousand observations, a few of them between nodes."""
    times = tuple(np.sort(np.append(np.arange(10_000) / 10_000, [1e-7, 0.123456789])))
    phase = pendulum(steps=100_000, horizon=1.0, observations=times)
    x, u = np.ones((1, 2)), {"torque": np.zeros(4), "damping": np.array(0.1)}
    march = phase.march(x, u)
    assert march.grid.steps == 100_002
    assert_allclose(march.grid.times[list(march.observed)], times, atol=1e-12)
