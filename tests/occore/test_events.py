"""Events in a march, with the jump of the adjoint; declared switches."""

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import mpmath
import numpy as np
import pytest
import sympy
from numpy.testing import assert_allclose

from occore import Data, Dynamics, Layout, Linearization, Phase, Problem, RunningObjective
from occore.adaptive import Tolerances
from occore.checkpointing import Cost, Linearizations, Reversible, Slots, States
from occore.checks import CheckFailed, Differentiable, check_map, check_problem, raise_on_failure
from occore.errors import ComputationError, InputError, StructureError
from occore.events import Event, _turns
from occore.gradient_error import gradient_error, gradient_gap
from occore.linearization import Products
from occore.segments import Instant, ToEvent, ToNode
from occore.step_controls import MovingControls
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.symbolic.running_cost import ExpressionRunning
from occore.testing.models import Ramp
from occore.testing.mutation import Mutant, replaced, wrapped
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.control_spaces.cubic_spline import CubicSpline
from occore_continuous.control_spaces.piecewise_constant import PiecewiseConstant
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.ars222 import ARS222
from occore_continuous.discretizations.dopri5 import Dopri5
from occore_continuous.discretizations.etdrk4 import ETDRK4
from occore_continuous.discretizations.heun import Heun
from occore_continuous.discretizations.linear_equations import LinearEquation
from occore_continuous.discretizations.rk4 import RK4
from occore_continuous.discretizations.rosenbrock import Rosenbrock
from occore_continuous.discretizations.sdirk3 import SDIRK3
from occore_continuous.discretizations.verlet import Verlet


def ids(method):
    return type(method).__name__


METHODS = [Heun(), RK4(), Dopri5(), SDIRK3(), Rosenbrock()]


def model(states, rates, unknowns=(), controls=()):
    return ExpressionDynamics(tuple(states), tuple(controls), rates, tuple(unknowns))


FALL = model("xvc", {"x": "v", "v": "-g", "c": "1"}, "ge")
BOUNCE = model("xvc", {"x": "x", "v": "-e*v", "c": "c"}, "ge")
"""Read as a map: the state after the bounce; c is the time."""

FLOOR = Event(ExpressionRunning("x", FALL), BOUNCE, direction=-1, name="bounce")
BALL = {"g": np.array(9.8), "e": np.array(0.8)}
START = np.array([[50.0, 0.0, 0.0]])


def ball(method=None, event=FLOOR, horizon=5.0, **options) -> Phase:
    options = {"steps": 4, "space": Constant()} | options
    return Phase("ball", FALL, method or RK4(), horizon=horizon, events=(event,), **options)


EXACT = {  # SciML's hybrid example, closed form in 19 digits
    "time": 3.1943828249996995663,
    "before": -31.304951684997055750,
    "after": 25.043961347997644600,
    "x": 29.244565164973501748,
    "v": 7.3489130329947003495,
    "time, x0": 0.031943828249996995663,
    "time, g": -0.16297871556120916155,
    "x, x0": 0.21744565164973501748,
    "x, g": 1.8747227124986480483,
    "x, e": 56.524758424985278749,
    "v, x0": 0.5634891303299470035,
    "v, g": -2.1250554574997029039,
    "v, e": 31.30495168499705575,
}


@pytest.mark.parametrize("method", METHODS, ids=ids)
def test_bouncing_ball(method):
    phase = ball(method)
    y, part = phase.linearize(START, BALL)
    assert_allclose(y[0, :2], [EXACT["x"], EXACT["v"]], rtol=1e-12)
    for place, name in enumerate("xv"):
        p = np.zeros((1, 3))
        p[0, place] = 1
        px, pu = part.vjp(p)
        found = [px[0, 0], pu["g"], pu["e"]]
        assert_allclose(found, [EXACT[f"{name}, {k}"] for k in ("x0", "g", "e")], rtol=1e-10)
        directions = [
            part.jvp(np.array([[1.0, 0, 0]]), {"g": np.zeros(()), "e": np.zeros(())}),
            part.jvp(0 * START, {"g": np.ones(()), "e": np.zeros(())}),
            part.jvp(0 * START, {"g": np.zeros(()), "e": np.ones(())}),
        ]
        assert_allclose([d[0, place] for d in directions], found, rtol=1e-12)
    ((bounce,),) = phase.happened(START, BALL)
    assert_allclose(bounce.time, EXACT["time"], rtol=1e-14)
    assert_allclose([bounce.before[1], bounce.after[1]], [EXACT["before"], EXACT["after"]])


def test_the_time_of_a_terminal_event_is_a_state_with_rate_one():
    phase = ball(event=Event(ExpressionRunning("x", FALL), direction=-1, terminal=True))
    y, part = phase.linearize(START, BALL)
    assert_allclose(y[0], [0.0, EXACT["before"], EXACT["time"]], atol=1e-13)
    px, pu = part.vjp(np.array([[0.0, 0.0, 1.0]]))
    assert_allclose(px[0, 0], EXACT["time, x0"], rtol=1e-12)
    assert_allclose(pu["g"], EXACT["time, g"], rtol=1e-12)
    assert pu["e"] == 0


