"""Steepest descent with the exact step, for linear least squares ½‖r‖², r = J θ − b.

    g = Jᵀ r,    α = ‖g‖² / ‖J g‖²,    θ ← θ − α g,    r ← r − α J g

In the norm of the Hessian JᵀJ the error falls by at most (κ − 1)/(κ + 1) a step, κ the condition
number of JᵀJ, and the worst start attains this. Nocedal and Wright (2006), theorem 3.3.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Problem, State, norm
from occore_least_squares.iteration import IterationState, LinearIteration


@dataclass(frozen=True)
class SteepestDescentState(IterationState):
    """The iterate's residual and gradient."""

    r: Array
    g: Array


@dataclass(frozen=True)
class SteepestDescent(LinearIteration[SteepestDescentState]):
    """One forward and one adjoint product a step; converges linearly at (κ − 1)/(κ + 1)."""

    state: ClassVar[type[State]] = SteepestDescentState

    def init(self, problem: Problem, theta: Array) -> SteepestDescentState:
        """Residual and gradient at the start."""
        system = self.system(problem)
        r = system.residual(theta)
        g = system.vjp(r)
        size = norm(g)
        return SteepestDescentState(0, float(r @ r) / 2, size, float("nan"), size, r, g)

    def step(
        self, problem: Problem, theta: Array, state: SteepestDescentState
    ) -> tuple[Array, SteepestDescentState]:
        """One exact line search along the gradient."""
        system, g = self.system(problem), state.g
        d = system.apply(g)
        Jg = system.unconditioned.jvp(d)
        alpha = float(g @ g) / float(Jg @ Jg)
        r = state.r - alpha * Jg
        g_next = system.vjp(r)
        return theta - alpha * d, SteepestDescentState(
            state.iteration + 1,
            float(r @ r) / 2,
            norm(g_next),
            alpha,
            state.initial_gradient_norm,
            r,
            g_next,
        )
