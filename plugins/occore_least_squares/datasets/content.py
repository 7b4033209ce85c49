"""What identifies a content, and how large a content may claim to be."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from occore import Array, nearest

SHOWN = 40  # characters of a stranger's text in an error message


def file_digest(*paths: Path) -> str:
    """sha256 of the bytes of the files, one after the other: as `cat FILE… | sha256sum` gives."""
    content = hashlib.sha256()
    for path in paths:
        with path.open("rb") as stream:
            while block := stream.read(1 << 20):
                content.update(block)
    return f"sha256:{content.hexdigest()}"


def array_digest(*arrays: Array) -> str:
    """sha256 of the entries as little-endian float64, in C order, one array after the other."""
    content = hashlib.sha256()
    for array in arrays:
        content.update(np.ascontiguousarray(array, "<f8").tobytes())
    return f"sha256:{content.hexdigest()}"


def byte_limit(path: Path) -> int:
    """How many bytes an array may take that is stored in this file.

    A file of a few kilobytes can claim terabytes (a zip or gzip bomb, or a header that lies). Data
    of some size compress by a factor of 5 to 20, so a factor of 32 and a floor of 256 MiB, for
    small files of many zeros, refuse no file that is met in practice.
    """
    return max(2**28, 32 * path.stat().st_size)


def too_large(where: str, declared: int, path: Path) -> str:
    """The message for an array that declares more bytes than `byte_limit` allows."""
    return (
        f"{where} declares {declared} bytes, but a file of {path.stat().st_size} bytes may hold "
        f"arrays of at most {byte_limit(path)}; it is damaged or hostile. If you trust it, write "
        "it without compression"
    )


def shown(text: str) -> str:
    """The text in quotes, cut to a length that fits a message."""
    return repr(text if len(text) <= SHOWN else text[: SHOWN - 1] + "…")


def unknown(what: str, name: str, names: Sequence[str]) -> str:
    """The message for a name that is not there, with the nearest of the names and the first ones.

    A stranger's file may have millions of names, or very long ones, and the search for the nearest
    is slow: only 1000 of ordinary length take part.
    """
    near = nearest(name[:100], [known for known in names[:1000] if len(known) <= 100])
    return f"no {what} {shown(name)}.{near} Known: {listed(names)}"


def listed(names: Sequence[str]) -> str:
    """The first names of a list, as they fit a message."""
    more = f" and {len(names) - 12} more" if len(names) > 12 else ""
    return (", ".join(shown(name) for name in names[:12]) or "none") + more
