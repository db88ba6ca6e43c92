"""Which inspections a command is about: options, and the ids that they choose."""

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from trimtab.cli.place import USAGE, fail

if TYPE_CHECKING:
    from trimtab.catalog import Wanted
    from trimtab.workflows import Place

__all__ = ["Base", "Hardware", "Package", "State", "Words", "wanted_ids"]

PAGE = 1000

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


def wanted_ids(
    place: "Place",
    ids: Sequence[str] | None,
    state: str | None = None,
    words: str | None = None,
    base: str | None = None,
    package: str | None = None,
    hardware: str | None = None,
) -> Iterator[str]:
    """The ids that were given; else those of all inspections that are over and as is wanted, in their order."""
    from trimtab.catalog import TERMINAL, InspectionState, Wanted
    from trimtab.store.keys import is_name

    filters = {"state": state, "words": words, "base": base, "package": package, "hardware": hardware}
    named = next((f"--{name}" for name, value in filters.items() if value is not None), None)
    if ids and named:
        fail(f"{named} chooses among all inspections; give it, or ids", USAGE)
    for each in ids or ():
        if not is_name(each):
            fail(f"{each[:80]!r} is no id of an inspection", USAGE)
    if state is not None and state not in set(InspectionState):
        fail(f"--state: there is no {state!r}; name one of {', '.join(InspectionState)}", USAGE)
    if ids:
        return iter(dict.fromkeys(ids))
    states = sorted(TERMINAL) if state is None else [state]
    return (each for one in states for each in _all(place, Wanted(words, base, one, package, hardware)))


def _all(place: "Place", wanted: "Wanted") -> Iterator[str]:
    after = None
    while page := _page(place, wanted, after):
        yield from page
        after = (0.0, page[-1])


def _page(place: "Place", wanted: "Wanted", after: tuple[float, str] | None) -> list[str]:
    from trimtab.catalog import inspections

    with place.database.read() as connection:
        return inspections.ids(connection, wanted, after=after, limit=PAGE)
