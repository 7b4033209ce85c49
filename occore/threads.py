"""Threads for work that is cut into shards; BLAS is held to one thread inside.

Whatever runs in threads here takes them from this module, so that a kernel with threads of its own
knows when it is called within a shard: there it does its work alone.
"""

from __future__ import annotations

import contextvars
import os
import sys
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import cache, lru_cache, wraps
from typing import Any, ParamSpec, TypeVar

Item = TypeVar("Item")
Result = TypeVar("Result")
P = ParamSpec("P")

AHEAD = 2
"""Shards that are handed out for each thread, so that none waits while results are taken."""

_inside = contextvars.ContextVar("occore_inside_a_shard", default=False)


def inside_shard() -> bool:
    """Whether the caller works on a shard, beside other threads that do."""
    return _inside.get()


def cores() -> int:
    """Threads that can run at a time."""
    return os.cpu_count() or 1


def in_order(
    work: Callable[[Item], Result], items: Iterable[Item], threads: int | None = None
) -> Iterator[Result]:
    """work(item) of each item, in their order, as soon as it is there.

    threads: at most so many, by default one for each core; within a shard there is one, the
    caller's. No more than a few results wait to be taken. An exception comes out where its item
    stands in the order, and items behind it that have not begun are left.
    """
    if inside_shard():
        yield from map(work, items)
        return
    count = threads or cores()
    if count == 1:
        yield from (_context().run(work, item) for item in items)
        return
    pool, waiting = _pool(count), deque[Future[Result]]()
    try:
        for item in items:
            waiting.append(pool.submit(_context().run, work, item))
            if len(waiting) > AHEAD * count:
                yield waiting.popleft().result()
        while waiting:
            yield waiting.popleft().result()
    finally:
        for future in waiting:
            future.cancel()


def _context() -> contextvars.Context:
    """A copy of the caller's context, with its handling of overflow, that knows of the shard."""
    context = contextvars.copy_context()
    context.run(_inside.set, True)
    return context


def made_once(make: Callable[P, Result]) -> Callable[P, Result]:
    """As `functools.cache`, in one thread at a time; for compiled loops and what they import.

    Shards that need a loop for the first time at the same time would compile it twice; and Numba
    cannot be imported by two threads at once.
    """
    made = cache(make)

    @wraps(make)
    def locked(*arguments: P.args, **keywords: P.kwargs) -> Result:
        with _making:
            return made(*arguments, **keywords)

    return locked


_making = threading.RLock()


@cache
def _pool(count: int) -> ThreadPoolExecutor:
    return ThreadPoolExecutor(count, thread_name_prefix="occore")


if hasattr(os, "register_at_fork"):  # a child has no threads of its parent
    os.register_at_fork(after_in_child=_pool.cache_clear)


@contextmanager
def one_blas_thread() -> Iterator[None]:
    """BLAS is held to one thread in the whole process.

    Threads of BLAS within others would wait for each other: products of matrices then took half as
    long again. Several callers may be within at once: the first sets, the last restores.
    """
    _hold.enter()
    try:
        yield
    finally:
        _hold.leave()


class _Hold:
    """How many callers hold BLAS to one thread, and what restores it."""

    def __init__(self) -> None:
        self.lock, self.callers, self.limit = threading.Lock(), 0, ExitStack()

    def enter(self) -> None:
        with self.lock:
            if self.callers == 0:
                controller = _controller(len(sys.modules))
                self.limit.enter_context(controller.limit(limits=1, user_api="blas"))
            self.callers += 1

    def leave(self) -> None:
        with self.lock:
            self.callers -= 1
            if self.callers == 0:
                self.limit.close()


_hold = _Hold()


@lru_cache(maxsize=1)
def _controller(modules: int) -> Any:
    """The libraries of BLAS; found anew where more modules are loaded, which may bring their own.

    To look for them takes milliseconds, as long as a small gradient.
    """
    from threadpoolctl import ThreadpoolController

    return ThreadpoolController()


@contextmanager
def shard_pool(most: int) -> Iterator[ThreadPoolExecutor]:
    """A thread for each core, and not more than `most`, with BLAS held to one."""
    with one_blas_thread(), ThreadPoolExecutor(min(most, cores())) as pool:
        yield pool
