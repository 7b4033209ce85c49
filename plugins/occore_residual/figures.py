"""What `occore inspect --plot` draws of a residual network that observers have looked at.

Observer `motion`: the decision regions, and the points behind some of the layers. Observer
`stability`: the eigenvalues times the step beside the stability region of the method.
"""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Array, Discretization, Run, load_host, require
from occore_classification.figures import plot_regions
from occore_continuous.stability_region import plot_stability_region

Axes = Any
SNAPSHOTS = 4
"""Layers whose points are drawn: the first, the last and some between."""
PANEL = 4.6
"""Inches of each panel."""
HISTORY = 4.8


@dataclass(frozen=True)
class ResidualFigure:
    """Regions, motion and spectra of the last look, whichever there are."""

    run: Run
    motions: dict[str, Any]
    """Points (layers, samples, 2) by phase."""
    label: Any
    """The class of each point; None without points."""
    spectra: dict[str, tuple[Array, Array]]
    """h λ (steps, values) and the growth (steps,) by phase."""

    @property
    def width(self) -> float:
        """Of the whole figure, with the history; inches."""
        regions = 1 if self._regions is not None else 0
        return HISTORY + PANEL * (regions + len(self.motions) + len(self.spectra))

    @property
    def _regions(self) -> Any:
        return self.run.result.get("regions") if self.motions else None

    def __call__(self, panel: Any) -> None:
        """Draw into a matplotlib subfigure."""
        places = panel.subfigures(1, round((self.width - HISTORY) / PANEL), squeeze=False)[0]
        following = iter(places)
        if self._regions is not None:
            classes = [str(name) for name in self.run.result["classes"]]
            plot_regions(self._regions, classes, next(following).subplots())
        for phase, points in self.motions.items():
            plot_motion(phase, points, self.label, next(following))
        for phase, (z, growth) in self.spectra.items():
            method = discretization(self.run, phase)
            plot_spectrum(phase, z, growth, method, next(following).subplots())


def figure(run: Run) -> ResidualFigure | None:
    """How to draw the run, if an observer of points or of spectra has looked at it."""
    motions: dict[str, Any] = {}
    spectra: dict[str, tuple[Array, Array]] = {}
    label: Any = None
    for path in [row.path for row in run.tree() if row.path.startswith("observers/")]:
        group, _, name = path.rpartition("/")
        phase = group.rpartition("/")[2]
        if name == "points" and group.count("/") == 2:
            motions[phase] = run[path][-1]
            label = run[f"{group.rpartition('/')[0]}/label"][-1]
        elif name == "growth" and group.count("/") == 2:
            z = run[f"{group}/real"][-1] + 1j * run[f"{group}/imaginary"][-1]
            spectra[phase] = z, run[path][-1]
    ended = run.status not in ("running", "failed")
    found = ended and (motions or spectra)
    return ResidualFigure(run, motions, label, spectra) if found else None


def discretization(run: Run, phase: str) -> Discretization:
    """The method of a phase of a run, with its default options."""
    tables = tomllib.loads(run.case_toml_resolved)["phase"]
    kind = next(table for table in tables if table["name"] == phase)["discretization"]["kind"]
    return load_host().registry["discretization", kind].cls()


def plot_motion(phase: str, points: Array, label: Array, panel: Any) -> None:
    """The points behind some layers, in colours of their classes and with axes of one scale."""
    matplotlib = require("matplotlib", extra="plot", purpose="to draw points")
    colors = matplotlib.colormaps["tab10"](np.asarray(label) % 10)
    layers = np.linspace(0, len(points) - 1, SNAPSHOTS).round().astype(int)
    grid = panel.subplots(2, SNAPSHOTS // 2)
    for axes, layer in zip(grid.flat, layers, strict=True):
        axes.scatter(points[layer, :, 0], points[layer, :, 1], 4, colors)
        axes.set_title("start" if layer == 0 else f"layer {layer}", fontsize=9)
        axes.tick_params(labelsize=7)
        axes.set_aspect("equal", "datalim")
    panel.suptitle(f"{phase}: where the points are", fontsize=10, parse_math=False)


def plot_spectrum(phase: str, z: Array, growth: Array, method: Discretization, axes: Axes) -> None:
    """h λ of all steps over the stability region of the method; later steps are lighter."""
    steps = np.repeat(np.arange(1, len(z) + 1), z.shape[1])
    far = 1.15 * max(3.2, float(np.max(np.abs(z))))
    plot_stability_region(method, axes, extent=(-far, far / 3, -far, far), color="0.4")
    drawn = axes.scatter(z.real.ravel(), z.imag.ravel(), 8, steps, cmap="viridis", zorder=3)
    axes.figure.colorbar(drawn, ax=axes, label="step", shrink=0.7)
    axes.legend(loc="upper left", fontsize=8)
    axes.set_title(f"{phase}: h λ, growth ≤ {np.max(growth):.3g} a step", parse_math=False)
