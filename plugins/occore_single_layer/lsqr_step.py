"""LSQR within a trust region, for the direction of a Gauss–Newton step.

    minimise ½‖J p + r‖²    over ‖p‖ ≤ Δ,    until ‖Jᵀ(J p + r)‖ ≤ ε

The iterates are on paper those of conjugate gradients on Jᵀ J p = −Jᵀ r, so that their lengths grow
and the first one beyond the region tells where to stop (Steihaug's argument); but J is never
squared, which pays where it is ill-conditioned. With a damping μ the least-squares problem has the
rows √μ I below J.

Paige and Saunders, ACM Trans. Math. Softw. 8 (1982); symbols as in `occore_least_squares.lsqr`.
"""

from __future__ import annotations

import math

import numpy as np

from occore import Array, Evaluation, norm
from occore_classification.conjugate_gradients import ModelStep, to_border
from occore_least_squares.golub_kahan import bidiagonalise, next_vectors
from occore_least_squares.lsqr import rotate


def lsqr_step(
    at: Evaluation, *, radius: float, damping: float, accuracy: float, max_iterations: int
) -> ModelStep:
    """A step that decreases the model; accuracy: ε, damping: μ."""
    r, root = at.residual(), math.sqrt(damping)

    def product(v: Array) -> Array:
        w = at.residual_jvp(v)
        return np.concatenate([w, root * v]) if damping else w

    def transpose(w: Array) -> Array:
        g = at.residual_vjp(w[: r.size])
        return g + root * w[r.size :] if damping else g

    unknowns = np.zeros(at.problem.size, r.dtype)
    new = bidiagonalise(np.concatenate([-r, unknowns]) if damping else -r, transpose)
    p, w, decrease = unknowns, new.v, 0.0
    phi_bar, rho_bar, gradient_norm = new.beta, new.alpha, new.alpha * new.beta
    for k in range(max_iterations):
        if gradient_norm <= accuracy:
            return ModelStep(p, norm(p), decrease, k, on_border=False)
        new = next_vectors(product(new.v), transpose, new.u, new.v, new.alpha)
        turned = rotate(new, rho_bar, phi_bar)
        further = p + turned.step * w
        if norm(further) >= radius:
            share = to_border(norm(p) ** 2, float(p @ w), float(w @ w), radius) / turned.step
            decrease += turned.phi**2 / 2 * (1 - (1 - share) ** 2)
            return ModelStep(p + share * (further - p), radius, decrease, k + 1, on_border=True)
        p, w, decrease = further, new.v - turned.share * w, decrease + turned.phi**2 / 2
        phi_bar, rho_bar = turned.phi_bar, turned.rho_bar
        gradient_norm = turned.gradient_norm
    return ModelStep(p, norm(p), decrease, max_iterations, on_border=False)
