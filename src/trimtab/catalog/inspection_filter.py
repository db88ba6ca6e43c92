"""Which inspections are wanted, and how a database is asked for them."""

from collections.abc import Iterator
from dataclasses import astuple, dataclass

import sqlalchemy as sa

from trimtab.catalog.inspection_rows import words_of
from trimtab.catalog.inspection_schema import (
    hardware,
    inspection_words,
    inspections,
    packages,
    runs,
    stack_packages,
)
from trimtab.catalog.stacks import normalise
from trimtab.catalog.values import storable

__all__ = ["EVERYTHING", "Wanted", "clauses"]

WORDS = 10
KINDS = 1000  # of machines that one name is taken for
DIGEST = 8  # hexadecimal digits that are taken for the beginning of one


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which inspections; what is None says nothing.

    Args:
        words: Each of them, however they are joined, begins a word of the id or the identifier.
        base: The base image, as it was written.
        state: In which state.
        package: A package of the stack: `numpy`, or `numpy==1.26.4`.
        hardware: A run was on such a machine: a part of the processor's brand, or the beginning of the digest.
        owner: Whose.
    """

    words: str | None = None
    base: str | None = None
    state: str | None = None
    package: str | None = None
    hardware: str | None = None
    owner: str | None = None


EVERYTHING = Wanted()


def clauses(connection: sa.Connection, wanted: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    """The conditions of a query over inspections.

    Args:
        connection: To ask which kinds of machines there are.
        wanted: Which inspections.
    """
    if not all(storable(each) for each in astuple(wanted) if each is not None):
        yield sa.false()
        return
    for column, value in (
        (inspections.c.base, wanted.base),
        (inspections.c.state, wanted.state),
        (inspections.c.owner, wanted.owner),
    ):
        if value is not None:
            yield column == value
    for word in sorted(words_of(wanted.words or ""))[:WORDS]:
        yield inspections.c.id.in_(_with_word(word))
    if wanted.package is not None:
        yield inspections.c.stack_id.in_(_with_package(wanted.package))
    if wanted.hardware is not None:
        yield _on_hardware(connection, wanted.hardware)


def _with_word(word: str) -> sa.Select[tuple[str]]:
    # A range, which is a walk along the index; LIKE is one only under settings of the database that we do not choose.
    column = inspection_words.c.word
    return sa.select(inspection_words.c.inspection_id).where(
        column >= word, column < word + chr(ord("z") + 1)
    )


def _with_package(package: str) -> sa.Select[tuple[int]]:
    name, _, version = package.partition("==")
    query = (
        sa.select(stack_packages.c.stack_id)
        .join(packages, packages.c.id == stack_packages.c.package_id)
        .where(packages.c.name == normalise(name.strip()))
    )
    return query.where(packages.c.version == version.strip()) if version else query


def _on_hardware(connection: sa.Connection, named: str) -> sa.ColumnElement[bool]:
    here = hardware.c.brand.icontains(named, autoescape=True)
    if len(named) >= DIGEST:
        here |= hardware.c.digest.startswith(named, autoescape=True)
    # Asked for first: a database that does not know how many these are cannot know where to begin.
    digests = list(connection.execute(sa.select(hardware.c.digest).where(here).limit(KINDS)).scalars())
    # Machines are of few kinds, and of each there are many runs: to look at the inspections in their order and stop when
    # a page is full costs less than a list of all that ran there. Words and packages are the other way round.
    ran = sa.exists().where(runs.c.inspection_id == inspections.c.id, runs.c.hardware_digest.in_(digests))
    return ran if digests else sa.false()
