"""The command line. Commands are loaded when they are called, so that `--help` does not wait."""

from __future__ import annotations

import importlib
import sys
from typing import Any

import click

import occore
from occore.errors import OccoreError

COMMANDS = {
    "run": "Run a case file: live progress, a result table, a run file.",
    "resume": "Go on with a run that was interrupted, or give it more iterations.",
    "check": "Check the derivatives that a case uses.",
    "inspect": "Look into a run file: summary, tree, values, figures.",
    "compare": "Compare run files: what differs, which was first, in a figure too.",
    "plugins": "List what is registered, by whom, with which options.",
    "schema": "Print the JSON schema of case files, for editors.",
}


class LazyGroup(click.Group):
    """A group whose bundled commands are modules of `occore.cli`, imported on use."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """The bundled commands in the order of a first hour, then those of plugins."""
        _add_plugin_commands(self)
        return [*COMMANDS, *sorted(set(self.commands) - set(COMMANDS))]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """The command of this name."""
        if cmd_name in COMMANDS:
            module = importlib.import_module(f"occore.cli.{cmd_name}")
            return getattr(module, cmd_name)
        _add_plugin_commands(self)
        return super().get_command(ctx, cmd_name)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """The list of commands in `--help`, without importing them."""
        rows = [(name, self._summary(name)) for name in self.list_commands(ctx)]
        with formatter.section("Commands"):
            formatter.write_dl(rows)

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """As click does, with the nearest name for one that is unknown."""
        try:
            return super().resolve_command(ctx, args)
        except click.UsageError as error:
            from occore.errors import nearest

            hint = nearest(args[0], self.list_commands(ctx))
            raise click.UsageError(f"{error.message.rstrip('.')}.{hint}", ctx) from error

    def _summary(self, name: str) -> str:
        return COMMANDS.get(name) or self.commands[name].get_short_help_str(80)


def _add_plugin_commands(group: click.Group) -> None:
    """Let every installed plugin add its commands; what is broken says so in `occore plugins`."""
    if not group.context_settings.get("obj"):
        from occore.plugins import Host

        host = Host()
        host.discover()
        host.manager.hook.occore_commands(cli=group)
        group.context_settings["obj"] = host


@click.group(
    cls=LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"]},
    epilog="Start with:  occore run cases/02_least_squares/diabetes.toml",
)
@click.version_option(occore.__version__, prog_name="occore")
@click.option("--traceback", is_flag=True, help="Show where in the code an error arose.")
def cli(traceback: bool) -> None:
    """Learning as optimal control: run case files, check derivatives, look into runs.

    A case file says what to compute: data, a chain of phases, an objective, an optimizer. A run is
    one HDF5 file. Every command has its own --help.
    """


def main(arguments: list[str] | None = None) -> Any:
    """Entry point: exit status 0 done, 1 the computation failed, 2 the input is wrong."""
    words = sys.argv[1:] if arguments is None else arguments
    if "--traceback" in words:
        words = ["--traceback", *(word for word in words if word != "--traceback")]
    try:
        sys.exit(cli.main(words, prog_name="occore", standalone_mode=False) or 0)
    except OccoreError as error:
        if "--traceback" in words:
            raise
        click.echo(f"error: {error}", err=True)
        sys.exit(error.exit_status)
    except click.ClickException as error:
        error.show()
        sys.exit(error.exit_code)
    except (click.Abort, KeyboardInterrupt):
        click.echo("interrupted", err=True)
        sys.exit(130)
    except BrokenPipeError:
        sys.exit(0)