def test_after_a_terminal_event_observations_see_its_state(rng):
    event = Event(ExpressionRunning("x", FALL), direction=-1, terminal=True)
    phase = ball(event=event, observations=(0.0, 1.0, 4.0, 5.0))
    y, part = phase.linearize(START, BALL)
    assert_allclose(y[0, :, 2], [0.0, 1.0, EXACT["time"], EXACT["time"]])
    px, _ = part.vjp(np.array([[[0.0, 0, 0], [0, 0, 0], [0, 0, 1], [0, 0, 2]]]))
    assert_allclose(px[0, 0], 3 * EXACT["time, x0"], rtol=1e-12)
    prove(phase, START, BALL, rng)


def prove(phase, x, u, rng):
    """The ladder on the phase as a map, second derivatives included."""
    rows = check_map(Differentiable("events", phase, phase.linearize, x, u), rng)
    raise_on_failure(rows)
    assert all(row.verdict != "none" for row in rows)


def test_many_bounces_of_several_balls_pass_the_ladder(rng):
    """Three bounces within one step, others alone; each ball has its own times."""
    x = np.array([[3.0, 1.0, 0.0], [0.7, -2.0, 0.0], [20.0, 0.0, 0.0]])
    phase = ball(horizon=2.1, steps=3, observations=(0.7, 1.4, 2.1))
    assert [len(each) for each in phase.happened(x, BALL)] == [1, 4, 1]
    prove(phase, x, BALL, rng)
    y, part = phase.linearize(x, BALL)
    assert np.array_equal(y, phase(x, BALL))
    first, again = part.vjp(np.ones_like(y)), part.vjp(np.ones_like(y))
    assert np.array_equal(first[0], again[0]) and first[1] == again[1]


def test_single_precision_stays_single():
    u = {name: value.astype(np.float32) for name, value in BALL.items()}
    y, part = ball(steps=10).linearize(START.astype(np.float32), u)
    px, pu = part.vjp(np.ones((1, 3), np.float32))
    assert y.dtype == px.dtype == pu["g"].dtype == np.float32
    assert_allclose(y[0, :2], [EXACT["x"], EXACT["v"]], rtol=1e-5)
    assert_allclose(pu["e"], EXACT["x, e"] + EXACT["v, e"], rtol=1e-5)


POLICIES = [Linearizations(), States(), Slots(1), Slots(3), Slots(2, disk=3), Reversible()]


def test_every_memory_policy_gives_the_same_bits():
    """First and second derivatives, in whatever order they are asked for."""
    py, d = np.ones((2, 3, 3)), (np.ones((2, 3)), {"g": np.array(0.3), "e": np.array(-1.0)})
    x, results = np.array([[3.0, 1.0, 0.0], [0.7, -2.0, 0.0]]), []
    for memory in POLICIES:
        phase = ball(steps=7, horizon=2.1, memory=memory, observations=(0.7, 1.4, 2.1))
        _, part = phase.linearize(x, BALL)
        products = part.curvature(py, *d), part.vjp(py), part.curvature(py, *d), (part.jvp(*d), {})
        results.append([a for px, pu in products for a in (px, *pu.values())])
        assert np.array_equal(results[-1][0], results[-1][6])
    for other in results:
        assert all(map(np.array_equal, results[0], other))


def test_slots_bound_what_is_stored():
    """Three states of three numbers, whatever the number of steps."""
    peaks = {}
    for memory in (Slots(3), States()):
        for steps in (20, 80):
            phase = ball(steps=steps, memory=memory, cost=Cost())
            _, part = phase.linearize(START, BALL)
            part.vjp(np.ones((1, 3)))
            peaks[type(memory), steps] = phase.cost.peak_bytes
    assert peaks[Slots, 20] == peaks[Slots, 80] == 3 * 3 * 8
    assert peaks[States, 80] == (79 + 3) * 3 * 8  # the step with the event makes three pieces


@pytest.fixture(scope="module")
def closed_form():
    """x(T) and v(T) after one bounce, with all second derivatives in (x0, v0, g, e), by SymPy."""
    x0, v0, g, e, T = w = sympy.symbols("x0 v0 g e T", positive=True)
    t = (v0 + sympy.sqrt(v0**2 + 2 * g * x0)) / g
    after = -e * (v0 - g * t)
    late = T - t
    ends = [after * late - g * late**2 / 2, after - g * late]
    hessians = [sympy.hessian(end, w[:4]) for end in ends]
    return sympy.lambdify(w, [ends, hessians], "mpmath")


