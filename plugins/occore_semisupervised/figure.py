"""The figure of a run on a graph: its nodes where they lie, coloured by the class found."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from occore import Array, Run


def figure_of(run: Run) -> Callable[[Any], None] | None:
    """A function that draws the nodes of a run into a panel; `None` for a run without a graph."""
    rows = {row.path: row.shape for row in run.tree()}
    shape = rows.get("data/places")
    if shape is None or "data/names" not in rows:
        return None
    names = [str(name) for name in np.atleast_1d(run["data/names"])]
    source, found = _found(run, rows, (shape[0], len(names)))
    places, labelled = run["data/places"], np.asarray(run["data/labelled"], bool)

    def draw(panel: Any) -> None:
        axes = panel.subplots()
        for k, name in enumerate(names):
            color, mine = f"C{k % 10}", found == k
            axes.scatter(*places[mine].T, s=_size(len(found)), color=color, label=name, lw=0)
        marked = labelled & (found >= 0)
        colors = [f"C{k % 10}" for k in found[marked]]
        axes.scatter(*places[marked].T, s=60, c=colors, marker="*", edgecolors="black", lw=0.7)
        kind = "class" if np.any(labelled) else "cluster"
        stars = "; stars have labels" if np.any(labelled) else ""
        axes.set_title(f"{kind} by {source}{stars}")
        axes.set_aspect("equal", adjustable="datalim")
        axes.legend(title=kind, fontsize=8, markerscale=2, loc="best")

    return draw


def _found(run: Run, rows: dict[str, Any], shape: tuple[int, int]) -> tuple[str, Array]:
    """Where the classes come from, and the class of each node: the largest entry of its field."""
    for path, size in rows.items():
        if path.startswith("controls/") and size == shape:
            return "the field", np.argmax(run[path], axis=1)
    for path, size in rows.items():
        if path.startswith("trajectory/") and path.endswith("/state") and size[-2:] == shape:
            return "the state at the end", np.argmax(run.select(f"{path}[-1, 0]"), axis=1)
    return "the data", run["data/truth"]


def _size(nodes: int) -> float:
    """Points that are to be seen but do not hide each other."""
    return float(np.clip(8000 / nodes, 1.0, 20.0))
