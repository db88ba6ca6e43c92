"""What all commands have in common, as Typer is told it."""

import typer

__all__ = ["application"]


def application(help: str | None = None) -> typer.Typer:  # noqa: A002 - the word of Typer
    """The application of one command, or of a group of them: plain text, and no options of Typer's own.

    Args:
        help: Of a group, which prints it when no command is named; a single command has that of its function.
    """
    return typer.Typer(
        help=help,
        no_args_is_help=help is not None,
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