@pytest.mark.parametrize("method", METHODS, ids=ids)
def test_second_derivatives_of_the_bouncing_ball(method, closed_form):
    """The Hessians of both end values in the start and both parameters."""
    with mpmath.workdps(30):
        ends, hessians = closed_form(*map(mpmath.mpf, ("50", "0", "9.8", "0.8", "5")))
        expected = np.array([[[float(a) for a in r] for r in h.tolist()] for h in hessians])
    y, part = ball(method).linearize(START, BALL)
    assert_allclose(y[0, :2], [float(end) for end in ends], rtol=1e-13)
    for place in range(2):
        py, found = np.zeros((1, 3)), []
        py[0, place] = 1
        for d in np.eye(4):
            dx, du = np.array([[d[0], d[1], 0]]), {"g": np.array(d[2]), "e": np.array(d[3])}
            hx, hu = part.curvature(py, dx, du)
            found.append([hx[0, 0], hx[0, 1], hu["g"], hu["e"]])
        scale = np.max(np.abs(expected[place]))
        assert_allclose(found, expected[place], rtol=1e-10, atol=1e-12 * scale)
        assert_allclose(found, np.transpose(found), rtol=1e-11, atol=1e-13 * scale)


def test_a_pair_of_crossings_within_one_step_is_seen():
    """Falls through 1 and comes back up through it; g is positive at both ends of the one step."""
    dynamics = model("xv", {"x": "v", "v": "2"})
    mark = model("xv", {"x": "x", "v": "v - 1"})
    event = Event(ExpressionRunning("x - 1", dynamics), mark, direction=-1)
    phase = Phase("fall", dynamics, RK4(), 1, 4.0, space=Constant(), events=(event,))
    ((hit,),) = phase.happened(np.array([[4.5, -4.0]]), {})
    assert_allclose(hit.time, 2 - np.sqrt(0.5), rtol=1e-14)  # (t − 2)² + ½ = 1


@pytest.mark.parametrize(("direction", "count"), [(0, 4), (1, 2), (-1, 2)])
def test_direction_of_an_oscillator(direction, count):
    """x = sin t passes zero at π, 2π, 3π, 4π; no reset."""
    dynamics = model("xv", {"x": "v", "v": "-x"})
    event = Event(ExpressionRunning("x", dynamics), direction=direction)
    phase = Phase("swing", dynamics, Dopri5(), 60, 13.0, space=Constant(), events=(event,))
    (hits,) = phase.happened(np.array([[0.01, 1.0]]), {})
    assert len(hits) == count
    phase = replace(phase, tolerances=Tolerances(1e-9, 1e-12))
    (hits,) = phase.happened(np.array([[0.01, 1.0]]), {})
    times = np.pi * np.arange(1, 5) - np.arctan(0.01)
    wanted = {0: times, 1: times[1::2], -1: times[::2]}[direction]
    assert_allclose([hit.time for hit in hits], wanted, rtol=1e-8)


SPACES = [
    Constant(),
    PiecewiseConstant(intervals=3),
    PiecewiseLinear(intervals=3),
    CubicSpline(intervals=3),
]
PUSHED = model("xv", {"x": "v", "v": "-g + u*cos(t) - 0.1*v*x"}, unknowns="ge", controls=("u",))
KICK = model("xv", {"x": "x", "v": "-e*v + 0.1*u*x + 0.2*u"}, unknowns="ge", controls=("u",))


@pytest.mark.parametrize(
    ("method", "space"),
    [(RK4(), space) for space in SPACES] + [(SDIRK3(), SPACES[-1])],
    ids=lambda item: type(item).__name__,
)
def test_time_dependent_fields_and_controls_pass_the_ladder(rng, method, space):
    """The event, the reset and the field use a control that varies in time, the field uses t."""
    event = Event(ExpressionRunning("x - 0.1*u", PUSHED), KICK, direction=-1)
    phase = Phase(
        "push",
        PUSHED,
        method,
        steps=3,
        horizon=1.2,
        start=0.5,
        space=space,
        events=(event,),
        observations=(1.3, 1.7),
    )
    u = {n: np.asarray(v) for n, v in (("g", 9.8), ("e", 0.7))}
    u["u"] = 1 + 0.3 * rng.standard_normal(space.size(3))
    x = np.array([[2.0, 1.0], [1.0, -1.0]])
    assert all(len(hits) > 0 for hits in phase.happened(x, u))
    prove(phase, x, u, rng)


def multiplier_fixed(f, self, p, dp, d):
    """As if λ did not change: the part of the state is off by one gradient of G."""
    first, back = f(self, p, dp, d)
    return first, back._replace(p=back.p + self._multiplied(0 * p[0], 0.0, 1.0).p)


def no_second_order(f, self, pu, dc, dtimes):
    pc, turned = f(self, pu, dc, dtimes)
    return {name: 0 * value for name, value in pc.items()}, 0 * turned


def keeps_its_length(f, self, d):
    return self.step.tangent(d, 0.0), 0.0


def at_fixed_time(f, self, d):
    return f(self, d._replace(dt=0.0))


def without_turn(f, self, pu, dc, dtimes):
    pc, turned = f(self, pu, dc, dtimes)
    return pc, 0 * turned


