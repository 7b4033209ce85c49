"""Line searches on φ(α) = J(θ + α d): sufficient decrease, and the strong Wolfe conditions.

    sufficient decrease    φ(α) ≤ φ(0) + c₁ α φ'(0)
    curvature              |φ'(α)| ≤ c₂ |φ'(0)|

Nocedal and Wright, Numerical Optimization (2006), algorithms 3.1 (backtracking), 3.5 (bracket) and
3.6 (zoom), with the cubic interpolation of equation 3.59. A decrease alone, as on the course's
slide, is not enough: steps can shrink so fast that the values fall and converge to no minimum
(Dennis and Schnabel, Numerical Methods (1996), example 6.3.1).

Near a minimum the differences of φ drown in rounding. Where values agree to rounding the slopes
decide, |φ'(α)| ≤ (2 c₁ − 1) φ'(0), which a parabola fulfils where it decreases sufficiently: after
the approximate Wolfe condition of Hager and Zhang, SIAM J. Optim. 16 (2005), equation 4.1.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

SUFFICIENT_DECREASE = 1e-4
CURVATURE = 0.9
MOST_TRIALS = 30


@dataclass(frozen=True)
class Trial:
    """A point on the line: step α, value φ, slope φ', and what the caller wants to keep of it."""

    alpha: float
    value: float
    slope: float
    kept: Any = None


Line = Callable[[float], Trial]


def backtracking(
    line: Line, start: Trial, first: float, rounding: float = 0.0, factor: float = 0.5
) -> Trial | None:
    """The first of the steps first · factorᵏ with sufficient decrease; `None` where none has it.

    start: the trial at α = 0, with a negative slope. rounding: the error of a value.
    """
    alpha = first
    for _ in range(2 * MOST_TRIALS):
        trial = line(alpha)
        if decreases(trial, start, rounding):
            return trial
        alpha *= factor
    return None


def strong_wolfe(line: Line, start: Trial, first: float, rounding: float = 0.0) -> Trial | None:
    """A trial that satisfies the strong Wolfe conditions; `None` where none is found.

    start: the trial at α = 0, with a negative slope. first: the step to try first. rounding: the
    error of a value.
    """
    before, alpha = start, first
    for _ in range(MOST_TRIALS):
        trial = line(alpha)
        if is_strong_wolfe(trial, start, rounding):
            return trial
        rises = trial.value >= before.value and before is not start
        if rises or not decreases(trial, start, rounding):
            return _zoom(line, start, before, trial, rounding)
        if trial.slope >= 0:
            return _zoom(line, start, trial, before, rounding)
        before, alpha = trial, 2 * alpha
    return None


def decreases(trial: Trial, start: Trial, rounding: float = 0.0) -> bool:
    """Sufficient decrease, by the slopes where the values agree to rounding; NaN has none."""
    if trial.value <= start.value + SUFFICIENT_DECREASE * trial.alpha * start.slope:
        return True
    flat = abs(trial.value - start.value) <= rounding
    return flat and abs(trial.slope) <= (2 * SUFFICIENT_DECREASE - 1) * start.slope


def is_strong_wolfe(trial: Trial, start: Trial, rounding: float = 0.0) -> bool:
    """Sufficient decrease and a slope that has become flat enough."""
    flat_enough = abs(trial.slope) <= -CURVATURE * start.slope
    return flat_enough and decreases(trial, start, rounding)


def _zoom(line: Line, start: Trial, low: Trial, high: Trial, rounding: float) -> Trial | None:
    """Shrink the interval between the best trial `low` and `high` to a step that satisfies both."""
    for _ in range(MOST_TRIALS):
        trial = line(_between(low, high))
        if is_strong_wolfe(trial, start, rounding):
            return trial
        if trial.value >= low.value or not decreases(trial, start, rounding):
            high = trial
        else:
            if trial.slope * (high.alpha - low.alpha) >= 0:
                high = low
            low = trial
    # at the rounding of J no trial is better: the best one still decreases
    return low if low.alpha > 0 else None


def _between(low: Trial, high: Trial) -> float:
    """The minimiser of the cubic through both trials, kept off the ends; or the middle."""
    width, middle = high.alpha - low.alpha, (low.alpha + high.alpha) / 2
    if width == 0:  # the ends have met, to rounding
        return middle
    d1 = low.slope + high.slope - 3 * (low.value - high.value) / (low.alpha - high.alpha)
    square = d1**2 - low.slope * high.slope
    if not (math.isfinite(square) and square >= 0):
        return middle
    d2 = math.copysign(math.sqrt(square), width)
    bottom = high.slope - low.slope + 2 * d2
    if bottom == 0:
        return middle
    alpha = high.alpha - width * (high.slope + d2 - d1) / bottom
    ends = sorted((low.alpha + 0.1 * width, high.alpha - 0.1 * width))
    return min(max(alpha, ends[0]), ends[1])
