"""Adaptive steps: control of the error, first steps, stops, directions, failures."""

from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pytest
from numpy.testing import assert_allclose

from occore import Data, Dynamics, Layout, Phase, Problem
from occore.adaptive import StepControl, StepLog, Tolerances, adapt
from occore.checks import Differentiable, check_map, check_problem, raise_on_failure
from occore.errors import ComputationError, InputError
from occore.linearization import Products
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning
from occore.testing.models import Decay
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.discretizations.bosh3 import Bosh3
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.dopri8 import Dopri8
from occore_continuous.discretizations.heun import Heun
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.rosenbrock import Rosenbrock
from occore_continuous.discretizations.sdirk3 import SDIRK3
from occore_least_squares.least_squares import LeastSquares

LOTKA_VOLTERRA = ExpressionDynamics(
    ("x", "y"), (), {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}, tuple("abcd")
)
ABCD = {name: np.array(v) for name, v in zip("abcd", (1.5, 1.0, 3.0, 1.0), strict=True)}
ONES = np.ones((1, 2))


def lotka_volterra(method=None, rtol=1e-6, **options) -> Phase:
    options = {"horizon": 10.0, "space": Constant(), "tolerances": Tolerances(rtol, rtol)} | options
    return Phase("flow", LOTKA_VOLTERRA, method or Dopri5(), **options)


def grid_of(dynamics, method, tolerances, x, end=1.0, log=None):
    """The grid of a dynamics without controls."""
    spans = [(0.0, end)]
    return adapt(dynamics, method, tolerances, x, lambda t, h: {}, spans, log or StepLog())


@pytest.mark.parametrize(
    "method", [Heun(), Bosh3(), Dopri5(), Dopri8()], ids=lambda m: type(m).__name__
)
def test_the_error_falls_with_the_tolerance(method):
    errors, steps = [], []
    for rtol in (1e-4, 1e-6, 1e-8) if method.order > 2 else (1e-2, 1e-3, 1e-4):
        phase = lotka_volterra(method, rtol)
        exact = [1.026344767575089319, 0.909691078136041618]  # Taylor series in 50 digits
        errors.append(np.linalg.norm(phase(ONES, ABCD) - exact))
        steps.append(phase.log.accepted)
    assert np.all(np.diff(errors) < 0) and np.all(np.diff(steps) > 0)
    assert errors[-1] < 1000 * rtol


def test_the_adaptive_gradient_passes_the_ladder_on_its_frozen_grid(rng):
    phase = lotka_volterra(Bosh3(), 1e-3, horizon=2.0).frozen(ONES, ABCD)
    target = Differentiable("frozen", phase, phase.linearize, ONES, ABCD)
    raise_on_failure(check_map(target, rng))


def test_a_frozen_grid_replays_bit_for_bit():
    phase = lotka_volterra(rtol=1e-4)
    y, part = phase.linearize(ONES, ABCD)
    times = list(phase.log.times)
    frozen = phase.frozen(ONES, ABCD)
    again, replay = frozen.linearize(ONES, ABCD)
    assert np.array_equal(y, again)
    assert list(frozen.times) == times
    (px, pu), (qx, qu) = part.vjp(np.ones_like(y)), replay.vjp(np.ones_like(y))
    assert np.array_equal(px, qx) and all(np.array_equal(pu[n], qu[n]) for n in pu)


def test_the_accepted_grid_is_logged():
    phase = lotka_volterra(rtol=1e-4)
    phase(ONES, ABCD)
    log = phase.log
    assert log.times[0] == 0.0 and log.times[-1] == 10.0
    assert log.accepted == len(log.lengths) == len(log.times) - 1
    assert_allclose(np.diff(log.times), log.lengths, rtol=1e-12)
    phase(ONES, ABCD)
    assert log.accepted == 2 * len(log.lengths)  # counts add up, the grid is that of the last


def test_observations_and_jumps_of_controls_are_hit_exactly():
    times = (0.0, 0.1, 1 / 3, np.pi, 10.0)
    phase = lotka_volterra(observations=times)
    y = phase(ONES, ABCD)
    assert set(times) <= set(phase.log.times)
    for place, t in enumerate(times[1:], start=1):
        alone = lotka_volterra(horizon=t)(ONES, ABCD)
        assert_allclose(y[:, place], alone, rtol=1e-4)
    dynamics = ExpressionDynamics(("x",), ("u",), {"x": "u"})
    space = PiecewiseConstant(intervals=3)
    phase = Phase("jump", dynamics, Dopri5(), space=space, tolerances=Tolerances(1e-8))
    y = phase(np.zeros((1, 1)), {"u": np.array([3.0, -6.0, 30.0])})
    assert {1 / 3, 2 / 3} <= set(phase.log.times)
    assert_allclose(y, [[9.0]], rtol=1e-14)


