"""LSQR: Golub–Kahan bidiagonalisation of J for ½‖r‖², r = b − J θ.

    A plane rotation (c, s) a step keeps the bidiagonal system triangular.

    symbol   code     shape         meaning
    u, v     u, v     (m,), (n,)    Golub–Kahan vectors
    w        w        (n,)          S times the search direction
    φ̄, ρ̄     phi_bar, rho_bar       ‖r‖ = φ̄ and ‖(J S)ᵀ r‖ = φ̄ α |c|

Paige and Saunders, ACM Trans. Math. Softw. 8 (1982), section 4. In exact arithmetic the iterates
are those of CGLS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Problem, State
from occore_least_squares.golub_kahan import bidiagonalise, next_vectors
from occore_least_squares.iteration import IterationState, LinearIteration


@dataclass(frozen=True)
class LSQRState(IterationState):
    """Golub–Kahan vectors, direction, and the rotated entries."""

    u: Array
    v: Array
    w: Array
    alpha: float
    phi_bar: float
    rho_bar: float


@dataclass(frozen=True)
class LSQR(LinearIteration[LSQRState]):
    """One forward and one adjoint product a step; steadier than CGLS where J is ill-conditioned."""

    state: ClassVar[type[State]] = LSQRState

    def init(self, problem: Problem, theta: Array) -> LSQRState:
        """The first Golub–Kahan vectors."""
        system = self.system(problem)
        first = bidiagonalise(system, theta)
        size = first.alpha * first.beta
        return LSQRState(
            0,
            first.beta**2 / 2,
            size,
            float("nan"),
            size,
            first.u,
            first.v,
            system.apply(first.v),
            first.alpha,
            first.beta,
            first.alpha,
        )

    def step(self, problem: Problem, theta: Array, state: LSQRState) -> tuple[Array, LSQRState]:
        """One bidiagonalisation step and one rotation."""
        system = self.system(problem)
        new = next_vectors(system, system.apply(state.v), state.u, state.v, state.alpha)
        rho = math.hypot(state.rho_bar, new.beta)
        c, s = state.rho_bar / rho, new.beta / rho
        phi, phi_bar = c * state.phi_bar, s * state.phi_bar
        return theta + phi / rho * state.w, LSQRState(
            state.iteration + 1,
            phi_bar**2 / 2,
            phi_bar * new.alpha * abs(c),
            phi / rho,
            state.initial_gradient_norm,
            new.u,
            new.v,
            system.apply(new.v) - s * new.alpha / rho * state.w,
            new.alpha,
            phi_bar,
            -c * new.alpha,
        )
