"""What a compiled sweep carries forward and brings back, over any run of steps.

    track         forward           back
    FirstOrder    x                 p, pu
    SecondOrder   x, dx             p, dp, dpu

A run is cut where blocks of stage controls end. The numbers do not depend on how the sweep cuts it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from occore.arrays import Array
from occore.kernels.explicit_steps import Steps
from occore.kernels.stage_rows import RowGather, StageRows, pieces

if TYPE_CHECKING:
    from occore.adjoint import March

Arrays = tuple[Array, ...]


class Track:
    """What both tracks know: the march, its compiled steps, and the observed states.

    state: the arrays that go forward, each (samples, n). They are changed in place; `start` makes
    new ones. kept: (samples, observations, n), where the last of them is written when observed.
    """

    def __init__(self, march: March, loops: Steps, control: StageRows, state: Arrays) -> None:
        self.loops, self.control, self._start = loops, control, state
        self.stages, self.count = march.stages, march.grid.steps
        self.times, self.lengths = march.grid.times, march.grid.lengths
        self.marks = np.asarray(march.observed or (), np.int64)
        x = state[-1]
        self.kept = np.empty((len(x), len(self.marks), *x.shape[1:]), x.dtype)
        if len(self.marks) and self.marks[0] == 0:
            self.kept[:, 0] = x

    def start(self) -> Arrays:
        """The state before the first step."""
        return tuple(array.copy() for array in self._start)

    def rows(self, count: int) -> Arrays:
        """Room for the states before `count` steps."""
        return tuple(np.empty((count, *array.shape), array.dtype) for array in self._start)

    def output(self, state: Arrays) -> Array:
        """The output, for the end state."""
        return self.kept.copy() if len(self.marks) else state[-1]

    def seed(self, py: Array) -> tuple[Array, Array]:
        """py, and the adjoint after the last step before observations are added."""
        py = np.ascontiguousarray(py, self._start[0].dtype)
        if len(self.marks):
            return py, np.zeros_like(self._start[0])
        return np.empty((len(py), 0, *py.shape[1:]), py.dtype), py.copy()

    def after(self, k: int) -> int:
        """Place among the observed steps of the first that is later than step k."""
        return int(np.searchsorted(self.marks, k, side="right"))

    def finish(self, py: Array, p: Array) -> None:
        """Add the adjoint of an observed start."""
        if len(self.marks) and self.marks[0] == 0:
            p += py[:, 0]


class FirstOrder(Track):
    """The states and their adjoint."""

    def advance(self, first: int, last: int, state: Arrays, rows: Arrays) -> None:
        """The state goes on over a run of steps; the rows keep it before each, if not empty."""
        (x,), (states,) = state, rows
        for block, base, k, stop in pieces(self.stages, first, last):
            kept, u = states[k - first : stop - first], self.control[block]
            span, out = (k, stop, self.times, self.lengths), (self.marks, self.after(k), self.kept)
            self.loops.advance(*span, x, u, base, kept, *out)

    def begin(self, py: Array) -> None:
        """The adjoint starts at the end."""
        self.py, self.p = self.seed(py)
        self.gather = RowGather(self.control)

    def reverse(self, first: int, last: int, rows: Arrays) -> None:
        """The adjoint goes back over a run of steps, from the states before each."""
        (states,) = rows
        for block, base, k, stop in reversed([*pieces(self.stages, first, last)]):
            kept, u, pu = states[k - first : stop - first], self.control[block], self.gather[block]
            span, mark = (k, stop, self.times, self.lengths), self.after(stop)
            self.loops.adjoint(*span, kept, u, base, self.marks, mark, self.py, self.p, pu)
            if k == base:
                self.gather.finish(block)


class SecondOrder(Track):
    """States and tangents, the adjoint and its directional derivative."""

    def __init__(
        self, march: March, loops: Steps, control: StageRows, direction: StageRows, state: Arrays
    ) -> None:
        super().__init__(march, loops, control, state)
        self.direction = direction

    def advance(self, first: int, last: int, state: Arrays, rows: Arrays) -> None:
        """The state goes on over a run of steps; the rows keep it before each, if not empty."""
        (x, dx), (states, tangents) = state, rows
        for block, base, k, stop in pieces(self.stages, first, last):
            part, u, du = slice(k - first, stop - first), self.control[block], self.direction[block]
            span, kept = (k, stop, self.times, self.lengths), (states[part], tangents[part])
            out = self.marks, self.after(k), self.kept
            self.loops.tangent(*span, x, dx, u, du, base, *kept, *out)

    def begin(self, py: Array) -> None:
        """The adjoints start at the end."""
        self.py, self.p = self.seed(py)
        self.dp = np.zeros_like(self.p)
        self.gather = RowGather(self.control)

    def reverse(self, first: int, last: int, rows: Arrays) -> None:
        """The adjoints go back over a run of steps, from what was before each."""
        states, tangents = rows
        for block, base, k, stop in reversed([*pieces(self.stages, first, last)]):
            part, u, du = slice(k - first, stop - first), self.control[block], self.direction[block]
            span, kept = (k, stop, self.times, self.lengths), (states[part], tangents[part])
            back = self.marks, self.after(stop), self.py, self.p, self.dp, self.gather[block]
            self.loops.second(*span, *kept, u, du, base, *back)
            if k == base:
                self.gather.finish(block)
