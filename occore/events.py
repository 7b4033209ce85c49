"""Events: the state jumps when a function of it passes zero.

    g(t*, x(t*), u(t*)) = 0,    x(t*+) = r(t*, x(t*−), u(t*))

The crossing is found within a discrete step: the root in τ of g(step of length τ), bracketed and
brought down to rounding by Newton's method. Crossings that come in pairs within one step, with g of
the same sign at both ends, are found where the cubic through both ends shows them.

An event is a differentiable part of the march, see `occore.hybrid_march`. What the field does after
an event can depend on a state with rate 0 that the event sets.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

import numpy as np

from occore.dynamics import Dynamics
from occore.errors import ComputationError
from occore.hermite import hermite
from occore.objective import RunningObjective

MOST_EVENTS = 10_000
"""Events of one trajectory; more are taken for a pile-up in finite time, as of a bouncing ball."""


@dataclass(frozen=True)
class Event:
    """What happens to the state where a condition passes zero.

    condition: g(t, x, u) of each sample, (samples,), a map like a running cost. reset: the state
    after the event, a map r(t, x, u) like a layer; without it the state goes on. direction: −1
    where only falling g counts, 1 where only rising g does. terminal: whether the phase ends there;
    the state, after the reset, is then what later observations and the end see. Where g or r
    depends on t, it needs `linearize_in_time`, as symbolic ones have.
    """

    condition: RunningObjective
    reset: Dynamics | None = None
    direction: Literal[-1, 0, 1] = 0
    terminal: bool = False
    name: str = "event"


AlongWithSlope = Callable[[float], tuple[float, float]]
"""g after a step of length τ, and its derivative in τ."""

Ends = tuple[tuple[float, float], tuple[float, float]]
"""g and its slope at both ends of a step."""


def is_due(start: tuple[float, float], side: int, moment: float, at_zero: bool) -> bool:
    """Whether an event happens at the very start of a piece.

    start: g and its slope there. side: the sign of g before; 0 where it is not known. moment: the
    time that counts as none, with the sign of the march. g is at zero, or past it by rounding, and
    moves away from that side. at_zero: whether g is known to be zero there, on whatever side.
    """
    g, slope = start
    leaves = side * slope * moment < 0
    return leaves and (at_zero or g * side <= 0) and abs(g) <= abs(slope * moment)


def first_bracket(
    event: Event,
    g: AlongWithSlope,
    t: float,
    length: float,
    both: Ends,
    at_zero: bool,
) -> tuple[float, float, int] | None:
    """A bracket (a, b, sign of g at a) of the first crossing in a step from t that can be seen.

    both: g and its slope at the two ends. at_zero: whether g is known to be zero at the start, to
    rounding, so that the slope tells its sign.
    Raises ComputationError where g starts at zero without a slope and goes through.
    """
    (first, slope), (last, last_slope) = both
    values, slopes = (first, last), (slope, last_slope)
    at_zero = at_zero or first == 0
    if at_zero:
        first = slope * np.sign(length)
        if first == 0 and last * event.direction > 0:
            raise ComputationError(
                f"{event.name!r} begins at zero at t = {t:.8g}, without a slope, and goes through: "
                "such a contact has no time of its own. Make the event terminal, or start off zero"
            )
    places = [(0.0, first)]
    for s in _turns(both, length):
        if at_zero or hermite(s, values, slopes, length) * first <= 0:
            places.append((s * length, g(s * length)[0]))
    places.append((length, last))
    for (a, before), (b, after) in pairwise(places):
        sign = int(before > 0) - int(before < 0)
        if sign != 0 and sign * after <= 0 and event.direction in (0, -sign):
            return a, b, sign
    return None


def root(g: AlongWithSlope, bracket: tuple[float, float, int]) -> float:
    """The τ in the bracket with g = 0 to rounding: Newton's method, bisection where it leaves.

    It ends where Newton's steps, which fall quadratically, are down to the noise of g.
    """
    a, b, sign = bracket
    tau, before, resolution = (a + b) / 2, np.inf, max(abs(a), abs(b))
    for _ in range(200):
        value, slope = g(tau)
        if value == 0:
            break
        a, b = (tau, b) if sign * value > 0 else (a, tau)
        step = -value / slope if slope != 0 else np.inf
        inside = min(a, b) <= tau + step <= max(a, b)
        if not inside:
            step = (a + b) / 2 - tau
        tau += step
        noise = abs(step) > 0.6 * before and abs(step) <= 1e-5 * resolution
        if noise or abs(step) <= 2 * np.spacing(resolution):
            break
        before = abs(step)
    return float(tau)


def pile_up(event: Event, count: int, t: float) -> ComputationError:
    """The error of too many events."""
    return ComputationError(
        f"{event.name!r} and others happened {count} times before t = {t:.8g}: events pile up in "
        "finite time. End the phase before, or make the event terminal"
    )


def _turns(both: Ends, length: float) -> list[float]:
    """Where in (0, 1) the cubic has its extrema, d0 + 2 c s + 3 d s² = 0; none if it is no number.

    The two solutions without cancellation: N. J. Higham, Accuracy and Stability of Numerical
    Algorithms (2002), section 1.8.
    """
    (a, da), (b, db) = both
    rise, d0, d1 = b - a, length * da, length * db
    square, linear = 3 * (d0 + d1 - 2 * rise), 2 * (3 * rise - 2 * d0 - d1)
    discriminant = linear * linear - 4 * square * d0
    if not 0 <= discriminant < np.inf:
        return []
    q = -(linear + math.copysign(math.sqrt(discriminant), linear)) / 2
    roots = [p / r for p, r in ((q, square), (d0, q)) if r != 0]
    return sorted(s for s in roots if 0 < s < 1)
