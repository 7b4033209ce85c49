"""Threads for shards of work."""

import os
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from threadpoolctl import threadpool_info, threadpool_limits

from occore import shard_pool
from occore.threads import made_once


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_blas_has_one_thread_inside_and_its_own_number_again_behind():
    with threadpool_limits(2, user_api="blas"):
        before = blas_threads()
        assert set(before) == {2}
        with shard_pool(4) as pool:
            assert set(pool.map(lambda _: tuple(blas_threads()), range(4))) == {(1,) * len(before)}
        assert blas_threads() == before


def test_there_are_no_more_threads_than_asked_for():
    with shard_pool(1) as pool:
        assert pool._max_workers == 1
    with shard_pool(1000) as pool:
        assert pool._max_workers == (os.cpu_count() or 1)


def test_threads_that_meet_make_a_thing_once():
    made, together = [], threading.Barrier(4)

    @made_once
    def thing(number):
        made.append(number)
        time.sleep(0.02)
        return object()

    def meet(k):
        together.wait(10)
        return thing(k % 2)

    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(meet, range(4)))
    assert sorted(made) == [0, 1]
    assert found[0] is found[2]


def test_numba_may_be_needed_first_in_shards():
    """Two threads that import it at the same time failed with a circular import."""
    pytest.importorskip("numba")
    code = (
        "from occore.errors import require\n"
        "from occore.threads import in_order\n"
        "need = lambda k: require('numba', extra='fast', purpose='').njit\n"
        "assert len(set(in_order(need, range(8), 4))) == 1\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True, timeout=120)