BUGS = [
    Mutant("time-stands-still", "jump", wrapped(ToEvent, "_length", lambda f, s, d: 0.0)),
    Mutant("no-jump", "jump", wrapped(ToEvent, "_multiplier", lambda f, s, p, pt: 0.0)),
    Mutant("rest-keeps-its-length", "jump", wrapped(ToNode, "jvp", keeps_its_length)),
    Mutant("multiplier-fixed", "second", wrapped(ToEvent, "second", multiplier_fixed)),
    Mutant("rates-forgotten", "controls", replaced(MovingControls, "_rates", {})),
    Mutant("no-second-order", "controls", wrapped(MovingControls, "second", no_second_order)),
    Mutant("no-turn-of-controls", "controls", wrapped(MovingControls, "second", without_turn)),
    Mutant("time-forgotten", "instant", wrapped(Instant, "jvp", at_fixed_time)),
]


@pytest.mark.parametrize("bug", BUGS, ids=str)
def test_the_ladder_catches_what_can_go_wrong_at_an_event(bug, rng, monkeypatch):
    event = Event(ExpressionRunning("x - 0.1*u - 0.1*t", PUSHED), KICK, direction=-1)
    space, options = CubicSpline(intervals=2), {"steps": 2, "horizon": 1.0, "start": 0.5}
    phase = Phase("push", PUSHED, RK4(), space=space, events=(event,), **options)
    u = {"g": np.array(9.8), "e": np.array(0.7), "u": 1 + 0.3 * rng.standard_normal(5)}
    x = np.array([[2.0, 1.0]])
    assert len(phase.happened(x, u)[0]) == 1
    bug.plant(monkeypatch)
    monkeypatch.setattr("occore.checks.DIRECTIONS", 1)  # a wrong derivative fails along any
    with pytest.raises(CheckFailed):
        prove(phase, x, u, rng)


MOVING = model("xv", {"x": "v", "v": "-g + 0.3*sin(2*t)*x"}, "ge")
LIFTED = model("xv", {"x": "x + 0.01*t", "v": "-e*v + 0.2*cos(t)*x**2"}, "ge")


@pytest.mark.parametrize("method", [RK4(), SDIRK3(), Rosenbrock()], ids=ids)
def test_conditions_and_resets_that_depend_on_time_pass_the_ladder(rng, method):
    """A ball on a table that goes up and down; t is in the field, the condition and the reset."""
    event = Event(ExpressionRunning("x - 0.1*sin(3*t)*g/9.8", MOVING), LIFTED, direction=-1)
    options = {"start": 0.3, "observations": (1.0, 1.9)}
    phase = ball(method, event, horizon=1.6, steps=3, **options)
    phase = replace(phase, dynamics=MOVING)
    x = np.array([[2.0, 1.0], [1.0, -1.0]])
    assert all(len(hits) > 0 for hits in phase.happened(x, BALL))
    prove(phase, x, BALL, rng)


def test_the_time_of_an_event_at_a_moving_condition():
    """x = 3 − t²/2 meets 1 + t at t = √5 − 1; the start moves it by 1/(1 + t), by hand."""
    fall = model("xvc", {"x": "v", "v": "-1", "c": "1"})
    event = Event(ExpressionRunning("x - (1 + t)", fall), terminal=True)
    phase = ball(event=event)
    y, part = replace(phase, dynamics=fall).linearize(np.array([[3.0, 0.0, 0.0]]), {})
    t = np.sqrt(5) - 1
    assert_allclose(y[0], [3 - t**2 / 2, -t, t], rtol=1e-14)
    p = np.array([[0.0, 0.0, 1.0]])
    assert_allclose(part.vjp(p)[0][0, :2], [1 / (1 + t), t / (1 + t)], rtol=1e-13)
    bend, _ = part.curvature(p, np.array([[1.0, 0.0, 0.0]]), {})
    assert_allclose(bend[0, 0], -1 / (1 + t) ** 3, rtol=1e-12)  # d/dx0 of 1/(1 + t)


def test_what_depends_on_time_by_code_must_say_how():
    """A reset that may depend on t and has no derivative in it is refused before any work."""

    @dataclass(frozen=True)
    class Lift(Dynamics):
        controls: ClassVar[Layout] = Layout({})

        def __call__(self, t, x, u):
            return x + t

        def linearize(self, t, x, u):
            return x + t, Products(lambda dx, du: dx, lambda py: (py, {}))

    with pytest.raises(InputError, match="derivative of Lift in t: make time a state"):
        ball(event=Event(ExpressionRunning("x", FALL), Lift()))
    timed = Event(ExpressionRunning("x - t", FALL), name="rise")
    with pytest.raises(InputError, match="'rise' depends on t, and the horizon is unknown"):
        ball(event=timed, free_horizon=True)


def test_a_state_that_blows_up_is_no_event():
    """x' = x² is infinite at t = 1: what comes of it is said by who looks at the end."""
    burst = model("xvc", {"x": "x**2", "v": "0*v", "c": "1"}, "ge")
    event = Event(ExpressionRunning("x*v - 1", burst), direction=-1)
    phase = replace(ball(event=event, steps=40), dynamics=burst)
    with np.errstate(all="ignore"):
        y = phase(np.array([[1.0, 0.1, 0.0]]), BALL)
    assert not np.isfinite(y[0, 0])


