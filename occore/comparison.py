"""Runs side by side: which keys of their cases differ, what they found, when they reached what.

Work is the fair axis: sweeps over all samples, see `occore.problem.Counts`. Iterations of different
optimizers are different things, and times are those of a machine.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore.case.reading import parse
from occore.errors import InputError, RunFileError, nearest
from occore.storage.run import Run

AXES = {"iteration": "iteration", "work": "work", "time": "wall_time"}
"""What a run may be followed along, and the columns of the history."""

PARTS = ("held_out_", "train_")
"""Beginnings of the columns of metrics, the first one that is there counts."""


@dataclass(frozen=True)
class Curve:
    """One quantity of a run along its history, without the rows that do not have it.

    axes: the values (rows,) of each of AXES. y: (rows,).
    """

    axes: dict[str, np.ndarray]
    y: np.ndarray

    def reached(self, value: float, falling: bool) -> dict[str, float]:
        """The first place on each axis where y is at most the value, or at least, where it rises.

        NaN where it never is.
        """
        there = np.flatnonzero(self.y <= value if falling else self.y >= value)
        return {
            name: float(x[there[0]]) if there.size else math.nan for name, x in self.axes.items()
        }


def curve(run: Run, name: str) -> Curve:
    """A column of the history, or a metric in it by its name without the part of the data.

    Raises InputError where the run has none, RunFileError where the history makes no sense.
    """
    history = run.history
    found = next((n for n in (name, *(part + name for part in PARTS)) if n in history), None)
    if found is None:
        known = [n.removeprefix(part) for part in PARTS for n in history if n.startswith(part)]
        raise InputError(
            f"{run.path}: its history has no {name!r}.{nearest(name, [*history, *known])} It has "
            f"{', '.join(history)}; for metrics run the case with --set run.metrics_every=1"
        )
    try:
        columns = {axis: np.asarray(history[column], float) for axis, column in AXES.items()}
        y = np.asarray(history[found], float)
        there = np.isfinite(y)
        return Curve({axis: column[there] for axis, column in columns.items()}, y[there])
    except (LookupError, TypeError, ValueError) as error:
        raise RunFileError(f"{run.path}: damaged history: {error!r}") from error


def falls(curves: Sequence[Curve]) -> bool:
    """Whether smaller is better: whether y falls from the beginning to the end of most runs."""
    changes = [c.y[-1] - c.y[0] for c in curves if c.y.size]
    return sum(np.sign(changes)) <= 0


def different_keys(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """The keys of the cases, dotted, whose values differ; None where a run does not have one."""
    cases = [_flat(parse(run.case_toml_resolved, str(run.path))) for run in runs]
    keys = dict.fromkeys(key for case in cases for key in case)
    rows = {key: [case.get(key) for case in cases] for key in keys}
    return {key: values for key, values in rows.items() if any(v != values[0] for v in values)}


def results(runs: Sequence[Run]) -> dict[str, list[Any]]:
    """What each run found: status, numbers of the result, metrics; None where it has no such.

    A run that goes on, or was killed, has what its history says. Raises RunFileError where a result
    makes no sense.
    """
    columns = [_result(run) for run in runs]
    names = dict.fromkeys(name for column in columns for name in column)
    return {name: [column.get(name) for column in columns] for name in names}


def _result(run: Run) -> dict[str, Any]:
    try:
        result, history = run.result, run.history
        found: dict[str, Any] = {"status": run.status.replace("_", " ")}
        for name in ("objective", "gradient_norm"):
            found[name] = float(result.get(name, history[name][-1]))
        found["iterations"] = int(history["iteration"][-1])
        found["work"] = float(history["work"][-1])
        found["time"] = float(history["wall_time"][-1])
        for part, metrics in result.get("metrics", {}).items():
            for name, value in metrics.items():
                if not np.ndim(value):
                    found[f"{name} ({part.replace('_', '-')})"] = float(value)
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        raise RunFileError(f"{run.path}: damaged, or no run of occore: {error!r}") from error
    return found


def _flat(value: Any, path: str = "") -> dict[str, Any]:
    """The leaves of nested tables by dotted keys; an entry of a list by its name, or its number."""
    if isinstance(value, Mapping):
        pairs = [(str(key), item) for key, item in value.items()]
    elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
        pairs = [(str(item.get("name", place)), item) for place, item in enumerate(value)]
    else:
        return {path: value}
    return {
        key: leaf
        for name, item in pairs
        for key, leaf in _flat(item, f"{path}.{name}" if path else name).items()
    }
