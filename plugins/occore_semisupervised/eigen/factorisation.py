"""One sparse factorisation of a symmetric matrix, as Cholesky's would be, by SuperLU.

SciPy has no sparse Cholesky. For a positive definite matrix no pivots are needed, and with the
symmetric ordering of minimum degree SuperLU's factors are those of LDLᵀ.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from occore import Array, ComputationError


def factorised(matrix: Any) -> Callable[[Array], Array]:
    """Solves with a symmetric positive definite sparse matrix (n, n), for (n,) and (n, columns).

    Raises ComputationError where it is singular.
    """
    import scipy.sparse.linalg

    try:
        return scipy.sparse.linalg.splu(
            matrix.tocsc(),
            permc_spec="MMD_AT_PLUS_A",
            diag_pivot_thresh=0.0,
            options={"SymmetricMode": True},
        ).solve
    except RuntimeError as error:
        raise ComputationError(
            f"the matrix of the {matrix.shape[0]} nodes is singular: {error}"
        ) from error