@pytest.mark.parametrize("seed", range(20))
def test_the_turns_of_a_cubic(seed):
    """Against NumPy's roots of its derivative."""
    a, b, da, db = np.random.default_rng(seed).standard_normal(4)
    if seed % 4 == 0:
        b = a + (da + db) / 2  # a parabola
    cubic = np.poly1d([2 * a - 2 * b + da + db, 3 * b - 3 * a - 2 * da - db, da, a])
    expected = [s.real for s in cubic.deriv().roots if abs(s.imag) < 1e-12 and 0 < s.real < 1]
    assert_allclose(_turns(((a, da), (b, db)), 1.0), sorted(expected), rtol=1e-9)


def test_events_need_real_states_and_controls_with_derivatives():
    with pytest.raises(InputError, match="events need real states"):
        ball()(START + 0j, BALL)
    phase = replace(ball(), dynamics=PUSHED, events=(FLOOR,), space=Ramp())
    with pytest.raises(InputError, match="Ramp has no derivative_basis"):
        phase(START[:, :2], {**BALL, "u": np.zeros(2)})


CORNER = model("xyvw", {"x": "v", "y": "w", "v": "0", "w": "0"}, "e")
WALLS = [
    Event(
        ExpressionRunning(state, CORNER),
        model("xyvw", {s: f"-e*{s}" if s == rate else s for s in "xyvw"}, "e"),
        name=state,
    )
    for state, rate in ("xv", "yw")
]


@pytest.mark.parametrize("order", [(0, 1), (1, 0)])
@pytest.mark.parametrize("direction", [-1, 0])
@pytest.mark.parametrize("start", [0.3, 0.7, 1.0, 1.234567])
def test_two_events_at_once_both_happen(order, direction, start):
    """A ball in a corner: both walls at the same time, to rounding, whatever it rounds to."""
    walls = [replace(WALLS[k], direction=direction) for k in order]
    u = {"e": np.array(0.9)}
    phase = Phase("corner", CORNER, RK4(), 3, 2.0, space=Constant(), events=tuple(walls))
    speed = start / 0.77
    for scale in (1.0, 1 / 3, 0.1):  # y reaches its wall with other rounding errors
        x = np.array([[start, scale * start, -speed, -scale * speed]])
        (hits,) = phase.happened(x, u)
        assert [hit.event.name for hit in hits] == [walls[0].name, walls[1].name]
        assert_allclose([hit.time for hit in hits], 0.77, rtol=1e-14)
        end = 0.9 * speed * (2 - 0.77)
        assert_allclose(phase(x, u)[0, :2], [end, scale * end], rtol=1e-13)


def test_the_derivative_in_a_corner(rng):
    """The resets of the two walls commute, so that their order is of no matter."""
    phase = Phase("corner", CORNER, RK4(), 3, 2.0, space=Constant(), events=tuple(WALLS))
    prove(phase, np.array([[1.0, 0.5, -1.3, -0.65]]), {"e": np.array(0.9)}, rng)


def test_an_event_at_a_node_happens_once_and_keeps_the_derivative(rng):
    """x = 1 − t meets 0 at the node t = 1, as it is and as rounding may shift it."""
    dynamics = model("xv", {"x": "v", "v": "0.0*x"}, "e")
    wall = Event(ExpressionRunning("x", dynamics), model("xv", {"x": "x", "v": "-e*v"}, "e"), -1)
    phase = Phase("node", dynamics, RK4(), 4, 2.0, space=Constant(), events=(wall,))
    for start in (1.0, 1 + 2e-16, 1 - 1e-16, 1 + 1e-12, 1 - 1e-12):
        x, u = np.array([[start, -1.0]]), {"e": np.array(0.5)}
        (hits,) = phase.happened(x, u)
        assert len(hits) == 1
        assert_allclose(phase(x, u), [[0.5 * (2 - start), 0.5]], rtol=1e-11)
        px, pu = phase.linearize(x, u)[1].vjp(np.array([[1.0, 0.0]]))
        # x(2) = −e v (2 + x/v): by hand −e in x and −e 2 in v; 2 + x/v times −v in e
        assert_allclose(px, [[-0.5, -1.0]], rtol=1e-11)
        assert_allclose(pu["e"], 2 - start, rtol=1e-11)


@pytest.mark.parametrize("steps", [1, 4])
def test_an_event_at_the_start(steps):
    """A ball that begins on the floor and moves down bounces at once; one that moves up later."""
    phase = ball(horizon=1.0, steps=steps)
    (hits,) = phase.happened(np.array([[0.0, -2.0, 0.0]]), BALL)
    assert [hit.time for hit in hits[:1]] == [0.0]
    up = phase(np.array([[0.0, 1.6, 0.0]]), BALL)
    assert_allclose(phase(np.array([[0.0, -2.0, 0.0]]), BALL), up, rtol=1e-13)
    (hits,) = phase.happened(np.array([[0.0, 1.6, 0.0]]), BALL)
    assert_allclose(hits[0].time, 3.2 / 9.8, rtol=1e-13)
    short = ball(horizon=0.2, steps=steps)
    _, part = short.linearize(np.array([[0.0, -2.0, 0.0]]), BALL)
    px, pu = part.vjp(np.array([[1.0, 0.0, 0.0]]))
    # with v1 = √(v0² + 2 g x0), t1 = (v0 + v1)/g: x = e v1 (T − t1) − g (T − t1)²/2, at x0 = 0
    t_x, v_x = 1 / 2.0, 9.8 / 2.0
    assert_allclose(px[0, 0], 0.8 * v_x * 0.2 - 0.8 * 2 * t_x + 9.8 * 0.2 * t_x, rtol=1e-12)
    assert_allclose(pu["e"], 2 * 0.2, rtol=1e-12)


