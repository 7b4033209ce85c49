"""Conjugate gradients within a trust region, for the direction of an inexact Newton step.

    minimise m(p) = gᵀp + ½ pᵀHp    over ‖p‖_M ≤ Δ,    until ‖∇m(p)‖ ≤ ε

T. Steihaug, SIAM J. Numer. Anal. 20 (1983), 626–637; with a preconditioner M the norm is that of M:
Conn, Gould and Toint, Trust-Region Methods (2000), algorithm 7.5.1. With Δ = ∞ the iteration ends
at a direction of negative curvature with the step it has, which counts as one on the border.

symbol      code     meaning
r, z        r, z     residual g + Hp, and M⁻¹ r
d           d        conjugate direction
‖p‖²_M      pp       by recurrence, with pd = pᵀMd and dd = dᵀMd: M itself is not needed
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from occore import Array, norm

Operator = Callable[[Array], Array]


@dataclass(frozen=True)
class ModelStep:
    """A step p, its length ‖p‖_M, the decrease −m(p) of the model, and the iterations it took."""

    p: Array
    length: float
    decrease: float
    iterations: int
    on_border: bool


def model_step(
    product: Operator,
    g: Array,
    *,
    radius: float = math.inf,
    accuracy: float,
    max_iterations: int,
    precondition: Operator | None = None,
) -> ModelStep:
    """A step that decreases the model at least as well as the steepest descent within the region.

    product: H v. accuracy: ε. precondition: M⁻¹ v, the identity where not given.
    """
    solve = precondition or (lambda v: v)
    p, Hp, r = np.zeros_like(g), np.zeros_like(g), g
    z = solve(r)
    d, rz = -z, float(r @ z)
    pp, pd, dd = 0.0, 0.0, rz

    def result(k: int, on_border: bool = False) -> ModelStep:
        return ModelStep(p, math.sqrt(max(0.0, pp)), -float(g @ p + p @ Hp / 2), k, on_border)

    if norm(g) <= accuracy:
        return result(0)
    for k in range(1, max_iterations + 1):
        Hd = product(d)
        curvature = float(d @ Hd)
        alpha = rz / curvature if curvature > 0 else math.inf
        if curvature <= 0 and math.isinf(radius):
            if k == 1:
                p, Hp, pp = d, Hd, dd
            return result(k, on_border=True)
        if curvature <= 0 or pp + 2 * alpha * pd + alpha**2 * dd >= radius**2:
            alpha = to_border(pp, pd, dd, radius)
            p, Hp, pp = p + alpha * d, Hp + alpha * Hd, radius**2
            return result(k, on_border=True)
        p, Hp, r = p + alpha * d, Hp + alpha * Hd, r + alpha * Hd
        pp += 2 * alpha * pd + alpha**2 * dd
        if norm(r) <= accuracy:
            return result(k)
        z = solve(r)
        rz, before = float(r @ z), rz
        beta = rz / before
        pd, dd = beta * (pd + alpha * dd), rz + beta**2 * dd
        d = beta * d - z
    return result(max_iterations)


def to_border(pp: float, pd: float, dd: float, radius: float) -> float:
    """α > 0 with ‖p + α d‖_M = Δ."""
    root = math.sqrt(max(0.0, pd**2 + dd * (radius**2 - pp)))
    # of the two forms of the root the one that does not cancel
    return (radius**2 - pp) / (pd + root) if pd > 0 else (root - pd) / dd
