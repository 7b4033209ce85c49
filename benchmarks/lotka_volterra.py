"""The gradient of a sum over a Lotka–Volterra trajectory to 1e-8, beside other ODE libraries.

L = Σ x(t) + y(t) over t = 0, 0.1, …, 10, with respect to four parameters and two start values. Each
side uses the fastest setting that reaches 1e-8 in every entry, which is asserted before the clocks.
"""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

import occore
from benchmarks.harness import Row, compare, installed
from benchmarks.lotka_volterra_peers import PEERS, THETA, TIMES
from occore.symbolic.expression_dynamics import ExpressionDynamics
from occore_continuous.control_spaces.constant import Constant
from occore_continuous.discretizations.dopri8 import Dopri8

EXACT = np.array(  # Taylor series in 50 digits
    [
        8.305362662316553255,
        -159.4842927151386363,
        75.20350821377277249,
        -339.1950927660609070,
        -39.12754122266809437,
        -8.787780218992642678,
    ]
)
DIGITS = 1e-8


@dataclass(frozen=True)
class Total(occore.TerminalObjective):
    """The sum of all observed states."""

    def __call__(self, x: np.ndarray, target: np.ndarray) -> np.ndarray:
        """Σ x."""
        return np.sum(x)

    def linearize(
        self, x: np.ndarray, target: np.ndarray
    ) -> tuple[np.ndarray, occore.ObjectiveLinearization]:
        """Σ x and its derivatives."""
        return np.sum(x), TotalLinearization(np.ones_like(x))


@dataclass(frozen=True)
class TotalLinearization(occore.ObjectiveLinearization):
    """Gradient one, Hessian zero."""

    ones: np.ndarray

    def gradient(self) -> np.ndarray:
        """One everywhere."""
        return self.ones

    def hessian_product(self, d: np.ndarray) -> np.ndarray:
        """Zero."""
        return 0 * d

    def gauss_newton_product(self, d: np.ndarray) -> np.ndarray:
        """Zero."""
        return 0 * d


def ours() -> Callable[[], np.ndarray]:
    """dopri8 with one step for each observation, compiled."""
    rates = {"x": "a*x - b*x*y", "y": "-c*y + d*x*y"}
    dynamics = ExpressionDynamics(("x", "y"), (), rates, tuple("abcd"), compiler="numba")
    phase = occore.Phase(
        "flow",
        dynamics,
        Dopri8(),
        100,
        10.0,
        space=Constant(),
        free_start=np.ones(2, bool),
        observations=tuple(TIMES),
    )
    data = occore.Data(np.zeros((1, 2)), np.zeros(1))
    problem = occore.Problem((phase,), Total(), data)
    return lambda: problem.value_and_gradient(THETA)[1]


TOLERANCES = 10.0 ** -np.arange(7.0, 14.0)


def error(gradient: np.ndarray) -> float:
    """The worst relative error of an entry."""
    return float(np.max(np.abs(gradient / EXACT - 1)))


def loosest(name: str) -> float:
    """The loosest tolerance at which a peer reaches the digits."""
    _, make, how = PEERS[name]
    return next(float(rtol) for rtol in TOLERANCES if error(make(float(rtol), how)()) <= DIGITS)


def first_result(name: str, rtol: float, cache: str) -> float:
    """Seconds in a new process, with the import of the peer, before the first gradient is there."""
    command = [sys.executable, "-m", "benchmarks.lotka_volterra", name, str(rtol)]
    variables = {**os.environ, "OCCORE_CACHE": cache}
    done = subprocess.run(command, check=True, capture_output=True, text=True, env=variables)  # noqa: S603
    return float(done.stdout)


def main(name: str, rtol: float) -> None:
    """Print the seconds before the first gradient; without a name of a peer, of ours."""
    begin = time.perf_counter()
    if name:
        _, make, how = PEERS[name]
        make(rtol, how)()
    else:
        ours()()
    print(time.perf_counter() - begin)


def measure() -> tuple[list[Row], list[str]]:
    """One gradient of each peer and of ours in turn; new processes for the time before the first.

    Ours: with an empty cache, then with what the first process has compiled.
    """
    mine = ours()
    assert error(mine()) <= DIGITS  # noqa: S101 - accuracy comes before the clocks
    with tempfile.TemporaryDirectory() as cache:
        empty, full = (first_result("", 0.0, cache) for _ in range(2))
    rows, skipped = [], []
    for name, (package, make, how) in PEERS.items():
        if not installed(package):
            skipped.append(name)
            continue
        rtol = loosest(name)
        peer = make(rtol, how)
        assert error(peer()) <= DIGITS  # noqa: S101
        setup = f"{empty:.2g} s, then {full:.2g} s; {first_result(name, rtol, ''):.2g} s"
        agreement = f"1e-8, with rtol {rtol:.0e}"
        row = compare("gradient to 1e-8", name, mine, peer, agreement, repeats=5)
        rows.append(replace(row, setup=setup))
    return rows, skipped


if __name__ == "__main__":
    main(sys.argv[1], float(sys.argv[2]))
