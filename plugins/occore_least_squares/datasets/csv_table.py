"""CSV as a table: names of columns, and rows of as many cells, each with its line for messages."""

from __future__ import annotations

import csv
import itertools
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from occore import DataError
from occore_least_squares.datasets.content import shown

Row = tuple[int, list[str]]
"""The line on which a row ends (the first is 1) and its cells without surrounding blanks."""


@dataclass(frozen=True)
class CsvTable:
    """The column names and an iterator over the rows, which can be used once."""

    names: list[str]
    rows: Iterator[Row]


def read_table(path: Path, lines: Iterable[str], delimiter: str, header: bool) -> CsvTable:
    """The table in these lines; without a header the columns are named 1, 2, ….

    Raises DataError, with path and line: for an empty file and a header that does not name every
    column once; while the rows are read, for NUL, bad quotes, fields of more than 128 KiB and rows
    of another length.
    """
    rows = _rows(path, lines, delimiter)
    first = next(rows, None)
    if first is None:
        raise DataError(f"{path}: the file is empty; a line of column names and rows are expected")
    line, names = first
    if header:
        _check_names(f"{path}:{line}", names)
    else:
        rows = itertools.chain([first], rows)
        names = [str(k) for k in range(1, len(names) + 1)]
    return CsvTable(names, _of_length(path, rows, len(names)))


def number(cell: str) -> float | None:
    """The number in a cell, or None. Python's digit groups, as in 1_000, are no numbers here."""
    try:
        value = float(cell)
    except ValueError:
        return None
    return value if "_" not in cell and cell.isascii() else None


def _rows(path: Path, lines: Iterable[str], delimiter: str) -> Iterator[Row]:
    reader = csv.reader(
        _without_nul(path, lines), delimiter=delimiter, skipinitialspace=True, strict=True
    )
    try:
        for cells in reader:
            if cells:
                yield reader.line_num, [cell.strip() for cell in cells]
    except csv.Error as error:
        raise DataError(f"{path}:{reader.line_num}: this is not CSV: {error}") from error
    except UnicodeDecodeError as error:
        raise DataError(
            f"{path}: after line {reader.line_num}: the text is not UTF-8 ({error.reason}); "
            "save the file as UTF-8"
        ) from error


def _without_nul(path: Path, lines: Iterable[str]) -> Iterator[str]:
    for line, text in enumerate(lines, 1):
        if "\0" in text:
            raise DataError(f"{path}:{line}: NUL characters; this is no text file")
        yield text


def _of_length(path: Path, rows: Iterator[Row], length: int) -> Iterator[Row]:
    for line, cells in rows:
        if len(cells) != length:
            raise DataError(
                f"{path}:{line}: {len(cells)} cells, but the first line has {length} columns"
            )
        yield line, cells


def _check_names(where: str, names: list[str]) -> None:
    if all(number(name) is not None for name in names):
        raise DataError(
            f"{where}: numbers where the names of the columns are expected; add a line of names, "
            "or set header = false to name the columns 1, 2, …"
        )
    seen: set[str] = set()
    for k, name in enumerate(names, 1):
        if not name:
            raise DataError(f"{where}: column {k} has no name; give it one in this line")
        if name in seen:
            raise DataError(f"{where}: two columns have the name {shown(name)}; rename one")
        seen.add(name)
