"""occore seeds: a case from many seeds, and the distribution of what comes out."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from rich.table import Table

    from occore_perceptron.seeds import SeedStudy


@click.command("seeds", short_help="Run a case from many seeds: how often it is solved, and how.")
@click.argument("case", type=click.Path(path_type=Path))
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="How many.")
@click.option("--first", type=click.IntRange(0), default=0, show_default=True, help="First seed.")
@click.option(
    "--within",
    type=click.FloatRange(0, min_open=True),
    help="Solved, and at its end, is a run with every output within this of its target.",
)
@click.option(
    "--jobs", type=click.IntRange(1), default=1, show_default=True, help="Processes at a time."
)
@click.option(
    "--plot",
    "png",
    metavar="PNG",
    type=click.Path(path_type=Path),
    help="Draw the objective over the iterations, with a band of quantiles, into this file.",
)
@click.option("--json", "as_json", is_flag=True, help="Print every run as a line of JSON.")
@click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a key of the case, as in optimizer.max_iterations=5. Repeatable.",
)
@click.option(
    "--plugin",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also load this plugin, a Python file of yours; its code is run. Repeatable.",
)
def command(
    case: Path,
    seeds: int,
    first: int,
    within: float | None,
    jobs: int,
    png: Path | None,
    as_json: bool,
    settings: tuple[str, ...],
    files: tuple[Path, ...],
) -> int:
    """Run the case file CASE from many seeds, without run files, and print the distribution.

    The seed of a case is that of its random weights, and of its data where they are drawn or split.
    Without --within a run is solved where its optimizer has converged.

    \b
    occore seeds cases/06_perceptron/xor.toml --seeds 100 --within 0.5
    occore seeds cases/06_perceptron/symmetry.toml --within 0.5 --jobs 2 --plot symmetry.png
    """
    from rich.console import Console
    from rich.progress import track

    from occore import load_case, load_host, require, save_figure
    from occore_perceptron.seeds import SeedStudy, run_study

    if png is not None:
        require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    title = load_case(case, settings=settings, host=load_host(files)).title
    console = Console(stderr=as_json)
    runs = run_study(
        case,
        range(first, first + seeds),
        settings=settings,
        within=within,
        plugins=files,
        jobs=jobs,
    )
    progress = track(
        runs, title, total=seeds, console=console, transient=True, disable=not console.is_terminal
    )
    found = SeedStudy(tuple(progress))
    if as_json:
        _print_json(found)
    else:
        console.print(f"[bold]{title}[/bold]", highlight=False)
        console.print(_table(found))
    if png is not None:
        from occore_perceptron.seeds_figure import figure

        save_figure(figure(found, title), png)
        click.echo(f"wrote {png}", err=as_json)
    return 0


def _print_json(found: SeedStudy) -> None:
    import json
    import math

    for run in found.runs:
        row = {
            "seed": run.seed,
            "solved": run.solved,
            "status": run.status,
            "iterations": run.iterations,
            **{name: v if math.isfinite(v) else None for name, v in run.metrics.items()},
        }
        click.echo(json.dumps(row))


def _table(found: SeedStudy) -> Table:
    """Share solved, and quantiles of every quantity over the seeds."""
    import numpy as np
    from rich.table import Table

    table = Table(box=None, pad_edge=False)
    solved = f"{len(found.solved)} of {len(found.runs)} solved"
    for name in (solved, "median", "smallest", "10 %", "90 %", "largest"):
        table.add_column(name, justify="left" if name == solved else "right")
    for name, values in found.quantities().items():
        if values.size:
            shown = np.quantile(values, [0.5, 0.0, 0.1, 0.9, 1.0])
            table.add_row(name.replace("_", " "), *(f"{value:.4g}" for value in shown))
    return table
