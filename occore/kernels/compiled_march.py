"""Marches of symbolic fields by explicit Runge–Kutta methods, in compiled loops.

Which memory policy is asked for decides only what is stored: with all states, whole blocks of steps
are compiled loops; with slots, single steps are. Both go through the same compiled stages and sum
the control adjoints in the same order, so that the numbers are the same bit for bit.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.arrays import Array, Controls
from occore.kernels.explicit_steps import Steps, explicit_steps
from occore.layout import Layout
from occore.linearization import Linearization
from occore.stage_controls import StageControls
from occore.symbolic.dynamics import SymbolicDynamics

if TYPE_CHECKING:
    from occore.adjoint import March

PRECISIONS = ("float64", "float32")


@dataclass(frozen=True)
class CompiledMarch:
    """The compiled loops of a march in one precision."""

    march: March
    steps: Steps
    dtype: np.dtype

    def controls(self, control: StageControls, block: int) -> Array:
        """Stage controls of a block, (steps, abscissae, m); (1, …) where all are constant."""
        layout, count = self.march.dynamics.controls, len(self.march.discretization.abscissae)
        named = control.block(block)
        rows = max([count, *(len(value) for value in named.values())])
        columns = [_rows(named[name], rows) for name in layout]
        flat = np.concatenate(columns, axis=1) if columns else np.zeros((rows, 0))
        return np.ascontiguousarray(flat.reshape(-1, count, layout.size), self.dtype)

    def forward(self, x: Array, control: StageControls) -> Array:
        """All states (steps + 1, samples, n) from the start states x."""
        grid, size = self.march.grid, self.march.stages.block_steps
        states = np.empty((grid.steps + 1, *x.shape), self.dtype)
        states[0] = x
        state = states[0].copy()
        for block, first in enumerate(range(0, grid.steps, size)):
            last = min(first + size, grid.steps)
            times, lengths = grid.times[first:last], grid.lengths[first:last]
            u = self.controls(control, block)
            self.steps.advance(0, last - first, times, lengths, state, u, states[first : last + 1])
        return states

    def step(self, k: int, x: Array, control: StageControls) -> Array:
        """The state after step k."""
        grid, state = self.march.grid, np.array(x, self.dtype, order="C")
        times, lengths = grid.times[k : k + 1], grid.lengths[k : k + 1]
        self.steps.advance(0, 1, times, lengths, state, self.one(control[k]), _nothing(state))
        return state

    def one(self, control: Controls) -> Array:
        """The stage controls of one step, (1, abscissae, m)."""
        layout, count = self.march.dynamics.controls, len(self.march.discretization.abscissae)
        columns = [_rows(control[name], count) for name in layout]
        flat = np.concatenate(columns, axis=1) if columns else np.zeros((count, 0))
        return np.ascontiguousarray(flat[None], self.dtype)

    def named(self, pu: Array) -> Controls:
        """Control adjoints (rows, m) of stages by name, (rows, *shape)."""
        layout: Layout = self.march.dynamics.controls
        return {
            name: np.ascontiguousarray(pu[:, layout.slices[name]]).reshape(len(pu), *shape)
            for name, shape in layout.shapes.items()
        }


@dataclass(frozen=True)
class CompiledStep(Linearization):
    """One step at a state: what `slots` go through, one at a time."""

    owner: CompiledMarch
    k: int
    x: Array
    u: Array

    def jvp(self, dx: Array, du: Controls) -> Array:
        """The tangent of the step."""
        grid, k = self.owner.march.grid, self.k
        x, d = self.x.copy(), np.array(dx, self.owner.dtype, order="C")
        times, lengths = grid.times[k : k + 1], grid.lengths[k : k + 1]
        along = self.owner.one(du)
        self.owner.steps.tangent(0, 1, times, lengths, x, d, self.u, along, _nothing(x))
        return d

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The adjoint of the step."""
        grid, k = self.owner.march.grid, self.k
        p, pu = np.array(py, self.owner.dtype, order="C"), np.zeros_like(self.u)
        times, lengths = grid.times[k : k + 1], grid.lengths[k : k + 1]
        self.owner.steps.adjoint(0, 1, times, lengths, self.x[None], self.u, p, pu)
        return p, self.owner.named(pu[0])

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """The second-order adjoint of the step."""
        dp, dpu = self.second(py, np.zeros_like(self.x), dx, du)[1:]
        return dp, dpu

    def second(
        self, py: Array, dp: Array, dx: Array, du: Controls
    ) -> tuple[Array, Array, Controls]:
        """p, dp and dpu before the step, in one sweep over its stages."""
        owner, k = self.owner, self.k
        p, q = (np.array(a, owner.dtype, order="C") for a in (py, dp))
        d, dpu = np.array(dx, owner.dtype, order="C")[None], np.zeros_like(self.u)
        times, lengths = owner.march.grid.times[k : k + 1], owner.march.grid.lengths[k : k + 1]
        along = owner.one(du)
        owner.steps.second(0, 1, times, lengths, self.x[None], d, self.u, along, p, q, dpu)
        return p, q, owner.named(dpu[0])


