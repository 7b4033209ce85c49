"""What inexact steps within a trust region share: forcing terms, the ratio test, the next radius.

    ‖B p + g‖ ≤ η ‖g‖,    η = min(½, max(γ (‖g‖/‖g₋‖)², ½ goal/‖g‖))
    ρ = (J(θ) − J(θ + p)) / (m(0) − m(p)),    m(p) = gᵀp + ½ pᵀBp

symbol   code              meaning
B                          the Hessian, or its Gauss–Newton part
η        forcing           Eisenstat and Walker, SIAM J. Sci. Comput. 17 (1996), choice 2, γ = 0.9
ρ        ratio             decrease of J over that of the model m
Δ        radius            Nocedal and Wright (2006), algorithm 4.1

A step with too small a ρ is shortened along itself, by the parabola through what is known of J
there, until it will do; its length is the next Δ. That costs one value of J and no product, where a
step for a smaller region would cost all of its products. Nocedal and Yuan, in: Advances in
Nonlinear Programming (1998), 153–175.
"""

from __future__ import annotations

import math
from dataclasses import asdict, dataclass, replace
from typing import Any, Self, TypeVar

import numpy as np

from occore import Array, ComputationError, Problem, norm
from occore_classification.conjugate_gradients import ModelStep
from occore_classification.kept_evaluation import Evaluated, Function, evaluation_of, keep
from occore_classification.line_search import MOST_TRIALS
from occore_classification.smooth import SmoothState, state_of
from occore_classification.smooth_line import rounding_of

S = TypeVar("S", bound=SmoothState)
T = TypeVar("T", bound="TrustState")

GAMMA = 0.9
LARGEST_FORCING = 0.5
LEAST_RATIO = 1e-4


@dataclass(frozen=True)
class InexactState(SmoothState):
    """Forcing term η, and the inner iterations so far."""

    forcing: float
    inner_iterations: int

    def accuracy(self, tolerance: float) -> float:
        """How small ‖B p + g‖ is to become; never below half of where the whole run stops."""
        goal = tolerance * max(1.0, self.initial_gradient_norm)
        return max(self.forcing * self.gradient_norm, goal / 2)

    def after(self, before: Self, inner: int) -> Self:
        """The state with the next forcing term and the inner iterations of this step."""
        ratio = self.gradient_norm / before.gradient_norm if before.gradient_norm else 0.0
        forcing = min(LARGEST_FORCING, GAMMA * ratio**2)
        return replace(self, forcing=forcing, inner_iterations=before.inner_iterations + inner)


@dataclass(frozen=True)
class TrustState(InexactState):
    """Trust radius Δ."""

    radius: float


def first_inexact(problem: Problem, theta: Array) -> InexactState:
    """Value and gradient at the start, and the loosest forcing term."""
    evaluation = problem.at(theta)
    keep(problem, theta, evaluation)
    first = asdict(state_of(evaluation))
    return InexactState(**first, forcing=LARGEST_FORCING, inner_iterations=0)


def trusted(function: Function[Any], theta: Array, state: T, found: ModelStep) -> tuple[Array, T]:
    """θ and state after the step p, or after a shorter one where J falls by too little."""
    slope = float(state.g @ found.p)
    curvature = -2 * (found.decrease + slope)
    here, alpha = evaluation_of(function, theta), 1.0
    for _ in range(MOST_TRIALS):
        trial = theta + alpha * found.p
        try:
            evaluation = function.at(trial)
        except ComputationError:  # the model has no solution there, as one that blows up
            alpha *= 0.1
            continue
        decrease = -alpha * (slope + alpha * curvature / 2)
        ratio = decrease_ratio(function, state.value, evaluation.value, decrease)
        if ratio > LEAST_RATIO:
            radius = _next_radius(state.radius, found, alpha, ratio)
            theta, state = accepted(function, trial, state, evaluation, alpha * found.length)
            return theta, replace(state, radius=radius)
        if np.all(trial == theta):
            break
        alpha *= _shortening(alpha * slope, evaluation.value - state.value)
    keep(function, theta, here)
    return theta, replace(state, iteration=state.iteration + 1, failed=True)


def accepted(
    function: Function[Any], theta: Array, state: S, evaluation: Evaluated, length: float
) -> tuple[Array, S]:
    """θ, whose evaluation is kept, and the state there."""
    keep(function, theta, evaluation)
    g = evaluation.gradient()
    return theta, replace(
        state,
        iteration=state.iteration + 1,
        value=evaluation.value,
        gradient_norm=norm(g),
        step_length=length,
        g=g,
    )


def decrease_ratio(function: Function[Any], before: float, after: float, predicted: float) -> float:
    """ρ; where both decreases are rounding it is one: Conn, Gould and Toint (2000), 17.4.2."""
    rounding = rounding_of(function, before) + float(np.finfo(float).tiny)
    return (before - after + rounding) / (predicted + rounding)


def _next_radius(radius: float, found: ModelStep, alpha: float, ratio: float) -> float:
    length = alpha * found.length
    if ratio < 0.25:
        return 0.25 * length
    if alpha < 1:
        return length
    return 2 * length if ratio > 0.75 and found.on_border else radius


def _shortening(slope: float, change: float) -> float:
    """Where the parabola with this slope at 0 and this change at 1 is smallest; 0.1 to 0.5."""
    bend = change - slope
    return min(max(-slope / (2 * bend), 0.1), 0.5) if math.isfinite(bend) and bend > 0 else 0.1
