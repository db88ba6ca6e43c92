"""Commands and groups as Typer builds them: our context, sections in the help, failures without tracebacks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import typer
from typer.core import TyperCommand, TyperGroup

from servo.cli.context import Context
from servo.cli.sections import Section


class Command(TyperCommand):
    """A command that is given a :class:`~servo.cli.Context`."""

    context_class = Context

    def invoke(self, ctx: Any) -> Any:
        """Run the command, once the log is set up and, within a connector's group, its connector is found."""
        ctx.state.configure_logging()
        _ = ctx.connector
        return super().invoke(ctx)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the arguments, then the options."""
        write_parameters(self.get_params(ctx), ctx, formatter)

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the examples, line by line as they are."""
        write_examples(self.epilog, formatter)


class Group(TyperGroup):
    """A group whose commands are listed under their sections, in the order they were added."""

    context_class = Context

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Print the help if there are no arguments; that is no error."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def format_options(self, ctx: Any, formatter: Any) -> None:
        """Write the options, then the commands by section."""
        write_parameters(self.get_params(ctx), ctx, formatter)
        self.format_commands(ctx, formatter)

    def format_commands(self, ctx: Any, formatter: Any) -> None:
        """Write the commands by section."""
        for section, commands in self.sections(ctx):
            limit = formatter.width - 6 - max(len(name) for name, _ in commands)
            with formatter.section(section):
                formatter.write_dl(
                    [(name, command.get_short_help_str(limit).rstrip(".")) for name, command in commands]
                )

    def format_epilog(self, ctx: Any, formatter: Any) -> None:  # noqa: ARG002 - Typer's signature
        """Write the examples, line by line as they are."""
        write_examples(self.epilog, formatter)

    def sections(self, ctx: Any) -> list[tuple[str, list[tuple[str, Any]]]]:
        """Return headings with their visible commands."""
        found: dict[str, list[tuple[str, Any]]] = {}
        for name in self.list_commands(ctx):
            command = self.get_command(ctx, name)
            if command is not None and not command.hidden:
                found.setdefault(_section(command), []).append((name, command))
        order = [*Section, *(name for name in found if name not in set(Section))]
        return [(name, found[name]) for name in order if name in found]


OrderedGroup = Group
"""The original's name for a group that keeps the order of its commands."""


def write_parameters(parameters: Iterable[Any], ctx: Any, formatter: Any) -> None:
    """Write what the help says of arguments and options; of an argument only what it is for, not its Python type."""
    found: dict[str, list[tuple[str, str]]] = {"Arguments": [], "Options": []}
    for parameter in parameters:
        record = parameter.get_help_record(ctx)
        if record is not None and parameter.param_type_name == "argument":
            found["Arguments"].append((record[0].split(" <", 1)[0], record[1]))
        elif record is not None:
            found["Options"].append(record)
    for title, rows in found.items():
        if rows:
            with formatter.section(title):
                formatter.write_dl(rows)


def write_examples(epilog: str | None, formatter: Any) -> None:
    """Write the lines of ``epilog`` under a heading."""
    if epilog:
        with formatter.section("Examples"):
            for line in epilog.strip().splitlines():
                formatter.write(f"{'':>{formatter.current_indent}}{line.strip()}\n")


def _section(command: Any) -> str:
    return str(getattr(command, "rich_help_panel", None) or Section.commands)


class CLI(typer.Typer):
    """A Typer application whose commands are :class:`Command` and whose help is plain.

    Args:
        section: the heading under which its own group is listed in the help of the application above it.
        options: whatever else Typer takes.
    """

    def __init__(self, *, section: Section = Section.commands, **options: Any) -> None:
        self.section = section
        options.setdefault("cls", Group)
        options.setdefault("add_completion", False)
        options.setdefault("no_args_is_help", True)
        super().__init__(
            **options, rich_markup_mode=None, rich_help_panel=str(section), pretty_exceptions_enable=False
        )

    def command(  # type: ignore[override] # Typer spells out the same options one by one
        self,
        name: str | None = None,
        *,
        section: Section | None = None,
        examples: Iterable[str] = (),
        **options: Any,
    ) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
        """Add the decorated function as a command.

        Args:
            name: by default the function's, with dashes.
            section: the heading it stands under in the help.
            examples: command lines that the help ends with.
            options: whatever else Typer takes.
        """
        options.setdefault("cls", Command)
        if examples := list(examples):
            options.setdefault("epilog", "\n".join(examples))
        return super().command(name, rich_help_panel=str(section or Section.commands), **options)
