"""Options that commands share."""

from __future__ import annotations

from pathlib import Path

import click

CASE = click.argument("case", type=click.Path(path_type=Path))
RUN_FILE = click.argument("run_file", metavar="RUN.h5", type=click.Path(path_type=Path))
SET = click.option(
    "--set",
    "settings",
    metavar="KEY=VALUE",
    multiple=True,
    help="Override a key of the case, as in optimizer.max_iterations=5. Repeatable.",
)
PLUGIN = click.option(
    "--plugin",
    "files",
    metavar="FILE",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Also load this plugin, a Python file of yours; its code is run. Repeatable.",
)
