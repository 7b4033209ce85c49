"""LOBPCG: locally optimal block preconditioned conjugate gradients; products and a preconditioner.

No factorisation, so it is for graphs whose factors do not fit the memory. With algebraic multigrid
(extra `amg`) the number of iterations hardly grows with the graph. Knyazev, SIAM J. Sci. Comput. 23
(2001), 517–541.
"""

from __future__ import annotations

import warnings
from typing import Any, Literal

import numpy as np

from occore_semisupervised.eigen.eigenpairs import Eigenpairs, require_count, upper_bound
from occore_semisupervised.preconditioners import preconditioner

MOST_ITERATIONS = 500
EXTRA = 4


def lobpcg(
    L: Any,
    count: int,
    rng: np.random.Generator,
    kind: Literal["jacobi", "amg"] = "jacobi",
    tolerance: float = 1e-9,
) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric positive semidefinite matrix (n, n).

    kind: of the preconditioner. tolerance: of residual norms, as a share of the largest eigenvalue;
    what was reached is in the residuals. Raises MissingExtra for "amg" without pyamg.
    """
    import scipy.sparse
    import scipy.sparse.linalg

    require_count(L, count)
    n, bound = L.shape[0], upper_bound(L) or 1.0
    block = min(count + EXTRA, n)
    if 5 * block > n:  # SciPy wants a block that is small beside the matrix
        return Eigenpairs.of(L, np.eye(n)).first(count)
    # the preconditioner needs a positive definite matrix, as L is not
    precondition = preconditioner(kind, L + 1e-3 * bound * scipy.sparse.eye_array(n))
    operator = scipy.sparse.linalg.LinearOperator(
        (n, n), matvec=precondition, matmat=precondition, dtype=np.float64
    )
    with warnings.catch_warnings():
        # it warns where the extra vectors have not converged; the residuals tell of the others
        warnings.simplefilter("ignore", UserWarning)
        _, vectors = scipy.sparse.linalg.lobpcg(
            L,
            rng.standard_normal((n, block)),
            M=operator,
            tol=tolerance * bound,
            maxiter=MOST_ITERATIONS,
            largest=False,
        )
    return Eigenpairs.of(L, vectors).first(count)
