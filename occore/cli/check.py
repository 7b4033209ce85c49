"""occore check: the derivative table of a case."""

from __future__ import annotations

from pathlib import Path

import click

from occore.cli.options import CASE, PLUGIN, SET


@click.command("check")
@CASE
@SET
@PLUGIN
def check(case: Path, settings: tuple[str, ...], files: tuple[Path, ...]) -> int:
    """Check every derivative that the case file CASE uses, and print a table.

    Each dynamics, step and phase, and the objective with its gradient and Hessian, goes through the
    transpose test and Taylor tests. Exit status 1 where one is wrong.
    """
    from rich.console import Console

    from occore.case import load_case
    from occore.cli.show import check_table
    from occore.plugins import load_host
    from occore.runner import derivative_table

    console = Console()
    checked = load_case(case, settings=settings, host=load_host(files))
    rows = derivative_table(checked, checked.build())
    console.print(check_table(rows))
    failed = sum(row["verdict"] == "FAIL" for row in rows)
    console.print(f"{len(rows) - failed} passed, {failed} failed", highlight=False)
    return 1 if failed else 0