def test_a_contact_that_does_not_leave_is_an_error():
    """A plastic impact, e = 0, would fall through the floor, and so would a ball at rest on it."""
    with pytest.raises(ComputationError, match=r"'bounce' begins at zero at t = 3\.19"):
        ball()(START, {"g": np.array(9.8), "e": np.array(0.0)})
    with pytest.raises(ComputationError, match="such a contact has no time of its own"):
        ball()(0 * START, BALL)


@pytest.mark.parametrize("tolerances", [None, Tolerances(1e-9, 1e-11)])
def test_backward_in_time(rng, tolerances):
    """A bounce undone: with 1/e the march goes back to where it came from; falling along it."""
    back = {"g": np.array(9.8), "e": np.array(1 / 0.8)}
    phase = ball(Dopri5(), start=5.0, horizon=-5.0, tolerances=tolerances, observations=(4.0, 0.0))
    end = np.array([[EXACT["x"], EXACT["v"], 5.0]])
    y = phase(end, back)
    assert_allclose(y[0, 1], START[0], atol=1e-10)
    prove(phase.frozen(end, back), end, back, rng)


def test_of_events_at_one_time_the_one_declared_first_happens_first():
    """After the bounce x rises, so that the end at x = 0 happens only where it comes first."""
    end = Event(ExpressionRunning("x*(1 + c)", FALL), terminal=True, name="end")
    for events, names in (((FLOOR, end), ["bounce"]), ((end, FLOOR), ["end"])):
        (hits,) = replace(ball(), events=events).happened(START, BALL)
        assert [hit.event.name for hit in hits] == names


@dataclass(frozen=True)
class First(RunningObjective):
    """x₁ − 1/2 of each sample."""

    autonomous: ClassVar[bool] = True

    def __call__(self, t, x, u):
        return x[:, 0] - 0.5

    def linearize(self, t, x, u):
        def vjp(py):
            return py[:, None] * np.array([[1.0, 0.0]]), {}

        return self(t, x, u), Products(
            lambda dx, du: dx[:, 0], vjp, lambda py, dx, du: (0 * dx, {})
        )


def test_methods_that_split_the_field_know_events_and_exponential_ones_say_that_they_do_not(rng):
    """(E + I) x, one matrix explicit; where x₁ falls to 1/2 the state goes on as 2 x."""
    field = LinearEquation(((-0.3, 0.2), (0.1, -0.5)), ((-0.5, 0.0), (0.0, -0.2)))
    zero = ((0.0, 0.0), (0.0, 0.0))
    event = Event(First(), LinearEquation(((2.0, 0.0), (0.0, 2.0)), zero), -1)
    phase = Phase("split", field, ARS222(), 5, 4.0, space=Constant(), events=(event,))
    x = np.array([[1.0, 0.3], [0.8, -0.2]])
    assert all(len(hits) >= 4 for hits in phase.happened(x, {}))
    prove(phase, x, {}, rng)
    with pytest.raises(StructureError, match="with events take another, such as rk4"):
        replace(phase, discretization=ETDRK4())(x, {})


def test_two_kinds_of_events_between_walls(rng):
    """A ball between two walls; the far one takes energy."""
    dynamics = model("xv", {"x": "v", "v": "-0.3*v"}, "e")
    left = Event(ExpressionRunning("x", dynamics), model("xv", {"x": "x", "v": "-v"}, "e"), -1)
    damped = model("xv", {"x": "x", "v": "-e*v"}, "e")
    right = Event(ExpressionRunning("x - 1", dynamics), damped, 1, name="right")
    phase = Phase("walls", dynamics, RK4(), 8, 2.0, space=Constant(), events=(left, right))
    x, u = np.array([[0.4, 3.0]]), {"e": np.array(0.9)}
    (hits,) = phase.happened(x, u)
    assert [hit.event for hit in hits] == [right, left, right, left]
    prove(phase, x, u, rng)


