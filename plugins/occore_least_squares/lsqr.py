"""LSQR: Golub–Kahan bidiagonalisation of J for ½‖r‖², r = b − J θ.

    β₁ u₁ = b − J θ₀,  α₁ v₁ = Jᵀ u₁,  then  β u = J v − α u,  α v = Jᵀ u − β v,
    and a plane rotation (c, s) a step that keeps the bidiagonal system triangular

    symbol   code     shape         meaning
    u, v     u, v     (m,), (n,)    Golub–Kahan vectors
    w        w        (n,)          search direction
    φ̄, ρ̄     phi_bar, rho_bar       ‖r‖ = φ̄ and ‖Jᵀ r‖ = φ̄ α |c|

Paige and Saunders, ACM Trans. Math. Softw. 8 (1982), section 4. In exact arithmetic the iterates
are those of CGLS.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import ClassVar

from occore import Array, Problem, State, affine_residual, norm
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
        system = affine_residual(problem)
        u, beta = _normalised(-(system.at_zero + system.jvp(theta)))
        v, alpha = _normalised(system.vjp(u))
        size = alpha * beta
        return LSQRState(0, beta**2 / 2, size, float("nan"), size, u, v, v, alpha, beta, alpha)

    def step(self, problem: Problem, theta: Array, state: LSQRState) -> tuple[Array, LSQRState]:
        """One bidiagonalisation step and one rotation."""
        system = affine_residual(problem)
        u, beta = _normalised(system.jvp(state.v) - state.alpha * state.u)
        v, alpha = _normalised(system.vjp(u) - beta * state.v)
        rho = math.hypot(state.rho_bar, beta)
        c, s = state.rho_bar / rho, beta / rho
        phi, phi_bar = c * state.phi_bar, s * state.phi_bar
        return theta + phi / rho * state.w, LSQRState(
            state.iteration + 1,
            phi_bar**2 / 2,
            phi_bar * alpha * abs(c),
            phi / rho,
            state.initial_gradient_norm,
            u,
            v,
            v - s * alpha / rho * state.w,
            alpha,
            phi_bar,
            -c * alpha,
        )


def _normalised(x: Array) -> tuple[Array, float]:
    """x / ‖x‖ and ‖x‖; the zero vector stays."""
    size = norm(x)
    return (x / size if size > 0 else x), size
