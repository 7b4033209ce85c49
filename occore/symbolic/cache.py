"""Derived tapes on disk, so that a large model is differentiated once.

The folder is `$OCCORE_CACHE`, or `occore` in the cache folder of the user. What is read from it is
checked as data and never executed: `load` gives a valid tape or nothing. A folder that somebody
else could write to is not used at all. A cache that cannot be used is no error, only slower.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import stat
import sys
import tempfile
from pathlib import Path

from occore.symbolic.tape import Tape, tape_from_data

VERSION = 1
"""Of the generator; to be raised whenever the same model would give another tape or source."""

LARGEST_FILE = 64 * 2**20
"""Bytes; a larger file is not read."""


def folder() -> Path | None:
    """The cache folder, created on first use with access for the user alone; None if unusable."""
    try:
        path = Path(os.environ.get("OCCORE_CACHE") or _default())
        path.mkdir(mode=0o700, parents=True, exist_ok=True)
        status = path.stat()
    except (OSError, RuntimeError):  # RuntimeError: the user has no home
        return None
    if hasattr(os, "getuid"):
        shared = status.st_mode & (stat.S_IWGRP | stat.S_IWOTH)
        if status.st_uid != os.getuid() or shared:
            return None
    return path if os.access(path, os.W_OK) else None


def _default() -> Path:
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home()) / "occore"
    if sys.platform == "darwin":
        return Path.home() / "Library" / "Caches" / "occore"
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "occore"


def key(tape: Tape, kind: str) -> str:
    """Name of what is derived from a tape, by this version of the generator."""
    text = json.dumps([VERSION, kind, tape.data()], separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def load(name: str) -> Tape | None:
    """The tape that was stored under this name; None if there is none, or none that is valid."""
    place = folder()
    if place is None:
        return None
    path = place / f"{name}.json"
    try:
        if path.stat().st_size > LARGEST_FILE:
            return None
        return tape_from_data(json.loads(path.read_text("utf-8")))
    except (OSError, ValueError, RecursionError):
        return None


def store(name: str, tape: Tape) -> None:
    """Keep a tape under this name."""
    write(f"{name}.json", json.dumps(tape.data(), separators=(",", ":")))


def write(name: str, text: str) -> Path | None:
    """A file of the cache with exactly this text, rewritten only if it differs; None on failure.

    An untouched file keeps its time, which is how Numba knows that its compiled code still fits.
    """
    place = folder()
    if place is None:
        return None
    path = place / name
    with contextlib.suppress(OSError, ValueError):
        if path.read_text("utf-8") == text:
            return path
    try:
        with tempfile.NamedTemporaryFile("w", dir=place, delete=False, encoding="utf-8") as file:
            file.write(text)
        Path(file.name).replace(path)
    except OSError:
        return None
    return path
