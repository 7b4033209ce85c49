"""Marches of symbolic fields by explicit Runge–Kutta methods, in compiled loops.

The memory policy decides only what is stored. All policies go through the same compiled stages and
sum the adjoints of the controls in the same order, so that the numbers are the same bit for bit.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from occore.arrays import Array, Controls
from occore.checkpointing import Linearizations, Slots, States
from occore.discretization import Discretization
from occore.kernels.explicit_steps import Coefficients, Steps, explicit_steps
from occore.kernels.fields import field_kernels
from occore.kernels.stage_rows import StageRows
from occore.kernels.sweeps import CompiledSweep, compiled_sweep
from occore.kernels.tracks import FirstOrder, SecondOrder
from occore.linearization import Linearization
from occore.symbolic.kernels import Kernels

if TYPE_CHECKING:
    from occore.adjoint import March

PRECISIONS = ("float64", "float32")


@dataclass(frozen=True)
class CompiledMarch:
    """A march by compiled loops over its steps."""

    march: March
    kernels: Kernels
    coefficients: Coefficients

    def takes(self, x: Array, u: Controls) -> bool:
        """Whether these are NumPy arrays of float64 or float32; others go the general way."""
        return isinstance(x, np.ndarray) and str(_dtype(x, u)) in PRECISIONS

    def __call__(self, x: Array, u: Controls) -> Array:
        """The output."""
        track = self._first_order(x, u)
        state = track.start()
        track.advance(0, track.count, state, track.rows(0))
        return track.output(state)

    def states(self, x: Array, u: Controls) -> Iterator[Array]:
        """The states after each step, computed a block at a time."""
        track = self._first_order(x, u)
        (state,), size = track.start(), track.stages.block_steps
        for first in range(0, track.count, size):
            last = min(first + size, track.count)
            (rows,) = track.rows(last - first)
            track.advance(first, last, (state,), (rows,))
            yield from rows[1:]
            yield state.copy()

    def linearize(self, x: Array, u: Controls) -> tuple[Array, Linearization]:
        """The output, and its derivative with respect to (x, coefficients)."""
        part = CompiledLinearization(self, self._first_order(x, u))
        return part.output, part

    def loops(self, dtype: np.dtype) -> Steps:
        """The compiled functions of one precision."""
        return explicit_steps(self.kernels, self.coefficients, str(dtype))

    def controls(self, u: Controls, dtype: np.dtype) -> StageRows:
        """Stage controls of these coefficients."""
        return StageRows(self.march.stages.controls(u), dtype)

    def _first_order(self, x: Array, u: Controls) -> FirstOrder:
        dtype = _dtype(x, u)
        start = np.array(x, dtype, order="C")
        return FirstOrder(self.march, self.loops(dtype), self.controls(u, dtype), (start,))


class CompiledLinearization(Linearization):
    """The derivative of a compiled march. Its products may be called in any order and number."""

    def __init__(self, owner: CompiledMarch, track: FirstOrder) -> None:
        self.owner, self.track = owner, track
        self.dtype = track.start()[0].dtype
        self._sweep: CompiledSweep | None = self._new_sweep()
        self.output = track.output(self._sweep.forward())

    def jvp(self, dx: Array, du: Controls) -> Array:
        """Tangent sweep."""
        track = self._second_order(dx, du)
        state = track.start()
        track.advance(0, track.count, state, track.rows(0))
        return track.output(state)

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """Adjoint sweep."""
        sweep, track = self._sweep, self.track
        if sweep is None:
            sweep = self._new_sweep()
            sweep.forward()
        self._sweep = sweep if sweep.reusable else None
        track.begin(py)
        sweep.reverse()
        track.finish(track.py, track.p)
        return track.p, track.gather.result()

    def curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        """Second-order adjoint sweep: the pair (x, dx) goes forward, (p, dp) comes back."""
        track = self._second_order(dx, du)
        sweep = compiled_sweep(self.owner.march.memory, track, self.owner.march.cost)
        sweep.forward()
        track.begin(py)
        sweep.reverse()
        return track.dp, track.gather.result()

    def _new_sweep(self) -> CompiledSweep:
        return compiled_sweep(self.owner.march.memory, self.track, self.owner.march.cost)

    def _second_order(self, dx: Array, du: Controls) -> SecondOrder:
        track, owner = self.track, self.owner
        state = *track.start(), np.array(dx, self.dtype, order="C")
        direction = owner.controls(du, self.dtype)
        return SecondOrder(owner.march, track.loops, track.control, direction, state)


def compile_march(march: March) -> CompiledMarch | None:
    """The compiled march where there can be one; `None` sends it the general way.

    It needs a symbolic field with `compiler = "numba"`, a method with an explicit tableau, and a
    memory policy that it knows.
    """
    coefficients = explicit(type(march.discretization))
    if coefficients is None or not isinstance(march.memory, (Linearizations, States, Slots)):
        return None
    kernels = field_kernels(march.dynamics)
    return None if kernels is None else CompiledMarch(march, kernels, coefficients)


@cache
def explicit(method: type[Discretization]) -> Coefficients | None:
    """The coefficients of a method with an explicit tableau, without stages that no step uses."""
    tableau = method.tableau
    if tableau is None or tableau.fields:
        return None
    used = 1 + max(i for i, weight in enumerate(tableau.b) if weight != 0)
    a = tuple(tuple(map(float, row[:used])) for row in tableau.matrix[:used])
    if any(entry != 0 for i, row in enumerate(a) for entry in row[i:]):
        return None
    b = tuple(map(float, tableau.b[:used]))
    return Coefficients(a, b, tableau.times[:used], tableau.places[:used])


def _dtype(x: Array, u: Controls) -> np.dtype:
    return np.result_type(x, *u.values())
