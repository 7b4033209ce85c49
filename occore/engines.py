"""Engines: where the shards of an evaluation are worked on.

Every engine works on the same shards with BLAS held to one thread, and hands their results on in
the order of the samples: all of them give the same numbers, bit for bit.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import TypeVar

from occore.interface import Interface
from occore.threads import in_order, one_blas_thread

Item = TypeVar("Item")
Result = TypeVar("Result")


class Engine(Interface):
    """Works on shards; a frozen dataclass of options."""

    @abstractmethod
    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """work(item) of each item, in their order."""


@dataclass(frozen=True)
class Threads(Engine):
    """Threads of this process; `count` of them, one for each core where it is not given."""

    count: int | None = None

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """As `occore.threads.in_order`, with BLAS and kernels held to one thread."""
        with one_blas_thread():
            yield from in_order(work, items, self.count)


@dataclass(frozen=True)
class Serial(Engine):
    """One shard after the other, in the calling thread."""

    def map(self, work: Callable[[Item], Result], items: Iterable[Item]) -> Iterator[Result]:
        """As the built-in `map`, with BLAS and kernels held to one thread."""
        with one_blas_thread():
            yield from in_order(work, items, threads=1)
