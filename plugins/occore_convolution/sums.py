"""Sums over the cells, samples or channels of pictures, as products with ones.

NumPy adds up along an axis that is not the last one, or a short one, some numbers at a time; BLAS
does it at the speed of memory, twenty times as fast for (128, 28, 28, 16) in float32.
"""

from __future__ import annotations

import math

from occore import Array, array_namespace


def over_cells(a: Array) -> Array:
    """(samples, *grid, channels) → (samples, 1, …, channels): of each channel of each sample."""
    xp, (samples, *grid, channels) = array_namespace(a), a.shape
    shape, cells = (samples, *(1 for _ in grid), channels), math.prod(grid)
    if cells > 1:
        ones = xp.ones((1, cells), dtype=a.dtype)
        a = ones @ xp.reshape(a, (samples, cells, channels))
    return xp.reshape(a, shape)


def over_channels(a: Array) -> Array:
    """(…, channels) → (…, 1): of each cell."""
    xp, (*others, channels) = array_namespace(a), a.shape
    ones = xp.ones((channels, 1), dtype=a.dtype)
    return xp.reshape(xp.reshape(a, (-1, channels)) @ ones, (*others, 1))


def over_samples_and_cells(a: Array) -> Array:
    """(samples, *grid, channels) → (channels,): of each channel; first over cells, as above."""
    xp = array_namespace(a)
    return xp.sum(xp.reshape(over_cells(a), (a.shape[0], a.shape[-1])), axis=0)
