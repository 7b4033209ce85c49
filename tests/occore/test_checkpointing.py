"""Memory policies: the same numbers bit for bit, the binomial optimum, and what is stored."""

from dataclasses import replace

import numpy as np
import pytest

from occore.checkpointing import (
    Cost,
    Linearizations,
    Reversible,
    Slots,
    States,
    Steps,
)
from occore.checks import Differentiable, check_map, raise_on_failure
from occore.phase import Phase
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore.testing.models import Tanh
from occore_continuous.control_spaces.piecewise_linear import PiecewiseLinear
from occore_continuous.discretizations.leapfrog import Leapfrog
from occore_continuous.discretizations.rk4 import RK4

OPTIMUM = {  # steps: {slots: steps taken}, the first sweep included
    10: {1: 55, 2: 30, 3: 25, 5: 23},
    50: {1: 1275, 2: 335, 3: 230, 5: 172, 10: 138, 20: 128},
    100: {1: 5050, 2: 945, 3: 590, 5: 416, 10: 322, 20: 278, 50: 248},
    1000: {2: 29820, 3: 13155, 5: 7284, 10: 4636, 20: 3747, 50: 2948},
}
CASES = [(n, s, taken) for n, row in OPTIMUM.items() for s, taken in row.items()]
POLICIES = [
    Linearizations(),
    States(),
    Slots(1),
    Slots(2),
    Slots(7),
    Slots(50),
    Slots(2, 3),
    Slots(1, 1),
]


def counting_steps(count):
    """Steps that count: the state is the number of the step."""
    return Steps(count, (np.zeros(1),), lambda k, s: (s[0] + 1,), lambda k, s: ((s[0] + 1,), s[0]))


@pytest.mark.parametrize(("count", "slots", "taken"), CASES)
def test_steps_taken_are_the_binomial_optimum(count, slots, taken):
    cost = Cost()
    sweep = Slots(slots).sweep(counting_steps(count), cost)
    assert sweep.forward()[0] == count
    visited = [(k, int(part[0])) for k, part in sweep.reverse()]
    assert visited == [(k, k) for k in range(count - 1, -1, -1)]
    assert cost.steps + cost.recomputed == taken
    assert cost.peak_bytes <= slots * 8


@pytest.mark.parametrize("policy", POLICIES, ids=str)
@pytest.mark.parametrize("count", [1, 2, 3, 17])
def test_every_policy_visits_the_steps_from_last_to_first(policy, count):
    sweep = policy.sweep(counting_steps(count), Cost())
    sweep.forward()
    assert [(k, int(part[0])) for k, part in sweep.reverse()] == [
        (k, k) for k in range(count - 1, -1, -1)
    ]


@pytest.fixture
def phase():
    space = PiecewiseLinear(intervals=3)
    return Phase("march", Tanh((3,), 3), RK4(), 23, 2.0, space=space, observations=(0.0, 2.0))


@pytest.fixture
def point(phase, rng):
    """x, u, dx, du and py."""
    x, dx = rng.standard_normal((2, 4, 3))
    return x, phase.layout.random(rng), dx, phase.layout.random(rng), rng.standard_normal((4, 2, 3))


def products(phase, point):
    x, u, dx, du, py = point
    y, part = phase.linearize(x, u)
    first, second = part.vjp(py), part.curvature(py, dx, du)
    again = part.vjp(py)
    flat = [y, part.jvp(dx, du), first[0], *first[1].values(), second[0], *second[1].values()]
    return [*flat, again[0], *again[1].values()]


@pytest.mark.parametrize("policy", POLICIES[1:], ids=str)
def test_all_products_are_the_same_bit_for_bit(phase, point, policy):
    expected = products(phase, point)
    found = products(replace(phase, memory=policy), point)
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_taylor_through_every_policy_and_after_another_evaluation(phase, point, policy, rng):
    phase = replace(phase, memory=policy)
    _, earlier = phase.linearize(point[0], point[1])
    before = earlier.vjp(point[4])
    raise_on_failure(
        check_map(
            Differentiable("march", phase, phase.linearize, rng.standard_normal((2, 3)), point[1]),
            rng,
        )
    )
    after = earlier.vjp(point[4])
    assert np.array_equal(before[0], after[0])


@pytest.fixture
def orbit():
    rates = {"q": "p", "p": "u - sin(q)"}
    dynamics = ExpressionDynamics(("q", "p"), ("u",), rates)
    return Phase("orbit", dynamics, Leapfrog(), 300, 30.0, space=PiecewiseLinear(intervals=4))


def test_a_reversible_march_stores_one_byte_an_entry_and_has_the_same_bits(orbit, rng):
    x, u = rng.standard_normal((5, 2)), orbit.layout.random(rng)
    dx, du, py = rng.standard_normal((5, 2)), orbit.layout.random(rng), rng.standard_normal((5, 2))
    expected = products(orbit, (x, u, dx, du, py))
    reversible = replace(orbit, memory=Reversible(), cost=Cost())
    found = products(reversible, (x, u, dx, du, py))
    assert all(np.array_equal(a, b) for a, b in zip(expected, found, strict=True))
    cost = Cost()
    _, part = replace(orbit, memory=Reversible(), cost=cost).linearize(x, u)
    part.vjp(py)
    assert cost.peak_bytes <= 300 * x.size + 2 * x.nbytes
    assert cost.recomputed == 300


def test_a_gradient_of_many_steps_in_little_memory(orbit):
    """3,000 steps with 10 slots: less is stored than with all states, and the bits are the same."""
    long = replace(orbit, steps=3000, horizon=300.0)
    x, u = np.array([[1.0, 0.0]]), {"u": np.zeros(5)}
    results = []
    for memory in (States(), Slots(10)):
        cost = Cost()
        _, part = replace(long, memory=memory, cost=cost).linearize(x, u)
        results.append(part.vjp(np.ones((1, 2))))
        assert cost.peak_bytes == (3000 if memory == States() else 10) * x.nbytes
    assert np.array_equal(results[0][0], results[1][0])
    assert np.array_equal(results[0][1]["u"], results[1][1]["u"])


def test_a_schedule_is_planned_as_it_goes():
    """Planning 10,000 steps needs no table of 10,000 actions before the first."""
    sweep = Slots(10).sweep(counting_steps(10_000), Cost())
    assert next(iter(sweep.actions)).n0 == 0


@pytest.mark.parametrize("policy", POLICIES, ids=str)
def test_what_a_gradient_stored_is_released_with_it(phase, point, policy):
    cost = Cost()
    _, part = replace(phase, memory=policy, cost=cost).linearize(point[0], point[1])
    assert cost.stored > 0
    peak = cost.peak_bytes
    del part
    assert cost.stored == 0
    for _ in range(3):
        _, part = replace(phase, memory=policy, cost=cost).linearize(point[0], point[1])
        part.vjp(point[4])
        del part
    assert cost.peak_bytes == peak and cost.stored == 0