@pytest.mark.parametrize("method", [Dopri5(), SDIRK3()], ids=["dopri5", "sdirk3"])
def test_backward_in_time_returns(method):
    phase = lotka_volterra(method, 1e-6, horizon=2.0, observations=(0.5, 2.0))
    there = phase(ONES, ABCD)
    options = {"start": 2.0, "horizon": -2.0, "observations": (0.5, 0.0)}
    back = replace(phase, log=StepLog(), **options)(there[:, 1], ABCD)
    assert_allclose(back[:, 0], there[:, 0], rtol=1e-4)
    assert_allclose(back[:, 1], ONES, rtol=1e-4)


def test_the_controller_after_hairer_and_wanner():
    control = StepControl(5)
    assert control.accept(1e-30) == 5.0  # growth has a bound
    assert_allclose(control.accept(0.5), 0.9 * 0.5**-0.14 * 1e-4**0.08)
    assert_allclose(control.reject(32.0), 0.45)  # 0.9 · 32^(−1/5)
    assert control.reject(np.inf) == control.reject(np.nan) == control.reject(1e9) == 0.2
    assert control.accept(1e-30) == 1.0  # no growth right after a rejection
    assert control.accept(1e-30) == 5.0


@pytest.mark.parametrize("scale", [1e-8, 1.0, 1e8])
def test_the_first_step_suits_the_time_scale(scale):
    """x' = −x / scale: the first step is accepted and not far from those that follow."""

    @dataclass(frozen=True)
    class Slow(Dynamics):
        controls: ClassVar[Layout] = Layout({})

        def __call__(self, t, x, u):
            return -x / scale

        def linearize(self, t, x, u):
            return -x / scale, Products(lambda dx, du: -dx / scale, lambda py: (-py / scale, {}))

    log = StepLog()
    grid_of(Slow(), Dopri5(), Tolerances(1e-6, 1e-12), np.ones((1, 1)), 5 * scale, log)
    assert log.rejected <= 1
    assert 1e-3 < log.lengths[0] / max(log.lengths) <= 1
    assert 5 < log.accepted < 40


def test_the_sample_that_needs_it_sets_the_steps():
    """A fast oscillator of size 1e-3 beside one of size 1e3: each has its own relative error."""

    @dataclass(frozen=True)
    class Oscillators(Dynamics):
        controls: ClassVar[Layout] = Layout({})

        def __call__(self, t, x, u):
            rates = np.array([40.0, 1.0])[: len(x)]
            return np.stack([x[:, 1], -x[:, 0]], axis=1) * rates[:, None]

        def linearize(self, t, x, u):
            raise NotImplementedError

    x = np.array([[1e-3, 1e-3], [1e3, 1e3]])
    both, alone = StepLog(), StepLog()
    grid_of(Oscillators(), Dopri5(), Tolerances(1e-6, 1e-9), x, 1.0, both)
    grid_of(Oscillators(), Dopri5(), Tolerances(1e-6, 1e-9), x[:1], 1.0, alone)
    assert both.lengths == alone.lengths


def test_a_running_cost_stays_out_of_the_error():
    """The cost 1e6 cos(50 t) x changes no step; also with an unknown horizon."""
    dynamics = ExpressionDynamics(("x", "c"), (), {"x": "-x", "c": "1"})
    for free in (False, True):
        phase = Phase(
            "decay",
            dynamics,
            Dopri5(),
            horizon=3.0,
            space=Constant(),
            tolerances=Tolerances(1e-6, 1e-9),
            free_horizon=free,
        )
        lengths = []
        for running in ("1", "1e6*cos(50*c)*x"):
            log = StepLog()
            phase = replace(phase, log=log)
            objective = Bolza(running=running).for_phases((phase,))
            problem = Problem((phase,), objective, Data(np.array([[1.0, 0.0]])))
            problem.value(problem.initial_controls(np.random.default_rng(0)))
            lengths.append(log.lengths)
        assert lengths[0] == lengths[1]


def test_single_precision_stays_single_and_says_what_it_can_reach():
    phase = lotka_volterra(rtol=1e-4)
    x, u = ONES.astype(np.float32), {n: v.astype(np.float32) for n, v in ABCD.items()}
    y, part = phase.linearize(x, u)
    px, pu = part.vjp(np.ones_like(y))
    assert y.dtype == px.dtype == pu["a"].dtype == np.float32
    assert_allclose(y, phase(ONES, ABCD), rtol=1e-3)
    with pytest.raises(InputError, match=r"rtol = 1e-08 is below what float32 .* at least 1e-06"):
        lotka_volterra(rtol=1e-8)(x, u)


