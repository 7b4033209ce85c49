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
from occore_least_squares.golub_kahan import Bidiagonal, bidiagonalise, next_vectors
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
        first = bidiagonalise(-system.residual(theta), system.vjp)
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
        JSv = system.jvp(state.v)
        new = next_vectors(JSv, system.vjp, state.u, state.v, state.alpha)
        turned = rotate(new, state.rho_bar, state.phi_bar)
        return theta + turned.step * state.w, LSQRState(
            state.iteration + 1,
            turned.phi_bar**2 / 2,
            turned.gradient_norm,
            turned.step,
            state.initial_gradient_norm,
            new.u,
            new.v,
            system.apply(new.v) - turned.share * state.w,
            new.alpha,
            turned.phi_bar,
            turned.rho_bar,
        )


@dataclass(frozen=True)
class Rotated:
    """After a rotation: φ/ρ and s α/ρ, by which solution and direction go on, φ, φ̄, ρ̄, ‖Jᵀ r‖."""

    step: float
    share: float
    phi: float
    phi_bar: float
    rho_bar: float
    gradient_norm: float


def rotate(new: Bidiagonal, rho_bar: float, phi_bar: float) -> Rotated:
    """The rotation that annihilates the new β: θ ← θ + step · w, w ← v − share · w."""
    rho = math.hypot(rho_bar, new.beta)
    c, s = rho_bar / rho, new.beta / rho
    phi, phi_bar = c * phi_bar, s * phi_bar
    norm = phi_bar * new.alpha * abs(c)
    return Rotated(phi / rho, s * new.alpha / rho, phi, phi_bar, -c * new.alpha, norm)
