"""Products with a tall matrix of samples: x M and pᵀ x, for few outputs, dense or sparse.

    generic    `x @ M` and `p.T @ x` of the array library
    fast       a sparse matrix (CSR), up to 16 outputs: compiled loops over the entries of each row,
               with the outputs as scalars, which become vector registers; on a few shards of rows
               in threads (SciPy's own products hold the interpreter's lock)

There are always the same shards, cut by the number of entries, and their sums are added in their
order: the numbers do not depend on the threads.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import Any

import numpy as np

from occore.arrays import Array
from occore.symbolic.jit import can_compile, compile_source
from occore.threads import in_order, made_once

SHARDS = 8
MOST_OUTPUTS = 16
FEWEST_ENTRIES = 200_000
"""Stored entries from which threads and compiled loops pay."""

PRECISIONS = ("float32", "float64")


def matrix_product(x: Any, M: Array) -> Array:
    """x M, (samples, outputs); x (samples, columns) an array or a sparse matrix."""
    if not _is_fast(x, M.shape[1], M):
        return x @ M
    result = np.empty((x.shape[0], M.shape[1]), x.dtype)
    forward, rows = _loops(M.shape[1])["forward"], np.ascontiguousarray(M)
    _in_threads(lambda a, b, _: forward(x.indptr, x.indices, x.data, rows, result, a, b), x)
    return result


def transposed_product(p: Array, x: Any) -> Array:
    """pᵀ x, (outputs, columns); p (samples, outputs), and x as in `matrix_product`."""
    if not _is_fast(x, p.shape[1], p):
        return p.T @ x
    sums = np.zeros((SHARDS, x.shape[1], p.shape[1]), x.dtype)
    adjoint, rows = _loops(p.shape[1])["adjoint"], np.ascontiguousarray(p)
    _in_threads(lambda a, b, k: adjoint(x.indptr, x.indices, x.data, rows, sums[k], a, b), x)
    return np.sum(sums, axis=0).T


def _is_fast(x: Any, outputs: int, other: Array) -> bool:
    return (
        getattr(x, "format", "") == "csr"
        and 0 < outputs <= MOST_OUTPUTS
        and x.nnz >= FEWEST_ENTRIES
        and x.dtype == other.dtype
        and str(x.dtype) in PRECISIONS
        and can_compile()
    )


def _in_threads(work: Callable[[int, int, int], None], x: Any) -> None:
    """work(first row, end, number of the shard) of each shard."""
    ends = np.searchsorted(x.indptr, np.linspace(0, x.nnz, SHARDS + 1)[1:-1])
    cuts = [0, *map(int, ends), x.shape[0]]
    shards = zip(cuts[:-1], cuts[1:], range(SHARDS), strict=True)
    deque(in_order(lambda shard: work(*shard), shards), maxlen=0)


@made_once
def _loops(outputs: int) -> dict[str, Any]:
    """The compiled loops for this many outputs, written out."""
    return compile_source(_source(outputs), "row_products", {})


def _source(outputs: int) -> str:
    each = range(outputs)

    def lines(indent: int, text: str) -> str:
        return "\n".join(" " * indent + text.format(k=k) for k in each)

    return f"""@njit
def forward(ends, columns, values, M, result, first, end):
    for i in range(first, end):
{lines(8, "s{k} = result.dtype.type(0)")}
        for q in range(ends[i], ends[i + 1]):
            j, c = columns[q], values[q]
{lines(12, "s{k} += c * M[j, {k}]")}
{lines(8, "result[i, {k}] = s{k}")}


@njit
def adjoint(ends, columns, values, p, total, first, end):
    for i in range(first, end):
{lines(8, "p{k} = p[i, {k}]")}
        for q in range(ends[i], ends[i + 1]):
            j, c = columns[q], values[q]
{lines(12, "t{k} = total[j, {k}] + c * p{k}")}
{lines(12, "total[j, {k}] = t{k}")}
"""
