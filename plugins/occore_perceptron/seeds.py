"""One case from many seeds: how often it is solved, after how many iterations, how it ends.

A method that starts from random weights has no result, but a distribution of results; one run is an
anecdote. A run here is the loop around the optimizer and nothing else: no run file, no table of
derivatives, so that many runs of a tiny problem cost little more than their gradients.

A run is solved where every output is within a given distance of its target, over all samples; there
it ends. Without such a distance it is solved where its optimizer says that it has converged.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path

import numpy as np

from occore import Array, Case, Data, InputError, Problem, Status, load_case, load_host


@dataclass(frozen=True, eq=False)
class SeedRun:
    """What became of one seed; `objective` is what the optimizer said, from the start on."""

    seed: int
    solved: bool
    status: str
    objective: Array
    metrics: dict[str, float]
    """The objective at the end, and numbers as `train_rmse` and `held_out_rmse`."""
    theta: Array
    """The controls at the end."""

    @property
    def iterations(self) -> int:
        """How many there were."""
        return len(self.objective) - 1


@dataclass(frozen=True)
class SeedStudy:
    """All runs, in the order of their seeds."""

    runs: tuple[SeedRun, ...]

    @property
    def solved(self) -> list[SeedRun]:
        """Those that were solved."""
        return [run for run in self.runs if run.solved]

    def quantities(self) -> dict[str, Array]:
        """Numbers of every run by name: iterations of the solved ones, objective, metrics."""
        found = {"iterations to solve": np.array([run.iterations for run in self.solved])}
        for name in dict.fromkeys(name for run in self.runs for name in run.metrics):
            found[name] = np.array([run.metrics.get(name, math.nan) for run in self.runs])
        return found

    def band(self, low: float = 0.1, high: float = 0.9) -> tuple[Array, Array, Array, Array]:
        """Iterations, and quantiles of the objective there: low, median, high.

        A run that has ended keeps its last objective.
        """
        length = max(len(run.objective) for run in self.runs)
        whole = [np.pad(r.objective, (0, length - len(r.objective)), "edge") for r in self.runs]
        return np.arange(length), *np.nanquantile(whole, [low, 0.5, high], axis=0)


def run_study(
    path: Path,
    seeds: Iterable[int],
    *,
    settings: Sequence[str] = (),
    within: float | None = None,
    plugins: Sequence[Path] = (),
    jobs: int = 1,
) -> Iterator[SeedRun]:
    """Run a case file from each of the seeds; the runs, in this order, as they end.

    settings: overrides `KEY=VALUE` of the case. within: the distance of the module's head. jobs: in
    so many processes, with the same numbers.
    """
    each = functools.partial(_run_file, path, tuple(settings), tuple(plugins), within)
    if jobs == 1:
        yield from map(each, seeds)
        return
    # fresh interpreters: a fork would copy the threads of BLAS in whatever state they are
    with ProcessPoolExecutor(jobs, mp_context=get_context("spawn")) as pool:
        yield from pool.map(each, seeds)


def run_seed(case: Case, within: float | None = None) -> SeedRun:
    """Run a case with the seed that it has."""
    with np.errstate(all="ignore"):
        return _run(case, within)


def _run(case: Case, within: float | None) -> SeedRun:
    built = case.build()
    problem, optimizer, theta = built.problem, built.optimizer, built.theta
    look = problem.uncounted
    if within is not None and problem.data.targets is None:
        raise InputError("the data have no targets that outputs could be within a distance of")
    state = optimizer.init(problem, theta)
    values, solved, status = [state.value], False, None
    while status is None:
        solved = within is not None and farthest(look, theta) <= within
        status = Status.SOLVED if solved else optimizer.finished(problem, theta, state)
        if status is None:
            theta, state = optimizer.step(problem, theta, state)
            values.append(state.value)
            if not (math.isfinite(state.value) and np.all(np.isfinite(theta))):
                status = Status.FAILED
    if within is None:
        solved = status in (Status.SOLVED, Status.CONVERGED)
    parts = {"train": problem.data, "held_out": built.held_out}
    metrics = {"objective": look.value(theta)} | {
        f"{part}_{name}": value
        for part, data in parts.items()
        if data is not None
        for name, value in _numbers(look, theta, data, within).items()
    }
    return SeedRun(case.top.seed, solved, status.name.lower(), np.array(values), metrics, theta)


def farthest(problem: Problem, theta: Array) -> float:
    """The largest distance of an output from its target."""
    return float(np.max(np.abs(problem.output(theta) - problem.data.targets)))


def _numbers(problem: Problem, theta: Array, data: Data, within: float | None) -> dict[str, float]:
    """The metrics that are numbers, and the share of samples that are within the distance."""
    output, found = problem.output(theta, data.inputs), {}
    for _, term in problem.terminal:
        if term.metrics is not None:
            every = term.metrics(output, data).items()
            found |= {name: float(value) for name, value in every if not np.ndim(value)}
    if within is not None:
        far = np.abs(output - data.targets).reshape(len(output), -1).max(axis=1)
        found["share_within"] = float(np.mean(far <= within))
    return found


def _run_file(
    path: Path,
    settings: tuple[str, ...],
    plugins: tuple[Path, ...],
    within: float | None,
    seed: int,
) -> SeedRun:
    return run_seed(
        load_case(path, settings=[*settings, f"seed={seed}"], host=_host(plugins)), within
    )


@functools.lru_cache(maxsize=1)
def _host(plugins: tuple[Path, ...]):
    """The plugins of a process, loaded once."""
    return load_host(plugins)
