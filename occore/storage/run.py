"""A run file as users see it: arrays by the names of the file, read when they are asked for."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from occore.errors import InputError, RunFileError, nearest
from occore.storage.guard import Entry, GuardedFile, guarded
from occore.storage.limits import Missing
from occore.storage.record import (
    FORMAT_VERSION,
    EventsRecord,
    ObservationsRecord,
    PhaseControlsRecord,
    RunRecord,
    TrajectoryRecord,
    default_units,
)
from occore.storage.selection import parse, split_name

_TEXTS = ("title", "status", "created", "occore_version", "case_toml", "case_toml_resolved")


class TreeRow(NamedTuple):
    """One object of a run file; shape and dtype are None for a group, units and name may be ''."""

    path: str
    shape: tuple[int, ...] | None
    dtype: str | None
    units: str
    long_name: str


@dataclass(frozen=True, eq=False)
class Run:
    """A run file, from `open_run`. The texts are those at the moment of opening.

    The file is closed between reads, since a run that goes on replaces it; every read sees one
    complete file. `run["history/objective"]` is an array, `run["history"]` a dictionary of arrays.
    """

    path: Path
    title: str
    status: str
    created: str
    finished: str | None
    occore_version: str
    case_toml: str
    case_toml_resolved: str

    def __getitem__(self, name: str) -> Any:
        """A dataset as an array (or NumPy scalar, or str), a group as a dictionary of these.

        Raises InputError, with the nearest name, where the file has no such name.
        """
        name = name.strip("/")
        with guarded(self.path) as file:
            try:
                return _value(file.read(name))
            except Missing:
                return _group(file, name)

    def select(self, text: str) -> Any:
        """A part of a dataset, with NumPy's slices as text: "trajectory/swing/state[:, 0]".

        Reads that part only. Raises InputError for an unknown name and for slices that do not fit.
        """
        name, brackets = split_name(text)
        if brackets is None:
            return self[name]
        name = name.strip("/")
        with guarded(self.path) as file:
            try:
                shape = file.shape(name)
            except Missing:
                _group(file, name)
                raise InputError(f"{name!r} is a group; slices are taken of datasets") from None
            slicing = parse(brackets, shape)
            return slicing.finish(_value(file.read(name, slicing.selection)))

    @property
    def history(self) -> dict[str, np.ndarray]:
        """Arrays by name, each (N,), on the axis "iteration"."""
        return self["history"]

    @property
    def controls(self) -> dict[str, dict[str, np.ndarray]]:
        """Arrays by phase and name, with "time" where they depend on time."""
        return self["controls"] if self._has("controls") else {}

    @property
    def result(self) -> dict[str, Any]:
        """The result, as nested dictionaries of Python scalars and arrays."""
        return _plain(self["result"])

    def checkpoint(self) -> dict[str, Any]:
        """What a resume needs, as nested dictionaries of Python scalars and arrays."""
        return _plain(self["checkpoint"])

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The rows of the derivative table."""
        columns = self["checks"]
        rows = zip(*(column.tolist() for column in columns.values()), strict=True)
        return [dict(zip(columns, row, strict=True)) for row in rows]

    def tree(self) -> list[TreeRow]:
        """Every group and dataset; index scales are left out."""
        with guarded(self.path) as file:
            return [_row(entry) for entry in file.entries() if not entry.is_index]

    def record(self) -> RunRecord:
        """All of the file, as `write_run` takes it. Raises RunFileError where it does not fit."""
        try:
            return self._record()
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            text = " ".join(str(error).split())
            raise RunFileError(f"{self.path}: damaged, or no run of occore: {text}") from error

    def _record(self) -> RunRecord:
        with guarded(self.path) as file:
            entries = file.entries()
            everything = _collected(file, entries, "")
            texts = _texts(self.path, file)
        rows = {e.path: _row(e) for e in entries if not e.is_index}
        units = {p: r.units for p, r in rows.items() if r.units and r.units != default_units(p)}
        prefix = "history/"
        checks = everything.get("checks", {})
        return RunRecord(
            **texts,
            history=everything["history"],
            history_units={
                p.removeprefix(prefix): r.units
                for p, r in rows.items()
                if p.startswith(prefix) and r.units not in ("", "1")
            },
            data=everything.get("data", {}),
            controls={
                phase: _controls(values) for phase, values in everything.get("controls", {}).items()
            },
            trajectory=_trajectories(everything.get("trajectory", {})),
            adjoint=_trajectories(everything.get("adjoint", {})),
            observers={
                name: ObservationsRecord(values["iteration"], dict(_observed(values)))
                for name, values in everything.get("observers", {}).items()
            },
            result=_plain(everything["result"]),
            checkpoint=_plain(everything["checkpoint"]),
            checks=[
                dict(zip(checks, row, strict=True))
                for row in zip(*(column.tolist() for column in checks.values()), strict=True)
            ],
            provenance=_plain(everything["provenance"]),
            units={p: u for p, u in units.items() if not p.startswith(prefix)},
        )

    def _has(self, group: str) -> bool:
        return any(row.path == group for row in self.tree())


