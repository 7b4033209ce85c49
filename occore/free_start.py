"""Unknown start values of a phase: entries of the start state that are among its controls."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from occore.arrays import Array, Controls, array_namespace
from occore.linearization import Linearization

START = "start"


@dataclass(frozen=True)
class FreeStart(Linearization):
    """A march after its unknown start values: x ← x with u["start"] in the free entries."""

    free: Array
    part: Linearization

    def jvp(self, dx: Array, du: Controls) -> Array:
        """That of the march along the start."""
        return self.part.jvp(with_start(dx, self.free, du[START]), inner(du))

    def vjp(self, py: Array) -> tuple[Array, Controls]:
        """The free entries of px, summed over the samples, go to the start values."""
        return self._start(*self.part.vjp(py))

    @property
    def curvature(self):
        """Where the march has one."""
        return None if self.part.curvature is None else self._curvature

    def _curvature(self, py: Array, dx: Array, du: Controls) -> tuple[Array, Controls]:
        assert self.part.curvature is not None  # noqa: S101 - `curvature` asks for it
        start = with_start(dx, self.free, du[START])
        return self._start(*self.part.curvature(py, start, inner(du)))

    def _start(self, px: Array, pu: Controls) -> tuple[Array, Controls]:
        xp = array_namespace(px)
        start = xp.sum(px, axis=0)[self.free]
        return xp.where(xp.asarray(self.free), 0 * px, px), {**pu, START: start}


def with_start(x: Array, free: Array, start: Array) -> Array:
    """x (samples, *state_shape) with the start values in the free entries of every sample."""
    result = np.array(x, dtype=np.result_type(x, start))
    result[:, np.asarray(free)] = start
    return result


def inner(u: Controls) -> Controls:
    """The controls of the march."""
    return {name: value for name, value in u.items() if name != START}
