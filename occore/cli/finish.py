"""The end of `run` and `resume`: status, result, derivative verdict, the next commands."""

from __future__ import annotations

import shlex
from pathlib import Path

from rich.console import Console

from occore.cli.show import check_table, matrices, result_table, sparkline
from occore.gradient_error import WARN_ABOVE
from occore.optimizer import Status
from occore.storage.run import Run


def report(console: Console, run: Run, files: tuple[Path, ...] = ()) -> int:
    """Print what a run found; the exit status."""
    status = Status[run.status.upper()]
    console.print(f"{run.status.replace('_', ' ')}: {status.value}", highlight=False)
    table = result_table(run.result)
    failed = [row for row in run.checks if row["verdict"] == "FAIL"]
    if run.checks and not failed:
        table.add_row("derivatives", f"{len(run.checks)} checks passed")
    console.print(table)
    for text in matrices(run.result):
        console.print(text, highlight=False, soft_wrap=True)
    if status is Status.UNBOUNDED:
        growth = run.history["control_norm"]
        console.print(
            f"norm of the controls   {growth[0]:.3g} → {growth[-1]:.3g} {sparkline(growth)}",
            highlight=False,
        )
    if failed:
        console.print("[bold red]Derivatives that are wrong:[/bold red]")
        console.print(check_table(failed))
    if run.result.get("gradient_error", 0.0) > WARN_ABOVE:
        console.print(
            "[bold yellow]warning[/bold yellow]   the gradient is exact for the discrete problem, "
            f"but about {run.result['gradient_error']:.1e} away from the flow's: take smaller "
            "steps or tighter tolerances",
            highlight=False,
        )
    path = shlex.quote(str(run.path))
    commands = {"look inside": f"inspect {path}", "see it": f"inspect {path} --plot figure.png"}
    if status in (Status.INTERRUPTED, Status.ITERATION_LIMIT):
        plugins = "".join(f" --plugin {shlex.quote(str(file))}" for file in files)
        more = " --set optimizer.max_iterations=…" if status is Status.ITERATION_LIMIT else ""
        commands = {"go on": f"resume {path}{plugins}{more}"} | commands
    console.print(f"\nrun file           {path}", highlight=False, soft_wrap=True)
    for what, command in commands.items():  # to be copied, and so each in one line
        console.print(f"{what:<19}occore {command}", highlight=False, soft_wrap=True)
    return 1 if status.failed else 0
