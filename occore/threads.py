"""Threads for work that is cut into shards; BLAS is held to one thread inside."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager


@contextmanager
def shard_pool(most: int) -> Iterator[ThreadPoolExecutor]:
    """A thread for each core, and not more than `most`.

    Threads of BLAS within these would wait for each other: products of matrices then took half as
    long again. They are held back in the whole process until the pool is closed.
    """
    from threadpoolctl import threadpool_limits

    count = min(most, os.cpu_count() or 1)
    with threadpool_limits(1, user_api="blas"), ThreadPoolExecutor(count) as pool:
        yield pool
