"""im2col and a matrix product: the cells that each output reads, side by side, times the stencil.

With P(x) the matrix of patches, (samples · outputs, taps · channels_in):

    forward            y = P(x) K              K as (taps · channels_in, channels_out)
    adjoint            x = Pᵀ(p Kᵀ)            each cell adds up what its readers got
    stencil gradient   K = P(x)ᵀ p

Works for the arrays of any library, symbols included: no entry is changed in place. NumPy arrays of
some size go through `occore.StencilKernel`, compiled loops that do without P(x).
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from occore import Array, array_namespace

if TYPE_CHECKING:
    from occore_convolution.operator import ConvolutionOperator


MOST_ENTRIES = 1 << 24
"""Of patches at a time: more samples are taken in blocks, and so is their memory."""


def forward(operator: ConvolutionOperator, x: Array, K: Array) -> Array:
    """The convolution of x, (samples, *output grid, channels_out)."""
    if operator.kernel.applies(x, K):
        return operator.kernel.forward(x, K)
    xp = array_namespace(x, K)
    matrix = xp.reshape(K, (-1, operator.channels_out))
    y = [_patches(operator, part) @ matrix for part in _blocks(operator, x)]
    return xp.reshape(_joined(y), (x.shape[0], *operator.output_shape))


def adjoint(operator: ConvolutionOperator, p: Array, K: Array) -> Array:
    """Its transpose in x, (samples, *grid, channels_in)."""
    if operator.kernel.applies(p, K):
        return operator.kernel.adjoint(p, K)
    xp, taps = array_namespace(p, K), operator.taps
    transposed = xp.reshape(K, (-1, operator.channels_out)).T

    def gathered(part: Array) -> Array:
        q = xp.reshape(part, (-1, operator.channels_out)) @ transposed
        q = xp.reshape(q, (part.shape[0], taps.cells.size, operator.channels_in))
        return xp.sum(_rows(q, taps.readers, taps.uneven), axis=2)

    x = [gathered(part) for part in _blocks(operator, p)]
    return xp.reshape(_joined(x), (p.shape[0], *operator.input_shape))


def stencil_gradient(operator: ConvolutionOperator, x: Array, p: Array) -> Array:
    """Its transpose in K, (*stencil, channels_in, channels_out)."""
    if operator.kernel.applies(x, p):
        return operator.kernel.stencil_gradient(x, p)
    xp = array_namespace(x, p)
    pairs = zip(_blocks(operator, x), _blocks(operator, p), strict=True)
    K = sum(
        _patches(operator, part).T @ xp.reshape(q, (-1, operator.channels_out)) for part, q in pairs
    )
    return xp.reshape(K, operator.stencil_shape)


def _blocks(operator: ConvolutionOperator, a: Array) -> list[Array]:
    """The samples, a few at a time."""
    most = max(1, MOST_ENTRIES // (operator.taps.cells.size * operator.channels_in))
    samples = a.shape[0]
    firsts = range(0, max(samples, 1), most)
    return [a[first : min(first + most, samples), ...] for first in firsts]


def _joined(blocks: list[Array]) -> Array:
    return blocks[0] if len(blocks) == 1 else array_namespace(*blocks).concat(blocks)


def _patches(operator: ConvolutionOperator, x: Array) -> Array:
    """P(x), (samples · outputs, taps · channels_in)."""
    xp, taps = array_namespace(x), operator.taps
    cells = xp.reshape(x, (x.shape[0], taps.inputs, operator.channels_in))
    rows = _rows(cells, taps.cells, taps.any_outside)
    columns = taps.cells.shape[1] * operator.channels_in
    return xp.reshape(rows, (x.shape[0] * taps.cells.shape[0], columns))


def _rows(a: Array, numbers: Array, with_zero: bool) -> Array:
    """a[:, numbers], where the number after the last stands for zero."""
    xp = array_namespace(a)
    if with_zero:
        a = xp.concat([a, 0 * a[:, :1, :]], axis=1)
    found = xp.take(a, xp.asarray(numbers.ravel()), axis=1)
    return xp.reshape(found, (a.shape[0], *numbers.shape, a.shape[2]))
