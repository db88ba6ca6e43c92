"""Which inspections a command is about: options, and the ids that they choose."""

from collections.abc import Sequence
from typing import Annotated

import typer

from trimtab.cli.place import USAGE, fail

__all__ = ["Base", "Hardware", "Package", "State", "Words", "checked"]

State = Annotated[str | None, typer.Option(help="In this state only.")]
Words = Annotated[str | None, typer.Option(help="With these words in the id or identifier.")]
Base = Annotated[str | None, typer.Option(help="On this base image, as it was written.")]
Package = Annotated[str | None, typer.Option(help="With this package in the stack: numpy, numpy==1.26.4.")]
Hardware = Annotated[
    str | None,
    typer.Option(
        help="With a run on such a machine: a part of the processor's name, or the digest's beginning."
    ),
]


def checked(ids: Sequence[str], filters: dict[str, str | None]) -> None:
    """End the command if ids or filters make no sense, or both are given."""
    from trimtab.catalog import InspectionState
    from trimtab.store.keys import is_name

    named = next((f"--{name}" for name, value in filters.items() if value is not None), None)
    if ids and named:
        fail(f"{named} chooses among all inspections; give it, or ids", USAGE)
    for each in ids:
        if not is_name(each):
            fail(f"{each[:80]!r} is no id of an inspection", USAGE)
    state = filters.get("state")
    if state is not None and state not in set(InspectionState):
        fail(f"--state: there is no {state!r}; name one of {', '.join(InspectionState)}", USAGE)
