"""What the adjoint of a march stores: all linearizations, all states, or a few slots.

A sweep goes forward over the steps 0, …, N − 1 once and then hands out what each step's adjoint
needs, from the last step to the first. Between the two it stores what its policy says; what it did
not store it computes again, by the same operations, so that every policy gives the same numbers.

    policy            stores                                     steps computed again
    Linearizations    the linearization of every step            none
    States            every state                                every step once, linearized
    Slots(s, d)       s states in memory and d on disk           the binomial optimum
    Reversible        the end state and one byte an entry        every step once, backward

Griewank and Walther, ACM Trans. Math. Softw. 26 (2000), algorithm 799; the schedules come from
the library checkpoint_schedules.
"""

from __future__ import annotations

import dataclasses
import threading
import weakref
from abc import abstractmethod
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, ClassVar

from occore import rounding
from occore.arrays import Array
from occore.interface import Interface
from occore.scratch import Scratch

Arrays = tuple[Array, ...]
"""A state as the sweep sees it: all that `advance` needs to go on."""


@dataclass(frozen=True)
class Steps:
    """The steps of a sweep: `count` of them, from the state `start`.

    advance(k, s): the state after step k. linearize(k, s): the same state, to the last bit, and
    what the adjoint of step k needs. retreat(k, s): the state before step k, to rounding; only for
    steps that can be reversed.
    """

    count: int
    start: Arrays
    advance: Callable[[int, Arrays], Arrays]
    linearize: Callable[[int, Arrays], tuple[Arrays, Any]]
    retreat: Callable[[int, Arrays], Arrays] | None = None


@dataclass
class Cost:
    """What sweeps cost: steps of the first sweep, steps computed again, peak bytes stored."""

    steps: int = 0
    recomputed: int = 0
    peak_bytes: int = 0
    stored: int = field(default=0, repr=False)

    def hold(self, count: int) -> None:
        """Bytes are stored, or released where the count is negative."""
        with _counting:
            self.stored += count
            self.peak_bytes = max(self.peak_bytes, self.stored)

    def beside(self) -> Cost:
        """For a further shard of the same sweep: its bytes count here, its steps do not again."""
        return _CostBeside(self)


_counting = threading.RLock()  # shards are swept in threads, and a sweep ends wherever it is freed


class _CostBeside(Cost):
    def __init__(self, first: Cost) -> None:
        super().__init__()
        self.first = first

    def hold(self, count: int) -> None:
        self.first.hold(count)


class Held:
    """The bytes that a sweep stores, released at the latest when the sweep is gone."""

    def __init__(self, owner: Any, cost: Cost) -> None:
        self.cost, self.count = cost, 0
        weakref.finalize(owner, self.release)

    def hold(self, count: int) -> None:
        """Bytes are stored, or released where the count is negative."""
        self.count += count
        self.cost.hold(count)

    def release(self) -> None:
        """All of them are released."""
        self.hold(-self.count)


class Sweep(Interface):
    """One forward sweep, then reverse sweeps: one, or any number where it is `reusable`."""

    reusable: ClassVar[bool]

    parts: list[Any] | None = None
    """What `linearize` gave for each step, where all of it is stored."""

    @abstractmethod
    def forward(self) -> Arrays:
        """The end state."""

    @abstractmethod
    def reverse(self) -> Iterator[tuple[int, Any]]:
        """(k, what `linearize` gave for step k) for k = count − 1, …, 0; after `forward`, once."""


class Memory(Interface):
    """A policy: a frozen dataclass that makes sweeps."""

    @abstractmethod
    def sweep(self, steps: Steps, cost: Cost) -> Sweep:
        """A sweep over the steps that adds what it does to the cost."""


@dataclass(frozen=True)
class Linearizations(Memory):
    """Everything is stored and nothing computed again: the fastest, and the largest."""

    def sweep(self, steps: Steps, cost: Cost) -> Sweep:
        """A sweep that linearizes as it goes forward."""
        return _LinearizationsSweep(steps, cost)


@dataclass(frozen=True)
class States(Memory):
    """Every state is stored; each step is linearized when the adjoint comes by."""

    def sweep(self, steps: Steps, cost: Cost) -> Sweep:
        """A sweep that stores the states."""
        return _StatesSweep(steps, cost)


@dataclass(frozen=True)
class Slots(Memory):
    """At most `slots` states in memory and `disk` in a scratch file: binomial checkpointing."""

    slots: int
    disk: int = 0

    def sweep(self, steps: Steps, cost: Cost) -> Sweep:
        """A sweep by the optimal schedule."""
        return _SlotsSweep(steps, cost, self.slots, self.disk)


@dataclass(frozen=True)
class Reversible(Memory):
    """Only the end state, and the bits that going back by `retreat` would get wrong.

    Going back is exact up to rounding. The last bits are mended by a correction of one byte an
    entry and step, so that the states are those of the way forward, bit for bit: an eighth of the
    memory of `States` in float64.
    """

    def sweep(self, steps: Steps, cost: Cost) -> Sweep:
        """A sweep that goes back over the steps. The steps must have a `retreat`."""
        return _ReversibleSweep(steps, cost)


