"""A gradient through a million steps of a system with ten states, and the memory that it takes.

    python -m benchmarks.long_march [steps] [slots]

Prints the peak of the resident memory before and after, the steps computed again, and the time.
"""

import resource
import sys
import time
from pathlib import Path

import numpy as np

import occore
from occore.checkpointing import Cost, Slots
from occore.symbolic.bolza import Bolza
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.rk4 import RK4

STATES = 10


def problem(steps: int, slots: int) -> tuple[occore.Problem, Cost]:
    """A ring of ten oscillating numbers with two unknown parameters, over 100 units of time."""
    names = [f"x{i}" for i in range(STATES)]
    rates = {name: f"w*sin({names[(i + 1) % STATES]}) - d*{name}" for i, name in enumerate(names)}
    dynamics = ExpressionDynamics(tuple(names), (), rates, ("w", "d"), compiler="numba")
    cost = Cost()
    phase = occore.Phase(
        "ring", dynamics, RK4(), steps, 100.0, space=Constant(), memory=Slots(slots), cost=cost
    )
    objective = Bolza(terminal=" + ".join(names)).for_phases((phase,))
    start = np.linspace(0.1, 1.0, STATES)[None]
    return occore.Problem((phase,), objective, occore.Data(start)), cost


def megabytes() -> float:
    """Peak of the resident memory of this program so far.

    Linux tells it in /proc. Its `ru_maxrss` will not do: a process inherits that from its parent.
    """
    status = Path("/proc/self/status")
    if status.exists():
        lines = status.read_text().splitlines()
        return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """One gradient, measured."""
    steps = int(sys.argv[1]) if len(sys.argv) > 1 else 1_000_000
    slots = int(sys.argv[2]) if len(sys.argv) > 2 else 1_000
    theta = np.array([0.9, 1.0])
    problem(100, 5)[0].value_and_gradient(theta)  # compilation
    ring, cost = problem(steps, slots)
    before, begin = megabytes(), time.perf_counter()
    value, gradient = ring.value_and_gradient(theta)
    seconds, after = time.perf_counter() - begin, megabytes()
    print(f"{steps:,} steps, {slots} slots: value {value:.12g}, gradient {gradient}")
    print(
        f"{cost.recomputed:,} steps computed again, {cost.peak_bytes / 1e6:.3g} MB of states stored"
    )
    print(f"resident memory {before:.0f} MB before, {after:.0f} MB at most; {seconds:.1f} s")


if __name__ == "__main__":
    main()
