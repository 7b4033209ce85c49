"""A preconditioner for linear models: the weighted Gram matrix of the features, for every output.

    M = I ⊗ (Aᵀ diag(w) A + LᵀL),    w_i = trace(Φ''_i)/outputs

symbol   code         shape                meaning
A        features     (samples, columns)   design matrix of the last phase
L        L            (rows, columns)      operators of the penalties, weights included
Φ''_i    curvature    (outputs, outputs)   Hessian of the terminal terms in the outputs of sample i
w        w            (samples,)           its mean eigenvalue, at the iterate of the preconditioner

The Hessian is Σ_i Φ''_i ⊗ a_i a_iᵀ + I ⊗ LᵀL, and M replaces each Φ''_i by w_i I. For least
squares M is the Hessian. With the constant bound ½(I − 11ᵀ/K) in place of Φ''_i (D. Böhning, Ann.
Inst. Statist. Math. 44 (1992), 197–200) M would bound the Hessian; but where most samples are
classified with certainty that bound is off by orders of magnitude and saved no iterations:
docs/performance.md.

One symmetric product and one Cholesky factorisation; then two triangular solves for all outputs.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import scipy.linalg

from occore import Array, Problem, linear_model, require_structure
from occore_classification.conjugate_gradients import Operator

TILE = 8192
"""Samples at a time: a tile is scaled by √w and multiplied with itself."""


def check_gram(problem: Problem) -> None:
    """Raise StructureError where the problem is no linear model with matrices at hand."""
    require_structure(problem, "linear_model")


def gram_preconditioner(problem: Problem, theta: Array) -> Operator:
    """M⁻¹ v at an iterate; the latest one is kept with the problem, which never changes."""
    cache = problem.__dict__
    kept = cache.get("_gram_preconditioner")
    if kept is None or not np.array_equal(kept[0], theta):
        kept = cache["_gram_preconditioner"] = (theta.copy(), _factorised(problem, theta))
    return kept[1]


def _factorised(problem: Problem, theta: Array) -> Operator:
    model = linear_model(problem)
    M = weighted_gram(model.features, curvature_weights(problem, theta)) + model.L.T @ model.L
    # an unpenalised direction that no sample uses has no curvature: a shift at rounding level
    shift = len(M) * float(np.finfo(M.dtype).eps) * float(np.max(np.diag(M)))
    factor = scipy.linalg.cho_factor(M + shift * np.eye(len(M), dtype=M.dtype), lower=True)

    def solve(v: Array) -> Array:
        solution = scipy.linalg.cho_solve(factor, model.matrix(v), check_finite=False)
        return model.theta(solution)

    return solve


def curvature_weights(problem: Problem, theta: Array) -> Array:
    """w: the mean eigenvalue of the Hessian of the terminal terms in the outputs of each sample."""
    at = problem.at(theta)
    outputs = at.output.shape[1]
    w = np.zeros(len(at.output), at.output.dtype)
    for k in range(outputs):
        unit = np.zeros_like(at.output)
        unit[:, k] = 1.0
        for weight, term in at.terminal:
            w += weight * term.gauss_newton_product(unit)[:, k]
    return w / outputs


def weighted_gram(features: Any, w: Array) -> Array:
    """Aᵀ diag(w) A (columns, columns), of a dense or sparse A; w is not negative."""
    root, total = np.sqrt(w), np.zeros((features.shape[1], features.shape[1]), w.dtype)
    for start in range(0, features.shape[0], TILE):
        tile = features[start : start + TILE]
        dense = tile.toarray() if hasattr(tile, "toarray") else tile
        scaled = root[start : start + TILE, None] * dense
        total += scaled.T @ scaled
    return total
