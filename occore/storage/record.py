"""What a run file holds, as plain arrays and scalars: the seam between the runner and the file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

FORMAT_VERSION = 1
"""Version of the layout of run files; a reader refuses a later one."""


@dataclass(frozen=True, eq=False)
class PhaseControlsRecord:
    """The controls of one phase.

    time: (K,), or None where the controls do not depend on time. values: arrays by name, of shape
    (K, *shape), or (*shape) where `time` is None. constants: arrays by name that do not depend on
    time where others do, such as an unknown horizon. Raises ValueError where the lengths differ.
    """

    time: np.ndarray | None
    values: Mapping[str, np.ndarray]
    constants: Mapping[str, np.ndarray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.time is not None:
            _share_leading_axis(self.time, self.values)


@dataclass(frozen=True, eq=False)
class EventsRecord:
    """The events of one phase in the order of samples and times, one a row.

    time: (events,). sample: (events,), its index. name: (events,), texts. before, after: (events,
    *state_shape), the states at that time. Raises ValueError where the lengths differ.
    """

    time: np.ndarray
    sample: np.ndarray
    name: np.ndarray
    before: np.ndarray
    after: np.ndarray

    def __post_init__(self) -> None:
        _share_leading_axis(self.time, {k: v for k, v in vars(self).items() if k != "time"})


@dataclass(frozen=True, eq=False)
class TrajectoryRecord:
    """The states, or the costates, of one phase over time.

    time: (K,). state: (K, samples, *state_shape). components: the entries of a symbolic state by
    name, each (K, samples). events: those of a phase that has events. Raises ValueError where the
    lengths differ.
    """

    time: np.ndarray
    state: np.ndarray
    components: Mapping[str, np.ndarray] = field(default_factory=dict)
    events: EventsRecord | None = None

    def __post_init__(self) -> None:
        _share_leading_axis(self.time, {"state": self.state, **self.components})
        for name, values in {"state": self.state, **self.components}.items():
            if np.shape(values)[1:2] != np.shape(self.state)[1:2] or np.ndim(values) < 2:
                raise ValueError(f"{name} has shape {np.shape(values)}, expected (K, samples, …)")


@dataclass(frozen=True, eq=False)
class ObservationsRecord:
    """What an observer has seen, one row a look.

    iteration: (N,), increasing. values: arrays (N, …) by name, `group/name` for a name in a group.
    Raises ValueError where the lengths differ.
    """

    iteration: np.ndarray
    values: Mapping[str, np.ndarray]

    def __post_init__(self) -> None:
        _share_leading_axis(self.iteration, self.values)


@dataclass(frozen=True, eq=False)
class RunRecord:
    """Everything that a run file holds.

    title: of the case. status: "running", or the name of a `Status` in lower case. created,
    finished: ISO 8601, UTC; `finished` is None while the run goes on. case_toml: the case as given;
    case_toml_resolved: with every default filled in.
    history: arrays (N,) by name, with "iteration" (integers) and "objective"; history_units: their
    units, "1" where absent. data: what is kept of the data, arrays by name. controls, trajectory,
    adjoint: by phase. observers: by the name of the observer. result, checkpoint, provenance: trees
    of dictionaries whose leaves are numbers, bools, strings or arrays of these; a key "a/b" is the
    entry b of a. checks: the rows of the derivative table, column to value.
    units: of any other array by its path, such as {"trajectory/swing/time": "s"}.
    Raises ValueError where the arrays of the history do not fit together.
    """

    title: str
    status: str
    created: str
    occore_version: str
    case_toml: str
    case_toml_resolved: str
    history: Mapping[str, np.ndarray]
    finished: str | None = None
    history_units: Mapping[str, str] = field(default_factory=dict)
    data: Mapping[str, np.ndarray] = field(default_factory=dict)
    controls: Mapping[str, PhaseControlsRecord] = field(default_factory=dict)
    trajectory: Mapping[str, TrajectoryRecord] = field(default_factory=dict)
    adjoint: Mapping[str, TrajectoryRecord] = field(default_factory=dict)
    observers: Mapping[str, ObservationsRecord] = field(default_factory=dict)
    result: Mapping[str, Any] = field(default_factory=dict)
    checkpoint: Mapping[str, Any] = field(default_factory=dict)
    checks: Sequence[Mapping[str, Any]] = ()
    provenance: Mapping[str, Any] = field(default_factory=dict)
    units: Mapping[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for name in ("iteration", "objective"):
            if name not in self.history:
                raise ValueError(f"the history has no {name!r}")
        shape = np.shape(self.history["iteration"])
        for name, values in self.history.items():
            if np.ndim(values) != 1 or np.shape(values) != shape:
                raise ValueError(f"history {name!r}: shape {np.shape(values)}, expected {shape}")

    def units_of(self, path: str) -> str:
        """Unit of the array at this path; "1" is dimensionless."""
        group, _, name = path.partition("/")
        if group == "history" and name in self.history_units:
            return self.history_units[name]
        return self.units.get(path, default_units(path))


def default_units(path: str) -> str:
    """Unit of the array at a path where the record names none: times are in seconds."""
    return "s" if path.startswith("result/times/") or path == "history/wall_time" else "1"


def _share_leading_axis(axis: np.ndarray, values: Mapping[str, np.ndarray]) -> None:
    """Whether times or iterations are a vector, and each array has a row for each of them."""
    if np.ndim(axis) != 1:
        raise ValueError(f"an axis has shape {np.shape(axis)}, expected (K,)")
    for name, array in values.items():
        if np.shape(array)[:1] != np.shape(axis):
            raise ValueError(
                f"{name!r} has shape {np.shape(array)}, expected ({np.size(axis)}, …) as its axis"
            )
