"""Where the compiled loops of a convolution read and write: offsets into padded pictures.

All grids here have two axes; a signal is a picture of one row. Offsets count entries of flat arrays
with channels last. See `occore.kernels.convolution` for the formulas and the letters.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from occore.arrays import Array

Sources = tuple[int, ...]
"""Along one axis, the cell of the grid that each cell of the padded grid is, or −1 for zero."""


@dataclass(frozen=True)
class Geometry:
    """A grid, its padded form, and a stencil on it; pairs of numbers are (rows, columns)."""

    grid: tuple[int, int]
    sources: tuple[Sources, Sources]
    stencil: tuple[int, int]
    stride: int
    dilation: int
    channels_in: int
    channels_out: int

    @property
    def outputs(self) -> tuple[int, int]:
        """Cells of the value."""
        reach = [self.dilation * (k - 1) for k in self.stencil]
        rows, columns = (
            (len(along) - 1 - r) // self.stride + 1
            for along, r in zip(self.sources, reach, strict=True)
        )
        return rows, columns


@dataclass(frozen=True)
class Plan:
    """How one picture after the other is padded and met with a stencil.

    copies: (…, 3) rows (to, from, length), which pad a picture of `size` entries to `padded`.
    runs: (…, 3) rows (offset, length, start), the neighbouring entries that one row of the stencil
    reads, and where in the part of the stencil that its phase has, what they are multiplied with.
    phases: (…, 7) rows (first run, end of runs, start in the stencil, start in the value, rows,
    columns, start in the padded picture), each a convolution with stride one of the padded picture.
    in_steps, out_steps: entries from one (row, column) to the next.
    order: taps of the stencil in the order of the runs. folds: as `copies`, how a padded value of
    `padded_out` entries is added to the value; none where the value is written in place.
    """

    size: int
    padded: int
    copies: Array
    runs: Array
    phases: Array
    in_steps: tuple[int, int]
    out_steps: tuple[int, int]
    order: Array
    folds: Array | None = None
    padded_out: int = 0

    @cached_property
    def fewest_columns(self) -> int:
        """Of all phases."""
        return int(self.phases[:, 5].min())

    @cached_property
    def run_length(self) -> int:
        """That of every run, or 0 where they differ."""
        lengths = set(self.runs[:, 1].tolist())
        return max(lengths) if len(lengths) == 1 else 0

    @cached_property
    def common_length(self) -> int:
        """The largest number that divides the lengths of all runs."""
        return int(np.gcd.reduce(self.runs[:, 1]))

    @cached_property
    def runs_apart(self) -> int:
        """Entries from each run to the next, or 0 where lengths or distances differ."""
        apart = set(np.diff(self.runs[:, 0]).tolist())
        return max(apart) if self.run_length and len(apart) == 1 else 0

    def fills(self, cells: int) -> bool:
        """Whether the phases write all of a value with so many cells, each of them in its place."""
        written = int(np.sum(self.phases[:, 4] * self.phases[:, 5]))
        return self.folds is None and written == cells

    def arrays(self, value: int) -> tuple[Array, ...]:
        """What the loops take: (copies, phases, runs, folds, steps from row to row, sizes).

        value: entries of the value.
        """
        folds = self.copies[:0] if self.folds is None else self.folds
        steps = np.array([self.in_steps[0], self.out_steps[0]])
        sizes = np.array([self.size, self.padded, value, self.padded_out])
        return self.copies, self.phases, self.runs, folds, steps, sizes


def forward_plan(g: Geometry) -> Plan:
    """The convolution of a picture: one phase."""
    (rows, columns), width, c = g.outputs, len(g.sources[1]), g.channels_in
    taps = list(itertools.product(*map(range, g.stencil)))
    runs = _runs([g.dilation * (i * width + j) * c for i, j in taps], c, g.channels_out)
    return Plan(
        size=g.grid[0] * g.grid[1] * c,
        padded=len(g.sources[0]) * width * c,
        copies=_copies(g.sources, g.grid[1], c),
        runs=np.array(runs),
        phases=np.array([(0, len(runs), 0, 0, rows, columns, 0)]),
        in_steps=(g.stride * width * c, g.stride * c),
        out_steps=(columns * g.channels_out, g.channels_out),
        order=np.arange(len(taps)),
    )


def adjoint_plan(g: Geometry) -> Plan:
    """Its transpose: a phase for each pair of remainders modulo the stride.

    Where the padding is zero, what falls onto it is not computed, and the rest is where it belongs.
    """
    in_place = all(_is_zero_padding(along) for along in g.sources)
    axes = [_axis_phases(g, axis, in_place) for axis in (0, 1)]
    around = [
        tuple([-1] * axis.left + list(range(outputs)) + [-1] * axis.right)
        for axis, outputs in zip(axes, g.outputs, strict=True)
    ]
    c, d, width = g.channels_in, g.channels_out, len(around[1])
    pitch = g.grid[1] if in_place else len(g.sources[1])
    runs, phases, order = [], [], []
    for down, along in itertools.product(axes[0].phases, axes[1].phases):
        taps = sorted(
            ((e * width + f) * d, i * g.stencil[1] + j)
            for (i, e), (j, f) in itertools.product(down.taps, along.taps)
        )
        own = _runs([offset for offset, _ in taps], d, c)
        start = ((down.first + axes[0].left) * width + along.first + axes[1].left) * d
        end, value = len(runs) + len(own), (down.cell * pitch + along.cell) * c
        numbers = (len(order) * d * c, value, down.count, along.count, start)
        phases.append((len(runs), end, *numbers))
        runs += own
        order += [tap for _, tap in taps]
    return Plan(
        size=g.outputs[0] * g.outputs[1] * d,
        padded=len(around[0]) * width * d,
        copies=_copies((around[0], around[1]), g.outputs[1], d),
        runs=np.array(runs),
        phases=np.array(phases),
        in_steps=(width * d, d),
        out_steps=(g.stride * pitch * c, g.stride * c),
        order=np.array(order),
        folds=None if in_place else _copies(g.sources, g.grid[1], c),
        padded_out=0 if in_place else len(g.sources[0]) * pitch * c,
    )


@dataclass(frozen=True)
class _Phase:
    """Along one axis: cells m = s q + a for q = first, first + 1, …; taps are pairs (j, e) with
    s e = a − d j, so that cell m gets p_{q+e} by tap j. The first of them is written to `cell`."""

    first: int
    count: int
    cell: int
    taps: list[tuple[int, int]]


@dataclass(frozen=True)
class _Axis:
    """All phases along an axis, and the zeros that p needs before and behind."""

    phases: list[_Phase]
    left: int
    right: int


def _axis_phases(g: Geometry, axis: int, in_place: bool) -> _Axis:
    sources, s, d = g.sources[axis], g.stride, g.dilation
    inside = [m for m, cell in enumerate(sources) if cell >= 0]
    low, high = (inside[0], inside[-1]) if in_place else (0, len(sources) - 1)
    shift = sources[low] - low if in_place else 0
    phases = []
    for a in range(s):
        taps = [(j, (a - d * j) // s) for j in range(g.stencil[axis]) if (a - d * j) % s == 0]
        first, last = -((a - low) // s), (high - a) // s
        if taps and last >= first:
            phases.append(_Phase(first, last - first + 1, s * first + a + shift, taps))
    lowest = min(phase.first + e for phase in phases for _, e in phase.taps)
    highest = max(phase.first + phase.count - 1 + e for phase in phases for _, e in phase.taps)
    return _Axis(phases, max(0, -lowest), max(0, highest - g.outputs[axis] + 1))


def _is_zero_padding(sources: Sources) -> bool:
    """Whether the grid, or a part of it, is there once, with zeros around."""
    inside = [cell for cell in sources if cell >= 0]
    begin = sources.index(inside[0])
    return list(sources[begin : begin + len(inside)]) == list(range(inside[0], inside[-1] + 1))


def _runs(offsets: Sequence[int], length: int, width: int) -> list[tuple[int, int, int]]:
    """Rows (offset, length, start) of these many entries at ascending offsets, neighbours joined.

    Each entry is multiplied with a row of the stencil, of this width.
    """
    joined: list[list[int]] = []
    for offset in offsets:
        if joined and sum(joined[-1]) == offset:
            joined[-1][1] += length
        else:
            joined.append([offset, length])
    starts = itertools.accumulate((own * width for _, own in joined), initial=0)
    return [(offset, own, start) for (offset, own), start in zip(joined, starts, strict=False)]


def _copies(sources: tuple[Sources, Sources], columns: int, channels: int) -> Array:
    """Rows (to, from, length) that pad a grid with these columns; neighbours are joined."""
    copies: list[list[int]] = []
    width = len(sources[1])
    for (m, row), (n, column) in itertools.product(*map(enumerate, sources)):
        if row < 0 or column < 0:
            continue
        to, begin = (m * width + n) * channels, (row * columns + column) * channels
        if copies and copies[-1][0] + copies[-1][2] == to and sum(copies[-1][1:]) == begin:
            copies[-1][2] += channels
        else:
            copies.append([to, begin, channels])
    return np.array(copies)
