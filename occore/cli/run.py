"""occore run: a case file from beginning to end."""

from __future__ import annotations

from pathlib import Path

import click

from occore.cli.options import CASE, PLUGIN, SET


@click.command("run")
@CASE
@click.option(
    "-o", "--output", type=click.Path(path_type=Path), help="The run file; NAME.h5 here by default."
)
@click.option("--overwrite", is_flag=True, help="Replace an existing run file.")
@SET
@PLUGIN
@click.option("--no-check", is_flag=True, help="Do not check the derivatives first.")
def run(
    case: Path,
    output: Path | None,
    overwrite: bool,
    settings: tuple[str, ...],
    files: tuple[Path, ...],
    no_check: bool,
) -> int:
    """Run the case file CASE and store the run in one HDF5 file.

    Ctrl-C stops after the present iteration with a checkpoint; `occore resume` goes on from it.

    \b
    occore run cases/02_least_squares/diabetes.toml
    occore run case.toml -o run.h5 --set optimizer.max_iterations=100
    """
    from rich.console import Console

    from occore import runner
    from occore.case import load_case
    from occore.cli.finish import report
    from occore.cli.show import Progress
    from occore.plugins import load_host

    console = Console()
    checked = load_case(case, settings=settings, host=load_host(files))
    console.print(f"[bold]{checked.title}[/bold]")
    with Progress(console) as progress:
        done = runner.run(
            checked, output, overwrite=overwrite, checks=not no_check, observe=progress
        )
    return report(console, done, files)
