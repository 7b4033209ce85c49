"""Figures of a run: its history, and what a plugin draws of it, or its controls.

Every function takes the matplotlib axes to draw on, so that figures can be combined. matplotlib is
imported when a figure is drawn (extra `plot`).
"""

from __future__ import annotations

import math
import tomllib
import warnings
from collections.abc import Mapping
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from occore.errors import InputError, require
from occore.jumps import curves, events_in, state_names
from occore.plugins import load_host
from occore.storage.record import EventsRecord
from occore.storage.run import Run, TreeRow

if TYPE_CHECKING:
    from occore.comparison import Curve

MOST_PICTURES = 10
MOST_MARKS = 200
HISTORY_WIDTH = 4.8
"""Of a figure that shows something else beside the history; inches."""

Axes = Any


def plot_history(run: Run, axes: Axes) -> None:
    """Objective and gradient norm against the iteration; logarithmic beyond a decade."""
    history = run.history
    gradient = axes.twinx()
    for place, name, color, style in (
        (axes, "objective", "C0", "-"),
        (gradient, "gradient_norm", "C1", "--"),  # the other is seen where it is as high
    ):
        values = history[name]
        place.plot(history["iteration"], values, style, color=color, marker=_marker(values))
        place.set_ylabel(name.replace("_", " "), color=color)
        place.tick_params(axis="y", labelcolor=color)
        if _decades(values) > 1:
            place.set_yscale("log")
    axes.set_xlabel("iteration")
    axes.xaxis.get_major_locator().set_params(integer=True)
    axes.set_title("history")


def comparison_figure(curves: Mapping[str, Curve], x: str, y: str, level: float | None) -> Any:
    """One quantity of several runs over iterations, work or time; a level that is asked for."""
    figure_module = require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    figure = figure_module.Figure(figsize=(7, 4.5), layout="constrained")
    axes = figure.subplots()
    for name, curve in curves.items():
        axes.plot(curve.axes[x], curve.y, label=name, marker=_marker(curve.y), markersize=4)
    if level is not None:
        axes.axhline(level, color="0.6", linewidth=0.8, linestyle="--")
    if _decades(np.concatenate([curve.y for curve in curves.values()])) > 1:
        axes.set_yscale("log")
    if _decades(np.array([curve.axes[x][-1] for curve in curves.values() if curve.y.size])) > 1:
        axes.set_xscale("log")  # else the shortest run is not to be seen
    labels = {
        "work": "work: sweeps over all samples, forward and back",
        "time": "time / s",
    }
    axes.set_xlabel(labels.get(x, x))
    axes.set_ylabel(y.replace("_", " "), parse_math=False)
    legend = axes.legend()
    for text in legend.get_texts():
        text.set_parse_math(False)
    return figure


def _decades(values: np.ndarray) -> float:
    """How many factors of ten lie between positive numbers; none where some are not."""
    finite = values[np.isfinite(values)]
    if not finite.size or np.min(finite) <= 0:
        return 0.0
    return math.log10(np.max(finite) / np.min(finite))


def plot_array(run: Run, name: str, axes: Axes, values: np.ndarray | None = None) -> None:
    """A stored array: a curve for one axis, curves in time or an image for two.

    values: what to draw in place of the whole array, such as a selection of it.
    """
    values = np.asarray(run[name] if values is None else values)
    row = _rows(run)[name]
    unit, long_name = row.units, row.long_name
    label = long_name if unit in ("", "1") else f"{long_name} / {unit}"
    whole, values = values, np.squeeze(values)
    length = len(values) if values.ndim else 0
    time, look = (_axis_of(run, name, axis, length) for axis in ("time", "iteration"))
    few = values.ndim == 1 or (values.ndim == 2 and values.shape[1] <= MOST_PICTURES)
    if time is not None and few and whole.shape[0] == len(time):
        _curves(run, name, time, whole, axes)
        axes.set_ylabel(label, parse_math=False)
        axes.set_xlabel("time / s")
    elif values.ndim == 1:
        known = [("time / s", time), ("iteration", look), ("index", np.arange(len(values)))]
        title, x = next((title, x) for title, x in known if x is not None)
        axes.plot(x, values, marker=_marker(values))
        axes.set_ylabel(label, parse_math=False)
        axes.set_xlabel(title)
    elif values.ndim == 2:
        bound = _bound(values)
        image = axes.imshow(
            values, aspect="auto", interpolation="nearest", cmap="RdBu_r", vmin=-bound, vmax=bound
        )
        axes.figure.colorbar(image, ax=axes, label=label)
        axes.set_ylabel("axis 0")
        axes.set_xlabel("axis 1")
    else:
        raise InputError(
            f"{name}: a figure needs one or two axes, not {values.ndim}; select, as in {name}[0]"
        )
    axes.set_title(name, parse_math=False)


def plot_pictures(name: str, rows: np.ndarray, panel: Any) -> None:
    """Rows of a control that are square images, one picture each, on a common scale."""
    side = math.isqrt(rows.shape[1])
    bound = _bound(rows)
    grid = panel.subplots(2, math.ceil(len(rows) / 2), squeeze=False)
    for axes in grid.ravel():
        axes.set_axis_off()
    images = []
    for place, (row, axes) in enumerate(zip(rows, grid.ravel(), strict=False)):
        picture = row.reshape(side, side)
        images.append(axes.imshow(picture, cmap="RdBu_r", vmin=-bound, vmax=bound))
        axes.set_title(f"row {place}", fontsize=9)
    panel.colorbar(images[0], ax=grid, shrink=0.8)
    panel.suptitle(f"{name}: each row as a picture", parse_math=False)


