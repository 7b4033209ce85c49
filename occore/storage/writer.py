"""Writing a run file, so that what lies at its path is complete at every instant.

The whole file is written to a temporary file beside it, synced, and renamed over it. A process that
is killed leaves the former file, or the new one, and perhaps a temporary file `.NAME.PID.tmp`.
"""

from __future__ import annotations

import contextlib
import errno
import io
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from occore.errors import RunFileError
from occore.storage.groups import GroupWriter, keep_order, set_text
from occore.storage.record import (
    FORMAT_VERSION,
    EventsRecord,
    ObservationsRecord,
    PhaseControlsRecord,
    RunRecord,
    TrajectoryRecord,
)
from occore.storage.sink import Sink

_TEXT_LIMIT = 65_000  # bytes: an attribute ends at 64 KiB in the format that all readers know


def write_run(path: str | os.PathLike[str], record: RunRecord) -> None:
    """Write the run file at `path`, or leave what is there as it is.

    Raises RunFileError where the folder is missing or read-only, the disk is full, or the record
    holds something that HDF5 does not store.
    """
    path = Path(path)
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        temporary.unlink(missing_ok=True)  # of a killed process that had our number
        with temporary.open("xb+", buffering=0) as raw:
            _write(raw, record)
            os.fsync(raw.fileno())
        temporary.replace(path)
        _sync_folder(path.parent)
    except (OSError, RuntimeError) as error:
        raise RunFileError(_explanation(path, error)) from error
    finally:
        with contextlib.suppress(OSError):
            temporary.unlink(missing_ok=True)


def _write(raw: io.FileIO, record: RunRecord) -> None:
    sink = Sink(raw)
    creation = h5py.h5p.create(h5py.h5p.FILE_CREATE)
    keep_order(creation)
    access = h5py.h5p.create(h5py.h5p.FILE_ACCESS)
    access.set_fclose_degree(h5py.h5f.CLOSE_STRONG)
    access.set_libver_bounds(h5py.h5f.LIBVER_EARLIEST, h5py.h5f.LIBVER_LATEST)
    access.set_fileobj_driver(h5py.h5fd.fileobj_driver, sink)
    try:
        with h5py.File(h5py.h5f.create(b"run", h5py.h5f.ACC_TRUNC, creation, access)) as file:
            _fill(file, record)
    finally:
        access.close()  # it refers to the sink, and must not outlive the interpreter
        if sink.error is not None:
            raise sink.error