def test_the_grid_is_searched_in_the_precision_of_the_state():
    seen = []

    @dataclass(frozen=True)
    class Watch(Dynamics):
        controls: ClassVar[Layout] = Layout({})

        def __call__(self, t, x, u):
            seen.append(x.dtype)
            return -x

        def linearize(self, t, x, u):
            raise NotImplementedError

    grid_of(Watch(), Dopri5(), Tolerances(1e-4), np.ones((1, 1), np.float32))
    assert set(seen) == {np.dtype(np.float32)}


def test_a_method_without_an_error_estimate():
    with pytest.raises(InputError, match="RK4 estimates no error: give steps"):
        lotka_volterra(RK4())(ONES, ABCD)


ROBERTSON = ExpressionDynamics(
    ("x", "y", "z"),
    (),
    {"x": "-k1*x + k3*y*z", "y": "k1*x - k3*y*z - k2*y**2", "z": "k2*y**2"},
    ("k1", "k2", "k3"),
)
RATES = {"k1": np.array(0.04), "k2": np.array(3e7), "k3": np.array(1e4)}
PURE = np.array([[1.0, 0.0, 0.0]])


def test_a_stiff_problem_ends_with_the_reason_and_the_methods_that_serve():
    tolerances = Tolerances(1e-6, 1e-9, max_steps=300)
    phase = Phase(
        "robertson", ROBERTSON, Dopri5(), horizon=1e4, space=Constant(), tolerances=tolerances
    )
    with pytest.raises(ComputationError) as caught:
        phase(PURE, RATES)
    text = str(caught.value)
    assert "Dopri5" in text and "after 300 steps" in text and "rejected; last lengths" in text
    assert "the problem is stiff" in text and "rosenbrock or sdirk3" in text
    rate = float(text.split("rate of about ")[1].split()[0])
    assert 1e3 < rate < 1e4  # the eigenvalue is near −2.2e3 after the initial layer


@pytest.mark.parametrize("method", [SDIRK3(), Rosenbrock()], ids=["sdirk3", "rosenbrock"])
def test_the_methods_that_are_named_do_serve(method):
    """Values of Hairer and Wanner II, section IV.10 (ROBER), at t = 40: by Radau, 1e-12."""
    tolerances = Tolerances(1e-4, 1e-8, max_steps=3000)
    phase = Phase("robertson", ROBERTSON, method, horizon=40.0, space=Constant())
    y = replace(phase, tolerances=tolerances)(PURE, RATES)
    assert_allclose(y, [[0.7158271, 9.185535e-6, 0.2841637]], rtol=5e-3)
    assert_allclose(np.sum(y), 1.0, rtol=1e-12)


def test_a_blow_up_ends_at_its_time():
    """x' = x² from 1 is infinite at t = 1; overflow in a trial step is no warning."""
    dynamics = ExpressionDynamics(("x",), (), {"x": "x**2"})
    phase = Phase("blow-up", dynamics, Dopri5(), horizon=2.0, space=Constant())
    with pytest.raises(ComputationError, match=r"end at t = (1|0\.99999).* Look for a blow-up"):
        replace(phase, tolerances=Tolerances(1e-6))(np.ones((1, 1)), {})


def test_steps_that_are_too_long_are_rejected_however_wrong_they_are():
    """A first step of 40 overflows; a first step of zero field is no division by zero."""
    tolerances = Tolerances(1e-6, 1e-9, first_step=40.0)
    phase = lotka_volterra(tolerances=tolerances, horizon=50.0)
    assert np.all(np.isfinite(phase(ONES, ABCD)))
    assert phase.log.rejected > 0
    grid = grid_of(Decay(), Dopri5(), Tolerances(1e-6, 0.0), np.zeros((1, 1)))
    assert grid.times[-1] == 1.0


def test_an_adaptive_problem_passes_the_ladder(rng):
    """Adaptive, with observations, an unknown start and a running cost."""
    phase = lotka_volterra(
        Bosh3(), 1e-3, horizon=1.0, observations=(0.3, 1.0), free_start=np.array([True, False])
    )
    objective = LeastSquares() + ExpressionRunning("x*y", LOTKA_VOLTERRA)
    problem = Problem((phase,), objective, Data(ONES, np.ones((1, 2, 2))))
    u = {**ABCD, "start": np.array([0.8])}
    raise_on_failure(check_problem(problem, problem.flatten({"flow": u}), rng))
