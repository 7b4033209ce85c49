"""Products of a convolution in compiled loops, for NumPy arrays with channels last, on 1 or 2 axes.

    forward            y_i = Σ_j x_{s i + d j} K_j      x padded: cells beyond the grid filled in
    adjoint            x_m = Σ_{i, j: s i + d j = m} p_i K_jᵀ, and padding added to where it is from
    stencil gradient   K_j = Σ_i x_{s i + d j}ᵀ p_i, summed over the samples

with stride s and dilation d. The generic twin is `occore_convolution.realisations.gemm`. Each
picture is padded into a buffer that stays in the cache. Neighbouring taps of a row read neighbours
in it, so that im2col's patches are there without being copied: `occore.kernels.tile` multiplies
them. The adjoint is a convolution of p, or several, one for each remainder of m modulo s.

The shards of samples follow from their number alone, and their gradients are added in their order:
the numbers do not depend on the threads.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from occore.arrays import Array
from occore.kernels import winograd
from occore.kernels.stencil_plan import Geometry, Plan, Sources, adjoint_plan, forward_plan
from occore.kernels.stencil_source import FOLD, PAD, blocks, divisor, tile_length
from occore.kernels.tile import registers, tile, version
from occore.symbolic.jit import can_compile, compile_source
from occore.threads import in_order, made_once

SHARDS = 8
FEWEST_PRODUCTS = 1_000_000
"""Multiplications from which the loops are worth their compilation, of a second or two."""
FEWEST_IN_SHARDS = 16_000_000
"""Multiplications from which several shards are worth their calls; fewer are one."""

PRECISIONS = ("float32", "float64")


@dataclass(frozen=True)
class StencilKernel:
    """A convolution as compiled loops.

    grid: cells along each axis. sources: the padded grid, whose length along an axis is
    stride · (outputs − 1) + dilation · (taps − 1) + 1.
    """

    grid: tuple[int, ...]
    sources: tuple[Sources, ...]
    stencil: tuple[int, ...]
    stride: int
    dilation: int
    channels_in: int
    channels_out: int

    def applies(self, a: Array, b: Array) -> bool:
        """Whether the loops take these arrays, of which `a` has samples, and are worth it."""
        return (
            len(self.grid) <= 2
            and isinstance(a, np.ndarray)
            and isinstance(b, np.ndarray)
            and a.dtype == b.dtype
            and str(a.dtype) in PRECISIONS
            and len(a) * self._products >= FEWEST_PRODUCTS
            and can_compile()
        )

    def forward(self, x: Array, K: Array) -> Array:
        """The convolution of x (samples, *grid, channels_in)."""
        g = self._geometry
        y = np.empty((len(x), *g.outputs[-len(self.grid) :], self.channels_out), x.dtype)
        self._correlate(self._forward, x, K, y)
        return y

    def adjoint(self, p: Array, K: Array) -> Array:
        """Its transpose in x, (samples, *grid, channels_in)."""
        x = np.zeros((len(p), *self.grid, self.channels_in), p.dtype)
        self._correlate(self._adjoint, p, np.swapaxes(K, -1, -2), x)
        return x

    def stencil_gradient(self, x: Array, p: Array) -> Array:
        """Its transpose in K, (*stencil, channels_in, channels_out)."""
        plan, g = self._forward, self._geometry
        rows, columns = g.outputs
        if self._saves_products(plan):
            return self._saving_gradient(x, p)
        steps = np.array([(i * plan.in_steps[0], columns) for i in range(rows)])
        sizes = np.array([plan.size, plan.padded, rows * columns * self.channels_out])
        entries = math.prod(self.stencil) * self.channels_in * self.channels_out
        sums = np.zeros((SHARDS, entries), x.dtype)
        count = divisor(int(np.gcd.reduce(plan.runs[:, 1])), registers().accumulators)
        loop = _gradient(count, plan.in_steps[1], self.channels_out, x.dtype.itemsize)
        flat = np.ascontiguousarray(x).ravel(), np.ascontiguousarray(p).ravel()

        def work(k: int, first: int, end: int) -> None:
            loop(*flat, sums[k], plan.copies, plan.runs, steps, sizes, first, end)

        self._in_shards(work, len(x))
        return np.sum(sums, axis=0).reshape(*self.stencil, self.channels_in, self.channels_out)

    def _saving_gradient(self, x: Array, p: Array) -> Array:
        plan, c, d = self._forward, self.channels_in, self.channels_out
        rows, columns = self._geometry.outputs
        sizes = np.array([plan.size, plan.padded, rows * columns * d])
        sums = np.zeros((SHARDS, winograd.PLACES, c, d), x.dtype)
        loop = winograd.gradient(divisor(c, registers().accumulators), c, d, x.dtype.itemsize)
        flat = np.ascontiguousarray(x).ravel(), np.ascontiguousarray(p).ravel()

        def work(k: int, first: int, end: int) -> None:
            total = sums[k].ravel()
            loop(*flat, total, plan.copies, sizes, rows, columns, plan.in_steps[0], first, end)

        self._in_shards(work, len(x))
        return winograd.gathered(np.sum(sums, axis=0))

    def _correlate(self, plan: Plan, x: Array, K: Array, out: Array) -> None:
        """K: (*stencil, channels of x, channels of out)."""
        folds = plan.copies[:0] if plan.folds is None else plan.folds
        sizes = np.array([plan.size, plan.padded, math.prod(out.shape[1:]), plan.padded_out])
        c, d = K.shape[-2:]
        taps = K.reshape(-1, c, d)[plan.order]
        columns, text = plan.fewest_columns, (x.dtype.itemsize, plan.folds is not None)
        if self._saves_products(plan):
            taps = winograd.spread(taps.reshape(K.shape))
            loop = winograd.correlation(tile_length(columns // 2), c, d, *text)
        else:
            along = plan.in_steps[1], plan.out_steps[1]
            loop = _correlation(tile_length(columns), *along, d, *text)
        steps = np.array([plan.in_steps[0], plan.out_steps[0]])
        arrays = (plan.copies, plan.phases, plan.runs, folds, steps, sizes)
        flat = np.ascontiguousarray(x).ravel(), np.ascontiguousarray(taps).ravel(), out.ravel()

        def work(k: int, first: int, end: int) -> None:
            loop(*flat, *arrays, first, end)

        self._in_shards(work, len(x))

    def _in_shards(self, work: Callable[[int, int, int], None], samples: int) -> None:
        """work(number of the shard, first sample, end) of each shard."""
        count = SHARDS if samples * self._products >= FEWEST_IN_SHARDS else 1
        cuts = [samples * k // count for k in range(count + 1)]
        shards = zip(range(count), cuts[:-1], cuts[1:], strict=True)
        deque(in_order(lambda shard: work(*shard), shards, None if count > 1 else 1), maxlen=0)

    def _saves_products(self, plan: Plan) -> bool:
        """Whether `occore.kernels.winograd` takes it, and gains."""
        even = all(cells % 2 == 0 for cells in plan.phases[0, 4:6])
        compact = self.stencil == winograd.TAPS and self.stride == self.dilation == 1
        return even and compact and winograd.gains(self.channels_in, self.channels_out)

    @cached_property
    def _geometry(self) -> Geometry:
        """With two axes."""
        one = len(self.grid) == 1
        row: tuple[int, ...] = (1,) * one
        grid, stencil = (*row, *self.grid), (*row, *self.stencil)
        sources = (*(((0,),) * one), *self.sources)
        return Geometry(
            (grid[0], grid[1]),
            (sources[0], sources[1]),
            (stencil[0], stencil[1]),
            self.stride,
            self.dilation,
            self.channels_in,
            self.channels_out,
        )

    @cached_property
    def _forward(self) -> Plan:
        return forward_plan(self._geometry)

    @cached_property
    def _adjoint(self) -> Plan:
        return adjoint_plan(self._geometry)

    @cached_property
    def _products(self) -> int:
        """Multiplications of a sample."""
        taps = math.prod(self.stencil) * self.channels_in * self.channels_out
        return taps * math.prod(self._geometry.outputs)


@made_once
def _correlation(
    count: int, in_step: int, out_step: int, width: int, itemsize: int, folded: bool
) -> Callable[..., None]:
    """The loop of forward and adjoint, with the tiles' sizes written out."""
    target, base = ("wide", "") if folded else ("out", "n * sizes[2] + ")
    tiles = "".join(
        f"""
                    tile({target}, value + {first}, padded, place, part, taps, start + {first},
                         {count}, {lanes}, {in_step}, 1, {out_step}, {width}, 0)"""
        for first, lanes in blocks(width, itemsize)
    )
    source = f"""@njit
def correlation(x, taps, out, copies, phases, runs, folds, steps, sizes, first, end):
    # tiles of version {version()}
    padded, wide = np.zeros(sizes[1], x.dtype), np.zeros(sizes[3], x.dtype)
    for n in range(first, end):{PAD}
        for q in range(phases.shape[0]):
            part, start = runs[phases[q, 0] : phases[q, 1]], phases[q, 2]
            for i in range(phases[q, 4]):
                for column in range(0, phases[q, 5], {count}):
                    j = min(column, phases[q, 5] - {count})
                    value = {base}phases[q, 3] + i * steps[1] + j * {out_step}
                    place = phases[q, 6] + i * steps[0] + j * {in_step}{tiles}{FOLD}"""
    return compile_source(source, "convolution", {"tile": tile()})["correlation"]


@made_once
def _gradient(count: int, in_step: int, width: int, itemsize: int) -> Callable[..., None]:
    """The loop of the stencil gradient, with the tiles' sizes written out."""
    tiles = "".join(
        f"""
                tile(total, value + {first}, padded, runs[q, 0] + r, steps, p, place + {first},
                     {count}, {lanes}, 1, {in_step}, {width}, {width}, 1)"""
        for first, lanes in blocks(width, itemsize)
    )
    source = f"""@njit
def gradient(x, p, total, copies, runs, steps, sizes, first, end):
    # tiles of version {version()}
    padded = np.zeros(sizes[1], x.dtype)
    for n in range(first, end):{PAD}
        value, place = 0, n * sizes[2]
        for q in range(runs.shape[0]):
            for r in range(0, runs[q, 1], {count}):{tiles}
                value += {count * width}
"""
    return compile_source(source, "convolution", {"tile": tile()})["gradient"]
