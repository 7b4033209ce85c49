"""What a run remembers as it goes: the history, the log beside the run file, and its record."""

from __future__ import annotations

import dataclasses
import json
import math
import time
import typing
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from occore.arrays import Array, Controls, norm
from occore.errors import RunFileError
from occore.optimizer import State
from occore.phase import Phase
from occore.problem import Counts, Problem
from occore.storage.record import EventsRecord, PhaseControlsRecord, TrajectoryRecord
from occore.time_scaled import HORIZON

COLUMNS = (
    "iteration",
    "objective",
    "gradient_norm",
    "step_length",
    "control_norm",
    "work",
    "wall_time",
)
LOG_INTERVAL = 0.1
"""Seconds between lines of the log, at least."""


class History:
    """The rows of the history, one an iteration, as growing columns."""

    def __init__(self, columns: Mapping[str, np.ndarray] | None = None) -> None:
        self.columns = {name: list[float]() for name in COLUMNS}
        if columns is None:
            return
        missing = sorted(set(COLUMNS) - set(columns))
        if missing:
            raise RunFileError(
                f"the history has no {', '.join(missing)}: the run is of another version of occore"
            )
        self.columns = {name: values.tolist() for name, values in columns.items()}

    def append(
        self,
        theta: Array,
        state: State,
        counts: Counts,
        wall_time: float,
        metrics: Mapping[str, float],
    ) -> dict[str, float]:
        """Add the row of an iterate; the row. A metric is NaN in the rows that do not have it."""
        row = {
            "iteration": state.iteration,
            "objective": state.value,
            "gradient_norm": state.gradient_norm,
            "step_length": state.step_length,
            "control_norm": norm(theta),
            "work": counts.work,
            "wall_time": wall_time,
            **metrics,
        }
        earlier = len(self.columns["iteration"])
        for name in row:
            self.columns.setdefault(name, [math.nan] * earlier)
        for name, values in self.columns.items():
            values.append(row.get(name, math.nan))
        return row

    def arrays(self) -> dict[str, np.ndarray]:
        """The columns as arrays."""
        return {
            name: np.asarray(values, np.int64 if name == "iteration" else np.float64)
            for name, values in self.columns.items()
        }


class Log:
    """Progress beside the run file, one JSON object a line; a lost line loses nothing else."""

    def __init__(self, output: Path) -> None:
        self.path = output.with_name(f"{output.name.removesuffix('.h5')}.log.jsonl")
        self._file: typing.TextIO | None = None
        self._last = -math.inf

    def write(self, row: Mapping[str, float], *, always: bool = False) -> None:
        """Append a row, unless the last one was written a moment ago."""
        now = time.monotonic()
        if not always and now - self._last < LOG_INTERVAL:
            return
        self._last = now
        try:
            if self._file is None:
                self._file = self.path.open("a", encoding="utf-8")
            numbers = {k: v if math.isfinite(v) else None for k, v in row.items()}
            self._file.write(json.dumps(numbers) + "\n")
            self._file.flush()
        except OSError as error:
            raise RunFileError(f"{self.path}: cannot be written: {error.strerror}") from error

    def close(self) -> None:
        """Close the file if it was opened."""
        if self._file is not None:
            self._file.close()


def utc_now() -> str:
    """The present time in UTC, ISO 8601."""
    return datetime.now(UTC).isoformat(timespec="seconds")


def state_record(state: State) -> dict[str, Any]:
    """The fields of an optimizer's state, for the checkpoint."""
    return {field.name: getattr(state, field.name) for field in dataclasses.fields(state)}


def state_from_record(cls: type[State], stored: Mapping[str, Any]) -> State:
    """The state that `state_record` described. Raises RunFileError where fields differ."""
    hints = typing.get_type_hints(cls)
    names = [field.name for field in dataclasses.fields(cls)]
    if set(names) != set(stored):
        raise RunFileError(
            f"the checkpoint holds {sorted(stored)}, but {cls.__name__} has {sorted(names)}: it is "
            "of another version of the optimizer"
        )
    plain = {int: int, float: float, bool: bool, str: str}
    return cls(**{name: plain.get(hints[name], np.asarray)(stored[name]) for name in names})


def controls_record(problem: Problem, theta: Array) -> dict[str, PhaseControlsRecord]:
    """The controls of each phase, with the times of their coefficients."""
    named = problem.unflatten(theta)
    records = {}
    for phase in problem.phases:
        if phase.layout.size:
            records[phase.name] = _phase_controls(phase, named[phase.name])
    return records


def _phase_controls(phase: Phase, u: Controls) -> PhaseControlsRecord:
    if phase.space is None:
        return PhaseControlsRecord(None, u)
    varying = phase.dynamics.controls.shapes.keys() - phase.dynamics.constants
    constants = {name: value for name, value in u.items() if name not in varying}
    if not varying:
        return PhaseControlsRecord(None, constants)
    horizon = float(u[HORIZON]) if phase.free_horizon else phase.horizon
    times = phase.start + horizon * np.asarray(phase.space.nodes(phase.steps))
    return PhaseControlsRecord(times, {name: u[name] for name in u if name in varying}, constants)


def trajectory_record(problem: Problem, theta: Array) -> dict[str, TrajectoryRecord]:
    """The states of each integrated phase at its grid, and the output of each static one.

    States that have names are there by name as well.
    """
    named, x, records = problem.unflatten(theta), problem.data.inputs, {}
    for phase in problem.phases:
        states = list(phase.states(x, named[phase.name]))
        if phase.static:
            times = np.array([phase.start])
        else:
            u = named[phase.name]
            times, states = phase.grid_times(x, u), [phase.begin(x, u)[0], *states]
        stacked = np.stack(states)
        names: tuple[str, ...] = getattr(phase.dynamics, "states", ())
        by_name = {name: stacked[..., place] for place, name in enumerate(names)}
        events = _events_record(phase, x, named[phase.name]) if phase.events else None
        records[phase.name] = TrajectoryRecord(times, stacked, by_name, events)
        x = states[-1]
    return records


def _events_record(phase: Phase, x: Array, u: Controls) -> EventsRecord:
    hits = phase.happened(x, u)
    rows = [(hit, sample) for sample, each in enumerate(hits) for hit in each]
    states = np.zeros((0, *x.shape[1:]), x.dtype)
    return EventsRecord(
        np.array([hit.time for hit, _ in rows], float),
        np.array([sample for _, sample in rows], np.int64),
        np.array([hit.event.name for hit, _ in rows], object),
        np.stack([hit.before for hit, _ in rows]) if rows else states,
        np.stack([hit.after for hit, _ in rows]) if rows else states,
    )
