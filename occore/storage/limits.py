"""What a run file from a stranger may contain; everything else is refused before it is read.

Each check looks at a description (a type, a list of creation properties, a size), never at data, so
that it costs the same for a file of 1 kB and for one that declares 8 TiB.
"""

from __future__ import annotations

import math
from typing import Any

import h5py
from h5py import h5a, h5d, h5s, h5t, h5z

MAX_OBJECTS = 10_000
MAX_DEPTH = 32
MAX_NAME = 255  # bytes
MAX_RANK = 16
MAX_ATTRIBUTES = 64  # of one object
MAX_ATTRIBUTE = 2**20  # bytes
MAX_FILE = 2**34  # bytes, declared by all datasets together
MAX_READ = 2**32  # bytes, read at once
MAX_CHUNK = 2**26  # bytes
MAX_ATTRIBUTES_READ = 2**24  # bytes, while a file is open
MAX_TEXT = 2**24  # bytes of a dataset of strings
FREE = 2**26  # bytes; up to here a dataset may be compressed, or left unwritten, to any degree
MAX_RATIO = 256  # above; the index scales that occore writes reach 110

_FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
_FLOATS = (
    h5t.IEEE_F16LE,
    h5t.IEEE_F32LE,
    h5t.IEEE_F64LE,
    h5t.IEEE_F16BE,
    h5t.IEEE_F32BE,
    h5t.IEEE_F64BE,
)
_INTEGERS = tuple(
    getattr(h5t, f"STD_{sign}{bits}{order}")
    for sign in "IU"
    for bits in (8, 16, 32, 64)
    for order in ("LE", "BE")
)
_REFERENCES = (b"DIMENSION_LIST", b"REFERENCE_LIST")


class Refused(Exception):
    """Something that a run file does not contain; the guard adds the path and the remedy."""


class Missing(Exception):
    """There is no dataset of this name."""


def check_name(name: bytes) -> str:
    """The text of a link's name. Raises Refused for names that no run file has."""
    try:
        text = name.decode("utf-8")
    except UnicodeDecodeError:
        raise Refused(f"the name {name[:40]!r} is not UTF-8") from None
    if not 0 < len(name) <= MAX_NAME or text in (".", "..") or not text.isprintable():
        raise Refused(f"{name[:40]!r} is not a name that a run file may have")
    return text


def check_type(kind: h5t.TypeID) -> None:
    """Raise Refused unless the type is an integer, a float, a bool or a UTF-8 string."""
    family = kind.get_class()
    if family == h5t.STRING:
        # text of variable length lies in the file's heap, and a damaged heap makes HDF5 hang
        if kind.is_variable_str():
            raise Refused("text of variable length")
        return
    if family == h5t.FLOAT and any(kind.equal(known) for known in _FLOATS):
        return
    if family == h5t.INTEGER and any(kind.equal(known) for known in _INTEGERS):
        return
    if family == h5t.ENUM and _is_bool(kind):
        return
    raise Refused(f"values of a type that run files do not use (HDF5 type class {family})")


def _is_bool(kind: Any) -> bool:
    if kind.get_size() != 1 or kind.get_nmembers() != 2:
        return False
    return {kind.get_member_name(0), kind.get_member_name(1)} == {b"FALSE", b"TRUE"}


def check_dataset(dataset: h5d.DatasetID, file_size: int) -> int:
    """Check type, storage, filters and sizes of a dataset; returns its declared bytes.

    The properties come first: the extent of a virtual dataset is found by opening other files.
    """
    properties = dataset.get_create_plist()
    if properties.get_layout() not in (h5d.COMPACT, h5d.CONTIGUOUS, h5d.CHUNKED):
        raise Refused("a virtual dataset, whose values lie in other files")
    if properties.get_external_count() > 0:
        raise Refused("a dataset whose values lie in other files")
    filters = [properties.get_filter(i)[0] for i in range(properties.get_nfilters())]
    unknown = set(filters) - _FILTERS
    if unknown:
        raise Refused(f"the HDF5 filter {min(unknown)}; run files use gzip and shuffle only")
    if filters.count(h5z.FILTER_DEFLATE) > 1:
        raise Refused("data that are compressed twice")
    kind = dataset.get_type()
    check_type(kind)
    shape = _shape(dataset.get_space())
    size = kind.get_size()
    declared = math.prod(shape) * size
    if declared > MAX_FILE:
        raise Refused(f"a dataset of {declared:.1e} bytes, more than {MAX_FILE:.1e}")
    if properties.get_layout() == h5d.CHUNKED:
        chunk = math.prod(properties.get_chunk()) * size
        if chunk > MAX_CHUNK:
            raise Refused(f"chunks of {chunk:.1e} bytes, more than {MAX_CHUNK:.1e}")
    if kind.get_class() == h5t.STRING and declared > MAX_TEXT:
        raise Refused(f"{declared:.1e} bytes of text, more than {MAX_TEXT:.1e}")
    stored = dataset.get_storage_size()
    if stored > file_size:
        raise Refused(f"a dataset of {stored} bytes in a file of {file_size}")
    if declared > FREE and declared > MAX_RATIO * stored:
        raise Refused(f"a dataset of {declared:.1e} bytes that unfolds from {stored} bytes")
    return declared


def check_attribute(attribute: h5a.AttrID, name: bytes) -> bool:
    """Whether an attribute is to be read; raises Refused where no run file has such a one.

    The references by which dimension scales are attached are known by name and never followed; text
    of variable length, which other programs add, is passed over.
    """
    if attribute.get_storage_size() > MAX_ATTRIBUTE:
        raise Refused(f"the attribute {check_name(name)!r} is larger than {MAX_ATTRIBUTE} bytes")
    if name in _REFERENCES:
        return False
    kind = attribute.get_type()
    if kind.get_class() == h5t.STRING and kind.is_variable_str():
        return False
    check_type(kind)
    _shape(attribute.get_space())
    return True


def _shape(space: h5s.SpaceID) -> tuple[int, ...]:
    if space.get_simple_extent_type() == h5s.NULL:
        raise Refused("a dataset or attribute without a shape")
    if space.get_simple_extent_ndims() > MAX_RANK:
        raise Refused(f"an array of more than {MAX_RANK} axes")
    return space.get_simple_extent_dims()


def open_child(group: h5py.h5g.GroupID, name: bytes) -> tuple[Any, int]:
    """The object behind a hard link, and its address in the file.

    The link is looked at before it is followed. Raises Missing where there is none of this name.
    """
    if not group.links.exists(name):
        raise Missing(name.decode())
    link = group.links.get_info(name)
    if link.type != h5py.h5l.TYPE_HARD:
        raise Refused(f"{check_name(name)!r} is a link to elsewhere, not an object of this file")
    about = h5py.h5o.get_info(group, name)
    if about.type not in (h5py.h5o.TYPE_GROUP, h5py.h5o.TYPE_DATASET):
        raise Refused(f"{check_name(name)!r} is neither a group nor a dataset")
    return h5py.h5o.open(group, name), about.addr
