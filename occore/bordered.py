"""Matrices of a state with a running cost behind it, which nothing depends on: [[A, 0], [g, 0]].

A    (n, n), (samples, n, n), or one sparse block-diagonal matrix (samples · n, samples · n)
g    (samples, n), the gradient of the cost; zero if it is left out
"""

from __future__ import annotations

from typing import Any

import numpy as np

from occore.arrays import Array


def bordered(A: Array, g: Array = None) -> Array:
    """A dense matrix, or one for each sample, with a row and a column more."""
    dtype = A.dtype if g is None else np.result_type(A, g)
    result = np.zeros((*A.shape[:-2], A.shape[-2] + 1, A.shape[-1] + 1), dtype)
    result[..., :-1, :-1] = A
    if g is not None:
        result[..., -1, :-1] = g
    return result


def bordered_blocks(A: Any, g: Array) -> Any:
    """The same for each block of a sparse block-diagonal matrix."""
    import scipy.sparse

    samples, n = g.shape
    A = A.tocoo()
    sample, j = np.divmod(np.arange(samples * n), n)
    rows = A.row + A.row // n, sample * (n + 1) + n
    columns = A.col + A.col // n, sample * (n + 1) + j
    size = samples * (n + 1)
    data = np.concatenate([A.data, g.ravel()])
    places = np.concatenate(rows), np.concatenate(columns)
    return scipy.sparse.csr_array((data, places), shape=(size, size))
