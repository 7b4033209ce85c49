"""Curves of a trajectory with events: they go through each event and break at a jump."""

from __future__ import annotations

from collections.abc import Iterator

import numpy as np

from occore.storage.record import EventsRecord
from occore.storage.run import Run, TreeRow

Curve = tuple[np.ndarray, np.ndarray]
NO_STATES = {"time", "sample", "state", "events"}


def state_names(rows: dict[str, TreeRow], group: str) -> list[str]:
    """Names of the states in a group such as `trajectory/swing`, in order."""
    below = [path.rpartition("/") for path in rows]
    return [name for parent, _, name in below if parent == group and name not in NO_STATES]


def events_in(run: Run, rows: dict[str, TreeRow], group: str) -> EventsRecord | None:
    """The events beside a trajectory, where it has any."""
    known = f"{group}/events/time" in rows
    return EventsRecord(**run[f"{group}/events"]) if known else None


def curves(
    run: Run, rows: dict[str, TreeRow], path: str, time: np.ndarray, values: np.ndarray
) -> Iterator[Curve]:
    """A curve for each column of an array (time, …): each number of each sample."""
    group, _, name = path.rpartition("/")
    events, names = events_in(run, rows, group), state_names(rows, group)
    columns = values.reshape(len(time), -1)
    whole = rows[path].shape == values.shape and (name in names or name == "state")
    if events is None or not whole:
        yield from ((time, column) for column in columns.T)
        return
    before, after = (a.reshape(len(events.time), -1) for a in (events.before, events.after))
    size = 1 if name in names else before.shape[1]
    for place, column in enumerate(columns.T):
        sample, entry = divmod(place, size)
        entry = names.index(name) if name in names else entry
        mine = events.sample == sample
        yield _through(time, column, events.time[mine], before[mine, entry], after[mine, entry])


def _through(
    time: np.ndarray, y: np.ndarray, at: np.ndarray, before: np.ndarray, after: np.ndarray
) -> Curve:
    """The curve with both sides of each event, and a gap between them where they differ."""
    gap = np.where(before == after, before, np.nan)
    sides = np.stack([before, gap, after], axis=1).ravel()
    sign = -1.0 if time[-1] < time[0] else 1.0
    places = np.searchsorted(sign * time, sign * np.repeat(at, 3), side="left")
    return np.insert(time, places, np.repeat(at, 3)), np.insert(y, places, sides)
