"""The Gauss–Newton matrix as a matrix, from derivatives of each sample.

    B = Σ_r M_rᵀ M_r + R'',    row i of M_r = J_iᵀ s_ir,    Φ''_i = Σ_r s_ir s_irᵀ

symbol   code    meaning
J_i              derivative of the end state of sample i in θ, (outputs, size)
Φ''_i            Hessian of the terminal terms in that end state, (outputs, outputs)
s_ir     seeds   its eigenvectors, each times the root of its eigenvalue, (samples, outputs)
M_r              (samples, size), one adjoint sweep without the sum over the samples
R''              of the penalties, (size, size)

These are as many sweeps as Φ''_i has eigenvalues that are not zero: for softmax one less than
classes. With few outputs that is less than conjugate gradients take with two for each product. For
sums of squares: Hagan and Menhaj, IEEE Trans. Neural Networks 5 (1994), 989–993. The products of
matrices are no sweeps and not counted: look at the times as well.
"""

from __future__ import annotations

import numpy as np
import scipy.linalg

from occore import Array, Evaluation, InputError, StructureError, norm
from occore_classification.conjugate_gradients import ModelStep
from occore_classification.end_hessian import end_hessian_columns

MOST_UNKNOWNS = 3000


def check_matrix(at: Evaluation) -> None:
    """Raise InputError for too many unknowns, StructureError for lack of derivatives."""
    size = at.problem.size
    if size > MOST_UNKNOWNS:
        raise InputError(
            f"the Gauss–Newton matrix of {size} unknowns would be large and slow to factorise; for "
            f'more than {MOST_UNKNOWNS} take inner = "cg"'
        )
    try:
        at.require_each()
    except StructureError as error:
        raise StructureError(f'{error}; take inner = "cg"') from None


def gauss_newton_matrix(at: Evaluation) -> Array:
    """B, (size, size). Raises StructureError where a phase has no derivative of each sample."""
    size = at.problem.size
    B = np.stack([at.penalty_product(e) for e in np.eye(size, dtype=at.output.dtype)], axis=1)
    for seed in _seeds(at):
        M = at.of_each(seed)
        B += M.T @ M
    return B


def cholesky_step(B: Array, g: Array, damping: float) -> ModelStep:
    """p with (B + μ I) p = −g, and what the model with B + μ I falls by; damping: μ."""
    damped = B + damping * np.eye(len(B), dtype=B.dtype)
    p = -scipy.linalg.solve(damped, g, assume_a="pos")
    return ModelStep(p, norm(p), -float(g @ p + p @ damped @ p / 2), 0, on_border=False)


def _seeds(at: Evaluation) -> list[Array]:
    """s_r, those that are zero for all samples left out."""
    outputs = at.output[0].size
    values, vectors = np.linalg.eigh(np.stack(list(end_hessian_columns(at)), axis=2))
    least = outputs * np.finfo(values.dtype).eps * np.max(values)
    kept = [r for r in range(outputs) if np.max(values[:, r]) > least]
    scaled = vectors * np.sqrt(np.maximum(values, 0))[:, None, :]
    return [scaled[:, :, r].reshape(at.output.shape) for r in kept]
