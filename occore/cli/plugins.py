"""occore plugins: what is registered, by whom, with which options."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from occore.cli.options import PLUGIN

if TYPE_CHECKING:
    from rich.console import Console

    from occore.registry import Entry, Registry


@click.command("plugins")
@click.argument("name", required=False)
@PLUGIN
def plugins(name: str | None, files: tuple[Path, ...]) -> int:
    """List what plugins register, or show one thing and its options.

    NAME is a registered name, such as `cgls`, or a family, such as `optimizer`.

    \b
    occore plugins
    occore plugins cgls
    """
    from rich.console import Console

    from occore.plugins import load_host
    from occore.registry import FAMILIES

    console, registry = Console(), load_host(files).registry
    families = [name] if name in FAMILIES else FAMILIES
    if name is None or name in FAMILIES:
        for family in families:
            _list(console, registry, family)
        for broken in registry.broken:
            console.print(
                f"[bold red]broken[/bold red] {broken.name} ({broken.distribution}): {broken.error}"
            )
        return 0
    for entry in _found(registry, name):
        _describe(console, entry)
    return 0


def _list(console: Console, registry: Registry, family: str) -> None:
    from rich.table import Table

    entries = registry.entries(family)
    if not entries:
        return
    table = Table(title=family, title_justify="left", box=None, pad_edge=False, show_header=False)
    for entry in entries:
        table.add_row(
            f"[bold]{entry.name}[/bold]", summary(entry.cls), f"[dim]{entry.plugin}[/dim]"
        )
    console.print(table)
    console.print()


def _found(registry: Registry, name: str) -> list[Entry]:
    from occore.errors import unknown_kind

    entries = registry.named(name)
    if not entries:
        raise unknown_kind("name", name, {entry.name for entry in registry.items.values()})
    return entries


def _describe(console: Console, entry: Entry) -> None:
    from rich.markup import escape
    from rich.table import Table

    from occore.case.options import nested_families, options_model

    console.print(f"[bold]{entry.name}[/bold]  {entry.family}, from the plugin {entry.plugin}")
    module = inspect.getdoc(inspect.getmodule(entry.cls)) or ""
    console.print(escape(module), highlight=False)
    console.print()
    console.print(escape(inspect.getdoc(entry.cls) or ""), highlight=False)
    table = Table(box=None, pad_edge=False)
    for column in ("option", "type", "default", "meaning"):
        table.add_column(column)
    nested = nested_families(entry.cls)
    for name, field in options_model(entry.cls).model_fields.items():
        default = (
            "required"
            if field.is_required()
            else repr(field.get_default(call_default_factory=True))
        )
        kind = f"table: {nested[name]}" if name in nested else _type(field.annotation)
        cells = (name, kind, default, field.description or "")
        table.add_row(*(escape(cell) for cell in cells))
    console.print()
    console.print(table if table.row_count else "It has no options.")


def summary(cls: type) -> str:
    """The first line of a docstring."""
    return (inspect.getdoc(cls) or "").partition("\n")[0]


def _type(annotation: Any) -> str:
    return (
        annotation.__name__
        if isinstance(annotation, type)
        else str(annotation).replace("typing.", "")
    )
