"""Which inspections are wanted, and how a database is asked for them.

What is rare is looked up and then sorted; what is common is met on a walk along the inspections in their order, which
stops when a page is full. Neither database knows reliably which is which, so up to a bound it is counted first.
"""

from collections.abc import Iterator, Sequence
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
RARE = 2000  # rows of an index that are looked up one by one
COMMON = 40_000  # and so many that are compared


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
    yield from _with_words(connection, sorted(words_of(wanted.words or ""))[:WORDS])
    if wanted.package is not None:
        yield inspections.c.stack_id.in_(_with_package(wanted.package))
    if wanted.hardware is not None:
        yield _on_hardware(connection, wanted.hardware)


def _with_words(connection: sa.Connection, words: Sequence[str]) -> Iterator[sa.ColumnElement[bool]]:
    """Those of a rare word are looked up, and are asked for the others; of common words, what two of them share."""
    counts = _counts(connection, words, RARE)
    few = [word for word, count in counts.items() if count <= RARE][:1]
    if not few and len(words) > 1:
        counts = _counts(connection, words, COMMON)
        few = [word for word, count in counts.items() if count <= COMMON]
        few = few if len(few) > 1 else []
    others = [word for word in words if word not in few]
    if len(few) == 1:
        asked = (_has(word, inspection_words.c.inspection_id) for word in others)
        yield inspections.c.id.in_(_with_word(few[0]).where(*asked))
        return
    if few:
        yield inspections.c.id.in_(sa.intersect(*map(_with_word, few)))
    for word in others:
        yield _has(word, inspections.c.id)


def _counts(connection: sa.Connection, words: Sequence[str], bound: int) -> dict[str, int]:
    """How many inspections have each word, counted no further than one more than the bound; the fewest first."""
    if not words:
        return {}
    bounded = (_with_word(word).limit(bound + 1).subquery() for word in words)
    counts = [sa.select(sa.func.count()).select_from(each).scalar_subquery() for each in bounded]
    found = zip(words, connection.execute(sa.select(*counts)).one(), strict=True)
    return dict(sorted(found, key=lambda each: each[1]))


def _has(word: str, inspection: sa.ColumnElement[str]) -> sa.ColumnElement[bool]:
    # Not by EXISTS, which PostgreSQL takes for a join, and then reads all of a common word.
    other = inspection_words.alias()
    query = sa.select(other.c.word).where(other.c.inspection_id == inspection, *_begins(other.c.word, word))
    return query.limit(1).correlate(inspection.table).scalar_subquery().is_not(None)


def _with_word(word: str) -> sa.Select[tuple[str]]:
    return sa.select(inspection_words.c.inspection_id).where(*_begins(inspection_words.c.word, word))


def _begins(column: sa.ColumnElement[str], word: str) -> tuple[sa.ColumnElement[bool], ...]:
    # A range, which is a walk along the index; LIKE is one only under settings of the database that we do not choose.
    return column >= word, column < word + chr(ord("z") + 1)


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
    if not digests:
        return sa.false()
    ran = sa.select(runs.c.inspection_id).where(runs.c.hardware_digest.in_(digests))
    if _is_rare(connection, ran):
        return inspections.c.id.in_(ran)
    return sa.exists().where(runs.c.inspection_id == inspections.c.id, runs.c.hardware_digest.in_(digests))


def _is_rare(connection: sa.Connection, found: sa.Select[tuple[str]]) -> bool:
    bounded = found.limit(RARE + 1).subquery()
    return int(connection.execute(sa.select(sa.func.count()).select_from(bounded)).scalar_one()) <= RARE
