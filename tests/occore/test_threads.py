"""Threads for shards of work."""

import os

from threadpoolctl import threadpool_info

from occore import shard_pool


def blas_threads():
    return [
        library["num_threads"] for library in threadpool_info() if library["user_api"] == "blas"
    ]


def test_blas_has_one_thread_inside_and_its_own_number_again_behind():
    before = blas_threads()
    with shard_pool(4) as pool:
        assert set(pool.map(lambda _: tuple(blas_threads()), range(4))) == {(1,) * len(before)}
    assert blas_threads() == before


def test_there_are_no_more_threads_than_asked_for():
    with shard_pool(1) as pool:
        assert pool._max_workers == 1
    with shard_pool(1000) as pool:
        assert pool._max_workers == (os.cpu_count() or 1)