def _sync_folder(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _fill(file: h5py.File, record: RunRecord) -> None:
    root = GroupWriter(file["/"], record.units_of)
    _root_attributes(file, record)
    _history(root.child("history"), record.history)
    for name, values in record.data.items():
        root.child("data").array(name, values)
    for phase, controls in record.controls.items():
        _controls(root.child("controls").child(phase), controls, phase)
    for group, phases in (("trajectory", record.trajectory), ("adjoint", record.adjoint)):
        for phase, trajectory in phases.items():
            _trajectory(root.child(group).child(phase), trajectory, phase)
    for name, seen in record.observers.items():
        _observations(root.child("observers").child(name), seen, name)
    root.child("result").tree(record.result)
    root.child("checkpoint").tree(record.checkpoint)
    _checks(root.child("checks"), record.checks)
    root.child("provenance").tree(record.provenance)


def _root_attributes(file: h5py.File, record: RunRecord) -> None:
    set_text(file, "NX_class", "NXroot")
    set_text(file, "default", "history")
    file.attrs["format_version"] = FORMAT_VERSION
    for name in (
        "occore_version",
        "title",
        "status",
        "created",
        "finished",
        "case_toml",
        "case_toml_resolved",
    ):
        text = getattr(record, name) or ""
        if len(text.encode()) > _TEXT_LIMIT:
            raise RunFileError(
                f"{name} has {len(text.encode())} bytes; a run file holds at most {_TEXT_LIMIT}. "
                "Shorten the case file, for example by moving numbers to a data file"
            )
        set_text(file, name, text)


def _history(group: GroupWriter, history: Mapping[str, np.ndarray]) -> None:
    for name, text in (("NX_class", "NXdata"), ("signal", "objective"), ("axes", "iteration")):
        set_text(group.group, name, text)
    iteration = group.coordinate("iteration", np.asarray(history["iteration"], np.int64))
    for name, values in history.items():
        if name != "iteration":
            group.array(name, values, [iteration])


def _controls(group: GroupWriter, controls: PhaseControlsRecord, phase: str) -> None:
    axes = []
    if controls.time is not None:
        axes = [group.coordinate("time", controls.time, f"time in phase {phase}")]
    for name, values in controls.values.items():
        group.array(name, values, axes, f"control {name} of phase {phase}")
    for name, values in controls.constants.items():
        group.array(name, values, [], f"constant {name} of phase {phase}")


def _trajectory(group: GroupWriter, trajectory: TrajectoryRecord, phase: str) -> None:
    time = group.coordinate("time", trajectory.time, f"time in phase {phase}")
    sample = group.index("sample", np.shape(trajectory.state)[1], "index of the sample")
    kind = (
        group.group.name.split("/")[1].replace("trajectory", "state").replace("adjoint", "costate")
    )
    group.array("state", trajectory.state, [time, sample], f"{kind} of phase {phase}")
    for name, values in trajectory.components.items():
        group.array(name, values, [time, sample], f"{kind} {name} of phase {phase}")

    if trajectory.events is not None:
        _events(group.child("events"), trajectory.events, phase)


def _events(group: GroupWriter, events: EventsRecord, phase: str) -> None:
    axis = group.index("event", len(events.time), f"number of the event in phase {phase}")
    group.array("time", events.time, [axis], f"times of the events in phase {phase}")
    group.array("sample", events.sample, [axis], "index of the sample")
    group.array("name", events.name, [axis], "name of the event")
    for name in ("before", "after"):
        group.array(name, getattr(events, name), [axis], f"state {name} the event")


def _observations(group: GroupWriter, seen: ObservationsRecord, observer: str) -> None:
    """Each group has the axis of its own, as every group of a run file."""
    text = f"iteration at which {observer} looked"
    groups = {"": (group, group.coordinate("iteration", seen.iteration, text))}
    for path, values in seen.values.items():
        *parents, name = path.split("/")
        for depth in range(len(parents)):
            place, parent = "/".join(parents[: depth + 1]), "/".join(parents[:depth])
            if place not in groups:
                inner = groups[parent][0].child(parents[depth])
                groups[place] = inner, inner.coordinate("iteration", seen.iteration, text)
        inner, axis = groups["/".join(parents)]
        inner.array(name, values, [axis], f"{path.replace('/', ' ').replace('_', ' ')}")


def _checks(group: GroupWriter, rows: Sequence[Mapping[str, Any]]) -> None:
    if not rows:
        return
    axis = group.index("row", len(rows), "row of the table")
    for name in dict.fromkeys(name for row in rows for name in row):
        group.array(name, _column([row.get(name) for row in rows]), [axis])


def _column(values: list[Any]) -> np.ndarray:
    """Numbers as numbers, with NaN for what is missing; anything else as text."""
    if all(isinstance(value, (bool, int, float, np.number, np.bool_)) for value in values):
        return np.asarray(values)
    if all(value is None or isinstance(value, (float, int, np.number)) for value in values):
        return np.asarray([np.nan if value is None else value for value in values], float)
    return np.asarray(["" if value is None else str(value) for value in values], object)


def _explanation(path: Path, error: Exception) -> str:
    """One line that says why the file cannot be written, and what to do."""
    number = getattr(error, "errno", None)
    if not path.parent.is_dir():
        return f"{path}: there is no folder {path.parent}; create it, or choose another with -o"
    if path.is_dir():
        return f"{path}: this is a folder; name a file in it with -o"
    if number in (errno.EACCES, errno.EPERM, errno.EROFS):
        return f"{path}: the folder {path.parent} is not writable; choose another with -o"
    text = " ".join(str(error).split())
    if number in (errno.ENOSPC, errno.EDQUOT):
        return f"{path}: the disk is full; free some space, or choose another disk with -o"
    return f"{path}: cannot be written: {text}"