def open_run(path: str | os.PathLike[str]) -> Run:
    """Open a run file, from anywhere, by the guarded reader.

    Raises RunFileError where it is missing, damaged, hostile, no run file, or of a later version.
    """
    path = Path(path)
    with guarded(path) as file:
        file.entries()
        texts = _texts(path, file)
    return Run(path=path, **texts)


def _texts(path: Path, file: GuardedFile) -> dict[str, Any]:
    attributes = file.attributes()
    version = attributes.get("format_version")
    texts = {name: attributes.get(name) for name in (*_TEXTS, "finished")}
    if version is None or not all(isinstance(text, str) for text in texts.values()):
        raise RunFileError(
            f"{path}: an HDF5 file, but not a run file; those are written by: occore run CASE"
        )
    if version != FORMAT_VERSION:
        raise RunFileError(
            f"{path}: run file of format {version}, this occore reads {FORMAT_VERSION}; "
            "upgrade occore"
        )
    return {**texts, "finished": texts["finished"] or None}


def _row(entry: Entry) -> TreeRow:
    units, name = (str(entry.attributes.get(key, "")) for key in ("units", "long_name"))
    return TreeRow(entry.path, entry.shape, entry.dtype, units, name)


def _group(file: GuardedFile, name: str) -> dict[str, Any]:
    entries = file.entries()
    if name and not any(entry.path == name and entry.shape is None for entry in entries):
        known = [entry.path for entry in entries]
        leaves = [path for path in known if path.endswith("/" + name.rpartition("/")[2])]
        hint = nearest(name, known) or (f" Did you mean {leaves[0]!r}?" if leaves else "")
        raise InputError(f"the run file has no {name!r}.{hint}")
    return _collected(file, entries, name)


def _collected(file: GuardedFile, entries: list[Entry], name: str) -> dict[str, Any]:
    """The values in a group, as nested dictionaries; without index scales."""
    prefix = f"{name}/" if name else ""
    result: dict[str, Any] = {}
    for entry in entries:
        if not entry.path.startswith(prefix) or entry.is_index:
            continue
        *parents, leaf = entry.path.removeprefix(prefix).split("/")
        place = result
        for parent in parents:
            place = place[parent]
        place[leaf] = {} if entry.shape is None else _value(file.read(entry.path))
    return result


def _value(values: Any) -> Any:
    return str(values) if isinstance(values, np.str_) else values


def _plain(tree: dict[str, Any]) -> dict[str, Any]:
    """Scalars as Python has them."""
    return {
        key: _plain(value)
        if isinstance(value, dict)
        else (value.item() if isinstance(value, np.generic) else value)
        for key, value in tree.items()
    }


def _controls(values: dict[str, Any]) -> PhaseControlsRecord:
    time = values.pop("time", None)
    if time is None:
        return PhaseControlsRecord(None, values)
    varying = {n: v for n, v in values.items() if np.shape(v)[:1] == np.shape(time)}
    return PhaseControlsRecord(
        time, varying, {n: values[n] for n in values.keys() - varying.keys()}
    )


def _observed(values: dict[str, Any], prefix: str = "") -> Iterator[tuple[str, np.ndarray]]:
    """The arrays of an observer, with their groups in their names; without the axes."""
    for name, value in values.items():
        if isinstance(value, dict):
            yield from _observed(value, f"{prefix}{name}/")
        elif name != "iteration":
            yield prefix + name, value


def _trajectories(phases: dict[str, dict[str, Any]]) -> dict[str, TrajectoryRecord]:
    return {phase: _trajectory(values) for phase, values in phases.items()}


def _trajectory(values: dict[str, Any]) -> TrajectoryRecord:
    time, state, events = values.pop("time"), values.pop("state"), values.pop("events", None)
    return TrajectoryRecord(time, state, values, None if events is None else EventsRecord(**events))
