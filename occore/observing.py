"""The observers of a run, and what they have seen so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from occore.arrays import Array
from occore.errors import PluginError
from occore.observer import Observer
from occore.problem import Problem
from occore.storage.record import ObservationsRecord

Row = dict[str, np.ndarray]


@dataclass(frozen=True)
class Watch:
    """An observer under the name that it has in the run file; it looks every so many iterations."""

    name: str
    every: int
    observer: Observer


class Observations:
    """What the observers of a run have seen, one row a look; `stored` is what a resumed run has."""

    def __init__(
        self, watches: tuple[Watch, ...], stored: Mapping[str, ObservationsRecord] | None = None
    ) -> None:
        self.watches = watches
        self._rows = {name: _rows(record) for name, record in (stored or {}).items()}

    def look(self, problem: Problem, theta: Array, iteration: int) -> None:
        """Let those observe whose turn it is. Raises PluginError where names or shapes change."""
        problem = problem.uncounted
        for watch in self.watches:
            if iteration % watch.every == 0:
                found = watch.observer.observe(problem, theta, iteration)
                row = {name: np.asarray(value) for name, value in found.items()}
                rows = self._rows.setdefault(watch.name, [])
                if rows:
                    _require_same(watch.name, rows[-1], (iteration, row))
                rows.append((iteration, row))

    def records(self) -> dict[str, ObservationsRecord]:
        """What they have seen, for the run file."""
        return {name: _record(rows) for name, rows in self._rows.items()}


def _rows(record: ObservationsRecord) -> list[tuple[int, Row]]:
    return [
        (int(iteration), {name: values[place] for name, values in record.values.items()})
        for place, iteration in enumerate(record.iteration)
    ]


def _record(rows: list[tuple[int, Row]]) -> ObservationsRecord:
    values = {name: np.stack([row[name] for _, row in rows]) for name in rows[0][1]}
    return ObservationsRecord(np.array([iteration for iteration, _ in rows], np.int64), values)


def _require_same(observer: str, before: tuple[int, Row], now: tuple[int, Row]) -> None:
    shapes = [{name: np.shape(value) for name, value in row.items()} for _, row in (before, now)]
    if shapes[0] != shapes[1]:
        raise PluginError(
            f"the observer {observer!r} gave arrays of the shapes {shapes[0]} in iteration "
            f"{before[0]} and {shapes[1]} in iteration {now[0]}; names and shapes must stay"
        )
