"""QR: the least-squares solution of minimum norm by a rank-revealing orthogonal decomposition.

    [A; L] P = Q [R, S; 0, 0],    Θ = P [R, S]⁺ Qᵀ [B; 0]

Golub and Van Loan, Matrix Computations (4th ed.), sections 5.4.2 (pivoting) and 5.5.4 (complete
orthogonal decomposition: a second factorisation, of [R, S]ᵀ, gives the solution of minimum norm).
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import scipy.linalg

from occore import Array
from occore_least_squares.direct import DirectSolver


@dataclass(frozen=True)
class QR(DirectSolver):
    """Direct, for problems that hand out their matrices; one iteration."""

    def minimise(self, A: Array, B: Array) -> Array:
        """The solution of minimum norm."""
        return minimum_norm(A, B)


def minimum_norm(A: Array, B: Array) -> Array:
    """The Θ of minimum Frobenius norm among those that minimise ‖A Θ − B‖.

    A: (m, n). B: (m, k). Columns that R shows to depend on the others to rounding are left to the
    choice of minimum norm. Pivoting is slow, so it waits until R without it looks singular.
    """
    right, R = scipy.linalg.qr_multiply(A, B.T)
    if R.shape[0] == R.shape[1] and _full_rank(R, A.shape):
        return scipy.linalg.solve_triangular(R, right.T)
    right, R, pivots = scipy.linalg.qr_multiply(A, B.T, pivoting=True)
    diagonal = np.abs(np.diag(R))
    rank = int(np.sum(diagonal > max(A.shape) * np.finfo(A.dtype).eps * np.max(diagonal)))
    right = right.T[:rank]
    theta = np.zeros((A.shape[1], B.shape[1]), A.dtype)
    Z, T = scipy.linalg.qr(R[:rank].T, mode="economic")
    theta[pivots] = Z @ scipy.linalg.solve_triangular(T, right, trans="T")
    return theta


def _full_rank(R: Array, shape: tuple[int, ...]) -> bool:
    """Whether R is far from singular, by LAPACK's estimate of its reciprocal condition number."""
    (condition,) = scipy.linalg.get_lapack_funcs(("trcon",), (R,))
    reciprocal, _ = condition(R)
    return bool(reciprocal > max(shape) * np.finfo(R.dtype).eps)
