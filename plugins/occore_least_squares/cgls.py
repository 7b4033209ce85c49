"""CGLS: conjugate gradients on the normal equations of ½‖r‖², r = b − J θ, without forming them.

    q = J p,  α = γ / ‖q‖²,  θ ← θ + α p,  r ← r − α q,  s = Jᵀ r,  γ₊ = ‖s‖²,  p ← s + (γ₊/γ) p

Hestenes and Stiefel (1952); Björck, Numerical Methods for Least Squares Problems (1996), section
7.4. The new γ₊ is the norm of s = Jᵀ r, not of the old direction p.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Problem, State, norm
from occore_least_squares.iteration import IterationState, LinearIteration


@dataclass(frozen=True)
class CGLSState(IterationState):
    """Residual r, direction p, and γ = ‖s‖² of the negative gradient s."""

    r: Array
    p: Array
    gamma: float


@dataclass(frozen=True)
class CGLS(LinearIteration[CGLSState]):
    """One forward and one adjoint product a step; at most n steps in exact arithmetic."""

    state: ClassVar[type[State]] = CGLSState

    def init(self, problem: Problem, theta: Array) -> CGLSState:
        """The first direction is the negative gradient."""
        system = self.system(problem)
        r = -system.residual(theta)
        s = system.vjp(r)
        size = norm(s)
        return CGLSState(0, float(r @ r) / 2, size, float("nan"), size, r, s, size**2)

    def step(self, problem: Problem, theta: Array, state: CGLSState) -> tuple[Array, CGLSState]:
        """One conjugate gradient step."""
        system = self.system(problem)
        p = system.apply(state.p)
        q = system.unconditioned.jvp(p)
        alpha = state.gamma / float(q @ q)
        r = state.r - alpha * q
        s = system.vjp(r)
        gamma = float(s @ s)
        return theta + alpha * p, CGLSState(
            state.iteration + 1,
            float(r @ r) / 2,
            norm(s),
            alpha,
            state.initial_gradient_norm,
            r,
            s + gamma / state.gamma * state.p,
            gamma,
        )
