"""occore compare: runs side by side."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rich.table import Table

    from occore.comparison import Curve


@click.command("compare")
@click.argument(
    "run_files", metavar="RUN.h5 RUN.h5…", nargs=-1, type=click.Path(path_type=Path), required=True
)
@click.option(
    "--x",
    type=click.Choice(["iteration", "work", "time"]),
    default="work",
    show_default=True,
    help="Horizontal axis of the figure.",
)
@click.option(
    "--y",
    metavar="NAME",
    default="objective",
    show_default=True,
    help="What --reach and --plot look at: a column of the history, or a metric in it.",
)
@click.option("--reach", metavar="VALUE", type=float, help="Also say when each run reached this y.")
@click.option(
    "--plot",
    "png",
    metavar="PNG",
    type=click.Path(path_type=Path),
    help="Draw y of all runs over x into this file.",
)
def compare(
    run_files: tuple[Path, ...], x: str, y: str, reach: float | None, png: Path | None
) -> int:
    """Compare two or more run files: keys of their cases that differ, and what they found.

    Iterations of different optimizers are different things. WORK is the fair axis: sweeps forward
    and back over all samples, of which a mini-batch counts its share.

    Metrics of held-out data are in the history of cases that were run with
    --set run.metrics_every=1; then `--y error_rate` is one of them.

    \b
    occore compare adam.h5 newton_cg.h5
    occore compare adam.h5 newton_cg.h5 --y error_rate --reach 0.05
    occore compare adam.h5 newton_cg.h5 --y gradient_norm --x time --plot figure.png
    """
    from rich.console import Console

    from occore.comparison import curve, different_keys, falls, results
    from occore.storage.run import open_run

    if len(run_files) < 2:
        raise click.UsageError("one run file has nothing to be compared with; name two or more")
    if len(set(run_files)) < len(run_files):
        raise click.UsageError("a run file is named twice; name each once")
    runs = [open_run(path) for path in run_files]
    names = labels(run_files)
    keys, found = different_keys(runs), results(runs)
    wanted = reach is not None or png is not None
    curves = [curve(run, y) for run in runs] if wanted else []
    console = Console()
    console.print(_table("case", names, keys) if keys else "The cases are the same.")
    console.print(_table("result", names, found))
    if reach is not None:
        falling = falls(curves)
        title = f"{y} {'≤' if falling else '≥'} {reach:g}"
        console.print(_reached(title, names, curves, reach, falling))
    if png is not None:
        from occore.plotting import comparison_figure, save_figure

        save_figure(comparison_figure(dict(zip(names, curves, strict=True)), x, y, reach), png)
        click.echo(f"wrote {png}")
    return 0


def labels(paths: Sequence[Path]) -> list[str]:
    """A short name of each file: its stem, or the path as given where two have the same stem."""
    stems = [path.stem for path in paths]
    return [s if stems.count(s) == 1 else str(p) for s, p in zip(stems, paths, strict=True)]


def _table(title: str, names: Sequence[str], rows: dict[str, list[Any]]) -> Table:
    from rich.markup import escape

    from occore.cli.show import visible

    table = _columns(title, names)
    for name, values in rows.items():
        cells = (visible(_text(name, value)) for value in values)
        table.add_row(
            escape(visible(name.replace("_", " ") if title == "result" else name)),
            *map(escape, cells),
        )
    return table


def _reached(
    title: str, names: Sequence[str], curves: Sequence[Curve], value: float, falling: bool
) -> Table:
    """Where each run first reached a value of y, on each axis."""
    table = _columns(title, names)
    places = [curve.reached(value, falling) for curve in curves]
    for axis in places[0]:
        table.add_row(axis, *(_place(axis, place[axis]) for place in places))
    return table


def _columns(title: str, names: Sequence[str]) -> Table:
    from rich.markup import escape
    from rich.table import Table

    from occore.cli.show import visible

    table = Table(box=None, pad_edge=False)
    table.add_column(title, overflow="fold")
    for name in names:
        table.add_column(escape(visible(name)), justify="right", overflow="fold")
    return table


def _text(name: str, value: Any) -> str:
    from occore.cli.show import metric, number

    if value is None:
        return ""
    if not isinstance(value, float):
        return str(value)
    if name == "time":
        return f"{number(value, 3)} s"
    if name.endswith(("(held-out)", "(train)")):
        return metric(name.partition(" ")[0], value)
    return number(value, 6)


def _place(axis: str, value: float) -> str:
    import math

    from occore.cli.show import number

    if math.isnan(value):
        return "never"
    return f"{number(value, 3)} s" if axis == "time" else number(value, 6)
