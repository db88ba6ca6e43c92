"""The command line of the agent.

Connectors bring commands of their own with :class:`ConnectorCLI`; everything here is imported when first used, so that
``servo --help`` stays quick.
"""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from servo.cli.application import ServoCLI
    from servo.cli.connectors import ConnectorCLI
    from servo.cli.context import Context
    from servo.cli.groups import CLI, Command, Group, OrderedGroup
    from servo.cli.loop import run_async
    from servo.cli.sections import LogLevel, Section
    from servo.cli.tables import print_table, timeago

__all__ = [
    "CLI",
    "Command",
    "ConnectorCLI",
    "Context",
    "Group",
    "LogLevel",
    "OrderedGroup",
    "Section",
    "ServoCLI",
    "main",
    "print_table",
    "run_async",
    "timeago",
]

_HOMES = {
    "CLI": "groups",
    "Command": "groups",
    "ConnectorCLI": "connectors",
    "Context": "context",
    "Group": "groups",
    "LogLevel": "sections",
    "OrderedGroup": "groups",
    "Section": "sections",
    "ServoCLI": "application",
    "print_table": "tables",
    "run_async": "loop",
    "timeago": "tables",
}


INTERRUPTED = 130  # what a shell reports of a program that SIGINT ended


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)


def main() -> None:
    """Run ``servo``: load the ``.env`` file, then the command."""
    try:
        import typer

        from servo.cli.application import ServoCLI
        from servo.cli.environment import load_dotenv

        try:
            load_dotenv()
        except typer.Exit as end:  # nobody else is there yet to turn it into an exit code
            raise SystemExit(end.exit_code) from None
        ServoCLI()()
    except KeyboardInterrupt:
        raise SystemExit(INTERRUPTED) from None