class CompiledLinearization(Linearization):
    """All states are stored; the sweeps are compiled loops over blocks of steps."""

    def __init__(self, owner: CompiledMarch, x: Array, control: StageControls) -> None:
        self.owner, self.control = owner, control
        self.states = owner.forward(x, control)
        owner.march.cost.steps += owner.march.grid.steps
        owner.march.cost.hold(self.states.nbytes)
        self.output = self._observed(self.states)

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent sweep."""
        return self._observed(self._tangents(dx, self.owner.march.stages.controls(du)))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint sweep."""
        owner, march = self.owner, self.owner.march
        p = self._seed(py)
        gather = march.stages.gather()

        def back(block: int, first: int, last: int, u: Array, pu: Array, start: int) -> None:
            times, lengths = march.grid.times[first:last], march.grid.lengths[first:last]
            part = pu[first - start : last - start]
            rows = u if len(u) == 1 else u[first - start : last - start]
            states = self.states[first:last]
            owner.steps.adjoint(0, last - first, times, lengths, states, rows, p, part)

        self._blocks_backward(py, p, back, gather)
        march.cost.recomputed += march.grid.steps
        return p, gather.result()

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Second-order adjoint sweep."""
        owner, march = self.owner, self.owner.march
        direction = march.stages.controls(du)
        tangents = self._tangents(dx, direction)
        p = self._seed(py)
        dp, gather = np.zeros_like(p), march.stages.gather()

        def back(block: int, first: int, last: int, u: Array, pu: Array, start: int) -> None:
            times, lengths = march.grid.times[first:last], march.grid.lengths[first:last]
            part = pu[first - start : last - start]
            rows = u if len(u) == 1 else u[first - start : last - start]
            d = owner.controls(direction, block)
            d = d if len(d) == 1 else d[first - start : last - start]
            states, along = self.states[first:last], tangents[first:last]
            owner.steps.second(0, last - first, times, lengths, states, along, rows, d, p, dp, part)

        self._blocks_backward(py, p, back, gather)
        return dp, gather.result()

    def _blocks_backward(self, py: Array, p: Array, back: Any, gather: Any) -> None:
        """Call `back` on runs of steps between observations, from last to first, block by block."""
        march, size = self.owner.march, self.owner.march.stages.block_steps
        for block in range((march.grid.steps - 1) // size, -1, -1):
            first, last = block * size, min((block + 1) * size, march.grid.steps)
            u = self.owner.controls(self.control, block)
            pu = np.zeros((last - first, *u.shape[1:]), self.owner.dtype)
            stops = [k for k in march.places if first < k <= last]
            for stop in sorted({first, *stops, last} - {first}, reverse=True):
                self._observe(stop, p, py)
                begin = max([k for k in stops if k < stop], default=first)
                back(block, begin, stop, u, pu, first)
            gather.add_block(block, self.owner.named(pu.reshape(-1, pu.shape[-1])))
        self._observe(0, p, py)

    def _tangents(self, dx: Array, direction: StageControls) -> Array:
        """Tangents (steps + 1, samples, n) along (dx, direction)."""
        owner, march = self.owner, self.owner.march
        grid, size = march.grid, march.stages.block_steps
        tangents = np.empty_like(self.states)
        tangents[0] = dx
        x, d = self.states[0].copy(), tangents[0].copy()
        for block, first in enumerate(range(0, grid.steps, size)):
            last = min(first + size, grid.steps)
            times, lengths = grid.times[first:last], grid.lengths[first:last]
            u, du = owner.controls(self.control, block), owner.controls(direction, block)
            kept = tangents[first : last + 1]
            owner.steps.tangent(0, last - first, times, lengths, x, d, u, du, kept)
        return tangents

    def _observed(self, states: Array) -> Array:
        march = self.owner.march
        if march.observed is None:
            return states[-1].copy()
        return np.stack([states[k] for k in march.observed], axis=1)

    def _seed(self, py: Array) -> Array:
        start = py if self.owner.march.observed is None else 0 * py[:, 0]
        return np.array(start, self.owner.dtype, order="C")

    def _observe(self, k: int, p: Array, py: Array) -> None:
        place = self.owner.march.places.get(k)
        if place is not None:
            p += py[:, place]


def compile_march(march: March, x: Array) -> CompiledMarch | None:
    """The compiled loops where the march can have them: `None` sends it the general way.

    They need a symbolic field with `compiler = "numba"`, an explicit tableau, and float64 or
    float32 vectors.
    """
    dynamics, tableau = march.dynamics, getattr(march.discretization, "tableau", None)
    if not isinstance(dynamics, SymbolicDynamics) or dynamics.compiler != "numba":
        return None
    dtype = getattr(x, "dtype", None)
    if tableau is None or not isinstance(x, np.ndarray) or str(dtype) not in PRECISIONS:
        return None
    used = 1 + max(i for i, weight in enumerate(tableau.b) if weight != 0)
    matrix = tuple(tuple(map(float, row[:used])) for row in tableau.matrix[:used])
    if any(row[i:] != (0.0,) * (used - i) for i, row in enumerate(matrix)) or tableau.fields:
        return None
    coefficients = matrix, tuple(map(float, tableau.b[:used])), tableau.times[:used]
    steps = explicit_steps(dynamics.kernels, coefficients, tableau.places[:used], str(dtype))
    return CompiledMarch(march, steps, np.dtype(dtype))


def _rows(value: Array, rows: int) -> Array:
    """A control (count, *shape) as (rows, size), repeated where it is constant."""
    flat = np.reshape(value, (len(value), -1))
    return flat if len(flat) == rows else np.tile(flat, (rows // len(flat), 1))


def _nothing(x: Array) -> Array:
    return np.empty((0, *x.shape), x.dtype)
