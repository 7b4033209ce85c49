"""What `occore inspect --plot` draws of a regression of one number on another: data and fit."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from occore import Run


def figure(run: Run) -> Callable[[Any], None] | None:
    """How to draw the run, if it is such a regression that has ended."""
    if all(row.path != "result/curve/output" for row in run.tree()):
        return None
    return lambda panel: plot_curve(run.result, panel.subplots())


def plot_curve(result: dict[str, Any], axes: Any) -> None:
    """The fit over the training samples, with the held-out ones if there are any."""
    curve, parts = result["curve"], result["metrics"]
    for part, color, size in (("train", "0.7", 5), ("held_out", "C1", 3)):
        if part in curve:
            error = f", rmse {parts[part]['rmse']:.3g}" if "rmse" in parts[part] else ""
            label = f"{part.replace('_', '-')}{error}"
            points = curve[part]["input"], curve[part]["target"]
            axes.plot(*points, ".", color=color, markersize=size, label=label)
    axes.plot(curve["x"], curve["output"], color="C0", linewidth=1, label="fit")
    axes.set(xlabel="input", ylabel="target", title="fit")
    axes.legend(loc="best", fontsize=8)
