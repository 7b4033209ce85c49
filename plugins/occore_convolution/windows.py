"""Windows that slide over a grid: what pooling layers read, and where they write.

A picture has the shape (samples, *grid, channels) with one or two axes of grid. Window i covers the
cells stride · i, …, stride · i + width − 1 of an axis; a window that does not fit is left out, so
there are floor((n − width) / stride) + 1 of them along n cells.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from occore import Array, InputError, WindowKernel, array_namespace


def require_picture(kind: str, state_shape: tuple[int, ...]) -> None:
    """Raise InputError where states are not pictures (*grid, channels) in one or two dimensions."""
    if len(state_shape) not in (2, 3):
        raise InputError(
            f"{kind} takes pictures (height, width, channels) or signals (length, channels); the "
            f'state has the shape {state_shape}: put a phase of kind "picture" before it'
        )


@dataclass(frozen=True)
class Windows:
    """Windows of `width` cells along each axis, `stride` cells apart, over pictures."""

    state_shape: tuple[int, ...]
    width: int
    stride: int

    def __post_init__(self) -> None:
        require_picture("pooling", self.state_shape)
        if self.width > min(self.state_shape[:-1]):
            raise InputError(
                f"a window of {self.width} cells does not fit into the grid "
                f"{self.state_shape[:-1]}: make it smaller"
            )

    @property
    def output_shape(self) -> tuple[int, ...]:
        """(*windows along each axis, channels)."""
        *grid, channels = self.state_shape
        return (*((n - self.width) // self.stride + 1 for n in grid), channels)

    @property
    def cells(self) -> int:
        """Number of cells of a window."""
        return self.width ** (len(self.state_shape) - 1)

    @cached_property
    def places(self) -> tuple[tuple[slice, ...], ...]:
        """For each cell of a window, the part of a batch that it runs over, the last axis fastest.

        x[place] has the output shape, so that pooling is arithmetic on a few strided views.
        """

        def along(offset: int, windows: int) -> slice:
            return slice(offset, offset + self.stride * (windows - 1) + 1, self.stride)

        offsets = itertools.product(range(self.width), repeat=len(self.state_shape) - 1)
        return tuple(
            (slice(None), *map(along, cell, self.output_shape[:-1]), slice(None))
            for cell in offsets
        )

    @cached_property
    def kernel(self) -> WindowKernel:
        """The compiled loops."""
        return WindowKernel(self.state_shape, self.output_shape, self.width, self.stride)

    def mean(self, x: Array) -> Array:
        """Mean over each window."""
        return self.kernel.means(x) if self.kernel.applies(x) else self._mean(x)

    def spread(self, p: Array) -> Array:
        """The transpose of `mean`."""
        if self.kernel.applies(p):
            return self.kernel.spread(p)
        part = p * (1 / self.cells)
        return self.scatter(part for _ in self.places)

    def _mean(self, x: Array) -> Array:
        first, *others = self.places
        total = x[first] + x[others[0]] if others else +x[first]
        for place in others[1:]:
            total += x[place]
        return total * (1 / self.cells)

    def scatter(self, parts: Iterable[Array]) -> Array:
        """The sum of the adjoints of x ↦ x[place], with one part for each place in order."""
        px = None
        for place, part in zip(self.places, parts, strict=True):
            if px is None:
                xp = array_namespace(part)
                px = xp.zeros((part.shape[0], *self.state_shape), dtype=part.dtype)
            if self.stride >= self.width:  # no cell is in two windows
                px[place] = part
            else:
                px[place] += part
        return px
