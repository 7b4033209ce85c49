"""What `occore inspect --plot` draws of a classification: confusion, calibration, decisions.

Where there are neither regions of a plane nor pictures to draw, the errors against the rejected
share are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from occore import Run, plot_pictures, require, square_pictures

Axes = Any
PANEL = 4.6
"""Inches of each of the panels in a row."""

MOST_LABELS = 12
"""Classes whose counts are written into the confusion matrix."""

MOST_LETTERS = 30
"""Of the names of all classes, side by side under the confusion matrix; more are turned."""

LEAST_REJECTED = 10.0
"""Per cent of rejected samples to which the reject option is drawn at least; else to no error."""

RULES = {"difference": "best − second output", "best": "best output"}
"""What the rules of `reject` look at, as legends say it."""


@dataclass(frozen=True)
class ClassificationFigure:
    """Confusion matrix, reliability diagram, and a third panel of what there is more to see."""

    run: Run

    @property
    def panels(self) -> int:
        """Three, or two where there are no probabilities."""
        return 3 if self._calibrated else 2

    @property
    def width(self) -> float:
        """Of the whole figure, with the history; inches."""
        return PANEL * (1 + self.panels)

    @property
    def _calibrated(self) -> bool:
        return "reliability_confidence" in self.run.result["metrics"]["train"]

    def __call__(self, panel: Any) -> None:
        """Draw into a matplotlib subfigure."""
        result, parts = self.run.result, self.run.result["metrics"]
        classes = [str(name) for name in result["classes"]]
        part = "held_out" if "held_out" in parts else "train"
        places = panel.subfigures(1, self.panels)
        plot_confusion(parts[part], classes, part.replace("_", "-"), places[0].subplots())
        if self._calibrated:
            plot_reliability(parts, places[1].subplots())
        if "regions" in result:
            plot_regions(result["regions"], classes, places[-1].subplots())
        elif "pictures" in result:
            plot_segmentation(result["pictures"], len(classes), places[-1])
        elif (pictures := square_pictures(self.run)) is not None:
            plot_pictures(*pictures, places[-1])
        else:
            plot_reject(parts, places[-1].subplots())


def figure(run: Run) -> ClassificationFigure | None:
    """How to draw the run, if it is a classification that has ended."""
    names = {row.path for row in run.tree()}
    if "result/metrics/train/confusion_matrix" not in names or "result/classes" not in names:
        return None
    return ClassificationFigure(run)


def plot_confusion(metrics: dict[str, Any], classes: list[str], part: str, axes: Axes) -> None:
    """Samples of the class of each row by the class that they are taken for.

    The colour is the share of the row, so that small classes are seen as well as large ones.
    """
    counts = np.asarray(metrics["confusion_matrix"])
    share = counts / np.maximum(1, counts.sum(axis=1, keepdims=True))
    axes.imshow(share, cmap="Blues", vmin=0, vmax=1)
    if len(counts) <= MOST_LABELS:
        for (row, column), count in np.ndenumerate(counts):
            if count:
                color = "white" if share[row, column] > 0.5 else "black"
                axes.text(
                    column, row, str(count), ha="center", va="center", color=color, fontsize=8
                )
        labels = [name if len(name) <= 12 else f"{name[:11]}…" for name in classes]
        turn = 45 if sum(len(label) + 1 for label in labels) > MOST_LETTERS else 0
        axes.set_xticks(range(len(labels)), labels, rotation=turn, parse_math=False)
        axes.set_yticks(range(len(labels)), labels, parse_math=False)
    axes.set_xlabel("decision")
    axes.set_ylabel("class")
    axes.set_title(f"{part}: {100 * metrics['error_rate']:.2f} % errors")


def plot_reliability(parts: dict[str, dict[str, Any]], axes: Axes) -> None:
    """Accuracy against confidence of each bin, with an area that grows with its samples.

    On the diagonal the probabilities are those of being right.
    """
    axes.plot([0, 1], [0, 1], color="0.6", linewidth=1, linestyle="--")
    for color, (part, metrics) in zip(("C0", "C1"), parts.items(), strict=False):
        confidence, samples = metrics["reliability_confidence"], metrics["reliability_samples"]
        error = metrics["expected_calibration_error"]
        label = f"{part.replace('_', '-')}, expected calibration error {error:.3f}"
        axes.plot(confidence, metrics["reliability_accuracy"], color=color, label=label)
        area = 10 + 150 * np.asarray(samples) / np.max(samples)
        axes.scatter(confidence, metrics["reliability_accuracy"], area, color=color, alpha=0.6)
    axes.set_xlabel("confidence")
    axes.set_ylabel("share of right decisions")
    axes.set_title("calibration")
    axes.legend(loc="best", fontsize=8)


def plot_reject(parts: dict[str, dict[str, Any]], axes: Axes) -> None:
    """Errors among the accepted samples against the rejected share, in per cent, by both rules."""
    last = LEAST_REJECTED
    for color, (part, metrics) in zip(("C0", "C1"), parts.items(), strict=False):
        shares = 100 * metrics["reject_shares"]
        # of two classes both rules are one: wide and pale below, so that the other is seen on it
        for (rule, name), (style, width, alpha) in zip(
            RULES.items(), (("-", 3.5, 0.4), ("--", 1.5, 1.0)), strict=True
        ):
            errors = 100 * metrics[f"reject_error_{rule}"]
            label = f"{part.replace('_', '-')}, by {name}"
            axes.plot(shares, errors, style, linewidth=width, alpha=alpha, color=color, label=label)
            last = max(last, shares[np.flatnonzero(errors)].max(initial=0.0))
    axes.axhline(1, color="0.6", linewidth=1, linestyle=":", label="1 %")
    axes.set_xlim(0, last)
    axes.set_ylim(bottom=0)
    axes.set_xlabel("rejected / %")
    axes.set_ylabel("errors among the accepted / %")
    axes.set_title("reject option")
    axes.legend(loc="best", fontsize=8)


def plot_segmentation(pictures: dict[str, Any], classes: int, panel: Any) -> None:
    """A row for each picture: as it is, the classes of its pixels, and the decisions."""
    inputs = np.asarray(pictures["input"])
    grid = panel.subplots(len(inputs), 3, squeeze=False)
    for row, picture, *labels in zip(
        grid, inputs, pictures["truth"], pictures["decision"], strict=True
    ):
        colored = picture.shape[-1] == 3
        row[0].imshow(np.clip(picture, 0, 1) if colored else picture[..., 0], cmap="gray")
        for axes, label in zip(row[1:], labels, strict=True):
            axes.imshow(label, cmap="tab10", vmin=0, vmax=max(9, classes - 1))
    for axes in grid.flat:
        axes.set_axis_off()
    for axes, title in zip(grid[0], ("picture", "truth", "decision"), strict=True):
        axes.set_title(title)


def plot_regions(regions: dict[str, Any], classes: list[str], axes: Axes) -> None:
    """The class that each point of the plane is given; samples as points, held-out ones ringed."""
    matplotlib = require("matplotlib", extra="plot", purpose="to draw regions")
    colors = matplotlib.colormaps["tab10"].resampled(10)(np.arange(len(classes)) % 10)
    tint = 1 - 0.4 * (1 - colors[:, :3])
    x, y = regions["x"], regions["y"]
    axes.imshow(
        tint[regions["decision"]],
        extent=(x[0], x[-1], y[0], y[-1]),
        origin="lower",
        aspect="auto",
        interpolation="nearest",
    )
    for part, edge in (("train", "none"), ("held_out", "black")):
        if part in regions:
            points, label = regions[part]["points"], regions[part]["class"]
            axes.scatter(
                points[:, 0], points[:, 1], 9, colors[label], edgecolors=edge, linewidths=0.5
            )
    for name, color in zip(classes, colors, strict=True):
        axes.scatter([], [], 12, [color], label=name)
    axes.legend(loc="upper left", bbox_to_anchor=(1, 1), fontsize=8)
    axes.set_xlabel("first input")
    axes.set_ylabel("second input")
    axes.set_title("decision (held-out samples ringed)")