def test_adaptive_steps_find_events_and_freeze(rng):
    """The grid has no node at the event, so that frozen it serves other controls as well."""
    drag = model("xvc", {"x": "v", "v": "-g - 0.05*v*abs(v)", "c": "1"}, "ge")
    event = Event(ExpressionRunning("x", drag), BOUNCE, direction=-1)
    phase = replace(ball(Dopri5(), event), dynamics=drag, tolerances=Tolerances(1e-5, 1e-7))
    x = np.array([[50.0, 0.0, 0.0], [30.0, 3.0, 0.0]])
    frozen = phase.frozen(x, BALL)
    assert np.array_equal(frozen(x, BALL), phase(x, BALL))
    tight = replace(phase, tolerances=Tolerances(1e-8, 1e-10))
    assert_allclose(phase(x, BALL), tight(x, BALL), rtol=1e-4)
    prove(frozen, x, BALL, rng)
    ends = replace(phase, events=(replace(event, terminal=True),))
    assert_allclose(ends(x, BALL)[:, 0], 0.0, atol=1e-12)
    one = x[:1]
    prove(ends.frozen(one, BALL), one, BALL, rng)


def test_free_start_free_horizon_and_a_running_cost(rng):
    """Everything at once, through a problem: the cost goes on over the bounce."""
    dynamics = model("xv", {"x": "v", "v": "-g"}, "ge")
    bounce = model("xv", {"x": "x", "v": "-e*v"}, "ge")
    event = Event(ExpressionRunning("x", dynamics), bounce, direction=-1)
    phase = Phase(
        "ball",
        dynamics,
        RK4(),
        6,
        horizon=2.0,
        space=Constant(),
        events=(event,),
        free_start=np.array([True, False]),
        free_horizon=True,
    )
    objective = Bolza(running="x**2", terminal="v + t").for_phases((phase,))
    problem = Problem((phase,), objective, Data(np.array([[0.0, 0.5]])))
    u = {"g": np.array(9.8), "e": np.array(0.8), "horizon": np.array(2.0), "start": np.ones(1)}
    theta = problem.flatten({"ball": u})
    raise_on_failure(check_problem(problem, theta, rng))
    hessian = np.stack([problem.hessian_product(theta, d) for d in np.eye(4)])
    assert_allclose(hessian, hessian.T, rtol=1e-11, atol=1e-11 * np.max(np.abs(hessian)))
    step = 1e-5  # truncation 1e-10, rounding 1e-11
    ends = [
        [problem.value_and_gradient(theta + s * step * d)[1] for s in (-1, 1)] for d in np.eye(4)
    ]
    differences = [(after - before) / (2 * step) for before, after in ends]
    assert_allclose(hessian, differences, rtol=1e-7, atol=1e-8 * np.max(np.abs(hessian)))


def test_a_symplectic_method_with_a_cost(rng):
    """The cost stays out of the halves (q, p) of the state, also in steps to and from an event."""
    dynamics = model("xv", {"x": "v", "v": "-g"}, "ge")
    bounce = model("xv", {"x": "x", "v": "-e*v"}, "ge")
    event = Event(ExpressionRunning("x", dynamics), bounce, direction=-1)
    phase = replace(ball(Verlet(), event, steps=10, horizon=2.0), dynamics=dynamics)
    objective = Bolza(running="x + v/4", terminal="v*x").for_phases((phase,))
    problem = Problem((phase,), objective, Data(np.array([[5.0, 1.0]])))
    raise_on_failure(check_problem(problem, problem.flatten({"ball": BALL}), rng))


def test_a_cost_and_a_field_that_depend_on_time(rng):
    event = Event(ExpressionRunning("x - 0.1*sin(3*t)", MOVING), LIFTED, direction=-1)
    phase = replace(ball(event=event, horizon=1.5), dynamics=MOVING)
    objective = Bolza(running="t*x**2*g", terminal="v*x").for_phases((phase,))
    problem = Problem((phase,), objective, Data(np.array([[2.0, 1.0]])))
    raise_on_failure(check_problem(problem, problem.flatten({"ball": BALL}), rng))


def test_a_pile_up_of_events_is_an_error(monkeypatch):
    monkeypatch.setattr("occore.hybrid_march.MOST_EVENTS", 40)
    with pytest.raises(
        ComputationError, match="'bounce' and others happened 40 times before t = 28"
    ):
        ball(horizon=40.0)(START, BALL)


def test_fields_that_may_depend_on_time_must_say_how():
    @dataclass(frozen=True)
    class Fall(Dynamics):
        controls: ClassVar[Layout] = Layout({})

        def __call__(self, t, x, u):
            return -np.ones_like(x)

        def linearize(self, t, x, u):
            return self(t, x, u), Products(lambda dx, du: 0 * dx, lambda py: (0 * py, {}))

    @dataclass(frozen=True)
    class Height(RunningObjective):
        def __call__(self, t, x, u):
            return x[:, 0]

        def linearize(self, t, x, u):
            return x[:, 0], Products(lambda dx, du: dx[:, 0], lambda py: (py[:, None], {}))

    with pytest.raises(InputError, match="derivative of Fall in t: make time a state"):
        Phase("fall", Fall(), RK4(), 2, space=Constant(), events=(Event(Height()),))


def test_events_have_the_exact_gradient_only():
    with pytest.raises(InputError, match="exact gradient only"):
        ball(gradient="optimize_discretize")


