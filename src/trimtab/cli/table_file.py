"""Rows as a file: what every command that exports a table has."""

import sys
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.place import USAGE, fail

if TYPE_CHECKING:
    from trimtab.frames import Spool

__all__ = ["File", "Form", "Format", "form_of", "write_file"]


class Form(StrEnum):
    """What kind of file."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


Format = Annotated[
    Form | None, typer.Option("--format", help="Kind of the file; by default as its name ends.")
]
File = Annotated[Path | None, typer.Option("--file", help="Write there; by default to standard output.")]


def form_of(form: Form | None, file: Path | None) -> Form:
    """The kind that is asked for, or that the file's name ends with; else the command ends."""
    if form is not None:
        return form
    name = file.suffix.removeprefix(".").lower() if file else ""
    if name not in set(Form):
        fail(f"--format: name one of {', '.join(Form)}, or a --file that ends so", USAGE)
    return Form(name)


def write_file(spool: "Spool", file: Path | None, form: Form) -> None:
    """Write the rows; if that fails, there is no half of a file, and the command ends."""
    from trimtab.frames import write
    from trimtab.pages.files import replacing

    if file is None:
        if form is Form.parquet and sys.stdout.isatty():
            fail("--file: a Parquet file is nothing for a terminal; name a file", USAGE)
        write(spool, typer.get_binary_stream("stdout"), form.value)
        return
    try:
        with replacing(file) as draft, draft.open("wb") as opened_:
            write(spool, opened_, form.value)
    except OSError as error:
        fail(f"{file} cannot be written: {error.strerror or error}")
