"""CGLS: conjugate gradients on the normal equations of ½‖r‖², r = b − J θ, without forming them.

    q = J p,  α = γ / ‖q‖²,  θ ← θ + α p,  r ← r − α q,  s = Jᵀ r,  γ₊ = ‖s‖²,  p ← s + (γ₊/γ) p

Hestenes and Stiefel (1952); Björck, Numerical Methods for Least Squares Problems (1996), section
7.4. The new γ₊ is the norm of s = Jᵀ r, not of the old direction p.
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
class CGLSState(State):
    """Residual r, direction p, and γ = ‖s‖² of the negative gradient s."""

    r: Array
    p: Array
    gamma: float
    initial_gradient_norm: float


@dataclass(frozen=True)
class CGLS(Optimizer[CGLSState]):
    """One forward and one adjoint product a step; at most n steps in exact arithmetic."""

    resume: ClassVar[Literal["exact", "restart"]] = "exact"
    requires: ClassVar[tuple[Structure, ...]] = ("linear_least_squares",)
    state: ClassVar[type[State]] = CGLSState

    max_iterations: Annotated[int, Field(gt=0, description="steps at most")] = 1000
    tolerance: Annotated[
        float, Field(ge=0, description="gradient norm relative to the first one")
    ] = 1e-10

    def init(self, problem: Problem, theta: Array) -> CGLSState:
        """The first direction is the negative gradient."""
        system = affine_residual(problem)
        r = -(system.at_zero + system.jvp(theta))
        s = system.vjp(r)
        size = norm(s)
        return CGLSState(0, float(r @ r) / 2, size, float("nan"), r, s, size**2, size)

    def step(self, problem: Problem, theta: Array, state: CGLSState) -> tuple[Array, CGLSState]:
        """One conjugate gradient step."""
        system, p = affine_residual(problem), state.p
        q = system.jvp(p)
        alpha = state.gamma / float(q @ q)
        r = state.r - alpha * q
        s = system.vjp(r)
        gamma = float(s @ s)
        return theta + alpha * p, CGLSState(
            state.iteration + 1,
            float(r @ r) / 2,
            norm(s),
            alpha,
            r,
            s + gamma / state.gamma * p,
            gamma,
            state.initial_gradient_norm,
        )

    def finished(self, problem: Problem, theta: Array, state: CGLSState) -> Status | None:
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
        return line(cls())
