"""Reading HDF5 files from strangers: what is not plain data inside bounds is refused.

    allowed                                           refused
    hard links, each group reached once               soft, external and user-defined links, cycles
    contiguous, compact and chunked storage           external raw files, virtual datasets
    deflate, shuffle and fletcher32                   every other filter: it may run foreign code
    integers, floats and strings                      references, compounds, named types, opaque
    bounded numbers, depths and sizes                 absurd shapes, much data from tiny storage

The whole tree is looked over before anything is read. Object references appear only in the
attributes of dimension scales, which are never followed.
"""

from __future__ import annotations

import contextlib
import math
import os
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import h5py
import numpy as np
from h5py import h5a, h5d, h5g, h5l, h5o, h5t, h5z

from occore.errors import RunFileError

SIGNATURE = b"\x89HDF\r\n\x1a\n"
MAX_OBJECTS = 10_000
MAX_DEPTH = 32
MAX_NAME = 255
MAX_ATTRIBUTES = 64
MAX_ATTRIBUTE_BYTES = 1 << 20
MAX_READ_BYTES = 4 << 30
MAX_RATIO = 1100
"""Logical over stored bytes: deflate cannot reach more, so more is no data."""
FREE_BYTES = 1 << 20
"""Logical bytes up to which the ratio does not matter."""

_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
_TYPES = {h5t.INTEGER, h5t.FLOAT, h5t.STRING}


@dataclass(frozen=True)
class Node:
    """A group (shape and dtype are None) or a dataset of a file that was looked over."""

    path: str
    shape: tuple[int, ...] | None
    dtype: str | None


class GuardedFile:
    """An open HDF5 file that has been looked over; see `guarded`."""

    def __init__(self, path: Path, file: h5py.File) -> None:
        self.path, self._file = path, file
        self.nodes: dict[str, Node] = {}
        self._groups: set[int] = set()
        self._look_over(file.id, "", 0)

    def read(self, path: str, selection: Any = ()) -> np.ndarray:
        """The numbers or strings of a dataset, all or a selection."""
        dataset = self._file[path]
        assert isinstance(dataset, h5py.Dataset)  # noqa: S101 - the tree says so
        if dataset.dtype.kind == "O":
            return np.asarray(dataset.asstr()[selection], object)
        return np.asarray(dataset[selection])

    def attribute(self, path: str, name: str, default: Any = None) -> Any:
        """An attribute that is a number or a string."""
        attributes = self._file[path or "/"].attrs
        return attributes[name] if name in attributes else default

    def _look_over(self, group: Any, path: str, depth: int) -> None:
        address = h5o.get_info(group).addr
        if address in self._groups:
            raise RunFileError(f"{self.path}: {path or '/'} leads back to another group")
        self._groups.add(address)
        if depth > MAX_DEPTH:
            raise RunFileError(f"{self.path}: groups deeper than {MAX_DEPTH}")
        self._check_attributes(group, path)
        for raw in group:
            name = raw.decode("utf-8")
            where = f"{path}/{name}" if path else name
            if len(raw) > MAX_NAME or len(self.nodes) >= MAX_OBJECTS:
                raise RunFileError(f"{self.path}: more objects or longer names than a run has")
            if group.links.get_info(raw).type != h5l.TYPE_HARD:
                raise RunFileError(f"{self.path}: {where!r} is a link to elsewhere; refused")
            member = h5o.open(group, raw)
            if isinstance(member, h5g.GroupID):
                self.nodes[where] = Node(where, None, None)
                self._look_over(member, where, depth + 1)
            elif isinstance(member, h5d.DatasetID):
                self._check_dataset(member, where)
                self._check_attributes(member, where)
                self.nodes[where] = Node(where, member.shape, _type_name(member))
            else:
                raise RunFileError(f"{self.path}: {where!r} is a named type; refused")

    def _check_dataset(self, dataset: Any, where: str) -> None:
        plan = dataset.get_create_plist()
        if plan.get_layout() == h5d.VIRTUAL or plan.get_external_count():
            raise RunFileError(f"{self.path}: {where!r} takes its data from other files; refused")
        filters = {plan.get_filter(index)[0] for index in range(plan.get_nfilters())}
        if not filters <= _FILTERS:
            raise RunFileError(f"{self.path}: {where!r} uses an unknown filter; refused")
        kind = dataset.get_type()
        if kind.get_class() not in _TYPES or (
            kind.get_class() != h5t.STRING and kind.get_size() > 8
        ):
            raise RunFileError(f"{self.path}: {where!r} has a type that no run file has; refused")
        logical = math.prod(dataset.shape) * kind.get_size()
        stored = dataset.get_storage_size()
        if logical > max(FREE_BYTES, MAX_RATIO * stored):
            raise RunFileError(
                f"{self.path}: {where!r} declares {logical} bytes, but {stored} are stored; refused"
            )

    def _check_attributes(self, thing: Any, where: str) -> None:
        count = h5a.get_num_attrs(thing)
        if count > MAX_ATTRIBUTES:
            raise RunFileError(f"{self.path}: {where or '/'} has {count} attributes; refused")
        for index in range(count):
            attribute = h5a.open(thing, index=index)
            if attribute.get_storage_size() > MAX_ATTRIBUTE_BYTES:
                raise RunFileError(f"{self.path}: {where or '/'} has a huge attribute; refused")


def _type_name(dataset: Any) -> str:
    kind = dataset.get_type()
    return "string" if kind.get_class() == h5t.STRING else str(dataset.dtype)


@contextlib.contextmanager
def guarded(path: str | os.PathLike[str]) -> Iterator[GuardedFile]:
    """Open an HDF5 file from a stranger for reading.

    Raises RunFileError, in one line, for anything that is no such file, is damaged, or holds what
    is not allowed; also where reading inside the block fails.
    """
    path = Path(path)
    _check_signature(path)
    try:
        with h5py.File(path, "r") as file:
            yield GuardedFile(path, file)
    except RunFileError:
        raise
    except (OSError, RuntimeError, KeyError, ValueError, TypeError, MemoryError) as error:
        text = " ".join(str(error).split())[:200]
        raise RunFileError(f"{path}: damaged, or not written by occore: {text}") from error


def _check_signature(path: Path) -> None:
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise RunFileError(f"{path}: not a file; give the path of an HDF5 file")
        with path.open("rb") as file:
            start = file.read(len(SIGNATURE))
    except FileNotFoundError:
        raise RunFileError(f"{path}: no such file") from None
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read: {error.strerror}") from error
    if start != SIGNATURE:
        raise RunFileError(f"{path}: no HDF5 file; give a run file, as `occore run` writes it")
