"""occore schema: the JSON schema of case files, for editors."""

from __future__ import annotations

from pathlib import Path

import click

from occore.cli.options import PLUGIN


@click.command("schema")
@click.option("-o", "--output", type=click.Path(path_type=Path), help="Write it to this file.")
@PLUGIN
def schema(output: Path | None, files: tuple[Path, ...]) -> int:
    """Print the JSON schema of case files with everything that is registered.

    An editor that knows TOML schemas (such as VS Code with Even Better TOML) then completes keys
    and marks mistakes. Begin a case with:  #:schema ./occore.schema.json

    \b
    occore schema -o occore.schema.json
    """
    import json

    from occore.case.schema import case_schema
    from occore.errors import InputError
    from occore.plugins import load_host

    text = json.dumps(case_schema(load_host(files).registry), indent=2) + "\n"
    if output is None:
        click.echo(text, nl=False)
        return 0
    try:
        output.write_text(text, encoding="utf-8")
    except OSError as error:
        raise InputError(f"{output}: cannot be written: {error.strerror}") from error
    return 0
