"""Products of arrays and what else of linear algebra is cheap on symbols."""

from __future__ import annotations

from typing import Any

import numpy as np

from occore.symbolic import elementary, reductions
from occore.symbolic.array import SymbolicArray, entries, matmul
from occore.symbolic.reductions import Axis

__all__ = [
    "diagonal",
    "matmul",
    "matrix_transpose",
    "outer",
    "tensordot",
    "trace",
    "vecdot",
    "vector_norm",
]


def matrix_transpose(x: Any, /) -> SymbolicArray:
    """Transpose of a stack of matrices."""
    return SymbolicArray(np.swapaxes(entries(x), -1, -2))


def outer(a: Any, b: Any, /) -> SymbolicArray:
    """a bᵀ of two vectors."""
    return elementary.multiply(SymbolicArray(entries(a)[:, None]), b)


def tensordot(a: Any, b: Any, /, *, axes: Any = 2) -> SymbolicArray:
    """Sum over the last axes of a and the first of b, or over the axes named."""
    return SymbolicArray(np.asarray(np.tensordot(entries(a), entries(b), axes), dtype=object))


def vecdot(a: Any, b: Any, /, *, axis: int = -1) -> SymbolicArray:
    """Inner products along an axis."""
    return reductions.sum(elementary.multiply(a, b), axis=axis)


def vector_norm(
    x: Any, /, *, axis: Axis = None, keepdims: bool = False, ord: float = 2
) -> SymbolicArray:
    """The norm of order 1, 2 or infinity. Raises ValueError for another order."""
    if ord == 2:
        return elementary.sqrt(reductions.sum(elementary.square(x), axis=axis, keepdims=keepdims))
    if ord == 1:
        return reductions.sum(elementary.abs(x), axis=axis, keepdims=keepdims)
    if ord == np.inf:
        return reductions.max(elementary.abs(x), axis=axis, keepdims=keepdims)
    raise ValueError(f"a symbolic norm has the order 1, 2 or infinity, not {ord}")


def diagonal(x: Any, /, *, offset: int = 0) -> SymbolicArray:
    """Diagonals of a stack of matrices."""
    return SymbolicArray(np.diagonal(entries(x), offset, -2, -1))


def trace(x: Any, /, *, offset: int = 0, dtype: Any = None) -> SymbolicArray:
    """Sums of the diagonals."""
    return reductions.sum(diagonal(x, offset=offset), axis=-1)
