"""Writing into HDF5 groups: datasets with units, long names and a dimension scale on every axis.

This is netCDF-4 without its library: each axis of each numeric dataset carries a scale that lies in
the same group, so that xarray opens every group with named dimensions.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import h5py
import numpy as np

from occore.errors import RunFileError

INTEGER = "integer"
"""Mark of a text that stands for an integer beyond 64 bits, as in the state of a generator."""

INDEX_NAME = re.compile(r".*_axis\d+")
"""Names of the scales that axes without a coordinate get; a reader leaves them out."""

_INDEX_CHUNK = 16384  # entries; short index scales are stored as they are


class GroupWriter:
    """One group of a file that is being written; `units` maps a path to its unit."""

    def __init__(self, group: h5py.Group, units: Any) -> None:
        self.group = group
        self._units = units

    def child(self, name: str) -> GroupWriter:
        """The group of this name, which is created where it is missing."""
        self._check(name)
        if name in self.group:
            return GroupWriter(h5py.Group(h5py.h5g.open(self.group.id, name.encode())), self._units)
        return GroupWriter(new_group(self.group, name), self._units)

    def coordinate(self, name: str, values: np.ndarray, long_name: str = "") -> h5py.Dataset:
        """A one-dimensional dataset that is the scale of an axis."""
        dataset = self._dataset(name, np.asarray(values), long_name)
        dataset.make_scale(name)
        return dataset

    def index(self, name: str, length: int, long_name: str) -> h5py.Dataset:
        """The scale 0, 1, 2, … of an axis that has no natural coordinate."""
        options: dict[str, Any] = {}
        if length > _INDEX_CHUNK:
            options = {"chunks": (_INDEX_CHUNK,), "compression": "gzip", "shuffle": True}
        dataset = self._dataset(name, np.arange(length, dtype=np.int32), long_name, **options)
        dataset.make_scale(name)
        return dataset

    def array(
        self, name: str, values: Any, axes: Sequence[h5py.Dataset] = (), long_name: str = ""
    ) -> None:
        """A dataset whose leading axes have these scales; further axes get index scales."""
        values = np.asarray(values)
        dataset = self._dataset(name, values, long_name)
        for axis in range(values.ndim):
            if axis < len(axes):
                scale = axes[axis]
            else:
                scale = self.index(
                    f"{name}_axis{axis}", values.shape[axis], f"index along axis {axis} of {name}"
                )
            dataset.dims[axis].attach_scale(scale)

    def tree(self, values: Mapping[str, Any]) -> None:
        """Dictionaries as groups, everything else as datasets; a key "a/b" is the entry b of a."""
        for key, value in values.items():
            *parents, name = str(key).split("/")
            place = self
            for parent in parents:
                place = place.child(parent)
            if isinstance(value, Mapping):
                place.child(name).tree(value)
            else:
                place.array(name, value)

    def _dataset(
        self, name: str, values: np.ndarray, long_name: str = "", **options: Any
    ) -> h5py.Dataset:
        self._check(name)
        path = f"{self.group.name}/{name}".lstrip("/")
        if name in self.group:
            raise RunFileError(f"{path}: two things of a run have this name; rename one")
        values, dtype, mark = _stored(path, values)
        dataset = self.group.create_dataset(
            name, data=values, dtype=dtype, track_times=False, **options
        )
        if mark:
            set_text(dataset, "dtype", mark)
        if values.dtype.kind == "S":
            set_text(dataset, "_Encoding", "utf-8")  # by which xarray decodes it
        else:
            set_text(dataset, "units", self._units(path))
        set_text(dataset, "long_name", long_name or name.replace("_", " "))
        return dataset

    def _check(self, name: str) -> None:
        if name in ("", ".") or "/" in name or not name.isprintable() or len(name.encode()) > 255:
            raise RunFileError(
                f"{self.group.name}: {name[:40]!r} cannot be a name in a run file; use letters, "
                "digits and '_'"
            )


def new_group(parent: h5py.Group, name: str) -> h5py.Group:
    """A group that keeps the order of its entries and no time stamp."""
    properties = h5py.h5p.create(h5py.h5p.GROUP_CREATE)
    keep_order(properties)
    return h5py.Group(h5py.h5g.create(parent.id, name.encode(), gcpl=properties))


def keep_order(properties: Any) -> None:
    """Let a group creation list keep the order of entries and no time stamps."""
    properties.set_link_creation_order(h5py.h5p.CRT_ORDER_TRACKED | h5py.h5p.CRT_ORDER_INDEXED)
    properties.set_obj_track_times(False)


def set_text(thing: h5py.Group | h5py.Dataset, name: str, text: str) -> None:
    """Set an attribute to a text. Raises RunFileError for a text with a NUL character."""
    data, dtype = _encoded(f"{thing.name}: {name}", np.array(text, object))
    thing.attrs.create(name, data, dtype=dtype)


def _encoded(path: str, texts: np.ndarray) -> tuple[np.ndarray, np.dtype]:
    """Texts as UTF-8 of one length.

    Not of variable length: HDF5 keeps such text in a heap of the whole file, and reading a damaged
    heap can take it for ever (HDF5 2.0.0, found by flipping bits).
    """
    entries = [text.encode() for text in texts.ravel().tolist()]
    if any(b"\0" in entry for entry in entries):
        raise RunFileError(f"{path} contains a NUL character, which HDF5 cannot hold")
    dtype = h5py.string_dtype("utf-8", max([1, *map(len, entries)]))
    return np.array(entries, dtype).reshape(texts.shape), dtype


def _stored(path: str, values: np.ndarray) -> tuple[np.ndarray, Any, str]:
    """How an array is stored: (array, HDF5 type, mark of what the type does not say)."""
    if values.dtype.kind in "iuf" and values.dtype.itemsize <= 8:
        return values, values.dtype, ""
    if values.dtype.kind == "b":
        # int8 with this mark is what xarray writes for bool; an HDF5 enum it cannot read
        return values.astype(np.int8), np.dtype(np.int8), "bool"
    entries = values.ravel().tolist()
    if values.dtype.kind in "OU" and all(isinstance(entry, str) for entry in entries):
        return *_encoded(path, values), ""
    if values.ndim == 0 and isinstance(entries[0], int):
        return *_encoded(path, np.array(str(entries[0]), object)), INTEGER
    raise RunFileError(
        f"{path}: {type(entries[0]).__name__ if entries else values.dtype} cannot be stored in a "
        "run file; use numbers, bools, strings, arrays of these, and dictionaries"
    )
