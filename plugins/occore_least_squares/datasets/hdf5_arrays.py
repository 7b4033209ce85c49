"""Arrays from an HDF5 file of a stranger: no other file is opened, and no size is believed.

A link of an HDF5 file can name another file, as can the storage of a dataset; a filter can be a
library that is loaded. So each step of a path must be a hard link, and the dataset must lie in the
file itself, behind filters that come with h5py.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import h5py
import numpy as np

from occore import Array, DataError
from occore_least_squares.datasets.content import byte_limit, listed, shown, too_large, unknown

FILTERS = frozenset(
    {
        h5py.h5z.FILTER_DEFLATE,
        h5py.h5z.FILTER_SHUFFLE,
        h5py.h5z.FILTER_FLETCHER32,
        h5py.h5z.FILTER_SCALEOFFSET,
        h5py.h5z.FILTER_LZF,
    }
)
TYPES = frozenset({h5py.h5t.INTEGER, h5py.h5t.FLOAT, h5py.h5t.ENUM, h5py.h5t.STRING})
DEEPEST = 16  # steps of a path


def read_arrays(path: Path, names: Iterable[str]) -> list[Array]:
    """The datasets of these names. Raises DataError for each that cannot be read safely."""
    try:
        with h5py.File(path, "r") as file:
            return [_read(path, file, name) for name in names]
    # what h5py raises for damage depends on where in the file it is
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, OverflowError) as error:
        raise DataError(
            f"{path}: this is no sound HDF5 file: {str(error)[:200]}; write it again"
        ) from error


def _read(path: Path, file: h5py.File, name: str) -> Array:
    where = f"{path}: the dataset {shown(name)}"
    steps = [step for step in name.split("/") if step]
    if not 1 <= len(steps) <= DEEPEST:
        raise DataError(f"{where}: a name of 1 to {DEEPEST} steps is expected, as 'group/x'")
    place: Any = file["/"].id
    for step in steps:
        place = _follow(where, place, step)
    if not isinstance(place, h5py.h5d.DatasetID):
        raise DataError(f"{where} is no dataset; it is a group of: {_entries(place)}")
    _check_storage(where, place)
    _check_size(where, place, path)
    values = np.empty(place.shape, place.dtype)
    if values.size:
        place.read(h5py.h5s.ALL, h5py.h5s.ALL, values)
    return values


def _follow(where: str, place: Any, step: str) -> Any:
    """The object behind one hard link."""
    if not isinstance(place, h5py.h5g.GroupID):
        raise DataError(f"{where}: {shown(step)} is looked for in a dataset, not in a group")
    key = step.encode()
    if not place.links.exists(key):
        raise DataError(f"{where} is not there: {unknown('entry', step, _names(place))}")
    if place.links.get_info(key).type != h5py.h5l.TYPE_HARD:
        raise DataError(
            f"{where}: {shown(step)} is a soft or external link, which is not followed; store the "
            "dataset itself under this name"
        )
    return h5py.h5o.open(place, key)


def _names(group: Any) -> list[str]:
    """Names in a group, as many as a search for the nearest needs."""
    count = min(group.get_num_objs(), 1000)
    return [group.get_objname_by_idx(k).decode("utf-8", "replace") for k in range(count)]


def _entries(place: Any) -> str:
    return listed(_names(place)) if isinstance(place, h5py.h5g.GroupID) else "none"


def _check_storage(where: str, dataset: Any) -> None:
    properties = dataset.get_create_plist()
    if properties.get_layout() == h5py.h5d.VIRTUAL or properties.get_external_count():
        raise DataError(f"{where} keeps its content in other files; store it in this one")
    filters = [properties.get_filter(k)[0] for k in range(properties.get_nfilters())]
    for code in filters:
        if code not in FILTERS:
            raise DataError(f"{where} has the unknown filter {code}; write it with gzip or lzf")
    stored = dataset.get_type()
    if stored.get_class() not in TYPES:
        raise DataError(f"{where} has a compound or other type; numbers or texts are expected")
    if isinstance(stored, h5py.h5t.TypeStringID) and stored.is_variable_str():
        raise DataError(
            f"{where} holds texts of varying length, whose size cannot be checked; store whole "
            'numbers, or texts of fixed length: numpy.array(texts, dtype="S")'
        )


def _check_size(where: str, dataset: Any, path: Path) -> None:
    """The array and a single chunk, which is unpacked as a whole, must be within the limit."""
    properties, itemsize = dataset.get_create_plist(), dataset.get_type().get_size()
    shapes = [dataset.shape]
    if properties.get_layout() == h5py.h5d.CHUNKED:
        shapes.append(properties.get_chunk())
    size = max(math.prod(shape) for shape in shapes) * itemsize
    if size > byte_limit(path):
        raise DataError(too_large(where, size, path))
