"""Running a case: the loop around an optimizer, its checkpoints, and going on from one."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

import occore
from occore.arrays import Array, norm
from occore.case import Case, load_case
from occore.case.building import Built
from occore.case.case import check_case
from occore.case.complaints import Places
from occore.case.reading import parse
from occore.checks import CheckRow, check_problem
from occore.classification import classification_record
from occore.data import Data
from occore.errors import NonFiniteError, RunFileError
from occore.evaluations import efforts
from occore.gradient_error import gradient_error, gradient_gap
from occore.interruption import Interruption
from occore.nonfinite import locate_nonfinite
from occore.observing import Observations
from occore.optimizer import State, Status
from occore.phase import Phase
from occore.plugins import Host, load_host
from occore.problem import Problem
from occore.provenance import provenance
from occore.recording import (
    History,
    Log,
    controls_record,
    state_from_record,
    state_record,
    trajectory_record,
    utc_now,
)
from occore.regression import regression_record
from occore.stability import stability
from occore.storage.record import RunRecord
from occore.storage.run import Run, open_run
from occore.storage.writer import write_run

Listener = Callable[[dict[str, float]], None]
CHECKPOINT_SECONDS = 10.0
"""Seconds between checkpoints of a case that does not say how many iterations."""


def run(
    case: Case | str | Path | Mapping[str, Any],
    output: str | Path | None = None,
    *,
    overwrite: bool = False,
    checks: bool = True,
    observe: Listener | None = None,
) -> Run:
    """Run a case and store the run.

    output: the run file; the title's or the file's name in the present folder by default.
    overwrite: whether an existing file may be replaced. checks: whether the derivative table is
    made first. observe: is called with each row of the history.
    Raises InputError where the case is wrong, ComputationError where the computation fails.
    """
    case = case if isinstance(case, Case) else load_case(case)
    path = free_output(case) if output is None else Path(output)
    if path.exists() and not overwrite:
        raise RunFileError(
            f"{path}: exists already; choose another name, or replace it "
            "(--overwrite on the command line, overwrite=True in Python)"
        )
    if not path.parent.is_dir():
        raise RunFileError(f"{path}: there is no folder {path.parent}; create it first")
    built = case.build()
    rows = derivative_table(case, built) if checks else []
    observations = Observations(built.watches)
    execution = Execution(
        case, built, path, observe, checks=rows, created=utc_now(), observations=observations
    )
    execution.start()
    return execution.finish()


def resume(
    path: str | Path,
    *,
    settings: Sequence[str] = (),
    host: Host | None = None,
    folder: Path | None = None,
    observe: Listener | None = None,
) -> Run:
    """Go on with a stored run, from its last checkpoint to its end.

    settings: `KEY=VALUE` overrides, such as more iterations. folder: where relative paths of data
    are looked up; the present folder and that of the run file by default.
    Raises RunFileError where the file holds no run that can go on.
    """
    path = Path(path)
    stored = open_run(path).record()
    tables = parse(stored.case_toml_resolved, str(path))
    here = folder or _data_folder(stored, path)
    case = check_case(
        stored.case_toml, tables, settings, Places(str(path)), here, host or load_host()
    )
    built = case.build()
    if built.problem.data.digest != stored.provenance.get("data_digest"):
        raise RunFileError(f"{path}: the data have changed since the run; it cannot go on")
    execution = Execution(
        case,
        built,
        path,
        observe,
        checks=list(stored.checks),
        created=stored.created,
        observations=Observations(built.watches, stored.observers),
        history=History(stored.history),
    )
    execution.restore(stored)
    return execution.finish()


def _data_folder(stored: RunRecord, path: Path) -> Path:
    """The folder of the case where it lies below the present folder or that of the run file.

    A run file may come from a stranger, who must not choose which files of this machine are read.
    """
    folder, around = Path(str(stored.provenance.get("case_folder", "."))), path.resolve().parent
    allowed = (around, Path.cwd().resolve())
    return folder if any(folder.resolve().is_relative_to(a) for a in allowed) else around


def derivative_table(case: Case, built: Built) -> list[dict[str, Any]]:
    """The rows of the derivative checks of a case, at a random point near the start.

    A number below one moves by a part of itself: rates of 0.01 a year would be others at 0.1.
    """
    rng, start = np.random.default_rng(case.top.seed), built.theta
    scale = np.where(start == 0, 1.0, np.minimum(np.abs(start), 1.0))
    theta = start + 0.1 * scale * rng.standard_normal(start.shape)
    with np.errstate(all="ignore"):  # the longest steps of a Taylor test may overflow
        return [row_record(row) for row in check_problem(built.problem, theta, rng)]


def row_record(row: CheckRow) -> dict[str, Any]:
    """A check as a row of the run file."""
    return {
        "subject": row.subject,
        "check": row.check,
        "value": row.value,
        "expected": row.expected,
        "verdict": row.verdict,
    }


def free_output(case: Case) -> Path:
    """The first of NAME.h5, NAME-2.h5, … that does not exist, in the present folder."""
    name = Path(case.places.source).stem if case.places.lines else "run"
    path, number = Path(f"{name}.h5"), 1
    while path.exists():
        number += 1
        path = Path(f"{name}-{number}.h5")
    return path


@dataclass
class Execution:
    """One run under way: θ, the optimizer's state, and what is stored of them."""

    case: Case
    built: Built
    path: Path
    observe: Listener | None
    checks: list[Any]
    created: str
    observations: Observations
    history: History = field(default_factory=History)
    theta: Array = None
    state: Any = None
    earlier: float = 0.0
    """Seconds of work before this process."""
    clock: float = field(default_factory=time.perf_counter)
    written: float = -math.inf
    """When the last checkpoint was stored, on the monotonic clock."""

    def start(self) -> None:
        """The first state, and its row of the history."""
        self.theta = self.built.theta
        with np.errstate(all="ignore"):
            self.state = self.built.optimizer.init(self.built.problem, self.theta)
            self._require_finite_start()
            self._remember()

    def restore(self, stored: RunRecord) -> None:
        """θ and state of the last checkpoint."""
        try:
            self._restore(stored.checkpoint)
        except (KeyError, TypeError, ValueError) as error:
            raise RunFileError(f"{self.path}: the checkpoint is damaged: {error}") from error

    def _restore(self, checkpoint: Mapping[str, Any]) -> None:
        optimizer, counts = self.built.optimizer, self.problem.counts
        self.theta = np.asarray(checkpoint["theta"], self.problem.dtype).reshape(self.problem.size)
        self.earlier = float(checkpoint["wall_time"])
        if optimizer.resume == "restart":
            self.state = optimizer.init(self.problem, self.theta)
            return
        self.state = state_from_record(optimizer.state, checkpoint["optimizer"])
        counts.forward, counts.tangent, counts.adjoint = (
            float(checkpoint["counts"][name]) for name in ("forward", "tangent", "adjoint")
        )

    @property
    def problem(self) -> Problem:
        """The problem on the training data."""
        return self.built.problem

    @property
    def seconds(self) -> float:
        """Seconds of work so far, in all processes."""
        return self.earlier + time.perf_counter() - self.clock

    def finish(self) -> Run:
        """Iterate to the end, store the result, and open the run."""
        hook = self.case.host.observers()
        hook.occore_run_started(case=self.case, problem=self.problem)
        log = Log(self.path)
        try:
            with Interruption() as interruption, np.errstate(all="ignore"):
                status = self._iterate(interruption, log)
                result = self.result(status)
            self.write(status.name.lower(), result)
        finally:
            log.close()
        hook.occore_run_finished(case=self.case, result=result)
        return open_run(self.path)

    def _iterate(self, interruption: Interruption, log: Log) -> Status:
        optimizer, hook = self.built.optimizer, self.case.host.observers()
        self.write("running", {})
        while True:
            status = optimizer.finished(self.problem, self.theta, self.state)
            if status is None and interruption.requested:
                status = Status.INTERRUPTED
            if status is not None:
                return status
            theta, state = optimizer.step(self.problem, self.theta, self.state)
            self._require_finite(theta, state)
            self.theta, self.state = theta, state
            row = self._remember()
            log.write(row)
            hook.occore_iteration(record=row, theta=theta)
            if self.observe is not None:
                self.observe(row)
            if self._checkpoint_is_due():
                self.write("running", {})

    def _remember(self) -> dict[str, float]:
        """Add the row of the present iterate to the history, and let observers look; the row."""
        before = time.perf_counter()
        metrics = self._metrics_of_the_row()
        self.observations.look(self.problem, self.theta, self.state.iteration)
        self.clock += time.perf_counter() - before  # neither metrics nor a look are work
        return self.history.append(
            self.theta, self.state, self.problem.counts, self.seconds, metrics
        )

    def _metrics_of_the_row(self) -> dict[str, float]:
        """Numbers among the metrics, of held-out data where there are any; where they are due."""
        every, held_out = self.case.top.run.metrics_every, self.built.held_out
        if every is None or self.state.iteration % every:
            return {}
        data = self.problem.data if held_out is None else held_out
        metrics = _metrics(self.problem.uncounted, self.theta, data)
        part = "train" if held_out is None else "held_out"
        return {f"{part}_{k}": float(v) for k, v in metrics.items() if not np.ndim(v)}

    def _checkpoint_is_due(self) -> bool:
        every = self.case.top.run.checkpoint_every
        if every is not None:
            return self.state.iteration % every == 0
        return time.monotonic() - self.written > CHECKPOINT_SECONDS

    def _require_finite_start(self) -> None:
        if not math.isfinite(self.state.value):
            where = locate_nonfinite(self.problem, self.theta)
            raise NonFiniteError(
                f"at the start: {where}. Smaller initial weights, scaled data (data.standardize = "
                'true) or dtype = "float64" may help'
            )

    def _require_finite(self, theta: Array, state: State) -> None:
        if math.isfinite(state.value) and np.all(np.isfinite(theta)):
            return
        self.write("failed", {"status_message": "a number is not finite"})
        where = locate_nonfinite(self.problem, theta)
        raise NonFiniteError(
            f"iteration {state.iteration}: {where}. The last good iterate is kept in {self.path}; "
            "a smaller step or scaled data (data.standardize = true) may help"
        )

    def result(self, status: Status) -> dict[str, Any]:
        """What the run found: the group `/result`, evaluated anew at the final θ."""
        integration = {p.name: _integration(p) for p in self.problem.phases if not p.static}
        problem = self.problem.uncounted
        for name, effort in efforts(problem, self.theta).items():
            integration[name] |= {
                "evaluations": effort.evaluations,
                "adjoint_evaluations": effort.adjoint_evaluations,
            }
        metrics = {"train": _metrics(problem, self.theta, problem.data)}
        if self.built.held_out is not None:
            metrics["held_out"] = _metrics(problem, self.theta, self.built.held_out)
        objective, gradient = problem.value_and_gradient(self.theta)
        smooth = problem.smooth_part is problem
        return {
            "objective": objective,
            # where there are kinks only the optimizer knows how far θ is from stationary
            "gradient_norm": norm(gradient) if smooth else self.state.gradient_norm,
            "iterations": self.state.iteration,
            "status_message": status.value,
            "metrics": metrics,
            "counts": asdict(self.problem.counts),
            **classification_record(problem, self.theta, self.built.held_out),
            **regression_record(problem, self.theta, self.built.held_out),
            **({"integration": integration} if integration else {}),
            **self._stability(),
            **self._gradient_error(problem),
            **self._report(problem),
            "times": {"solution": self.seconds},
        }

    def _stability(self) -> dict[str, Any]:
        """The steps of each phase against its stability, where that is known."""
        controls = self.problem.unflatten(self.theta)
        found = {p.name: stability(p, controls[p.name]) for p in self.problem.phases}
        known = {name: dict(each) for name, each in found.items() if each is not None}
        return {"stability": known} if known else {}

    def _report(self, problem: Problem) -> dict[str, Any]:
        """What the optimizer found beside θ."""
        report = self.built.optimizer.report
        return {} if report is None else report(problem, self.theta, self.state)

    def _gradient_error(self, problem: Problem) -> dict[str, float]:
        """Estimates for integrated phases; a phase of order 1 means layers, not a flow."""
        orders = [p.discretization.order for p in problem.phases if p.discretization is not None]
        if not (self.case.top.run.gradient_error and problem.size and orders and min(orders) >= 2):
            return {}
        first = self.history.columns["gradient_norm"][0]
        found = {"gradient_error": gradient_error(problem, self.theta, first)}
        if not any(phase.events for phase in problem.phases):  # over events it has no rival
            found["gradient_gap"] = gradient_gap(problem, self.theta, first)
        return found

    def write(self, status: str, result: Mapping[str, Any]) -> None:
        """Store the run as it stands."""
        wanted = self.case.top.run.record
        finished = None if status == "running" else utc_now()
        record = RunRecord(
            title=self.case.title,
            status=status,
            created=self.created,
            finished=finished,
            occore_version=occore.__version__,
            case_toml=self.case.text,
            case_toml_resolved=self.case.resolved_text(),
            history=self.history.arrays(),
            data=self.problem.data.record(),
            controls=controls_record(self.problem, self.theta) if "controls" in wanted else {},
            trajectory=(
                trajectory_record(self.problem, self.theta)
                if "trajectory" in wanted and finished
                else {}
            ),
            observers=self.observations.records(),
            result=result,
            checkpoint={
                "theta": self.theta,
                "iteration": self.state.iteration,
                "wall_time": self.seconds,
                "optimizer": state_record(self.state),
                "counts": asdict(self.problem.counts),
            },
            checks=self.checks,
            provenance={
                **provenance(self.case.host.registry.plugins, self.problem.data.digest),
                "case_folder": str(self.case.folder),
            },
        )
        write_run(self.path, record)
        self.written = time.monotonic()


def _integration(phase: Phase) -> dict[str, int]:
    """What the sweeps of a phase cost in this process; evaluations are of the last gradient."""
    cost, log = phase.cost, phase.log
    return {
        "steps": cost.steps,
        "recomputed_steps": cost.recomputed,
        "peak_bytes": cost.peak_bytes,
        "accepted_steps": log.accepted,
        "rejected_steps": log.rejected,
    }


def _metrics(problem: Problem, theta: Array, data: Data) -> dict[str, float | Array]:
    output = problem.output(theta, data.inputs)
    result: dict[str, float | Array] = {}
    for _, term in problem.terminal:
        if term.metrics is not None:
            result.update(term.metrics(output, data))
    return result
