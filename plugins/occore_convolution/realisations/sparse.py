"""The matrix of a convolution, sparse, and products with it.

A(K) has a row for each output cell and channel and a column for each input cell and channel:
vec(y) = A(K) vec(x), channels fastest. It is banded Toeplitz in one dimension with a zero boundary,
circulant with a periodic one, and block circulant with circulant blocks (BCCB) in two.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from occore import Array
from occore_convolution.realisations import gemm

if TYPE_CHECKING:
    from occore_convolution.operator import ConvolutionOperator


def matrix(operator: ConvolutionOperator, K: Array) -> Any:
    """A(K), CSR, (outputs · channels_out, inputs · channels_in); taps on one cell are added."""
    import scipy.sparse

    taps, c, d = operator.taps, operator.channels_in, operator.channels_out
    outputs, count = taps.cells.shape
    row = np.arange(outputs)[:, None, None, None] * d + np.arange(d)
    column = taps.cells[:, :, None, None] * c + np.arange(c)[:, None]
    value = K.reshape(count, c, d)
    inside = taps.cells[:, :, None, None] < taps.inputs
    parts = np.broadcast_arrays(value, row, column, inside)
    kept = parts[3].ravel()
    entries, rows, columns = (part.ravel()[kept] for part in parts[:3])
    shape = (outputs * d, taps.inputs * c)
    return scipy.sparse.coo_array((entries, (rows, columns)), shape=shape).tocsr()


def forward(operator: ConvolutionOperator, x: Array, K: Array) -> Array:
    """A(K) x of each sample."""
    y = (matrix(operator, K) @ x.reshape(len(x), -1).T).T
    return np.ascontiguousarray(y).reshape(len(x), *operator.output_shape)


def adjoint(operator: ConvolutionOperator, p: Array, K: Array) -> Array:
    """A(K)ᵀ p of each sample."""
    x = (matrix(operator, K).T @ p.reshape(len(p), -1).T).T
    return np.ascontiguousarray(x).reshape(len(p), *operator.input_shape)


stencil_gradient = gemm.stencil_gradient
"""The same as there: the transpose in K takes patches of x, whatever A(K) is stored as."""
