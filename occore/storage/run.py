"""A stored run, read by the names of its file: `run["trajectory/swing/state"]`."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from occore.errors import RunFileError, nearest
from occore.storage.groups import INDEX_NAME, INTEGER
from occore.storage.guard import GuardedFile, Node, guarded
from occore.storage.record import (
    FORMAT_VERSION,
    PhaseControlsRecord,
    RunRecord,
    TrajectoryRecord,
)
from occore.storage.selection import parse_selection

_TEXTS = ("title", "status", "created", "finished", "occore_version")


@dataclass(frozen=True)
class Run:
    """A run file that was looked over. Arrays are read when asked for, by the guarded reader.

    The file is closed between reads, since a run under way replaces it at every checkpoint.
    """

    path: Path
    title: str
    status: str
    created: str
    finished: str
    occore_version: str
    nodes: Mapping[str, Node]

    def __getitem__(self, path: str) -> Any:
        """The array of this name; a number, a string or a bool where it is a scalar.

        Raises RunFileError with the nearest name where there is none.
        """
        node = self._node(path)
        if node.shape is None:
            return self.group(path)
        with guarded(self.path) as file:
            return _read(file, path)

    def select(self, text: str) -> Any:
        """The entries of an array that a text such as `history/objective[-5:]` names."""
        path, bracket, rest = text.partition("[")
        path = path.strip().strip("/")
        node = self._node(path)
        if not bracket:
            return self[path]
        if not rest.endswith("]") or node.shape is None:
            raise RunFileError(f"{text!r}: write entries as in history/objective[-5:]")
        index = parse_selection(rest[:-1], node.shape)
        with guarded(self.path) as file:
            return file.read(path, index)

    def group(self, path: str) -> dict[str, Any]:
        """All arrays below a group, as nested dictionaries, without index scales."""
        prefix = f"{path}/" if path else ""
        result: dict[str, Any] = {}
        with guarded(self.path) as file:
            for name, node in file.nodes.items():
                if not name.startswith(prefix) or INDEX_NAME.fullmatch(name):
                    continue
                *parents, last = name[len(prefix) :].split("/")
                place = result
                for parent in parents:
                    place = place.setdefault(parent, {})
                if node.shape is not None:
                    place[last] = _read(file, name)
                else:
                    place.setdefault(last, {})
        return result

    @property
    def history(self) -> dict[str, np.ndarray]:
        """The columns of the history."""
        return self.group("history")

    @property
    def result(self) -> dict[str, Any]:
        """What the run found; empty while it goes on."""
        return self.group("result")

    @property
    def checks(self) -> list[dict[str, Any]]:
        """The rows of the derivative table."""
        columns = self.group("checks")
        names = [name for name in columns if name != "row"]
        rows = zip(*(columns[name] for name in names), strict=True) if names else ()
        return [dict(zip(names, row, strict=True)) for row in rows]

    @property
    def case_toml(self) -> str:
        """The case as it was given."""
        return self._text("case_toml")

    def describe(self, path: str) -> tuple[str, str]:
        """Unit and long name of an array."""
        with guarded(self.path) as file:
            unit = file.attribute(path, "units", "")
            return str(unit), str(file.attribute(path, "long_name", ""))

    def record(self) -> RunRecord:
        """All that the file holds, as it was written. Raises RunFileError where it does not fit."""
        try:
            return self._record()
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            text = " ".join(str(error).split())
            raise RunFileError(f"{self.path}: damaged, or no run of occore: {text}") from error

    def _record(self) -> RunRecord:
        return RunRecord(
            title=self.title,
            status=self.status,
            created=self.created,
            finished=self.finished or None,
            occore_version=self.occore_version,
            case_toml=self.case_toml,
            case_toml_resolved=self._text("case_toml_resolved"),
            history=self.history,
            controls={phase: _controls(named) for phase, named in self.group("controls").items()},
            trajectory=_trajectories(self.group("trajectory")),
            adjoint=_trajectories(self.group("adjoint")),
            result=self.result,
            checkpoint=self.group("checkpoint"),
            checks=self.checks,
            provenance=self.group("provenance"),
        )

    def _node(self, path: str) -> Node:
        path = path.strip("/")
        if path not in self.nodes:
            raise RunFileError(
                f"{self.path}: no {path!r} in it.{nearest(path, self.nodes)} "
                f"See all with: occore inspect {self.path}"
            )
        return self.nodes[path]

    def _text(self, name: str) -> str:
        with guarded(self.path) as file:
            return str(file.attribute("", name, ""))


def open_run(path: str | os.PathLike[str]) -> Run:
    """The run in a file. Raises RunFileError where it holds none, or one of a later format."""
    path = Path(path)
    with guarded(path) as file:
        version = file.attribute("", "format_version")
        if version is None:
            raise RunFileError(f"{path}: an HDF5 file, but no run file of occore")
        if int(version) > FORMAT_VERSION:
            raise RunFileError(
                f"{path}: format {version} is later than {FORMAT_VERSION}. Upgrade occore"
            )
        texts = {name: str(file.attribute("", name, "")) for name in _TEXTS}
        return Run(path=path, nodes=file.nodes, **texts)


def _read(file: GuardedFile, path: str) -> Any:
    values, mark = file.read(path), file.attribute(path, "dtype")
    if mark == "bool":
        values = values.astype(bool)
    if values.ndim:
        return values
    scalar = values.item()
    return int(scalar) if mark == INTEGER else scalar


def _controls(named: Mapping[str, Any]) -> PhaseControlsRecord:
    values = dict(named)
    return PhaseControlsRecord(values.pop("time", None), values)


def _trajectories(phases: Mapping[str, Any]) -> dict[str, TrajectoryRecord]:
    result = {}
    for phase, named in phases.items():
        values = dict(named)
        values.pop("sample", None)
        time, state = values.pop("time"), values.pop("state")
        result[phase] = TrajectoryRecord(time, state, values)
    return result
