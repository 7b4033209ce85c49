"""What `occore inspect --plot` draws of a network on a few patterns: its weights, as squares.

A row for each unit, a column for each of its inputs and one for its bias; the area of a square is
the magnitude of the weight, white is positive and black is negative, as in figures 1 and 4 of
Rumelhart, Hinton and Williams, Nature 323 (1986), 533–536.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Array, Run, require

Axes = Any

MOST_UNITS = 40
"""Inputs and units of a layer that is drawn, at most."""
MOST_LAYERS = 4
MOST_NUMBERS = 30
"""Weights of a layer whose values are written out, at most."""


@dataclass(frozen=True)
class WeightsFigure:
    """The layers with their names, each the weights (units, inputs) and the biases (units,)."""

    layers: Sequence[tuple[str, Array, Array | None]]
    inputs: Sequence[str] | None
    """Names of the inputs of the network, where they have some."""

    def __call__(self, panel: Any) -> None:
        """Draw into a matplotlib subfigure, one layer below the other."""
        heights = [len(weights) + 2 for _, weights, _ in self.layers]
        grid = panel.subplots(len(heights), 1, height_ratios=heights, squeeze=False)
        for axes, (name, weights, bias) in zip(grid[:, 0], self.layers, strict=True):
            plot_weights(weights, bias, axes)
            axes.set_title(name, fontsize=10, parse_math=False)
        names = self.inputs and self.inputs[: self.layers[0][1].shape[1]]
        if names:
            ticks = np.arange(len(names))
            grid[0, 0].set_xticks(ticks, names, rotation=90, fontsize=7, parse_math=False)


def plot_weights(weights: Array, bias: Array | None, axes: Axes) -> None:
    """The squares of one layer, the largest filling its place; the bias stands apart."""
    rectangle = require("matplotlib.patches", extra="plot", purpose="to draw weights").Rectangle
    units, inputs = weights.shape
    columns = [*np.arange(inputs), *([inputs + 0.5] if bias is not None else [])]
    values = weights if bias is None else np.column_stack([weights, bias])
    largest = np.abs(values).max() or 1.0
    for (row, k), value in np.ndenumerate(values):
        x, side = columns[k], 0.95 * np.sqrt(abs(value) / largest)
        color = "white" if value > 0 else "black"
        axes.add_patch(rectangle((x - side / 2, row - side / 2), side, side, color=color))
        if values.size <= MOST_NUMBERS:
            axes.text(x, row, f"{value:.1f}", color="C3", fontsize=7, ha="center", va="center")
    axes.set_facecolor("0.6")
    axes.set(xlim=(-0.6, max(columns) + 0.6), ylim=(units - 0.4, -0.6), aspect="equal")
    axes.set_xticks(
        [inputs + 0.5] if bias is not None else [], ["bias"] if bias is not None else []
    )
    axes.set_yticks([])


def figure(run: Run) -> WeightsFigure | None:
    """How to draw the run, if its data are a few patterns and its layers small."""
    paths = {row.path for row in run.tree()}
    if "data/patterns" not in paths:
        return None
    layers = [
        (f"{phase}: {name}" if name != "K" else phase, value, _bias(named, name))
        for phase, named in run.controls.items()
        for name, value in named.items()
        if np.ndim(value) == 2 and max(value.shape) <= MOST_UNITS
    ]
    names = run["data/features"].tolist() if "data/features" in paths else None
    return WeightsFigure(layers[:MOST_LAYERS], names) if layers else None


def _bias(named: dict[str, Array], weights: str) -> Array | None:
    """The biases of these weights: b of K or W, b1 of K1."""
    return named.get(f"b{weights[1:]}")
