"""Memory policies of compiled marches: whole runs of steps at a time.

    policy                    stores
    Linearizations, States    the state before each step; the adjoint evaluates its stages again
    Slots(s, d)               s states in memory, d on disk: as many steps as binomial
                              checkpointing takes, a run that fits into the free slots at a time

A step that is reversed counts as one that is computed again, as it does in the general march.
"""

from __future__ import annotations

from typing import Protocol

from occore.checkpointing import Cost, Held, Memory, Slots
from occore.kernels.binomial import steps_to_next
from occore.kernels.tracks import Arrays, FirstOrder, SecondOrder
from occore.scratch import Scratch


class CompiledSweep(Protocol):
    """One forward sweep, then one reverse sweep, or any number where it is `reusable`."""

    reusable: bool

    def forward(self) -> Arrays:
        """The end state."""
        ...

    def reverse(self) -> None:
        """All steps from last to first, after the track has begun."""
        ...


def compiled_sweep(memory: Memory, track: FirstOrder | SecondOrder, cost: Cost) -> CompiledSweep:
    """The sweep of a policy."""
    if isinstance(memory, Slots):
        return BinomialSweep(track, memory.slots, memory.disk, cost)
    return StoredSweep(track, cost)


class StoredSweep:
    """All states are stored."""

    reusable = True

    def __init__(self, track: FirstOrder | SecondOrder, cost: Cost) -> None:
        self.track, self.cost, self.held = track, cost, Held(self, cost)
        self.rows = track.rows(track.count)

    def forward(self) -> Arrays:
        """The end state."""
        state = self.track.start()
        self.track.advance(0, self.track.count, state, self.rows)
        self.cost.steps += self.track.count
        self.held.hold(_nbytes(self.rows))
        return state

    def reverse(self) -> None:
        """All steps as one run."""
        self.track.reverse(0, self.track.count, self.rows)
        self.cost.recomputed += self.track.count


class BinomialSweep:
    """A stack of stored states, the first `disk` of them in a scratch file: they are used least.

    A run of steps whose states fit into the free slots of memory is reversed at once. Its last
    state is the current one and needs no slot.
    """

    reusable = False

    def __init__(self, track: FirstOrder | SecondOrder, slots: int, disk: int, cost: Cost) -> None:
        self.track, self.slots, self.disk = track, slots, disk
        self.cost, self.held = cost, Held(self, cost)
        self.scratch = Scratch(disk) if disk else None
        self.stack: list[tuple[int, Arrays | None]] = []
        self.nothing, self.bytes = track.rows(0), _nbytes(track.rows(1))

    def forward(self) -> Arrays:
        """The end state; the last run of steps is ready to be reversed."""
        state, count = self.track.start(), self.track.count
        self.first = self._store_on_the_way(0, count, state)
        self.rows = self.track.rows(count - self.first)
        self._advance(self.first, count, state, self.rows)
        self.cost.steps += count
        self.cost.recomputed -= count  # every step is counted as it is taken
        return state

    def reverse(self) -> None:
        """Run by run; each begins at the stored state that is nearest."""
        self._reverse(self.first, self.track.count)
        self.cost.recomputed -= 1  # the forward sweep took the last step
        last = self.first
        while self.stack:
            first, stored = self.stack[-1]
            fits = last - first <= self._free_in_memory(popped=1) + 1
            state = self._load(first, stored, forget=fits)
            if not fits:
                step = steps_to_next(last - first, self._free() + 1)
                self._advance(first, first + step, state, self.nothing)
                first = self._store_on_the_way(first + step, last, state)
            self.rows = self.track.rows(last - first)
            self._advance(first, last - 1, state, tuple(row[:-1] for row in self.rows))
            for array, row in zip(state, self.rows, strict=True):
                row[-1] = array
            self._reverse(first, last)
            last = first
        if self.scratch is not None:
            self.scratch.close()

    def _store_on_the_way(self, k: int, last: int, state: Arrays) -> int:
        """Store states from step k on until the rest fits into memory; where the rest begins."""
        while last - k > self._free_in_memory() + 1:
            step = steps_to_next(last - k, self._free())
            self._store(k, state)
            self._advance(k, k + step, state, self.nothing)
            k += step
        return k

    def _advance(self, first: int, last: int, state: Arrays, rows: Arrays) -> None:
        self.track.advance(first, last, state, rows)
        self.cost.recomputed += last - first

    def _reverse(self, first: int, last: int) -> None:
        self.held.hold(self.bytes * (last - first - 1))
        self.track.reverse(first, last, self.rows)
        self.cost.recomputed += last - first
        self.held.hold(-self.bytes * (last - first - 1))

    def _free(self) -> int:
        return self.slots + self.disk - len(self.stack)

    def _free_in_memory(self, popped: int = 0) -> int:
        """Free slots of memory, after so many stored states are popped."""
        return self.slots - max(0, len(self.stack) - popped - self.disk)

    def _store(self, k: int, state: Arrays) -> None:
        if self.scratch is not None and len(self.stack) < self.disk:
            self.scratch.put(k, state)
            self.stack.append((k, None))
        else:
            self.stack.append((k, tuple(array.copy() for array in state)))
            self.held.hold(self.bytes)

    def _load(self, k: int, stored: Arrays | None, forget: bool) -> Arrays:
        """The state before step k, to be changed in place."""
        if forget:
            self.stack.pop()
        if stored is None:
            assert self.scratch is not None, "it was stored there"  # noqa: S101
            return self.scratch.get(k, forget)
        if forget:
            self.held.hold(-self.bytes)
            return stored
        return tuple(array.copy() for array in stored)


def _nbytes(arrays: Arrays) -> int:
    return sum(array.nbytes for array in arrays)
