"""Trajectories from a CSV file: one observation a line, of the states that were measured then."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import numpy as np
from pydantic import Field

from occore import Data, DataError, Dataset, Example, resolve
from occore_continuous.datasets.observed import Trajectory, observed
from occore_least_squares.datasets.content import file_digest, shown, unknown
from occore_least_squares.datasets.csv_table import CsvTable, number, read_table


@dataclass(frozen=True)
class Trajectories(Dataset):
    """Observed states over time from the columns of a CSV file; an empty cell was not observed.

    The first line of a trajectory is its start: it is complete, and its time is 0 for the model.
    Trajectories may have times of their own, in any number.
    """

    path: Annotated[str, Field(description="the file, within the case's folder or OCCORE_DATA")]
    time: Annotated[str, Field(description="the column of times, which increase")]
    states: Annotated[
        tuple[str, ...], Field(min_length=1, description="columns of the states, in their order")
    ]
    sample: Annotated[
        str | None,
        Field(description="the column that tells trajectories apart; one trajectory without it"),
    ] = None
    delimiter: Annotated[
        Literal[",", ";", "\t", "|"], Field(description="what separates the cells of a line")
    ] = ","

    def load(self, folders: tuple[Path, ...], rng: np.random.Generator) -> Data:
        """All trajectories, in the order of their first lines.

        Raises DataError with file, line and column for a cell that is no number, a time that does
        not increase, a first line with empty cells, and a trajectory of one line.
        """
        path = resolve(self.path, folders)
        with path.open(encoding="utf-8-sig", newline="") as stream:
            table = read_table(path, stream, self.delimiter, header=True)
            found = self._read(path, table)
        if not found:
            raise DataError(f"{path}: no observations below the names of the columns")
        made = [each.trajectory(f"{path}: the trajectory {name}") for name, each in found.items()]
        return observed(made, self.states, file_digest(path))

    def _read(self, path: Path, table: CsvTable) -> dict[str, _Rows]:
        """The rows of each trajectory."""
        columns = [*([] if self.sample is None else [self.sample]), self.time, *self.states]
        for name in columns:
            if name not in table.names:
                raise DataError(f"{path}: {unknown('column', name, table.names)}")
        if len(set(columns)) < len(columns):
            raise DataError(f"a column is named twice among {', '.join(columns)}; name it once")
        places = {name: table.names.index(name) for name in columns}
        found: dict[str, _Rows] = {}
        for line, cells in table.rows:
            which = "" if self.sample is None else cells[places[self.sample]]
            rows = found.setdefault(which, _Rows())
            time = _number(path, line, self.time, cells[places[self.time]])
            if rows.times and not time > rows.times[-1]:
                raise DataError(
                    f"{path}:{line}: the time {time:g} does not follow {rows.times[-1]:g}; sort "
                    "the lines by time, or name the column that tells trajectories apart (sample)"
                )
            rows.times.append(time)
            rows.values.append(
                [
                    np.nan if cells[places[n]] == "" else _number(path, line, n, cells[places[n]])
                    for n in self.states
                ]
            )
        return found

    @classmethod
    def example(cls) -> Example:
        """Two trajectories with times of their own; one state is not observed at 1.5."""
        text = b"run,t,x,v\na,0,1,2\na,1.5,,3\nb,2,0,1\nb,3,4,1\nb,3.25,5,0\n"
        return Example(
            cls(path="runs.csv", time="t", states=("x", "v"), sample="run"),
            value=(2, 2),
            files={"runs.csv": text},
        )


@dataclass
class _Rows:
    """The lines of one trajectory."""

    times: list[float] = field(default_factory=list)
    values: list[list[float]] = field(default_factory=list)

    def trajectory(self, where: str) -> Trajectory:
        """Start, times from the first line on, and values."""
        if len(self.times) < 2:
            raise DataError(f"{where} has one line; a start and an observation are expected")
        values = np.array(self.values)
        if not np.all(np.isfinite(values[0])):
            raise DataError(
                f"{where} begins with empty cells; its first line is the start state, so drop it, "
                "or fill in a guess and let the case say start = 'unknown'"
            )
        return Trajectory(values[0], np.array(self.times) - self.times[0], values)


def _number(path: Path, line: int, column: str, cell: str) -> float:
    value = number(cell)
    if value is None or not np.isfinite(value):
        raise DataError(f"{path}:{line}: column {shown(column)}: {shown(cell)} is no finite number")
    return value
