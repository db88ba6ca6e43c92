"""The command line of the backend.

A command's module is imported when the command is run, not when it is listed: each offers `app`, a `typer.Typer`
with either one command or a group of them.
"""

import os
from collections.abc import Mapping
from importlib import import_module
from typing import Annotated, Any

import typer
from typer.core import TyperCommand, TyperGroup
from typer.main import get_command

__all__ = ["app", "main"]

COMMANDS: Mapping[str, tuple[str, str]] = {
    "tune": (
        "trimtab.cli.tune",
        "Tune an application: agent and optimizer in one process.",
    ),
    "inspect": ("trimtab.cli.inspect", "Build a stack, run its script, and report what came of it."),
    "inspections": (
        "trimtab.cli.inspections",
        "List, show, compare, export and repeat inspections.",
    ),
    "store": ("trimtab.cli.store", "Check the documents that are kept."),
    "catalog": ("trimtab.cli.catalog", "Write the catalog's rows anew, from the documents."),
    "parse-log": (
        "trimtab.cli.parse_log",
        "Say what a build's log tells, and why it failed.",
    ),
    "builds": ("trimtab.cli.builds", "List, show, cancel and delete builds and their analyses."),
    "ask": ("trimtab.cli.ask", "Ask what all builds taught, and how sure that is."),
    "diff": ("trimtab.cli.diff", "Show what changed from one image to another."),
    "packages": (
        "trimtab.cli.packages",
        "Show what is in a container image.",
    ),
    "stacks": ("trimtab.cli.stacks", "Make other valid stacks for the same requirements, and count them."),
    "campaigns": (
        "trimtab.cli.campaigns",
        "Inspect many stacks under one question: which versions break, which are best.",
    ),
    "advise": (
        "trimtab.cli.advise",
        "Say which versions to lock, and why, from what is remembered; nothing is run.",
    ),
    "monkey": (
        "trimtab.cli.monkey",
        "Make many valid stacks for the same requirements, and have each inspected.",
    ),
    "serve": ("trimtab.cli.serve", "Serve inspections and the optimizer over HTTP."),
    "sessions": ("trimtab.cli.sessions", "List, show, create, export and delete sessions."),
    "token": ("trimtab.cli.token", "Make a token for a server, and what to keep of it."),
}

EXAMPLES = """\
\b
Examples:
  trimtab tune servo.yaml --objective 'maximize throughput' --slo 'latency_p99 <= 200ms' --trials 30
  trimtab inspect examples/inspection/SPEC.json --engine process
  trimtab packages registry.example/team/app:1.2
  trimtab campaigns run requirements.txt --context context.json --plan breakers
  trimtab parse-log build.log
  trimtab ask breakers
  trimtab serve --port 8080
  trimtab sessions list
"""


class LazyCommand(TyperCommand):
    """A command known by its name and summary until it is run."""

    def __init__(self, name: str, module: str, summary: str) -> None:
        super().__init__(name, help=summary, rich_markup_mode=None)
        self.module = module

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Import the command, and let it read its arguments."""
        command: Any = get_command(import_module(self.module).app)
        command.name = self.name
        return command.make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """A group whose commands are imported when they are run."""

    def list_commands(self, _ctx: Any) -> list[str]:
        """Return the names, in the order of `COMMANDS`."""
        return list(COMMANDS)

    def get_command(self, _ctx: Any, cmd_name: str) -> LazyCommand | None:
        """Return the command of this name, not yet imported."""
        return LazyCommand(cmd_name, *COMMANDS[cmd_name]) if cmd_name in COMMANDS else None


app = typer.Typer(
    name="trimtab",
    cls=LazyGroup,
    help="Tunes running applications, inspects stacks, and takes builds apart: with evidence, and how sure it is.",
    epilog=EXAMPLES,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _print_version(asked: bool) -> None:  # noqa: FBT001 # the value of an option, as Typer hands it over
    if asked:
        from importlib.metadata import version

        typer.echo(f"trimtab {version('trimtab')}")
        raise typer.Exit


@app.callback()
def options(
    *,
    _version: Annotated[
        bool,
        typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and exit."),
    ] = False,
) -> None:
    """Tunes running applications, inspects stacks, and takes builds apart: with evidence, and how sure it is."""


def main() -> None:
    """Run `trimtab`."""
    # Before NumPy is imported: its matrices are small here, and its threads would compete with what is measured.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    app()