class _LinearizationsSweep(Sweep):
    reusable: ClassVar[bool] = True

    def __init__(self, steps: Steps, cost: Cost) -> None:
        self.steps, self.cost, self.held = steps, cost, Held(self, cost)

    def forward(self) -> Arrays:
        state, parts = self.steps.start, []
        for k in range(self.steps.count):
            state, part = self.steps.linearize(k, state)
            parts.append(part)
            self.held.hold(nbytes(part))
        self.cost.steps += self.steps.count
        self.parts = parts
        return state

    def reverse(self) -> Iterator[tuple[int, Any]]:
        assert self.parts is not None, "a sweep goes forward first"  # noqa: S101
        yield from reversed(list(enumerate(self.parts)))


class _StatesSweep(Sweep):
    reusable: ClassVar[bool] = True

    def __init__(self, steps: Steps, cost: Cost) -> None:
        self.steps, self.cost, self.held = steps, cost, Held(self, cost)
        self.states: list[Arrays] = []

    def forward(self) -> Arrays:
        state = self.steps.start
        for k in range(self.steps.count):
            self.states.append(state)
            self.held.hold(nbytes(state))
            state = self.steps.advance(k, state)
        self.cost.steps += self.steps.count
        return state

    def reverse(self) -> Iterator[tuple[int, Any]]:
        for k in range(self.steps.count - 1, -1, -1):
            yield k, self.steps.linearize(k, self.states[k])[1]
        self.cost.recomputed += self.steps.count


class _SlotsSweep(Sweep):
    """Carries out the actions of a schedule; between the two sweeps the schedule waits."""

    reusable: ClassVar[bool] = False

    def __init__(self, steps: Steps, cost: Cost, slots: int, disk: int) -> None:
        from checkpoint_schedules import MultistageCheckpointSchedule

        self.steps, self.cost, self.held = steps, cost, Held(self, cost)
        self.actions = iter(MultistageCheckpointSchedule(steps.count, slots, disk))
        self.memory: dict[int, Arrays] = {}
        self.scratch = Scratch(disk) if disk else None
        self.state, self.part = steps.start, None

    def forward(self) -> Arrays:
        self._until("EndForward")
        self.cost.steps += self.steps.count
        self.cost.recomputed -= self.steps.count  # every step is counted as it is taken
        return self.state

    def reverse(self) -> Iterator[tuple[int, Any]]:
        while (action := self._until("Reverse", "EndReverse")).__class__.__name__ == "Reverse":
            part, self.part = self.part, None
            yield action.n0, part
        if self.scratch is not None:
            self.scratch.close()

    def _until(self, *names: str) -> Any:
        """Carry out actions up to one of these names; that action."""
        for action in self.actions:
            name = type(action).__name__
            if name in names:
                return action
            if name == "Forward":
                self._advance(action)
            else:  # Copy or Move: go on from a stored state
                self.state = self._load(action.n, action.from_storage.name, name == "Move")
        raise AssertionError("the schedule ended early")

    def _advance(self, action: Any) -> None:
        if action.write_ics:
            self._store(action.n0, action.storage.name)
        for k in range(action.n0, action.n1):
            if action.write_adj_deps:
                self.state, self.part = self.steps.linearize(k, self.state)
            else:
                self.state = self.steps.advance(k, self.state)
        self.cost.recomputed += action.n1 - action.n0

    def _store(self, k: int, storage: str) -> None:
        if storage == "DISK" and self.scratch is not None:
            self.scratch.put(k, self.state)
        else:
            self.memory[k] = self.state
            self.held.hold(nbytes(self.state))

    def _load(self, k: int, storage: str, forget: bool) -> Arrays:
        if storage == "DISK" and self.scratch is not None:
            return self.scratch.get(k, forget)
        state = self.memory[k]
        if forget:
            del self.memory[k]
            self.held.hold(-nbytes(state))
        return state


class _ReversibleSweep(Sweep):
    reusable: ClassVar[bool] = False

    def __init__(self, steps: Steps, cost: Cost) -> None:
        self.steps, self.cost, self.held = steps, cost, Held(self, cost)
        self.corrections: list[Any] = []
        self.state = steps.start

    def forward(self) -> Arrays:
        for k in range(self.steps.count):
            before, self.state = self.state, self.steps.advance(k, self.state)
            correction = rounding.difference(self._retreat(k), before)
            self.corrections.append(correction)
            self.held.hold(nbytes(correction))
        self.cost.steps += self.steps.count
        self.held.hold(nbytes(self.state))
        return self.state

    def reverse(self) -> Iterator[tuple[int, Any]]:
        for k in range(self.steps.count - 1, -1, -1):
            self.state = rounding.apply(self._retreat(k), self.corrections[k])
            yield k, self.steps.linearize(k, self.state)[1]
        self.cost.recomputed += self.steps.count

    def _retreat(self, k: int) -> Arrays:
        assert self.steps.retreat is not None, "asked for before the sweep"  # noqa: S101
        return self.steps.retreat(k, self.state)


def nbytes(value: Any) -> int:
    """Bytes of all arrays that a linearization, a state or a container holds."""
    if hasattr(value, "nbytes"):
        return int(value.nbytes)
    if isinstance(value, dict):
        return sum(map(nbytes, value.values()))
    if isinstance(value, (tuple, list)):
        return sum(map(nbytes, value))
    if dataclasses.is_dataclass(value):
        return sum(nbytes(getattr(value, f.name)) for f in dataclasses.fields(value))
    return 0
