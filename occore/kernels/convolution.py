"""Products of a convolution in compiled loops, for NumPy arrays with channels last, on 1 or 2 axes.

    forward            y_i = Σ_j x_{s i + d j} K_j, and b, and its positive part
    adjoint            x_m = Σ_{i, j: s i + d j = m} p_i K_jᵀ, padding added to where it is from
    stencil gradient   K_j = Σ_i x_{s i + d j}ᵀ p_i, summed over the samples
    vjp                all adjoints of a layer with an activation in one pass, of q = σ'(s) ∘ p

with stride s and dilation d, and x padded: cells beyond the grid filled in. The generic twins are
`occore_convolution.realisations.gemm` and `occore_single_layer.activated`. Each picture is padded
into a buffer that stays in the cache. Neighbouring taps of a row read neighbours in it, so that
im2col's patches are there without being copied: `occore.kernels.tile` multiplies them. The adjoint
is a convolution of p, or several, one for each remainder of m modulo s. The texts of the loops are
in `occore.kernels.stencil_loops`.

The shards of samples follow from their number alone, and their gradients are added in their order:
the numbers do not depend on the threads. Within a shard of others there is one.
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
from occore.kernels.activations import Activation
from occore.kernels.stencil_loops import (
    Correlation,
    Gradient,
    back_loop,
    cells_together,
    correlation_loop,
    gradient_loop,
)
from occore.kernels.stencil_plan import Geometry, Plan, Sources, adjoint_plan, forward_plan
from occore.kernels.stencil_source import divisor, tile_length
from occore.kernels.tile import registers
from occore.symbolic.jit import can_compile
from occore.threads import in_order, inside_shard

SHARDS = 8
FEWEST_PRODUCTS = 1_000_000
"""Multiplications from which the loops are worth their compilation, of a second or two."""
FEWEST_IN_SHARDS = 16_000_000
"""Multiplications from which several shards are worth their calls; fewer are one."""

PRECISIONS = (np.dtype(np.float32), np.dtype(np.float64))


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
            and a.dtype in PRECISIONS
            and len(a) * self._products >= FEWEST_PRODUCTS
            and can_compile()
        )

    def fuses(self, x: Array, K: Array) -> bool:
        """Whether bias, activation and slopes go through the loops too.

        Not yet where Winograd's algorithm is taken.
        """
        return self.applies(x, K) and not any(map(self._saves_products, self._plans))

    def forward(self, x: Array, K: Array, b: Array | None = None, positive: bool = False) -> Array:
        """The convolution of x (samples, *grid, channels_in); where it `fuses` also plus b, and the
        positive part of it."""
        y = np.empty((len(x), *self._output_grid, self.channels_out), x.dtype)
        self._correlate(self._forward, self._forward_arrays, x, K, y, b, positive)
        return y

    def adjoint(self, p: Array, K: Array) -> Array:
        """Its transpose in x, (samples, *grid, channels_in)."""
        x = self._empty_state(p)
        self._correlate(self._adjoint, self._adjoint_arrays, p, np.swapaxes(K, -1, -2), x)
        return x

    def stencil_gradient(self, x: Array, p: Array) -> Array:
        """Its transpose in K, (*stencil, channels_in, channels_out)."""
        if self._saves_products(self._forward):
            return self._saving_gradient(x, p)
        sums = np.zeros((self._count(len(x)), self._entries), x.dtype)
        loop = gradient_loop(self._gradient_numbers(x))
        arrays, plans = (_flat(x), _flat(p)), (self._forward_arrays, self._rows)
        self._in_shards(lambda k, *part: loop(*arrays, sums[k], *plans, *part), len(x))
        return self._summed(sums)

    def _saving_gradient(self, x: Array, p: Array) -> Array:
        c, d = self.channels_in, self.channels_out
        sums = np.zeros((self._count(len(x)), winograd.PLACES, c, d), x.dtype)
        loop = winograd.gradient(divisor(c, registers().accumulators), c, d, x.dtype.itemsize)
        arrays, plan = (_flat(x), _flat(p)), (self._forward_arrays, *self._geometry.outputs)
        self._in_shards(lambda k, *part: loop(*arrays, sums[k].ravel(), *plan, *part), len(x))
        return winograd.gathered(np.sum(sums, axis=0))

    def _correlate(
        self,
        plan: Plan,
        arrays: tuple[Array, ...],
        x: Array,
        K: Array,
        out: Array,
        b: Array | None = None,
        positive: bool = False,
    ) -> None:
        """K: (*stencil, channels of x, channels of out)."""
        c, d = K.shape[-2:]
        taps = K.reshape(-1, c, d)[plan.order]
        if self._saves_products(plan):
            taps, folded = winograd.spread(taps.reshape(K.shape)), plan.folds is not None
            length = tile_length(plan.fewest_columns // 2)
            loop = winograd.correlation(length, c, d, x.dtype.itemsize, folded)
        else:
            numbers = Correlation.of(plan, d, x.dtype.itemsize)
            loop = correlation_loop(numbers, b is not None, positive)
        bias = np.zeros(1, x.dtype) if b is None else _flat(b)
        flat = _flat(x), _flat(taps), bias, out.ravel(), arrays
        self._in_shards(lambda _, *part: loop(*flat, *part), len(x))

    def vjp(
        self, x: Array, K: Array, y: Array, p: Array, sigma: Activation, state: bool
    ) -> tuple[Array | None, Array, Array]:
        """The adjoints px, pK and pb (channels_out,) of the layer y = σ(conv(x; K) + b).

        sigma: one with `slope_of_value`. state: whether px is wanted; it is None where not.
        """
        assert sigma.slope_of_value is not None, "asked for before"  # noqa: S101
        numbers, step = self._gradient_numbers(x), sigma.slope_of_value == "step"
        together = cells_together(numbers)
        lanes = together * self.channels_out
        adjoint = self._adjoint_numbers(p) if state else None
        loop = back_loop(adjoint, numbers, not step)
        coefficients = np.array((0, 0, 0) if step else sigma.slope_of_value, x.dtype)
        px = self._empty_state(p) if state else np.empty(0, x.dtype)
        count = self._count(len(x))
        pK, pb = np.zeros((count, self._entries), x.dtype), np.zeros((count, lanes), x.dtype)
        cells = np.array([(0, numbers.cells // together, 0)])
        taps = K.reshape(-1, *K.shape[-2:])[self._adjoint.order].swapaxes(1, 2)
        arrays = _flat(x), _flat(y), _flat(p), _flat(taps), coefficients, px.ravel()
        plans = self._forward_arrays, self._adjoint_arrays, self._rows, cells
        self._in_shards(lambda k, *part: loop(*arrays, pK[k], pb[k], *plans, *part), len(x))
        total = np.sum(pb, axis=0).reshape(together, self.channels_out)
        return px if state else None, self._summed(pK), np.sum(total, axis=0)

    def _empty_state(self, p: Array) -> Array:
        """Room for px; zero where the loops do not write all of it."""
        empty = np.empty if self._adjoint.fills(math.prod(self.grid)) else np.zeros
        return empty((len(p), *self.grid, self.channels_in), p.dtype)

    def _summed(self, sums: Array) -> Array:
        """The gradients of the shards, added in their order."""
        return np.sum(sums, axis=0).reshape(*self.stencil, self.channels_in, self.channels_out)

    def _adjoint_numbers(self, p: Array) -> Correlation:
        return Correlation.of(self._adjoint, self.channels_in, p.dtype.itemsize)

    def _gradient_numbers(self, x: Array) -> Gradient:
        cells = math.prod(self._output_grid)
        return Gradient.of(self._forward, cells, self.channels_out, x.dtype.itemsize)

    def _in_shards(self, work: Callable[[int, int, int], None], samples: int) -> None:
        """work(number of the shard, first sample, end) of each shard."""
        count = self._count(samples)
        if count == 1:
            work(0, 0, samples)
            return
        cuts = [samples * k // count for k in range(count + 1)]
        shards = zip(range(count), cuts[:-1], cuts[1:], strict=True)
        deque(in_order(lambda shard: work(*shard), shards), maxlen=0)

    def _count(self, samples: int) -> int:
        """Of shards."""
        many = samples * self._products >= FEWEST_IN_SHARDS and not inside_shard()
        return SHARDS if many else 1

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
    def _output_grid(self) -> tuple[int, ...]:
        return self._geometry.outputs[-len(self.grid) :]

    @cached_property
    def _forward(self) -> Plan:
        return forward_plan(self._geometry)

    @cached_property
    def _adjoint(self) -> Plan:
        return adjoint_plan(self._geometry)

    @property
    def _plans(self) -> tuple[Plan, Plan]:
        return self._forward, self._adjoint

    @cached_property
    def _forward_arrays(self) -> tuple[Array, ...]:
        return self._forward.arrays(math.prod(self._output_grid) * self.channels_out)

    @cached_property
    def _adjoint_arrays(self) -> tuple[Array, ...]:
        return self._adjoint.arrays(math.prod(self.grid) * self.channels_in)

    @cached_property
    def _rows(self) -> Array:
        """Runs of the cells of the value: (start in the padded picture, columns, start in p)."""
        (rows, columns), step = self._geometry.outputs, self._forward.in_steps[0]
        return np.array([(i * step, columns, i * columns * self.channels_out) for i in range(rows)])

    @cached_property
    def _entries(self) -> int:
        """Of the stencil."""
        return math.prod(self.stencil) * self.channels_in * self.channels_out

    @cached_property
    def _products(self) -> int:
        """Multiplications of a sample."""
        return self._entries * math.prod(self._output_grid)


def _flat(a: Array) -> Array:
    return np.ascontiguousarray(a).ravel()
