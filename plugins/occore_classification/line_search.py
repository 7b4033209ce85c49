"""A line search for the strong Wolfe conditions.

    φ(α) ≤ φ(0) + c₁ α φ'(0)    and    |φ'(α)| ≤ c₂ |φ'(0)|,    φ(α) = J(θ + α d)

Nocedal and Wright, Numerical Optimization (2006), algorithms 3.5 (bracket) and 3.6 (zoom), with the
cubic interpolation of equation 3.59.
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


def strong_wolfe(line: Line, start: Trial, first: float) -> Trial | None:
    """A trial that satisfies the strong Wolfe conditions; `None` where none is found.

    start: the trial at α = 0, with a negative slope. first: the step to try first.
    """
    before, alpha = start, first
    for _ in range(MOST_TRIALS):
        trial = line(alpha)
        if not _decreases(trial, start) or (trial.value >= before.value and before is not start):
            return _zoom(line, start, before, trial)
        if abs(trial.slope) <= -CURVATURE * start.slope:
            return trial
        if trial.slope >= 0:
            return _zoom(line, start, trial, before)
        before, alpha = trial, 2 * alpha
    return None


def _decreases(trial: Trial, start: Trial) -> bool:
    """Sufficient decrease; a value that is not finite is none."""
    return trial.value <= start.value + SUFFICIENT_DECREASE * trial.alpha * start.slope


def _zoom(line: Line, start: Trial, low: Trial, high: Trial) -> Trial | None:
    """Shrink the interval between the best trial `low` and `high` to a step that satisfies both."""
    for _ in range(MOST_TRIALS):
        trial = line(_between(low, high))
        if not _decreases(trial, start) or trial.value >= low.value:
            high = trial
        else:
            if abs(trial.slope) <= -CURVATURE * start.slope:
                return trial
            if trial.slope * (high.alpha - low.alpha) >= 0:
                high = low
            low = trial
    # at the rounding of J no trial is better: the best one still decreases
    return low if low is not start else None


def _between(low: Trial, high: Trial) -> float:
    """The minimiser of the cubic through both trials, kept off the ends; or the middle."""
    width, middle = high.alpha - low.alpha, (low.alpha + high.alpha) / 2
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
