"""occore loss-picture: the objective around the end of a run, on a plane of random directions."""

from __future__ import annotations

from pathlib import Path

import click

from occore import InputError


@click.command("loss-picture", short_help="Draw the objective around the end of a run.")
@click.argument("run_file", metavar="RUN.h5", type=click.Path(path_type=Path))
@click.argument("png", metavar="PNG", type=click.Path(path_type=Path))
@click.option("--radius", type=click.FloatRange(0, min_open=True), help="‖θ‖ where not given.")
@click.option("--points", type=click.IntRange(2, 201), default=25, show_default=True)
@click.option("--seed", type=click.IntRange(0), default=0, show_default=True)
def command(run_file: Path, png: Path, radius: float | None, points: int, seed: int) -> int:
    """Draw J around the controls that RUN.h5 found, along two random directions.

    The data are made or read anew; files are looked up in the folder of the run and in OCCORE_DATA.
    """
    import tomllib

    import numpy as np

    from occore import load_case, open_run, require, save_figure
    from occore_single_layer.loss_picture import loss_picture, plot_loss_picture

    figure_module = require("matplotlib.figure", extra="plot", purpose="to draw a figure")
    run = open_run(run_file)
    try:
        tables, checkpoint = tomllib.loads(run.case_toml_resolved), run.checkpoint()
        theta, digest = checkpoint["theta"], run["provenance/data_digest"]
    except (LookupError, ValueError) as error:
        raise InputError(f"{run_file}: damaged, or no run of occore: {error!r}") from error
    problem = load_case(tables, folder=run_file.resolve().parent).build().problem
    if problem.data.digest != digest or np.shape(theta) != (problem.size,):
        raise InputError(f"{run_file}: the data have changed since the run")
    with np.errstate(all="ignore"):
        picture = loss_picture(problem, theta, np.random.default_rng(seed), radius, points)
    figure = figure_module.Figure(figsize=(6, 5), layout="constrained")
    figure.suptitle(run.title, parse_math=False)
    plot_loss_picture(picture, figure.subplots())
    save_figure(figure, png)
    click.echo(f"wrote {png}")
    return 0
