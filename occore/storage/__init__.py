"""Run files: what a run leaves behind, in HDF5.

`record` says what a run file holds, `writer` writes one, `guard` reads files from strangers, and
`run` is the view of a run file for users. The names below are imported on first use, so that a
command which opens no run file does not wait for h5py.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from occore.storage.record import PhaseControlsRecord, RunRecord, TrajectoryRecord
    from occore.storage.run import Run, open_run
    from occore.storage.writer import write_run

__all__ = [
    "PhaseControlsRecord",
    "Run",
    "RunRecord",
    "TrajectoryRecord",
    "open_run",
    "write_run",
]

_HOMES = {
    "PhaseControlsRecord": "record",
    "Run": "run",
    "RunRecord": "record",
    "TrajectoryRecord": "record",
    "open_run": "run",
    "write_run": "writer",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
