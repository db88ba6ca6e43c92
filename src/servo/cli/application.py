"""The root command: global options, the groups of commands, and the commands that connectors bring along."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from servo.cli import (
    assembly,
    builds,
    checks,
    configuration,
    kubernetes,
    operations,
    prometheus,
    vegeta,
    version,
)
from servo.cli.connectors import ConnectorCLI, load_third_parties
from servo.cli.context import DEFAULT_FILE, Context, State
from servo.cli.failures import report
from servo.cli.groups import CLI, Group
from servo.cli.loop import one_loop
from servo.cli.options import LEVELS, Limit, choice, complete_level, parse_level
from servo.cli.sections import LogLevel, Section


class Root(Group):
    """The group of all commands. Connectors of other packages are imported only for the commands they may bring."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return our own commands, then those of connectors in the order of the alphabet."""
        load_third_parties()
        ours = super().list_commands(ctx)
        return [*ours, *sorted(name for name in ConnectorCLI.commands() if name not in ours)]

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return the command of that name; ours go first, and are found without importing any connector."""
        command = super().get_command(ctx, cmd_name)
        if command is None:
            load_third_parties()
            command = ConnectorCLI.commands().get(cmd_name)
        return command

    def invoke(self, ctx: Any) -> Any:
        """Run the command, in one event loop, and close what it opened."""
        with one_loop():
            try:
                return super().invoke(ctx)
            except Exception as error:
                report(error)
                raise
            finally:
                _close(ctx)


def _close(ctx: Context) -> None:
    if isinstance(ctx.obj, State):
        ctx.obj.close()


def root(
    context: Context,
    *,
    config_file: Annotated[
        Path,
        typer.Option(
            "-c",
            "--config-file",
            metavar="FILE",
            envvar="SERVO_CONFIG_FILE",
            help="Servo configuration file",
        ),
    ] = DEFAULT_FILE,
    name: Annotated[
        str | None,
        typer.Option("-n", "--name", metavar="TEXT", envvar="SERVO_NAME", help="Name of the servo to use"),
    ] = None,
    limit: Limit = None,
    log_level: Annotated[
        str,
        typer.Option(
            "-l",
            "--log-level",
            metavar=f"[{LEVELS}]",
            envvar="SERVO_LOG_LEVEL",
            callback=parse_level,
            autocompletion=complete_level,
            help="Set the log level",
        ),
    ] = LogLevel.info.value,
    log_file: Annotated[
        Path | None,
        typer.Option(
            "--log-file", metavar="FILE", envvar="SERVO_LOG_FILE", help="Write the log to a file as well"
        ),
    ] = None,
    log_format: Annotated[
        str,
        typer.Option(
            "--log-format",
            envvar="SERVO_LOG_FORMAT",
            help="Set the form of the log's lines",
            **choice("text", "json"),
        ),
    ] = "text",
    no_color: Annotated[
        bool,
        typer.Option("--no-color", help="Disable colored output  [env var: SERVO_NO_COLOR, NO_COLOR]"),
    ] = False,
) -> None:
    """Take the global options."""
    context.obj = State(
        config_file=config_file,
        name=name,
        limit=limit,
        log_level=LogLevel(log_level),
        log_file=log_file,
        log_format=log_format,
        # Not as the option's own variable: any value counts, not only those that read as a boolean.
        no_color=no_color or any(os.environ.get(variable) for variable in ("SERVO_NO_COLOR", "NO_COLOR")),
    )
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


class ServoCLI(CLI):
    """The ``servo`` command line, complete."""

    def __init__(self) -> None:
        super().__init__(
            name="servo", help="", cls=Root, callback=root, invoke_without_command=True, no_args_is_help=False,
            add_completion=True,
        )  # fmt: skip
        for module in (assembly, operations, checks, configuration, version):
            self.add_typer(module.cli)
        for group in (builds, kubernetes, prometheus, vegeta):
            self.add_typer(group.cli, rich_help_panel=str(Section.connectors))
