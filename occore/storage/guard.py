"""The guarded reader: opens HDF5 files that come from strangers.

Hard links only, no storage in other files, known types and filters, bounded counts and sizes; every
link and every property is looked at before it is followed. Whatever is wrong becomes one
`RunFileError` of one line.
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
from h5py import h5a, h5d, h5g

from occore.errors import RunFileError
from occore.storage import limits
from occore.storage.limits import Missing, Refused, check_name, open_child
from occore.storage.selection import Selection, selected_shape

_SIGNATURE = b"\x89HDF\r\n\x1a\n"
_DAMAGE = (  # what h5py raises when the bytes make no sense
    OSError,
    LookupError,
    RuntimeError,
    ValueError,
    TypeError,
    ArithmeticError,
    MemoryError,
    Missing,  # a name that was listed
)


@dataclass(frozen=True)
class Entry:
    """One object of a file: its path from the root, and what it says of itself.

    shape and dtype are None for a group. dtype "str" is text, "bool" is truth values.
    """

    path: str
    shape: tuple[int, ...] | None
    dtype: str | None
    attributes: dict[str, Any]

    @property
    def is_index(self) -> bool:
        """Whether this is the scale of an axis without a natural coordinate."""
        name = self.path.rpartition("/")[2]
        return self.attributes.get("CLASS") == "DIMENSION_SCALE" and name not in (
            "iteration",
            "time",
        )


class GuardedFile:
    """An open file; use `guarded`, which turns all that can go wrong into RunFileError."""

    def __init__(self, file: h5py.File, size: int) -> None:
        self._root = h5g.open(file.id, b"/")
        self._size = size
        self._attribute_bytes = 0

    def attributes(self) -> dict[str, Any]:
        """The attributes of the root."""
        return self._attributes(self._root)

    def entries(self) -> list[Entry]:
        """Every object but the root, in the order of the file. Raises Refused, see `limits`."""
        found: list[Entry] = []
        seen = {h5py.h5o.get_info(self._root).addr}
        total = 0
        waiting: list[tuple[h5g.GroupID, list[bytes], str]] = [
            (self._root, _names(self._root)[::-1], "")
        ]
        while waiting:
            group, names, prefix = waiting[-1]
            if not names:
                waiting.pop()
                continue
            name = names.pop()
            path = f"{prefix}{check_name(name)}"
            child, address = open_child(group, name)
            if address in seen:
                raise Refused(f"{path!r} is a second name of an object that has one")
            seen.add(address)
            if len(seen) > limits.MAX_OBJECTS:
                raise Refused(f"more than {limits.MAX_OBJECTS} objects")
            if isinstance(child, h5d.DatasetID):
                total += limits.check_dataset(child, self._size)
                if total > limits.MAX_FILE:
                    raise Refused(f"datasets of more than {limits.MAX_FILE:.1e} bytes together")
                attributes = self._attributes(child)
                found.append(Entry(path, child.shape, _kind(child, attributes), attributes))
                continue
            if len(waiting) > limits.MAX_DEPTH:
                raise Refused(f"groups more than {limits.MAX_DEPTH} deep")
            found.append(Entry(path, None, None, self._attributes(child)))
            waiting.append((child, _names(child)[::-1], f"{path}/"))
        return found

    def shape(self, path: str) -> tuple[int, ...]:
        """Shape of the dataset at a path. Raises Missing where there is none."""
        return self._dataset(path).shape

    def read(self, path: str, selection: Selection = ()) -> Any:
        """The values at a path: an array, of str where they are text, or a NumPy scalar.

        selection: one int or slice with a positive step for each leading axis. Raises Missing where
        there is no dataset.
        """
        dataset = self._dataset(path)
        attributes = self._attributes(dataset.id)
        if _kind(dataset.id, attributes) == "str":
            return _integer_or_text(_decoded(dataset[()]), attributes)[selection]
        count = math.prod(selected_shape(selection, dataset.shape))
        if count * dataset.dtype.itemsize > limits.MAX_READ:
            raise Refused(f"{path!r} has more than {limits.MAX_READ:.1e} bytes; read a slice of it")
        values = dataset[selection]
        return values.astype(bool) if attributes.get("dtype") == "bool" else values

    def _dataset(self, path: str) -> h5py.Dataset:
        place: Any = self._root
        for name in path.split("/"):
            if not isinstance(place, h5g.GroupID):
                raise Missing(path)
            place, _ = open_child(place, check_name(name.encode()).encode())
        if not isinstance(place, h5d.DatasetID):
            raise Missing(path)
        limits.check_dataset(place, self._size)
        return h5py.Dataset(place)

    def _attributes(self, place: Any) -> dict[str, Any]:
        """Attributes of an object by name; text as str."""
        count = h5a.get_num_attrs(place)
        if count > limits.MAX_ATTRIBUTES:
            raise Refused(f"an object with {count} attributes, more than {limits.MAX_ATTRIBUTES}")
        values = h5py.AttributeManager(_Holder(place))
        result: dict[str, Any] = {}
        for index in range(count):
            attribute = h5a.open(place, index=index)
            # counted, since a file can show one large attribute on thousands of objects
            self._attribute_bytes += attribute.get_storage_size()
            if self._attribute_bytes > limits.MAX_ATTRIBUTES_READ:
                raise Refused(f"attributes of more than {limits.MAX_ATTRIBUTES_READ:.1e} bytes")
            if limits.check_attribute(attribute, attribute.name):
                name = check_name(attribute.name)
                value = values[name]
                result[name] = value.decode("utf-8") if isinstance(value, bytes) else value
        return result


@contextlib.contextmanager
def guarded(path: str | os.PathLike[str]) -> Iterator[GuardedFile]:
    """Open a file from anywhere. Raises RunFileError, one line, for whatever is wrong with it."""
    path = Path(path)
    size = _regular_file(path)
    try:
        with h5py.File(path, "r", locking=False) as file:
            yield GuardedFile(file, size)
    except Refused as error:
        raise RunFileError(
            f"{path}: refused: {error}. occore reads only what it writes itself"
        ) from error
    except _DAMAGE as error:
        text = " ".join(str(error).split())[:200]
        raise RunFileError(
            f"{path}: damaged ({text}); use another copy, or run the case again"
        ) from error


def _regular_file(path: Path) -> int:
    """Size of a file that begins as HDF5 does; pipes and devices are not opened at all."""
    try:
        about = path.stat()
        if stat.S_ISDIR(about.st_mode):
            raise RunFileError(f"{path}: this is a folder; name the run file in it")
        if not stat.S_ISREG(about.st_mode):
            raise RunFileError(f"{path}: not a regular file; copy the run to a file first")
        with path.open("rb") as file:
            start = file.read(len(_SIGNATURE))
    except (FileNotFoundError, NotADirectoryError, ValueError) as error:
        raise RunFileError(f"{path}: there is no such file") from error
    except OSError as error:
        raise RunFileError(f"{path}: cannot be read: {error.strerror}") from error
    if start != _SIGNATURE:
        raise RunFileError(
            f"{path}: not an HDF5 file; run files are written by: occore run CASE -o RUN.h5"
        )
    return about.st_size


def _names(group: h5g.GroupID) -> list[bytes]:
    """Names of the links of a group, in the order of creation where the file keeps it."""
    names: list[bytes] = []

    def collect(name: bytes) -> bool:
        names.append(name)
        return len(names) > limits.MAX_OBJECTS

    tracked = group.get_create_plist().get_link_creation_order() & h5py.h5p.CRT_ORDER_TRACKED
    group.links.iterate(
        collect, idx_type=h5py.h5.INDEX_CRT_ORDER if tracked else h5py.h5.INDEX_NAME
    )
    if len(names) > limits.MAX_OBJECTS:
        raise Refused(f"a group of more than {limits.MAX_OBJECTS} objects")
    return names


@dataclass(frozen=True)
class _Holder:
    """What h5py's reader of attributes asks of an object."""

    id: Any


def _kind(dataset: h5d.DatasetID, attributes: dict[str, Any]) -> str:
    if dataset.get_type().get_class() == h5py.h5t.STRING:
        return "str"
    return "bool" if attributes.get("dtype") == "bool" else str(dataset.dtype)


def _decoded(texts: Any) -> np.ndarray:
    entries = np.asarray(texts)
    decoded = [entry.decode("utf-8") for entry in entries.ravel().tolist()]
    return np.array(decoded, np.dtypes.StrDType).reshape(entries.shape)


def _integer_or_text(texts: np.ndarray, attributes: dict[str, Any]) -> np.ndarray:
    if attributes.get("dtype") != "integer" or texts.ndim:
        return texts
    digits = str(texts[()])
    if len(digits) > 1000 or not digits.removeprefix("-").isdecimal():
        raise Refused("an integer that is not written in digits")
    return np.array(int(digits), object)