def figure_for(run: Run, selection: str | None = None) -> Any:
    """The figure of a run, or of one array, or part of it.

    The figure of a run is its history, beside what a plugin draws of it (hook `occore_figure`), or
    else its controls.
    """
    figure_module = require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    if selection is not None:
        figure = figure_module.Figure(figsize=(7, 4.5), layout="constrained")
        name = selection.partition("[")[0].strip("/ ")
        plot_array(run, name, figure.subplots(), run.select(selection))
        return figure
    draw = load_host().observers().occore_figure(run=run)
    pictures, timed = square_pictures(run), _timed(run)
    wide = draw or pictures is not None or timed
    width = getattr(draw, "width", 11.0) if wide else 7.0
    figure = figure_module.Figure(figsize=(width, 4.5), layout="constrained")
    figure.suptitle(run.title, parse_math=False)
    if not wide:
        plot_history(run, figure.subplots())
        return figure
    left, right = figure.subfigures(1, 2, width_ratios=(HISTORY_WIDTH, width - HISTORY_WIDTH))
    plot_history(run, left.subplots())
    if draw is not None:
        draw(right)
    elif pictures is not None:
        plot_pictures(*pictures, right)
    else:
        for axes, group in zip(
            right.subplots(len(timed), 1, squeeze=False).flat, timed, strict=True
        ):
            plot_in_time(run, group, axes)
    return figure


def plot_in_time(run: Run, group: str, axes: Axes) -> None:
    """Curves in time of what a group such as `controls/swing` holds, one for each number."""
    rows, time = _rows(run), run[f"{group}/time"]
    for name in state_names(rows, group):
        path = f"{group}/{name}"
        if (rows[path].shape or ())[:1] == time.shape:
            _curves(run, path, time, run[path], axes, label=name)
    events = events_in(run, rows, group)
    if events is not None:
        _mark(events, axes)
    axes.set_xlabel("time")
    axes.set_title(group, parse_math=False)
    axes.legend(loc="best", fontsize=9)


def _curves(
    run: Run, path: str, time: np.ndarray, values: np.ndarray, axes: Axes, label: str = ""
) -> None:
    """The numbers of an array against time, in one colour for those of one name."""
    color = None
    for x, y in islice(curves(run, _rows(run), path, time, values), MOST_PICTURES):
        (line,) = axes.plot(x, y, label=label or None, marker=_marker(time), color=color)
        color, label = (line.get_color() if label else None), ""


def _mark(events: EventsRecord, axes: Axes) -> None:
    """A vertical line at each event; one entry in the legend for each name."""
    for place, name in enumerate(dict.fromkeys(events.name.tolist())):
        times, style = events.time[events.name == name], (":", "--", "-.")[place % 3]
        for k, t in enumerate(times[:MOST_MARKS]):
            axes.axvline(t, color="0.6", linewidth=0.8, linestyle=style, label=None if k else name)


def save_figure(figure: Any, path: Path) -> None:
    """Write a figure as a PNG file; only a PNG file is overwritten. Raises InputError."""
    if path.suffix.lower() != ".png":
        raise InputError(f"{path}: figures are written as PNG; give a name that ends in .png")
    try:
        if path.exists() and not _is_png(path):
            raise InputError(f"{path}: not a PNG file, so it is not overwritten; name another")
        with warnings.catch_warnings():
            # a title in a script that the font lacks is drawn as boxes; that is no news
            warnings.filterwarnings("ignore", message="Glyph .* missing", category=UserWarning)
            figure.savefig(path, dpi=150)
    except OSError as error:
        raise InputError(f"{path}: cannot be written: {error.strerror}") from error


def _bound(values: np.ndarray) -> float:
    """Largest modulus, so that white is zero on a scale from -bound to bound."""
    return float(np.max(np.abs(values), initial=0.0, where=np.isfinite(values))) or 1.0


def _is_png(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(4) == b"\x89PNG"


def _rows(run: Run) -> dict[str, TreeRow]:
    """What the run file holds, by name."""
    return {row.path: row for row in run.tree()}


def square_pictures(run: Run) -> tuple[str, np.ndarray] | None:
    """The first control whose rows are square images, and at most ten of its rows.

    Only those of the first phase act on pixels: what comes in later are features of some layer.
    """
    first = f"controls/{tomllib.loads(run.case_toml_resolved)['phase'][0]['name']}/"
    for name, node in _rows(run).items():
        if not name.startswith(first) or node.shape is None or len(node.shape) != 2:
            continue
        rows, columns = node.shape
        if rows > 1 and columns >= 16 and math.isqrt(columns) ** 2 == columns:
            return name, run[name][:MOST_PICTURES]
    return None


def _timed(run: Run) -> list[str]:
    """Groups of states with names, and of controls that vary in time; three at most."""
    rows = _rows(run)
    groups = [path.rpartition("/")[0] for path in rows if path.endswith("/time")]
    phases = [g for g in groups if g.startswith("trajectory/") and g.count("/") == 1]
    named = [g for g in phases if state_names(rows, g)]
    controls = [g for g in groups if g.startswith("controls/")]
    return [*named, *controls][:3]


def _axis_of(run: Run, name: str, axis: str, length: int) -> np.ndarray | None:
    """The axis of this name beside an array, where it has one of this length."""
    path = f"{name.rpartition('/')[0]}/{axis}"
    node = _rows(run).get(path)
    return run[path] if node is not None and node.shape == (length,) and path != name else None


def _marker(values: np.ndarray) -> str:
    """Points where there are few of them, since a line through one is not to be seen."""
    return "o" if len(values) <= 20 else ""
