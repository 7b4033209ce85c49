"""Work units on Peaks-5 until at most 5 % of the held-out points are wrong, over seeds.

    python -m benchmarks.peaks5 [FIRST LAST]       seeds 21 to 32 where none are given

The held-out points are looked at, at no cost, each time that two more work units are done: an epoch
of Adam. A method that makes smaller steps is not looked at more often, so that it does not profit
from a moment of luck. Seconds are those of the processor, for the optimizer alone.
"""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np

import occore

CASES = ("levenberg_marquardt", "adam", "saa", "saa_varpro")
FOLDER = Path("cases/04_single_layer")
REACH = 0.05
LOOK = 2.0
MOST = 120.0
"""Work units after which a run is given up."""


def reached(case: str, seed: int) -> tuple[float, float]:
    """Work units and seconds of the processor until the errors are at most REACH; else infinity."""
    built = occore.load_case(FOLDER / f"peaks5_{case}.toml", settings=[f"seed={seed}"]).build()
    problem, optimizer, theta = built.problem, built.optimizer, built.theta
    held_out, look, seconds = built.held_out, 0.0, 0.0
    if held_out is None:
        raise occore.InputError(f"the case {case} holds no points out")
    true, state = occore.true_classes(held_out), None
    while problem.counts.work < MOST:
        begin = time.process_time()
        if state is None:
            state = optimizer.init(problem, theta)
        elif optimizer.finished(problem, theta, state) is None:
            theta, state = optimizer.step(problem, theta, state)
        else:
            break
        seconds += time.process_time() - begin
        if problem.counts.work >= look:
            look = LOOK * (problem.counts.work // LOOK + 1)
            decided = np.argmax(problem.uncounted.output(theta, held_out.inputs), axis=1)
            if np.mean(decided != true) <= REACH:
                return problem.counts.work, seconds
    return float("inf"), seconds


def main() -> None:
    """A table, one row for each case."""
    first, last = map(int, sys.argv[1:3]) if len(sys.argv) > 2 else (21, 32)
    seeds = range(first, last + 1)
    print(f"| case | seeds {first} to {last}, work units | mean ± deviation | seconds |")
    print("| --- | --- | --- | --- |")
    for case in CASES:
        found = np.array([reached(case, seed) for seed in seeds])
        work, seconds = found[:, 0], np.mean(found[:, 1])
        each = ", ".join(f"{w:.0f}" for w in work)
        print(f"| `{case}` | {each} | {np.mean(work):.1f} ± {np.std(work):.1f} | {seconds:.2f} |")


if __name__ == "__main__":
    main()
