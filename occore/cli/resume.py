"""occore resume: from the last checkpoint to the end."""

from __future__ import annotations

from pathlib import Path

import click

from occore.cli.options import PLUGIN, RUN_FILE, SET


@click.command("resume")
@RUN_FILE
@SET
@PLUGIN
@click.option(
    "--data-folder",
    type=click.Path(path_type=Path, file_okay=False, exists=True),
    help="Where the data files of the case are, if they are not below this or the run's folder.",
)
def resume(
    run_file: Path, settings: tuple[str, ...], files: tuple[Path, ...], data_folder: Path | None
) -> int:
    """Go on with the run in RUN.h5.

    The result is that of a run that was never interrupted, bit for bit, where the optimizer says
    `resume = exact`. A run that reached its limit goes on with a higher one:

    \b
    occore resume run.h5 --set optimizer.max_iterations=5000
    """
    from rich.console import Console

    from occore import runner
    from occore.cli.finish import report
    from occore.cli.show import Progress
    from occore.plugins import load_host
    from occore.storage.run import open_run

    console = Console()
    stored = open_run(run_file)
    console.print(f"[bold]{stored.title}[/bold]")
    if stored.status in ("converged", "solved") and not settings:
        console.print(f"{run_file} is finished: {stored.status}")
        return 0
    with Progress(console) as progress:
        done = runner.resume(
            run_file,
            settings=settings,
            host=load_host(files),
            folder=data_folder,
            observe=progress,
        )
    return report(console, done, files)
