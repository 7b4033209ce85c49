"""SVD: the least-squares solution of minimum norm, by singular values.

    [A; L] = U diag(s) Vᵀ,    Θ = Σ v_i (u_iᵀ [B; 0]) / s_i  over the s_i above rounding

Golub and Van Loan, Matrix Computations (4th ed.), section 5.5.2.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from occore import Array
from occore_least_squares.direct import DirectSolver


@dataclass(frozen=True)
class SVD(DirectSolver):
    """Direct, for problems that hand out their matrices; one iteration."""

    def minimise(self, A: Array, B: Array) -> Array:
        """The solution of minimum norm."""
        U, s, Vt = scipy.linalg.svd(A, full_matrices=False)
        return expansion(U, s, Vt, B, numerical_rank(s, A.shape))


def numerical_rank(s: Array, shape: tuple[int, ...]) -> int:
    """How many of the falling singular values s of a matrix of this shape are above rounding."""
    return int(np.sum(s > max(shape) * np.finfo(s.dtype).eps * s[0]))


def expansion(U: Array, s: Array, Vt: Array, B: Array, rank: int) -> Array:
    """Σ v_i (u_iᵀ B) / s_i over the first `rank` singular values."""
    return Vt[:rank].T @ ((U[:, :rank].T @ B) / s[:rank, None])
