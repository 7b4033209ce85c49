"""occore check: the derivative table of a case."""

from __future__ import annotations

from math import nan
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from occore.cli.options import CASE, PLUGIN, SET

if TYPE_CHECKING:
    from occore.case import Case


@click.command("check")
@CASE
@SET
@PLUGIN
def check(case: Path, settings: tuple[str, ...], files: tuple[Path, ...]) -> int:
    """Check every derivative that the case file CASE uses, and print a table.

    Each dynamics, step and phase, and the objective with its gradient and Hessian, goes through the
    transpose test and Taylor tests as the case uses it. Each registered thing that it names goes
    through the conformance suite on its example, where SymPy traces and differentiates its formula.
    Exit status 1 where one is wrong.
    """
    from rich.console import Console

    from occore.case import load_case
    from occore.cli.show import check_table
    from occore.plugins import load_host
    from occore.runner import derivative_table

    console = Console()
    checked = load_case(case, settings=settings, host=load_host(files))
    rows = derivative_table(checked, checked.build())
    rows.extend(conformance(checked))
    console.print(check_table(rows))
    failed = sum(row["verdict"] == "FAIL" for row in rows)
    console.print(f"{len(rows) - failed} passed, {failed} failed", highlight=False)
    return 1 if failed else 0


def conformance(case: Case) -> list[dict[str, Any]]:
    """A row for each thing that a case names and that has derivatives: its conformance suite."""
    from occore.testing.conformance import conform, example_of

    choices = [case.objective, *case.penalties]
    for spec in case.phases:
        choices += [c for c in (spec.dynamics, spec.discretization, spec.controls) if c]
    rows = []
    for entry in dict.fromkeys(choice.entry for choice in choices):
        row = {"subject": f"{entry.family} {entry.name}", "expected": "no failure", "value": nan}
        if not hasattr(entry.cls, "example"):
            rows.append(row | {"check": "conformance: it has no example()", "verdict": "none"})
            continue
        failures = conform(entry.family, example_of(entry))
        for failure in failures:
            rows.append(row | {"check": failure, "verdict": "FAIL"})
        if not failures:
            rows.append(row | {"check": "conformance", "verdict": "pass"})
    return rows
