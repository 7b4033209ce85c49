"""Reading case files: bounded text, TOML, overrides. Data only; nothing in a case is executed."""

from __future__ import annotations

import re
import stat
import tomllib
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from occore.case.complaints import CaseError
from occore.case.lines import Path as KeyPath

LIMIT = 40_000
"""Bytes of a case file; more belongs into data files, and attributes of run files end at 64 kB."""


def read_text(path: Path) -> str:
    """The text of a case file. Raises CaseError for anything but a small UTF-8 file."""
    try:
        status = path.stat()
        if not stat.S_ISREG(status.st_mode):
            raise CaseError(f"{path}: not a file; give the path of a TOML case file")
        if status.st_size > LIMIT:
            raise CaseError(
                f"{path}: {status.st_size} bytes; a case has at most {LIMIT}. Put data into files "
                "and name them in [data]"
            )
        text = path.read_bytes().decode("utf-8")
    except FileNotFoundError:
        raise CaseError(f"{path}: no such case file") from None
    except OSError as error:
        raise CaseError(f"{path}: cannot be read: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise CaseError(f"{path}: not UTF-8 text (byte {error.start}); save it as UTF-8") from error
    if text.startswith("\ufeff"):
        raise CaseError(f"{path}:1: starts with a byte-order mark; save it as UTF-8 without one")
    return text.replace("\r\n", "\n")


def parse(text: str, source: str) -> dict[str, Any]:
    """The tables of a TOML text. Raises CaseError with the line of a syntax error."""
    try:
        return tomllib.loads(text)
    except RecursionError:
        raise CaseError(f"{source}: nested too deeply for a case file") from None
    except ValueError as error:  # also integers of more digits than Python converts
        match = re.search(r"\s*\(at (?:line (\d+), column (\d+)|end of document)\)", str(error))
        last = text.count("\n") + 1
        line = int(match[1]) if match and match[1] else last
        message = re.sub(r"\s*\(at .*\)", "", str(error))
        raise CaseError(f"{source}:{line}: TOML syntax: {message}") from error


def override(tables: dict[str, Any], settings: Sequence[str]) -> dict[KeyPath, str]:
    """Apply `KEY=VALUE` settings to the tables in place; where each of them went.

    KEY is a dotted path, with a phase given by its name or number. VALUE is TOML; a bare word is a
    string. Raises CaseError.
    """
    places: dict[KeyPath, str] = {}
    for setting in settings:
        key, equals, value = setting.partition("=")
        if not equals or not key.strip():
            raise CaseError(
                f"--set {setting}: expected KEY=VALUE, as in optimizer.max_iterations=5"
            )
        path = _set(tables, key.strip().split("."), _value(value.strip()), setting)
        places[path] = f"--set {setting}"
    return places


def _value(text: str) -> Any:
    try:
        return tomllib.loads(f"value = {text}")["value"]
    except (ValueError, RecursionError, KeyError):
        return text


def _set(tables: dict[str, Any], keys: list[str], value: Any, setting: str) -> KeyPath:
    here: Any = tables
    path: list[str | int] = []
    for key in keys[:-1]:
        step = _step(here, key, setting)
        if isinstance(here, dict) and step not in here:
            here[step] = {}
        here = here[step]
        path.append(step)
    last = _step(here, keys[-1], setting)
    here[last] = value
    return (*path, last)


def _step(here: Any, key: str, setting: str) -> str | int:
    """The key of a table, or the number of an array element given by its number or its name."""
    if isinstance(here, dict):
        return key
    if isinstance(here, list):
        for index, item in enumerate(here):
            if key == str(index) or (isinstance(item, dict) and item.get("name") == key):
                return index
        names = [item.get("name", i) for i, item in enumerate(here) if isinstance(item, dict)]
        raise CaseError(f"--set {setting}: no element {key!r}; known: {names}")
    raise CaseError(f"--set {setting}: {key!r} lies below a value that is no table")
