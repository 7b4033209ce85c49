"""A preconditioner for linear models: weighted Gram matrices of the features, one for each output.

    M = blocks M_k = Aᵀ diag(w_k) A + LᵀL,    w_ik = (Φ''_i)_kk

symbol   code         shape                      meaning
A        features     (samples, columns)         design matrix of the last phase
L        L            (rows, columns)            operators of the penalties, weights included
Φ''_i                 (outputs, outputs)         Hessian of the terminal terms in the outputs
w        w            (samples, outputs)         its diagonal, at the iterate of the preconditioner
N        flat         (outputs, directions)      orthonormal; directions that no sample curves
M⁻¹      inverses     (outputs, columns, columns)

The Hessian is Σ_i Φ''_i ⊗ a_i a_iᵀ + I ⊗ LᵀL, and M keeps the diagonal of each Φ''_i. For least
squares and for one output M is the Hessian. Softmax does not change when all outputs move together;
in such directions, N = 1/√K, the Hessian is LᵀL alone, which is used there. Of many samples an even
selection stands for all.

With the constant bound ½(I − 11ᵀ/K) in place of Φ''_i (D. Böhning, Ann. Inst. Statist. Math. 44
(1992), 197–200) M would bound the Hessian; but where most samples are classified with certainty
that bound is off by orders of magnitude, and saved no iterations: docs/performance.md.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import scipy.linalg

from occore import Array, LinearModel, Problem, is_sparse, linear_model, require_structure
from occore_classification.conjugate_gradients import Operator
from occore_classification.end_hessian import end_hessian_columns

FEWEST_SAMPLES = 4096
SAMPLES_A_COLUMN = 8
"""As many samples are taken for each column of A, and FEWEST_SAMPLES at least."""

FLAT = 1e-10
"""Of the largest curvature, below which there is none."""

SHIFT = 1e-3
"""Of the largest curvature, where there is none."""

TINY = float(np.finfo(np.float32).tiny)


def check_gram(problem: Problem) -> None:
    """Raise StructureError where the problem is no linear model with matrices at hand."""
    require_structure(problem, "linear_model")


def gram_preconditioner(problem: Problem, theta: Array) -> Operator:
    """M⁻¹ v at an iterate; the latest one is kept with the problem, which never changes."""
    cache = problem.__dict__
    kept = cache.get("_gram_preconditioner")
    if kept is None or not np.array_equal(kept[0], theta):
        kept = cache["_gram_preconditioner"] = (theta.copy(), _inverted(problem, theta))
    return kept[1].solve


@dataclass(frozen=True)
class GramInverse:
    """The inverses of the blocks, and of the block for the flat directions, in single precision.

    More is not needed of a preconditioner, and reading the matrices is what a solution costs.
    """

    model: LinearModel
    inverses: Array
    flat: Array
    flat_inverse: Array

    def solve(self, v: Array) -> Array:
        """Q M⁻¹ Q v + N (LᵀL)⁻¹ Nᵀ v, with Q = I − N Nᵀ."""
        rows = self.model.matrix(v).T.astype(np.float32)
        along = self.flat.T @ rows
        # not by BLAS, whose threads wait for each other: 1 ms instead of 100 on a busy machine
        curved = np.einsum("kij,kj->ki", self.inverses, rows - self.flat @ along)
        curved -= self.flat @ (self.flat.T @ curved)
        solution = curved + self.flat @ (along @ self.flat_inverse)
        return self.model.theta(solution.T.astype(v.dtype))


def _inverted(problem: Problem, theta: Array) -> GramInverse:
    w, total = curvature(problem, theta)
    columns = problem.size // w.shape[1]
    wanted = max(FEWEST_SAMPLES, SAMPLES_A_COLUMN * columns)
    chosen = np.arange(0, len(w), max(1, len(w) // wanted))
    model = linear_model(problem.subset(chosen))
    # the selection has the weight of all
    w = w[chosen] * (np.sum(w, axis=0) / np.maximum(np.sum(w[chosen], axis=0), TINY))
    penalty = sum((L.T @ L for L in model.operators), 0 * np.eye(columns, dtype=w.dtype))
    inverses = [inverse(weighted_gram(model.features, column) + penalty) for column in w.T]
    eigenvalues, vectors = np.linalg.eigh(total)
    flat = vectors[:, eigenvalues <= FLAT * np.max(np.abs(eigenvalues))].astype(np.float32)
    return GramInverse(model, np.stack(inverses), flat, inverse(penalty))


def curvature(problem: Problem, theta: Array) -> tuple[Array, Array]:
    """w (samples, outputs), and Σ_i Φ''_i (outputs, outputs)."""
    at = problem.at(theta)
    w = np.zeros_like(at.output)
    total = np.zeros((w.shape[1], w.shape[1]))
    for k, column in enumerate(end_hessian_columns(at)):
        w[:, k] = column[:, k]
        total[k] = np.sum(column, axis=0)
    return w, (total + total.T) / 2


def weighted_gram(features: Any, w: Array) -> Array:
    """Aᵀ diag(w) A (columns, columns), of a dense or sparse A; w is not negative."""
    dense = features.toarray() if is_sparse(features) else features
    scaled = np.sqrt(w)[:, None] * dense
    return scaled.T @ scaled


def inverse(M: Array) -> Array:
    """M⁻¹ in single precision; what has no curvature at all is given a thousandth of the most."""
    diagonal = np.diag(M)
    largest = float(np.max(diagonal)) or 1.0
    shift = np.where(diagonal <= FLAT * largest, SHIFT * largest, FLAT * largest)
    factor = scipy.linalg.cho_factor(M + np.diag(shift).astype(M.dtype), lower=True)
    found = scipy.linalg.cho_solve(factor, np.eye(len(M), dtype=M.dtype))
    return ((found + found.T) / 2).astype(np.float32)
