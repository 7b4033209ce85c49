"""What `occore inspect --plot` draws of a fit to trajectories: data and fit, plane, evaluations.

The fit is drawn where the run recorded its trajectory, the field where the observer
`phase_portrait` looked, and evaluations over the iterations where `evaluation_counts` did.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np

from occore import Run

Axes = Any

MOST_SAMPLES = 12
"""Trajectories that are drawn."""


def figure(run: Run) -> Callable[[Any], None] | None:
    """How to draw the run, if it is a fit to observed trajectories."""
    paths = frozenset(row.path for row in run.tree())
    return TrajectoryFigure(run, paths) if "data/observed" in paths else None


@dataclass(frozen=True)
class TrajectoryFigure:
    """States over time, the plane of the first two states, and evaluations over training."""

    run: Run
    paths: frozenset[str]

    @property
    def width(self) -> float:
        """Of the whole figure, with the history; inches."""
        return 4.8 + 5.0 * len(self._panels)

    def __call__(self, panel: Any) -> None:
        """Draw into a matplotlib subfigure."""
        for axes, draw in zip(
            panel.subplots(1, len(self._panels), squeeze=False)[0], self._panels, strict=True
        ):
            draw(axes)

    @property
    def _panels(self) -> list[Callable[[Axes], None]]:
        panels = [self.plot_in_time]
        if self.run["data/observed"].shape[-1] >= 2:
            panels.append(self.plot_plane)
        return panels + [self.plot_evaluations] * bool(self._counts)

    def plot_in_time(self, axes: Axes) -> None:
        """Each state of the first trajectory over time, over its observations."""
        time, observed = self.run["data/time"], self.run["data/observed"]
        for state in range(observed.shape[-1]):
            color = f"C{state}"
            axes.plot(time, observed[0, :, state], ".", color=color, label=self._name(state))
            if self._fit is not None:
                axes.plot(self._fit[0], self._fit[1][:, 0, state], color=color, linewidth=1)
        axes.set(xlabel="time since the start", title="first trajectory: data and fit")
        axes.legend(loc="best", fontsize=8)

    def plot_plane(self, axes: Axes) -> None:
        """Observations and fits in the plane of the first two states, over the field."""
        if "observers/phase_portrait/rates" in self.paths:
            seen = self.run["observers/phase_portrait"]
            x, y, rates = (seen[name][-1] for name in ("x", "y", "rates"))
            axes.streamplot(x, y, rates[..., 0], rates[..., 1], color="0.8", linewidth=0.6)
        for sample, points in enumerate(self.run["data/observed"][:MOST_SAMPLES]):
            color = f"C{sample % 10}"
            seen = points[~np.isnan(points[:, :2]).any(axis=1)]
            axes.plot(seen[:, 0], seen[:, 1], ".", color=color)
            if self._fit is not None:
                states = self._fit[1][:, sample]
                axes.plot(states[:, 0], states[:, 1], color=color, linewidth=1)
        axes.set_xlabel(self._name(0), parse_math=False)
        axes.set_ylabel(self._name(1), parse_math=False)
        axes.set_title("data, fit and learnt field")

    def plot_evaluations(self, axes: Axes) -> None:
        """Forward and backward evaluations of a gradient over the iterations."""
        group = self._counts[0].rpartition("/")[0]
        iteration = self.run[f"{group.rpartition('/')[0]}/iteration"]
        for name, label in (("evaluations", "forward"), ("adjoint_evaluations", "backward")):
            axes.plot(iteration, self.run[f"{group}/{name}"], label=label)
        axes.set(xlabel="iteration", title="evaluations of the field", ylim=(0, None))
        axes.legend(loc="best", fontsize=8)

    def _name(self, state: int) -> str:
        names = [] if self._group is None else self._named
        return names[state] if state < len(names) else f"state {state}"

    @cached_property
    def _group(self) -> str | None:
        groups = [p[: -len("/time")] for p in sorted(self.paths) if p.endswith("/time")]
        found = [group for group in groups if group.startswith("trajectory/")]
        return found[-1] if found else None

    @cached_property
    def _fit(self) -> tuple[np.ndarray, np.ndarray] | None:
        """Times (steps + 1,) and states (steps + 1, samples, states) of the last phase."""
        if self._group is None:
            return None
        return self.run[f"{self._group}/time"], self.run[f"{self._group}/state"]

    @cached_property
    def _named(self) -> list[str]:
        """Names of the states, in their order, where they have some."""
        import tomllib

        phase = tomllib.loads(self.run.case_toml_resolved)["phase"][-1]
        return list(phase["dynamics"].get("states", []))

    @cached_property
    def _counts(self) -> list[str]:
        suffix = "/adjoint_evaluations"
        return [p for p in sorted(self.paths) if p.startswith("observers/") and p.endswith(suffix)]
