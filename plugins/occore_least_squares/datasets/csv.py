"""CSV files: a line of column names, then one sample a line."""

from __future__ import annotations

import math
from array import array
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import Array, Data, DataError, Dataset, Example, resolve
from occore_least_squares.datasets.content import file_digest, listed, shown, unknown
from occore_least_squares.datasets.csv_table import number, read_table
from occore_least_squares.datasets.supervised import Task, supervised

LONGEST_CLASS = 200  # characters; an array of texts gives each the room of the longest


@dataclass(frozen=True)
class Csv(Dataset):
    """Inputs (samples, features) and targets (samples, …) from the columns of a CSV file.

    A target column of texts gives classes; of numbers, a column to be fitted. The file is UTF-8.
    """

    path: Annotated[str, Field(description="the file, within the case's folder or OCCORE_DATA")]
    target: Annotated[
        str | tuple[str, ...] | None,
        Field(description="column to be fitted, or several; no targets where not given"),
    ] = None
    inputs: Annotated[
        tuple[str, ...] | None,
        Field(min_length=1, description="columns of inputs; all but the target where not given"),
    ] = None
    task: Annotated[
        Task | None,
        Field(description="classification makes each value of the target column a class"),
    ] = None
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"], Field(description="what separates the cells of a line")
    ] = ","
    header: Annotated[
        bool, Field(description="the first line names the columns; otherwise they are 1, 2, …")
    ] = True

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All samples, in the order of the file.

        Raises DataError with file, line and column for a cell that is missing or no number, with
        the nearest name for a column that is not there, and for a file that is no table.
        """
        path = resolve(self.path, folders)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = read_table(path, stream, self.delimiter, self.header)
            inputs, targets = self._choose(path, table.names)
            columns = _Columns(
                path, [table.names[k] for k in inputs], [table.names[k] for k in targets]
            )
            for line, cells in table.rows:
                columns.append(line, [cells[k] for k in inputs], [cells[k] for k in targets])
        if not columns.lines:
            raise DataError(f"{path}: no samples below the names of the columns")
        data = supervised(
            columns.inputs(),
            columns.targets(self.task),
            self.task,
            (f"{path}: the inputs", f"{path}: the target {listed(columns.target_names)}"),
            file_digest(path),
        )
        return replace(data, features=tuple(columns.names))

    def _choose(self, path: Path, names: list[str]) -> tuple[list[int], list[int]]:
        """Indices of the columns of inputs and of targets."""
        wanted = (self.target,) if isinstance(self.target, str) else self.target or ()
        if self.task == "classification" and len(wanted) != 1:
            raise DataError(f"a classification has one target column; got {listed(wanted)}")
        places = {name: k for k, name in enumerate(names)}
        inputs = self.inputs or tuple(name for name in names if name not in wanted)
        if not inputs:
            raise DataError(f"{path}: every column is a target; at least one input is expected")
        chosen = (*wanted, *inputs)
        for name in chosen:
            if name not in places:
                hint = "; is `delimiter` the one of this file?" if len(names) == 1 else ""
                raise DataError(f"{path}: {unknown('column', name, names)}{hint}")
        if len(set(chosen)) < len(chosen):
            raise DataError(
                f"a column is named twice among the target {listed(wanted)} and the inputs "
                f"{listed(inputs)}; name it once"
            )
        return [places[name] for name in inputs], [places[name] for name in wanted]

    @classmethod
    def example(cls) -> Example:
        """Two samples of two features, written out."""
        return Example(
            cls(path="flowers.csv", target="species"),
            value=(2, 2),
            files={"flowers.csv": b"length,width,species\n1.5,2,iris\n3,4.25,rose\n"},
        )


class _Columns:
    """The cells of the chosen columns, row after row, with the line of each row."""

    def __init__(self, path: Path, inputs: list[str], targets: list[str]) -> None:
        self.path, self.names, self.target_names = path, inputs, targets
        self.lines = array("q")
        self._inputs = array("d")
        self._targets: list[str] = []

    def append(self, line: int, inputs: list[str], targets: list[str]) -> None:
        """A row; the cells of the inputs must be finite numbers."""
        self.lines.append(line)
        for name, cell in zip(self.names, inputs, strict=True):
            self._inputs.append(self._finite(line, name, cell))
        self._targets += targets

    def inputs(self) -> Array:
        """(samples, columns)."""
        return np.array(self._inputs).reshape(-1, len(self.names))

    def targets(self, task: Task | None) -> Array | None:
        """Texts (samples,) where the one column holds classes, else numbers (samples, columns)."""
        if not self.target_names:
            return None
        texts = [k for k, cell in enumerate(self._targets) if number(cell) is None]
        if len(self.target_names) > 1 or task == "regression" or not texts:
            cells = (self._finite(*self._place(k), c) for k, c in enumerate(self._targets))
            return np.fromiter(cells, float).reshape(-1, len(self.target_names))
        for k, cell in enumerate(self._targets):
            line, name = self._place(k)
            if not 0 < len(cell) <= LONGEST_CLASS:
                raise DataError(
                    f"{self.path}:{line}: column {shown(name)}: {len(cell)} characters; the name "
                    f"of a class has 1 to {LONGEST_CLASS}"
                )
        if len(texts) < len(self._targets) and task is None:
            line, name = self._place(texts[0])
            raise DataError(
                f"{self.path}:{line}: column {shown(name)}: {shown(self._targets[texts[0]])} is no "
                'number, but other cells are; correct it, or set task = "classification"'
            )
        return np.array(self._targets)

    def _place(self, k: int) -> tuple[int, str]:
        row, column = divmod(k, len(self.target_names))
        return self.lines[row], self.target_names[column]

    def _finite(self, line: int, name: str, cell: str) -> float:
        value = number(cell)
        if value is None or not math.isfinite(value):
            what = f"{shown(cell)} is no finite number" if cell else "the cell is missing"
            raise DataError(
                f"{self.path}:{line}: column {shown(name)}: {what}; correct it, remove the line, "
                "or leave the column out of `inputs`"
            )
        return value
