"""Steepest descent with the exact step, for linear least squares ½‖r‖², r = J θ − b.

    g = Jᵀ r,    α = ‖g‖² / ‖J g‖²,    θ ← θ − α g,    r ← r − α J g

In the norm of the Hessian JᵀJ the error falls by at most (κ − 1)/(κ + 1) a step, κ the condition
number of JᵀJ, and the worst start attains this. Nocedal and Wright (2006), theorem 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from pydantic import Field

from occore import (
    Array,
    Example,
    Optimizer,
    Problem,
    State,
    Status,
    Structure,
    affine_residual,
    norm,
    stop,
)
from occore_least_squares.direct import line


@dataclass(frozen=True)
class SteepestDescentState(State):
    """The iterate's residual and gradient."""

    r: Array
    g: Array
    initial_gradient_norm: float


@dataclass(frozen=True)
class SteepestDescent(Optimizer[SteepestDescentState]):
    """One forward and one adjoint product a step; converges linearly at (κ − 1)/(κ + 1)."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("linear_least_squares",)
    state: ClassVar[type[State]] = SteepestDescentState

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to the first one")
    ] = 1e-8

    def init(self, problem: Problem, theta: Array) -> SteepestDescentState:
        """Residual and gradient at the start."""
        system = affine_residual(problem)
        r = system.at_zero + system.jvp(theta)
        g = system.vjp(r)
        return SteepestDescentState(0, float(r @ r) / 2, norm(g), float("nan"), r, g, norm(g))

    def step(
        self, problem: Problem, theta: Array, state: SteepestDescentState
    ) -> tuple[Array, SteepestDescentState]:
        """One exact line search along the gradient."""
        system, g = affine_residual(problem), state.g
        Jg = system.jvp(g)
        alpha = float(g @ g) / float(Jg @ Jg)
        r = state.r - alpha * Jg
        g_next = system.vjp(r)
        return theta - alpha * g, SteepestDescentState(
            state.iteration + 1,
            float(r @ r) / 2,
            norm(g_next),
            alpha,
            r,
            g_next,
            state.initial_gradient_norm,
        )

    def finished(
        self, problem: Problem, theta: Array, state: SteepestDescentState
    ) -> Status | None:
        """By the gradient norm."""
        return stop(
            state,
            initial=state.initial_gradient_norm,
            tolerance=self.tolerance,
            max_iterations=self.max_iterations,
        )

    @classmethod
    def example(cls) -> Example:
        """A line through (0, 1), (1, 3), (2, 5): y = 1 + 2 x, by hand."""
        return line(cls(tolerance=1e-13))
