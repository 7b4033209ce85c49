"""Products of Fourier transforms, for periodic grids: the transform diagonalises every shift.

With x̂_k = Σ_i x_i e^{−2πi k·i/n} and the offset o_j of tap j,

    ŷ_k = S_kᵀ x̂_k,    S_k = Σ_j K_j e^{2πi k·o_j/n}    (channels_in, channels_out)

S is the symbol: for one channel the eigenvalues of the circulant (BCCB) matrix. A stride keeps
every so-manieth output; its transpose puts zeros between. Taps that fall on one cell are added.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from occore import Array

if TYPE_CHECKING:
    from occore_convolution.operator import ConvolutionOperator


def forward(operator: ConvolutionOperator, x: Array, K: Array) -> Array:
    """The convolution of x, (samples, *output grid, channels_out)."""
    y = _back(operator, _by_frequency(_transform(operator, x)) @ half_symbol(operator, K))
    return np.ascontiguousarray(y[_kept(operator)])


def adjoint(operator: ConvolutionOperator, p: Array, K: Array) -> Array:
    """Its transpose in x, (samples, *grid, channels_in)."""
    S = half_symbol(operator, K)
    q = _by_frequency(_transform(operator, _spread(operator, p)))
    return np.ascontiguousarray(_back(operator, q @ np.swapaxes(S.conj(), -1, -2)))


def stencil_gradient(operator: ConvolutionOperator, x: Array, p: Array) -> Array:
    """Its transpose in K, (*stencil, channels_in, channels_out)."""
    import scipy.fft

    X, P = _transform(operator, x), _transform(operator, _spread(operator, p))
    products = np.swapaxes(_by_frequency(X), -1, -2) @ _by_frequency(P).conj()
    shifts = scipy.fft.irfftn(products, operator.grid, axes=_axes(operator, 0))
    return shifts.reshape(-1, *shifts.shape[-2:])[_cells(operator)].reshape(operator.stencil_shape)


def symbol(operator: ConvolutionOperator, K: Array) -> Array:
    """S at all frequencies, (*grid, channels_in, channels_out), complex."""
    import scipy.fft

    return scipy.fft.fftn(_on_grid(operator, K), axes=_axes(operator, 0)).conj()


def half_symbol(operator: ConvolutionOperator, K: Array) -> Array:
    """S where the last frequency is not negative, which is all of it: K is real."""
    import scipy.fft

    return scipy.fft.rfftn(_on_grid(operator, K), axes=_axes(operator, 0)).conj()


def inverse(operator: ConvolutionOperator, y: Array, K: Array) -> Array:
    """x with forward(x, K) = y, from S_kᵀ x̂_k = ŷ_k; S must have no singular block."""
    q = np.moveaxis(_by_frequency(_transform(operator, y)), -1, -2)
    x = np.linalg.solve(np.swapaxes(half_symbol(operator, K), -1, -2), q)
    return np.ascontiguousarray(_back(operator, np.moveaxis(x, -1, -2)))


def _axes(operator: ConvolutionOperator, first: int) -> tuple[int, ...]:
    return tuple(range(first, first + len(operator.grid)))


def _transform(operator: ConvolutionOperator, x: Array) -> Array:
    import scipy.fft

    return scipy.fft.rfftn(x, axes=_axes(operator, 1))


def _by_frequency(X: Array) -> Array:
    """(samples, *frequencies, channels) as (*frequencies, samples, channels)."""
    return np.moveaxis(X, 0, -2)


def _back(operator: ConvolutionOperator, Y: Array) -> Array:
    """(*frequencies, samples, channels) transformed back to (samples, *grid, channels)."""
    import scipy.fft

    return scipy.fft.irfftn(np.moveaxis(Y, -2, 0), operator.grid, axes=_axes(operator, 1))


def _cells(operator: ConvolutionOperator) -> Array:
    """The cells at the offsets of the taps: those that the first output reads."""
    return operator.taps.cells[0]


def _on_grid(operator: ConvolutionOperator, K: Array) -> Array:
    """K at the offsets of its taps, (*grid, channels_in, channels_out)."""
    channels = K.shape[-2:]
    field = np.zeros((operator.taps.inputs, *channels), K.dtype)
    np.add.at(field, _cells(operator), K.reshape(-1, *channels))
    return field.reshape(*operator.grid, *channels)


def _kept(operator: ConvolutionOperator) -> tuple[slice, ...]:
    return (slice(None), *(slice(None, None, operator.stride) for _ in operator.grid))


def _spread(operator: ConvolutionOperator, p: Array) -> Array:
    """p with zeros where a stride left outputs out."""
    if operator.stride == 1:
        return p
    full = np.zeros((len(p), *operator.grid, operator.channels_out), p.dtype)
    full[_kept(operator)] = p
    return full
