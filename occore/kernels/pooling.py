"""Means over windows of pictures in compiled loops, and their transpose; channels last.

    means    y_i = s Σ_j x_{t i + j}                s one over the cells of a window, t the stride
    spread   x_m = s Σ_{i, j: t i + j = m} p_i

The generic twin is in `occore_convolution.windows`: arithmetic on strided views, one pass over the
memory for each cell of a window; here there is one for all.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np

from occore.arrays import Array
from occore.kernels.stencil_loops import LONGEST_WRITTEN_OUT
from occore.kernels.stencil_source import Text, blocks
from occore.kernels.tile import Registers, Tile, registers
from occore.symbolic.jit import can_compile
from occore.threads import made_once

FEWEST_ENTRIES = 100_000
"""Of x, from which the loops are worth their compilation, of half a second."""

PRECISIONS = (np.dtype(np.float32), np.dtype(np.float64))


@dataclass(frozen=True)
class WindowKernel:
    """Means over windows of `width` cells along each of one or two axes, `stride` cells apart."""

    state_shape: tuple[int, ...]
    output_shape: tuple[int, ...]
    width: int
    stride: int

    def applies(self, a: Array) -> bool:
        """Whether the loops take this array of samples, x or p, and are worth it."""
        return (
            isinstance(a, np.ndarray)
            and a.dtype in PRECISIONS
            and len(a) * math.prod(self.state_shape) >= FEWEST_ENTRIES
            and can_compile()
        )

    def means(self, x: Array) -> Array:
        """y (samples, *output_shape)."""
        y = np.empty((len(x), *self.output_shape), x.dtype)
        self._run("means", x, y)
        return y

    def spread(self, p: Array) -> Array:
        """The transpose, (samples, *state_shape)."""
        grid, windows = self.state_shape[:-1], self.output_shape[:-1]
        pairs = zip(grid, windows, strict=True)
        fills = self.width == self.stride and all(n == self.width * m for n, m in pairs)
        x = (np.empty if fills else np.zeros)((len(p), *self.state_shape), p.dtype)
        self._run("spread", p, x)
        return x

    def _run(self, name: str, given: Array, out: Array) -> None:
        numbers = _Numbers(
            self.width,
            self.state_shape[-1],
            self.stride < self.width,
            given.dtype.itemsize,
            registers(),
        )
        share = np.array([1 / self.width ** (len(self.state_shape) - 1)], given.dtype)
        flat = np.ascontiguousarray(given).ravel(), out.ravel()
        _loop(name, numbers)(*flat, share, *self._plan, len(given))

    @cached_property
    def _plan(self) -> tuple[Array, Array]:
        """Runs of the cells of a window by rows; the rows and columns of windows, the entries from
        one of them to the next below and beside it, and the entries of x and of y."""
        columns, channels = self.state_shape[-2:]
        flat = len(self.state_shape) == 2
        rows = 1 if flat else self.output_shape[0]
        pitch, length = columns * channels, self.width
        runs = [(0, length, r * pitch) for r in range(1 if flat else self.width)]
        steps = (self.stride * pitch, self.stride * channels)
        sizes = math.prod(self.state_shape), math.prod(self.output_shape)
        return np.array(runs), np.array([rows, self.output_shape[-2], *steps, *sizes])


class _Numbers(NamedTuple):
    """What the text of the loops has in it. shared: whether a cell is in several windows."""

    width: int
    channels: int
    shared: bool
    itemsize: int
    registers: Registers


@made_once
def _loop(name: str, numbers: _Numbers) -> Callable[..., None]:
    """(given, out, share, runs, sizes, samples)."""
    text, calls, channels = Text(), "", numbers.channels
    for first, lanes in blocks(channels, numbers.itemsize):
        if name == "means":
            length = numbers.width if numbers.width <= LONGEST_WRITTEN_OUT else 0
            tile = Tile(1, lanes, 0, 0, 0, channels, length=length)
            arguments = f"out, value + {first}, share, 0, runs, given, place + {first}, share, 0"
            calls += f"\n                {text.tile(tile, arguments)}"
        else:
            start = "out" if numbers.shared else "zero"
            tile = Tile(numbers.width, lanes, 0, 0, channels, 0, start, length=1)
            cells = f"out, place + runs[r, 2] + {first}"
            arguments = f"{cells}, share, 0, once, given, value + {first}, share, 0"
            calls += f"""
                for r in range(runs.shape[0]):
                    {text.tile(tile, arguments)}"""
    text.add(f"""
@njit
def {name}(given, out, share, runs, sizes, samples):
    once = np.array([[0, 1, 0]])
    for n in range(samples):
        value = n * sizes[5]
        for i in range(sizes[0]):
            for j in range(sizes[1]):
                place = n * sizes[4] + i * sizes[2] + j * sizes[3]{calls}
                value += {channels}
""")
    return text.function(name)
