"""Which input cell each tap of a stencil reads, for every output cell of a grid.

Along one axis of n cells, output i and tap j of a stencil of k taps read the cell

    stride · i + dilation · (j − centre),    centre = (k − 1) // 2

so that a stencil of odd length is centred, and one of even length reaches one cell further ahead.
Outputs are ⌈n/stride⌉. A cell outside the grid is, by the boundary,

    zero         not there: it counts as zero
    periodic     that of the grid repeated, x_{i+n} = x_i
    reflecting   that of the grid mirrored at its faces, x_{−1−i} = x_i and x_{n+i} = x_{n−1−i}
    none         never read: outputs are only where all taps are inside, and the first tap of
                 output i reads the cell stride · i
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np

from occore import Array, InputError

Boundary = Literal["zero", "periodic", "reflecting", "none"]
"""What a stencil finds outside the grid."""

OUTSIDE = -1
"""Stands for a cell that is not there."""


@cache
def axis_sources(n: int, k: int, boundary: Boundary, stride: int, dilation: int) -> tuple[int, ...]:
    """The cell that each cell of the padded axis is, or OUTSIDE, from the first that is read on.

    Output i and tap j read number stride · i + dilation · j of them. Raises InputError where no
    stencil fits into the axis.
    """
    reach = dilation * (k - 1)
    if boundary == "none":
        if n <= reach:
            raise InputError(
                f"{k} taps with dilation {dilation} reach over {reach + 1} cells, more than the "
                f'{n} of the grid; take fewer taps, or another boundary than "none"'
            )
        return tuple(range((n - reach - 1) // stride * stride + reach + 1))
    cells = np.arange((n - 1) // stride * stride + reach + 1) - dilation * ((k - 1) // 2)
    if boundary == "periodic":
        cells = cells % n
    elif boundary == "reflecting":
        folded = cells % (2 * n)
        cells = np.where(folded < n, folded, 2 * n - 1 - folded)
    else:
        cells = np.where((cells >= 0) & (cells < n), cells, OUTSIDE)
    return tuple(cells.tolist())


def axis_outputs(sources: tuple[int, ...], k: int, stride: int, dilation: int) -> int:
    """Number of outputs along an axis with these sources."""
    return (len(sources) - dilation * (k - 1) - 1) // stride + 1


@dataclass(frozen=True)
class Taps:
    """The numbers of cells that all outputs read, and the other way round.

    cells: (outputs, taps), the input cell of each tap, or `inputs` for one outside.
    readers: (inputs, most readers), where in `cells`, one row after the other, each input occurs,
    or outputs · taps where it does so less often.
    """

    inputs: int
    cells: Array
    readers: Array

    @property
    def any_outside(self) -> bool:
        """Whether a tap is outside the grid."""
        return bool(np.any(self.cells == self.inputs))

    @property
    def uneven(self) -> bool:
        """Whether some inputs are read less often than others."""
        return bool(np.any(self.readers == self.cells.size))


@cache
def taps(
    grid: tuple[int, ...],
    stencil: tuple[int, ...],
    boundary: Boundary,
    stride: int,
    dilation: int,
) -> Taps:
    """The taps of a stencil on a grid of one or more axes, cells numbered row by row."""
    cells = np.zeros((1, 1), dtype=np.int64)
    for n, k in zip(grid, stencil, strict=True):
        sources = axis_sources(n, k, boundary, stride, dilation)
        outputs = np.arange(axis_outputs(sources, k, stride, dilation))
        along = np.array(sources)[stride * outputs[:, None] + dilation * np.arange(k)]
        before, here = cells[:, None, :, None], along[None, :, None, :]
        outside = (before == OUTSIDE) | (here == OUTSIDE)
        joint = np.where(outside, OUTSIDE, before * n + here)
        cells = joint.reshape(len(cells) * len(along), cells.shape[1] * k)
    inputs = math.prod(grid)
    cells = np.where(cells == OUTSIDE, inputs, cells)
    return Taps(inputs, cells, _readers(cells, inputs))


def _readers(cells: Array, inputs: int) -> Array:
    flat = cells.ravel()
    order = np.argsort(flat, kind="stable")
    counts = np.bincount(flat, minlength=inputs + 1)[:inputs]
    begins = np.cumsum(counts) - counts
    place = np.arange(counts.max())
    found = order[np.minimum(begins[:, None] + place, flat.size - 1)]
    return np.where(place < counts[:, None], found, flat.size)
