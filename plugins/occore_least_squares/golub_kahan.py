"""Golub–Kahan bidiagonalisation of J, which LSQR and LSMR build on.

    β₁ u₁ = b,  α₁ v₁ = Jᵀ u₁,  then  β u = J v − α u,  α v = Jᵀ u − β v

Golub and Kahan, SIAM J. Numer. Anal. 2 (1965); Paige and Saunders, ACM Trans. Math. Softw. 8
(1982), section 3.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from occore import Array, norm

Operator = Callable[[Array], Array]


@dataclass(frozen=True)
class Bidiagonal:
    """The newest vectors u (m,) and v (n,), and the entries β and α that belong to them."""

    u: Array
    v: Array
    beta: float
    alpha: float


def bidiagonalise(b: Array, transpose: Operator) -> Bidiagonal:
    """The first vectors; transpose: Jᵀ w. Uses the memory of b."""
    u, beta = _normalised(b)
    v, alpha = _normalised(transpose(u))
    return Bidiagonal(u, v, beta, alpha)


def next_vectors(Jv: Array, transpose: Operator, u: Array, v: Array, alpha: float) -> Bidiagonal:
    """The next vectors, from the newest ones and J v, whose memory it uses."""
    Jv -= alpha * u
    u, beta = _normalised(Jv)
    w = transpose(u)
    w -= beta * v
    v, alpha = _normalised(w)
    return Bidiagonal(u, v, beta, alpha)


def _normalised(x: Array) -> tuple[Array, float]:
    """x / ‖x‖, in the memory of x, and ‖x‖; the zero vector stays."""
    size = norm(x)
    if size > 0:
        x /= size
    return x, size
