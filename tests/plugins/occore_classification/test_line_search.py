"""The line searches, and the slide's rule that only asks for a decrease."""

from itertools import pairwise

import numpy as np
import pytest

from occore_classification.line_search import (
    CURVATURE,
    SUFFICIENT_DECREASE,
    Trial,
    backtracking,
    strong_wolfe,
)


@pytest.mark.parametrize("first", [1e-3, 0.1, 1.0, 10.0, 1000.0])
@pytest.mark.parametrize(
    ("value", "slope"),
    [
        (lambda a: (a - 2) ** 2, lambda a: 2 * (a - 2)),
        (lambda a: -a / (a**2 + 2), lambda a: (a**2 - 2) / (a**2 + 2) ** 2),
        (lambda a: np.exp(-a) + 0.1 * a, lambda a: -np.exp(-a) + 0.1),
    ],
    ids=["parabola", "Moré-Thuente", "exponential"],
)
def test_the_strong_wolfe_conditions_hold(value, slope, first):
    start = Trial(0.0, value(0.0), slope(0.0))
    trial = strong_wolfe(lambda a: Trial(a, value(a), slope(a)), start, first)
    assert trial is not None
    assert trial.value <= start.value + SUFFICIENT_DECREASE * trial.alpha * start.slope
    assert abs(trial.slope) <= CURVATURE * abs(start.slope)


@pytest.mark.parametrize("search", [strong_wolfe, backtracking])
def test_a_line_without_decrease_gives_none(search):
    assert search(lambda a: Trial(a, a, 1.0), Trial(0.0, 0.0, -1.0), 1.0) is None


def test_a_first_step_of_zero_gives_none():
    """As where the gradient is infinite, and a step of length one is 1/∞ of it."""
    assert strong_wolfe(lambda a: Trial(a, 0.0, -1.0), Trial(0.0, 0.0, -1.0), 0.0) is None


def test_a_decrease_alone_is_not_enough():
    """Error of the slide: x² from x = 1 along −2x, to x = −(1 − 1e-9): lower, but hardly.

    Steps that always land there take x to ±1 and never to the minimum.
    """
    visited = []

    def line(alpha):
        x = 1 - 2 * alpha
        visited.append(alpha)
        return Trial(alpha, x**2, -2 * 2 * x)

    start, first = Trial(0.0, 1.0, -4.0), 1 - 0.5e-9
    assert line(first).value < start.value  # what the slide would accept
    trial = backtracking(line, start, first)
    assert trial is not None
    assert trial.alpha == first / 2
    assert trial.value <= start.value + SUFFICIENT_DECREASE * trial.alpha * start.slope
    assert visited[1:] == [first, first / 2]


def test_steps_of_the_slide_converge_to_no_minimum():
    """Dennis and Schnabel, example 6.3.1: x ← x + (−1)^(k+1) (2 + 3/2^(k+1)) falls towards 1."""
    x, values = 2.0, []
    for k in range(30):
        values.append(x**2)
        x += (-1) ** (k + 1) * (2 + 3 * 2.0 ** -(k + 1))
    assert np.all(np.diff(values) < 0)
    assert values[-1] > 1
    enough = [
        after <= before - SUFFICIENT_DECREASE * (2 + 3 * 2.0 ** -(k + 1)) * 2 * before**0.5
        for k, (before, after) in enumerate(pairwise(values))
    ]
    assert not all(enough)  # sufficient decrease ends it


def test_where_values_are_rounding_the_slopes_decide():
    """Near the minimum of 1 + (α − 1)² ε² all values are 1."""
    tiny = 1e-9

    def line(alpha):
        return Trial(alpha, 1.0 + (alpha - 1) ** 2 * tiny**2, 2 * (alpha - 1) * tiny**2)

    start = line(0.0)
    assert start.value == line(1.0).value
    assert strong_wolfe(line, start, 1.0, rounding=1e-15) == line(1.0)
    uphill = Trial(0.0, 1.0, -1e-18)
    assert strong_wolfe(lambda a: Trial(a, 1.0 + 1e-12 * a, -1e-18), uphill, 1.0) is None
