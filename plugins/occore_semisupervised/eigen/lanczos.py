"""Lanczos with shift and invert: ARPACK on (L + εI)⁻¹, by one sparse factorisation.

The smallest eigenvalues of L become the largest, well separated ones. The shift keeps the matrix
positive definite. Lehoucq, Sorensen and Yang, ARPACK Users' Guide (1998), section 3.2.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore_semisupervised.eigen.eigenpairs import Eigenpairs, require_count, upper_bound
from occore_semisupervised.eigen.factorisation import factorised

SHIFT = 1e-6
"""ε as a share of the largest eigenvalue: far below those that matter, far above rounding."""


def shifted_solve(L: Any) -> tuple[float, Any]:
    """ε, and the solution with L + εI."""
    import scipy.sparse

    shift = SHIFT * (upper_bound(L) or 1.0)
    return shift, factorised(L + shift * scipy.sparse.eye_array(L.shape[0]))


def lanczos(L: Any, count: int, rng: np.random.Generator) -> Eigenpairs:
    """The smallest `count` eigenpairs of a symmetric positive semidefinite matrix (n, n)."""
    import scipy.sparse.linalg

    require_count(L, count)
    n = L.shape[0]
    if count >= n - 1:  # ARPACK leaves out one at least
        return Eigenpairs.of(L, np.eye(n)).first(count)
    shift, solve = shifted_solve(L)
    inverse = scipy.sparse.linalg.LinearOperator((n, n), matvec=solve, dtype=np.float64)
    _, vectors = scipy.sparse.linalg.eigsh(
        L,
        count,
        sigma=-shift,
        OPinv=inverse,
        v0=rng.standard_normal(n),
        ncv=min(n, max(2 * count + 1, 20)),
    )
    return Eigenpairs.of(L, vectors)
