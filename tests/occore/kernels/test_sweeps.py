"""Compiled sweeps take as many steps as binomial checkpointing, and store no more than they may."""

import math
import subprocess
import sys

import numpy as np
import pytest

from occore.checkpointing import Cost, Slots
from occore.kernels.sweeps import compiled_sweep

OPTIMUM = {  # steps: {slots: steps taken}, the first sweep included
    10: {1: 55, 2: 30, 3: 25, 5: 23},
    50: {1: 1275, 2: 335, 3: 230, 5: 172, 10: 138, 20: 128},
    100: {1: 5050, 2: 945, 3: 590, 5: 416, 10: 322, 20: 278, 50: 248},
    1000: {2: 29820, 3: 13155, 5: 7284, 10: 4636, 20: 3747, 50: 2948},
}
CASES = [(n, s, taken) for n, row in OPTIMUM.items() for s, taken in row.items()]


class CountingTrack:
    """The state is the number of the step; what `reverse` gets is checked against it."""

    def __init__(self, count):
        self.count, self.advanced, self.reversed = count, 0, []

    def start(self):
        return (np.zeros(1),)

    def rows(self, count):
        return (np.full((count, 1), np.nan),)

    def advance(self, first, last, state, rows):
        assert state[0][0] == first
        for k in range(first, last):
            if len(rows[0]):
                rows[0][k - first] = k
        state[0][0] = last
        self.advanced += last - first

    def reverse(self, first, last, rows):
        assert np.array_equal(rows[0][:, 0], np.arange(first, last))
        self.reversed.extend(range(last - 1, first - 1, -1))


def swept(count, policy):
    track, cost = CountingTrack(count), Cost()
    sweep = compiled_sweep(policy, track, cost)
    assert sweep.forward()[0] == count
    sweep.reverse()
    assert track.reversed == list(range(count - 1, -1, -1))
    # a reversed step counts as a step, but for the last one, which the forward sweep took
    assert cost.steps + cost.recomputed == track.advanced + count - 1
    return cost


@pytest.mark.parametrize(("count", "slots", "taken"), CASES)
def test_steps_taken_are_the_binomial_optimum(count, slots, taken):
    cost = swept(count, Slots(slots))
    assert cost.steps + cost.recomputed == taken
    assert cost.peak_bytes <= 8 * slots
    assert cost.stored == 0


def test_places_on_disk_count_like_places_in_memory(rng):
    for _ in range(20):
        count, slots, disk = map(int, rng.integers((1, 0, 1), (80, 6, 6)))
        cost = swept(count, Slots(slots, disk))
        assert cost.recomputed == swept(count, Slots(slots + disk)).recomputed
        assert cost.peak_bytes <= 8 * slots


def test_the_optimum_of_griewank_and_walther(rng):
    """r n − β(s + 1, r − 1) steps are taken besides n: their theorem, for n ≤ β(s, r)."""
    for n, s in zip(rng.integers(1, 3000, 50), rng.integers(3, 60, 50), strict=True):
        n, s = int(n), int(s)
        r = next(r for r in range(n) if math.comb(s + r, r) >= n)
        cost = swept(n, Slots(s))
        beside = math.comb(s + r, r - 1) if r else 0
        assert cost.steps + cost.recomputed == (r + 1) * n - beside


def test_a_gradient_of_a_million_steps_in_little_memory():
    """Ten states, 1,000 slots: storing all states alone would take 80 MB.

    A parent that is larger than the bound shows that it is not the parent that is measured.
    """
    ballast = np.ones(50_000_000)
    assert ballast.nbytes > 300e6
    pytest.importorskip("numba")
    command = [sys.executable, "-m", "benchmarks.long_march", "1000000", "1000"]
    found = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    line = next(line for line in found.splitlines() if line.startswith("resident memory"))
    before, most = (int(word) for word in line.split() if word.isdigit())
    assert most - before < 60
    assert most < 300  # with the interpreter, NumPy, SciPy, SymPy and Numba