@dataclass(frozen=True)
class Step(Dynamics):
    """dx/dt = k for t ≥ 1 and −k before; `seen` are the times asked for."""

    controls: ClassVar[Layout] = Layout({"k": ()})
    constants = frozenset({"k"})
    seen: Any = None

    def __call__(self, t, x, u):
        if self.seen is not None:
            self.seen.append(t)
        return (1.0 if t >= 1 else -1.0) * u["k"] * np.ones_like(x)

    def linearize(self, t, x, u):
        sign = 1.0 if t >= 1 else -1.0
        return self(t, x, u), StepLinearization(sign)


@dataclass(frozen=True)
class StepLinearization(Linearization):
    sign: float

    def jvp(self, dx, du):
        return 0 * dx + self.sign * du["k"]

    def vjp(self, py):
        return 0 * py, {"k": self.sign * np.sum(py)}


GRIDS = [
    {"steps": 4},
    {"steps": 3},
    {"times": (0.0, 0.9, 2.5)},
    {"tolerances": Tolerances(1e-10, 1e-12)},
    {"tolerances": Tolerances(1e-10, 1e-12), "start": 2.5, "horizon": -2.5},
    {"steps": 3, "start": 2.5, "horizon": -2.5},
]


@pytest.mark.parametrize("grid", GRIDS, ids=str)
@pytest.mark.parametrize("method", [Heun(), Dopri5(), RK4(), SDIRK3()], ids=ids)
def test_declared_switches_lose_no_order(grid, method):
    """k (2.5 − 1) − k · 1 to rounding: every stage is on its side of the switch."""
    options = {"horizon": 2.5, "space": Constant(), "switches": (1.0,), "observations": (1.0,)}
    if "tolerances" in grid and method.step_with_error is None:
        pytest.skip("fixed steps only")
    seen = []
    phase = Phase("step", Step(seen), method, **options | grid)
    ahead = phase.horizon > 0
    y, part = phase.linearize(np.zeros((1, 1)), {"k": np.array(2.0)})
    assert 1.0 not in seen
    half = -1.0 if ahead else -1.5
    assert_allclose(y, [[[2 * half]]], atol=1e-13)
    assert_allclose(part.vjp(np.ones((1, 1, 1)))[1]["k"], half, rtol=1e-13)
    end = replace(phase, observations=None)(np.zeros((1, 1)), {"k": np.array(2.0)})
    assert_allclose(end, [[1.0 if ahead else -1.0]], atol=1e-13)
    frozen = phase.frozen(np.zeros((1, 1)), {"k": np.array(2.0)})
    assert np.array_equal(frozen(np.zeros((1, 1)), {"k": np.array(2.0)}), y)


@pytest.mark.parametrize("switches", [(1.0, 2.0), (2.0, 1.0), (1.0, 2.0, 2.5)])
def test_several_switches_in_any_order(switches):
    seen = []
    phase = Phase("step", Step(seen), RK4(), 5, 2.5, space=Constant(), switches=switches)
    y = phase(np.zeros((1, 1)), {"k": np.array(1.0)})
    assert_allclose(y, [[0.5]], atol=1e-14)
    assert not {1.0, 2.0} & set(seen)


def test_the_jump_of_the_costate_is_that_of_the_continuous_one():
    """p⁻ = r_xᵀ p⁺ + g_x (⟨p⁺, f⁺⟩ − ⟨r_xᵀ p⁺, f⁻⟩) / (g_x f⁻), from the start and the end."""
    phase = ball(horizon=5.0)
    _, part = phase.linearize(START, BALL)
    ((hit,),) = phase.happened(START, BALL)
    p = np.array([0.3, -1.2, 0.7])
    late, early = 5.0 - hit.time, hit.time
    after = p + late * np.array([0, p[0], 0])  # −dp/dt = f_xᵀ p: p_v grows by t p_x
    f = [np.array([state[1], -9.8, 1.0]) for state in (hit.before, hit.after)]
    r = np.diag([1.0, -0.8, 1.0])
    before = r @ after
    before[0] += (after @ f[1] - before @ f[0]) / f[0][0]
    expected = before + early * np.array([0, before[0], 0])
    assert_allclose(part.vjp(p[None])[0], [expected], rtol=1e-12)


def test_runs_can_estimate_the_error_of_a_gradient_over_events():
    drag = model("xvc", {"x": "v", "v": "-g - 0.05*v*abs(v)", "c": "1"}, "ge")
    event = Event(ExpressionRunning("x", drag), BOUNCE, direction=-1)
    errors = []
    for steps in (10, 20):
        phase = replace(ball(Heun(), event, steps=steps), dynamics=drag)
        objective = Bolza(terminal="x").for_phases((phase,))
        problem = Problem((phase,), objective, Data(START))
        theta = problem.flatten({"ball": BALL})
        errors.append(gradient_error(problem, theta))
        assert gradient_gap(problem, theta) == 0
    assert 3 < errors[0] / errors[1] < 5.5  # order 2


def test_switches_have_times_so_that_the_horizon_must_be_known():
    with pytest.raises(InputError, match="switches are at given times"):
        ball(free_horizon=True, switches=(1.0,))
    with pytest.raises(InputError, match="lie outside the phase"):
        ball(switches=(7.0,))(START, BALL)
