"""Stage controls as one array a block of steps, which is what compiled loops read."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from occore.arrays import Array, Controls
from occore.stage_controls import KEPT_BLOCKS, StageControls, Stages


class StageRows:
    """All controls at the stages, (steps of a block, abscissae, m); one row where none changes."""

    def __init__(self, control: StageControls, dtype: np.dtype) -> None:
        self.control, self.dtype = control, dtype
        stages = control.stages
        self.constant = stages.constants >= set(stages.instant)
        self._blocks: dict[int, Array] = {}

    def __getitem__(self, block: int) -> Array:
        """The rows of a block; the latest are kept."""
        block = 0 if self.constant else block
        if block not in self._blocks:
            if len(self._blocks) >= KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = self._make(block)
        return self._blocks[block]

    def _make(self, block: int) -> Array:
        stages = self.control.stages
        named, count = self.control.block(block), len(stages.abscissae)
        rows = max([count, *(len(value) for value in named.values())])
        columns = [_repeated(named[name], rows) for name in stages.instant]
        flat = np.concatenate(columns, axis=1) if columns else np.zeros((rows, 0))
        shaped = flat.reshape(rows // count, count, flat.shape[1])
        return np.ascontiguousarray(shaped, self.dtype)


def _repeated(value: Array, rows: int) -> Array:
    """A control (count, *shape) as (rows, size), repeated where it is constant."""
    flat = np.reshape(value, (len(value), -1))
    return flat if len(flat) == rows else np.tile(flat, (rows // len(flat), 1))


class RowGather:
    """Sums adjoints of the rows into those of the coefficients, over the steps from last to first.

    The sums depend on the blocks alone, and not on how the steps of a block come in.
    """

    def __init__(self, rows: StageRows) -> None:
        self.rows, self.stages = rows, rows.control.stages
        self._gather = self.stages.gather()
        self._block: Array = None

    def __getitem__(self, block: int) -> Array:
        """What the steps of a block are to be added to."""
        if self._block is None:
            self._block = np.zeros_like(self.rows[block])
        return self._block

    def finish(self, block: int) -> None:
        """All steps of the block have been added."""
        layout = self.stages.instant
        steps, count, size = self._block.shape
        pu = self._block.reshape(steps * count, size)
        named = {
            name: np.ascontiguousarray(pu[:, layout.slices[name]]).reshape(len(pu), *shape)
            for name, shape in layout.shapes.items()
        }
        self._gather.add_block(block, named)
        self._block = None

    def result(self) -> Controls:
        """The adjoint of the coefficients, after the first step."""
        return self._gather.result()


def pieces(stages: Stages, first: int, last: int) -> Iterator[tuple[int, int, int, int]]:
    """(block, its first step, first, last) of the parts of a run of steps within blocks."""
    while first < last:
        block = first // stages.block_steps
        base = block * stages.block_steps
        stop = min(last, base + stages.block_steps)
        yield block, base, first, stop
        first = stop
