"""occore inspect: what a run file holds."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from occore.cli.options import RUN_FILE
from occore.errors import RunFileError

if TYPE_CHECKING:
    from rich.console import Console

    from occore.storage.run import Run


@click.command("inspect")
@RUN_FILE
@click.argument("path", required=False)
@click.option(
    "--plot",
    "png",
    metavar="PNG",
    type=click.Path(path_type=Path),
    help="Draw the run, or the array PATH, into this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON, for other programs.")
def inspect(run_file: Path, path: str | None, png: Path | None, as_json: bool) -> int:
    """Look into the run file RUN.h5: summary, history, tree; or one thing in it.

    PATH is a name of the tree, with a selection if you like:

    \b
    occore inspect run.h5
    occore inspect run.h5 controls
    occore inspect run.h5 'history/objective[-5:]'
    occore inspect run.h5 --plot figure.png
    """
    from rich.console import Console

    from occore.storage.run import open_run

    run = open_run(run_file)
    if png is not None:
        from occore.plotting import figure_for, save_figure

        try:
            figure = figure_for(run, path)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RunFileError(f"{run_file}: damaged, cannot be drawn: {error!r}") from error
        save_figure(figure, png)
        click.echo(f"wrote {png}")
        return 0
    if as_json:
        _print_json(run, path)
        return 0
    console = Console()
    if path is None:
        try:
            _summary(console, run)
        except (LookupError, TypeError, ValueError, AttributeError) as error:
            raise RunFileError(f"{run_file}: damaged, or no run of occore: {error!r}") from error
        _tree(console, run, "")
        return 0
    plain = path.strip("/")
    if any(row.path == plain and row.shape is None for row in run.tree()):
        _tree(console, run, plain)
    else:
        _values(console, run, path)
    return 0


def _summary(console: Console, run: Run) -> None:
    from occore.cli.show import matrices, result_table, sparkline, visible

    console.print(visible(run.title), style="bold", markup=False, highlight=False)
    when = f"created {run.created}" + (f", finished {run.finished}" if run.finished else "")
    line = f"{run.status.replace('_', ' ')}   {when}   occore {run.occore_version}"
    console.print(visible(line), markup=False)
    result = run.result
    if "objective" in result:
        console.print(result_table(result))
        for text in matrices(result):
            console.print(text, highlight=False, soft_wrap=True)
    failed = sum(row["verdict"] == "FAIL" for row in run.checks)
    if run.checks:
        verdict = f"{failed} FAILED" if failed else "all passed"
        console.print(f"derivatives   {len(run.checks)} checks, {verdict}", highlight=False)
    for phase, names in _events(run).items():
        counts = ", ".join(f"{names.count(name)} {visible(name)}" for name in dict.fromkeys(names))
        console.print(f"events        {visible(phase)}: {counts or 'none'}", highlight=False)
    for name, looks in _looks(run).items():
        console.print(f"observed      {visible(name)}: {looks} looks", highlight=False)
    history = run.history
    console.print()
    for name in ("objective", "gradient_norm"):
        values = history[name]
        ends = f"{values[0]:.3e} → {values[-1]:.3e}"
        line = f"{name.replace('_', ' '):14s} {sparkline(values)}  {ends}"
        console.print(line, highlight=False)
    console.print(f"{'iterations':14s} {history['iteration'][-1]}\n", highlight=False)


def _events(run: Run) -> dict[str, list[str]]:
    """Names of the events that happened, by phase, where the trajectory is recorded."""
    paths = [row.path.split("/") for row in run.tree() if row.shape is not None]
    phases = [p[1] for p in paths if p[0] == "trajectory" and p[2:] == ["events", "name"]]
    return {phase: run[f"trajectory/{phase}/events/name"].tolist() for phase in phases}


def _looks(run: Run) -> dict[str, int]:
    """How often each observer has looked."""
    rows = {tuple(row.path.split("/")): row.shape for row in run.tree()}
    found = {path: shape for path, shape in rows.items() if path[0] == "observers" and shape}
    return {path[1]: shape[0] for path, shape in found.items() if path[2:] == ("iteration",)}


def _tree(console: Console, run: Run, below: str) -> None:
    from rich.markup import escape
    from rich.tree import Tree

    from occore.cli.show import visible

    root = Tree(f"[bold]{escape(below or str(run.path))}[/bold]")
    branches = {below: root}
    prefix = f"{below}/" if below else ""
    for node in run.tree():
        path = node.path
        if not path.startswith(prefix):
            continue
        parent, _, name = path.rpartition("/")
        if node.shape is None:
            branches[path] = branches[parent].add(f"[bold]{escape(name)}[/bold]")
            continue
        shape = " × ".join(map(str, node.shape)) or "scalar"
        value = f" = {_short(run[path])}" if node.shape == () else ""
        unit = "" if node.units in ("", "1") else f" {visible(node.units)}"
        branches[parent].add(
            f"{escape(name)}  [dim]{shape}  {node.dtype}[/dim]{escape(value + unit)}"
        )
    console.print(root, highlight=False)


def _short(value: Any) -> str:
    from occore.cli.show import visible

    text = f"{value:.6g}" if isinstance(value, float) else visible(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _values(console: Console, run: Run, path: str) -> None:
    import numpy as np

    from occore.cli.show import visible

    values = run.select(path)
    array = np.asarray(values)
    console.print(path, style="bold", markup=False, highlight=False)
    name = path.partition("[")[0].strip("/ ")
    unit, long_name = next((r.units, r.long_name) for r in run.tree() if r.path == name)
    shape = " × ".join(map(str, array.shape)) or "scalar"
    unit = "" if unit in ("", "1") else f", {unit}"
    line = visible(f"{long_name}{unit}   {shape}   {array.dtype}")
    console.print(line, markup=False, highlight=False, style="dim")
    with np.printoptions(threshold=200, precision=6, linewidth=console.width):
        console.print(visible(str(array)), highlight=False, markup=False)
    if array.dtype.kind in "if" and array.size > 1:
        finite = array[np.isfinite(array)]
        if finite.size:
            console.print(
                f"min {finite.min():.6g}   mean {finite.mean():.6g}   max {finite.max():.6g}",
                highlight=False,
            )


def _print_json(run: Run, path: str | None) -> None:
    import json

    if path is None:
        document: Any = {
            "title": run.title,
            "status": run.status,
            "created": run.created,
            "finished": run.finished or None,
            "occore_version": run.occore_version,
            "result": run.result,
            "checks": run.checks,
            "tree": {
                row.path: {"shape": list(row.shape), "dtype": row.dtype}
                for row in run.tree()
                if row.shape is not None
            },
        }
    else:
        document = run.select(path)
    click.echo(json.dumps(_plain(document), indent=2, allow_nan=False))


def _plain(value: Any) -> Any:
    """Numbers, strings, lists and dictionaries; null for what JSON cannot say."""
    import math

    import numpy as np

    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, np.ndarray):
        return _plain(value.tolist())
    if isinstance(value, (list, tuple)):
        return [_plain(item) for item in value]
    if isinstance(value, np.generic):
        return _plain(value.item())
    return None if isinstance(value, float) and not math.isfinite(value) else value
