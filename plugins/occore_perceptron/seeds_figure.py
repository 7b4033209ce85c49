"""The objective over the iterations from many seeds: each run, and the median with its band."""

from __future__ import annotations

from typing import Any

from occore import require
from occore_perceptron.seeds import SeedStudy

LOW, HIGH = 0.1, 0.9
"""The quantiles between which the band lies."""


def figure(found: SeedStudy, title: str) -> Any:
    """A matplotlib figure."""
    make = require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    figure = make.Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    solved = len(found.solved)
    for run in found.runs:
        color = "C0" if run.solved else "C3"
        axes.plot(run.objective, color=color, linewidth=0.6, alpha=0.5)
        if run.solved:
            axes.plot(run.iterations, run.objective[-1], ".", color=color, markersize=5)
    x, low, middle, high = found.band(LOW, HIGH)
    band = f"{100 * LOW:.0f} to {100 * HIGH:.0f} % of all seeds"
    axes.fill_between(x, low, high, color="C0", alpha=0.15, linewidth=0, label=band)
    axes.plot(x, middle, color="black", linewidth=1.5, label="median")
    axes.plot([], [], ".-", color="C0", linewidth=0.6, label=f"{solved} solved")
    if solved < len(found.runs):
        rest = f"{len(found.runs) - solved} not solved"
        axes.plot([], [], color="C3", linewidth=0.6, label=rest)
    axes.set(xlabel="iteration", ylabel="objective", yscale="log")
    axes.set_title(title, fontsize=10, parse_math=False)
    if len(x) > 100:
        axes.set_xscale("symlog", linthresh=10)
    axes.set_xlim(left=0)
    axes.legend(fontsize=8)
    return figure
