"""Gradient descent: steepest descent for any smooth problem, with a step that remembers.

    θ ← θ − α g,    J(θ − α g) ≤ J(θ) − c₁ α ‖g‖²

Nocedal and Wright (2006), algorithm 3.1. The first α tried is `growth` times the last accepted one,
so that the step adapts to the curvature and a line search costs one or two evaluations.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar

from pydantic import Field

from occore import Array, Problem, State
from occore_classification.line_search import backtracking
from occore_classification.smooth import SmoothOptimizer, SmoothState, first_state
from occore_classification.smooth_line import along, moved, origin, rounding_of


@dataclass(frozen=True)
class GradientDescent(SmoothOptimizer[SmoothState]):
    """Armijo's rule along −g; converges linearly, at the rate of the condition of the Hessian."""

    state: ClassVar[type[State]] = SmoothState

    growth: Annotated[
        float, Field(ge=1, description="of the step, from one line search to the next")
    ] = 2.0

    def init(self, problem: Problem, theta: Array) -> SmoothState:
        """Value and gradient at the start."""
        return first_state(problem, theta)

    def step(self, problem: Problem, theta: Array, state: SmoothState) -> tuple[Array, SmoothState]:
        """One line search along the negative gradient."""
        d = -state.g
        first = self.growth * state.step_length if state.iteration else 1 / state.gradient_norm
        rounding = rounding_of(problem, state.value)
        trial = backtracking(along(problem, theta, d), origin(state, d), first, rounding)
        return moved(theta, d, state, trial)
