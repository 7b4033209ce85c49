"""The controls at the stages of each step, and the adjoint of that.

    u_k = B_k c    (abscissae, *shape),    c the coefficients, B_k rows of the basis matrix

Steps are taken in blocks: a block's controls come from one sparse product, and one block at a time
is in memory, so that a march of a million steps needs no million dictionaries. The blocks depend on
the sizes alone; so does the order in which the adjoint sums over them.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

from occore.arrays import Controls, array_namespace
from occore.controls import ControlSpace, evaluate
from occore.grid import Grid, stage_times
from occore.layout import Layout

BLOCK_ENTRIES = 1 << 18
"""Numbers of a block, at most (one step at least)."""

BLOCK_STEPS = 1024
KEPT_BLOCKS = 4


@dataclass(frozen=True)
class Stages:
    """Which steps have which controls; `constants` are the names that do not depend on time."""

    instant: Layout
    space: ControlSpace
    steps: int
    """Steps of the phase, by which a space may size itself; an adaptive grid has others."""
    constants: frozenset[str]
    grid: Grid
    abscissae: tuple[float, ...]

    @cached_property
    def block_steps(self) -> int:
        """Steps of a block."""
        entries = max(1, self.instant.size * len(self.abscissae))
        return min(BLOCK_STEPS, max(1, BLOCK_ENTRIES // entries))

    @cached_property
    def _bases(self) -> dict[int, Any]:
        return {}

    def basis(self, block: int) -> Any:
        """The rows of the basis matrix for the steps of a block; the latest are kept."""
        if block not in self._bases:
            if len(self._bases) >= KEPT_BLOCKS:
                del self._bases[next(iter(self._bases))]
            first = block * self.block_steps
            last = min(first + self.block_steps, self.grid.steps)
            times, inside = self.grid.stages(self.abscissae, first, last)
            self._bases[block] = self.space.basis(self.steps, times, inside)
        return self._bases[block]

    def basis_at(self, t: float, h: float, places: tuple[float, ...]) -> Any:
        """The basis matrix at places in [0, 1] of a step from t over h."""
        start, horizon = self.grid.times[0], self.grid.times[-1] - self.grid.times[0]
        times, inside = stage_times(places, (t - start) / horizon, h / horizon)
        return self.space.basis(self.steps, times, inside)

    def controls(self, coefficients: Controls) -> StageControls:
        """The stage controls of these coefficients."""
        return StageControls(self, coefficients)

    def gather(self) -> Gather:
        """A sum of adjoints of stage controls, over the steps from last to first."""
        return Gather(self)


class StageControls:
    """Stage controls by the number of the step."""

    def __init__(self, stages: Stages, coefficients: Controls) -> None:
        self.stages = stages
        self.coefficients = coefficients
        self._blocks: dict[int, Controls] = {}

    def block(self, block: int) -> Controls:
        """The controls of a block, (steps · abscissae, *shape); constants for one step."""
        if block not in self._blocks:
            if len(self._blocks) >= KEPT_BLOCKS:
                del self._blocks[next(iter(self._blocks))]
            self._blocks[block] = self._evaluate(block)
        return self._blocks[block]

    def __getitem__(self, k: int) -> Controls:
        """The controls (abscissae, *shape) of step k."""
        block, place = divmod(k, self.stages.block_steps)
        count = len(self.stages.abscissae)
        return {
            name: values[:count]
            if name in self.stages.constants
            else values[place * count : (place + 1) * count]
            for name, values in self.block(block).items()
        }

    def _evaluate(self, block: int) -> Controls:
        stages = self.stages
        basis = None if stages.constants >= self.coefficients.keys() else stages.basis(block)
        return stage_values(basis, self.coefficients, stages.constants, len(stages.abscissae))


def stage_values(
    basis: Any, coefficients: Controls, constants: frozenset[str], count: int
) -> Controls:
    """Controls at stages from coefficients; constants are repeated for the stages of a step."""
    varying = {n: c for n, c in coefficients.items() if n not in constants}
    result = evaluate(basis, varying) if varying else {}
    for name in constants & coefficients.keys():
        value = coefficients[name]
        xp = array_namespace(value)
        result[name] = xp.broadcast_to(value[None], (count, *value.shape))
    return {name: result[name] for name in coefficients}


class Gather:
    """Sums the adjoints of the stage controls into those of the coefficients, block by block."""

    def __init__(self, stages: Stages) -> None:
        self.stages = stages
        self._pending: list[Controls] = []
        self._total: Controls = {}

    def add(self, k: int, pu: Controls) -> None:
        """Add the adjoint of step k; the steps come from last to first."""
        self._pending.append(pu)
        if k % self.stages.block_steps == 0:
            self._flush(k // self.stages.block_steps)

    def result(self) -> Controls:
        """The adjoint of the coefficients, after step 0."""
        return self._total

    def _flush(self, block: int) -> None:
        steps, self._pending = self._pending[::-1], []
        stacked = {}
        for name in steps[0]:
            xp = array_namespace(steps[0][name])
            stacked[name] = xp.concat([step[name] for step in steps])
        self.add_block(block, stacked)

    def add_block(self, block: int, pu: Controls) -> None:
        """Add the adjoints (steps · abscissae, *shape) of a block; they come from last to first."""
        for name, stacked in pu.items():
            xp = array_namespace(stacked)
            if name in self.stages.constants:
                part = xp.sum(stacked, axis=0)
            else:
                part = evaluate(self.stages.basis(block).T, {name: stacked})[name]
            self._total[name] = part + self._total[name] if name in self._total else part
