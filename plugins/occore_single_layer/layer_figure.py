"""What `occore inspect --plot` draws of layer statistics: a curve over the layers for each look."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Run, require

Axes = Any

QUANTITIES = {
    "deviation": "deviation of activations",
    "gradient_rms": "root mean square of gradients",
    "singular_mean": "mean singular value",
}
"""What is drawn, a panel each."""

MOST_LOOKS = 6
"""Looks that are drawn, evenly chosen from the first to the last."""


@dataclass(frozen=True)
class LayerFigure:
    """Activations, gradients and singular values over the layers; the looks by colour."""

    seen: Mapping[str, Any]
    width: float = 16.0
    """Of the whole figure, with the history; inches."""

    def __call__(self, panel: Any) -> None:
        """Draw into a matplotlib subfigure."""
        for axes, (name, title) in zip(panel.subplots(1, 3), QUANTITIES.items(), strict=True):
            self.plot(name, axes)
            axes.set_title(title, fontsize=10)

    def plot(self, name: str, axes: Axes) -> None:
        """One quantity: at each layer, or at each step of an integrated phase."""
        matplotlib = require("matplotlib", extra="plot", purpose="to draw layers")
        layers = [layer for layer, values in self.seen.items() if isinstance(values, dict)]
        values = [np.reshape(self.seen[p][name], (len(self.iteration), -1)) for p in layers]
        places = [k + np.arange(1, v.shape[1] + 1) / v.shape[1] for k, v in enumerate(values)]
        looks = np.unique(np.linspace(0, len(self.iteration) - 1, MOST_LOOKS).round().astype(int))
        colors = matplotlib.colormaps["viridis"](np.linspace(0, 0.9, len(looks)))
        for look, color in zip(looks, colors, strict=True):
            y = np.concatenate([v[look] for v in values])
            label = f"iteration {self.iteration[look]}"
            axes.plot(np.concatenate(places), y, color=color, marker="o", label=label)
        axes.set_yscale("log")
        axes.set_xticks(np.arange(1, len(layers) + 1), layers, rotation=45, parse_math=False)
        axes.legend(loc="best", fontsize=8)

    @property
    def iteration(self) -> np.ndarray:
        """Iterations of the looks."""
        return self.seen["iteration"]


def figure(run: Run) -> LayerFigure | None:
    """How to draw the run, if an observer has looked at its layers."""
    paths = [row.path.split("/") for row in run.tree()]
    names = [p[1] for p in paths if p[0] == "observers" and p[3:] == ["gradient_rms"]]
    return LayerFigure(run[f"observers/{names[0]}"]) if names else None
