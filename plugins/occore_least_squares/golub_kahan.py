"""Golub–Kahan bidiagonalisation of J S, which LSQR and LSMR build on.

    β₁ u₁ = b − J θ₀,  α₁ v₁ = (J S)ᵀ u₁,  then  β u = J S v − α u,  α v = (J S)ᵀ u − β v

Golub and Kahan, SIAM J. Numer. Anal. 2 (1965); Paige and Saunders, ACM Trans. Math. Softw. 8
(1982), section 3.
"""

from __future__ import annotations

from dataclasses import dataclass

from occore import Array, norm
from occore_least_squares.conditioning import Conditioned


@dataclass(frozen=True)
class Bidiagonal:
    """The newest vectors u (m,) and v (n,), and the entries β and α that belong to them."""

    u: Array
    v: Array
    beta: float
    alpha: float


def bidiagonalise(system: Conditioned, theta: Array) -> Bidiagonal:
    """The first vectors, for the start θ₀."""
    u, beta = _normalised(-system.residual(theta))
    v, alpha = _normalised(system.vjp(u))
    return Bidiagonal(u, v, beta, alpha)


def next_vectors(system: Conditioned, Sv: Array, u: Array, v: Array, alpha: float) -> Bidiagonal:
    """The next vectors, from the newest ones and S v."""
    w = system.unconditioned.jvp(Sv)
    w -= alpha * u
    u, beta = _normalised(w)
    w = system.vjp(u)
    w -= beta * v
    v, alpha = _normalised(w)
    return Bidiagonal(u, v, beta, alpha)


def _normalised(x: Array) -> tuple[Array, float]:
    """x / ‖x‖, in the memory of x, and ‖x‖; the zero vector stays."""
    size = norm(x)
    if size > 0:
        x /= size
    return x, size
