"""J along a direction, as line searches take it: value, slope and gradient of each trial."""

from __future__ import annotations

import math
from dataclasses import replace
from typing import Any

import numpy as np

from occore import Array, ComputationError, Problem, norm
from occore_classification.kept_evaluation import Function
from occore_classification.line_search import Line, Trial
from occore_classification.smooth import S, SmoothState


def along(problem: Problem, theta: Array, d: Array) -> Line:
    """φ(α) = J(θ + α d); a trial keeps the gradient."""

    def line(alpha: float) -> Trial:
        # θ + α d rounds to the precision of θ: a Python number does not promote it
        try:
            value, g = problem.value_and_gradient(theta + alpha * d)
        except ComputationError:  # the model has no solution there, as one that blows up
            return Trial(alpha, math.inf, math.nan)
        return Trial(alpha, value, float(g @ d), g)

    return line


def origin(state: SmoothState, d: Array) -> Trial:
    """The trial at α = 0."""
    return Trial(0.0, state.value, float(state.g @ d), state.g)


def moved(theta: Array, d: Array, state: S, trial: Trial | None) -> tuple[Array, S]:
    """θ and state after a line search along d; the same θ where it found no step."""
    state = replace(state, iteration=state.iteration + 1, failed=trial is None)
    if trial is None:
        return theta, state
    g, alpha = trial.kept, trial.alpha
    return theta + alpha * d, replace(
        state, value=trial.value, gradient_norm=norm(g), step_length=alpha, g=g
    )


def rounding_of(function: Function[Any], value: float) -> float:
    """How much a computed value of this size may be off: a few hundred roundings."""
    return 100 * float(np.finfo(function.dtype).eps) * abs(value)
