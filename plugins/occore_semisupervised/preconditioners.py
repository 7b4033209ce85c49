"""Preconditioners of conjugate gradients for sparse symmetric positive definite matrices.

    none     z = r
    jacobi   z = r / diag(H)
    amg      one V-cycle of algebraic multigrid by smoothed aggregation (extra `amg`: pyamg)

Vaněk, Mandel and Brezina, Computing 56 (1996), 179–196. The prolongation is smoothed with local
weights, since the global one begins with NumPy's global random numbers: the same matrix has to give
the same cycle, so that a run can be resumed exactly.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Literal

import numpy as np

from occore import Array, require

PreconditionerKind = Literal["none", "jacobi", "amg"]


def preconditioner(kind: PreconditionerKind, H: Any) -> Callable[[Array], Array]:
    """r (n,) or (n, columns) ↦ z, symmetric positive definite. Raises MissingExtra."""
    if kind == "none":
        return lambda r: r
    if kind == "jacobi":
        diagonal = H.diagonal()
        scale = np.where(diagonal > 0, 1 / np.where(diagonal > 0, diagonal, 1), 1).astype(H.dtype)
        return lambda r: (scale * r.T).T
    return _multigrid(H)


def _multigrid(H: Any) -> Callable[[Array], Array]:
    pyamg = require("pyamg", extra="amg", purpose="for the preconditioner amg")
    import scipy.sparse

    smoother = ("gauss_seidel", {"sweep": "symmetric"})
    levels = pyamg.smoothed_aggregation_solver(
        scipy.sparse.csr_matrix(H.astype(np.float64)),
        smooth=("jacobi", {"omega": 4 / 3, "weighting": "local"}),
        improve_candidates=None,
        presmoother=smoother,
        postsmoother=smoother,
    )
    cycle = levels.aspreconditioner()

    def apply(r: Array) -> Array:
        if r.ndim == 1:
            return cycle.matvec(r).astype(r.dtype)
        return np.column_stack([cycle.matvec(column) for column in r.T]).astype(r.dtype)

    return apply
