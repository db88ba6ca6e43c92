"""Which images are derived from which others: the first layers of one are all the layers of the other.

Nobody says so: it is inferred. Each layer of an image is a fact, with its place as the value, and all of them are one set. So of what
an image is derived is known by the digests of the sets of its first layers, however many images there are.
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.observation_schema import (
    fact_sets,
    facts,
    image_analyses,
    image_references,
    images,
    observations,
    set_facts,
)
from trimtab.catalog.observations.fact import OBSERVED, Fact, FactSet, fact, named

__all__ = ["bases_of", "derived_sources", "layer_facts"]

LAYER = "layer"
MOST_LAYERS = 500
AT_ONCE = 300  # digests of one query's list
MOST_ANALYSES = 20  # of what a base image was called: a tag moves


def layer_facts(layers: Any) -> Iterator[Fact | None]:
    """The layers of an image, each with its place from 1.

    Args:
        layers: Of the analysis: digests in hex, without prefix, the lowest first.
    """
    for place, each in enumerate(islice(layers, MOST_LAYERS) if isinstance(layers, list) else (), 1):
        yield fact(LAYER, each, str(place))


def bases_of(connection: sa.Connection, found: Iterable[int]) -> Iterator[tuple[int, str, str]]:
    """What images are derived from, of those that were analysed.

    Args:
        connection: For reading.
        found: Numbers of the sources of images.

    Yields:
        The number of a source; identity of a base image, and what that was analysed as, which may be empty.
    """
    wanted: dict[str, list[int]] = {}
    for number, layers in _layers(connection, found).items():
        for length in range(1, len(layers)):
            part = FactSet(LAYER, "contains", OBSERVED, frozenset(layers[:length]))
            wanted.setdefault(part.digest, []).append(number)
    digests = iter(sorted(wanted))
    while some := list(islice(digests, AT_ONCE)):
        query = (
            sa.select(fact_sets.c.digest, images.c.identity, image_references.c.reference)
            .join(observations, observations.c.set_id == fact_sets.c.id)
            .join(image_analyses, image_analyses.c.source_id == observations.c.source_id)
            .join(images, images.c.id == image_analyses.c.image_id)
            .outerjoin(image_references, image_references.c.id == image_analyses.c.reference_id)
            .where(fact_sets.c.digest.in_(some), image_analyses.c.newest)
        )
        for digest, identity, reference in connection.execute(query):
            for number in wanted[digest]:
                yield number, identity, reference or ""


def derived_sources(connection: sa.Connection, base: str) -> sa.Select[tuple[int]] | None:
    """The sources of images that are derived from what is called so.

    Args:
        connection: For reading.
        base: What an image was analysed as, with its tag.

    Returns:
        The query of their numbers; None if no image of that name is known.
    """
    analysed = (
        sa.select(image_analyses.c.source_id)
        .join(image_references, image_references.c.id == image_analyses.c.reference_id)
        .where(image_references.c.reference.in_({base, named(base)}), image_analyses.c.newest)
        .order_by(image_analyses.c.at.desc())
        .limit(MOST_ANALYSES)
    )
    sets = {
        (row.set_id, row.size): None
        for row in connection.execute(
            sa.select(observations.c.set_id, fact_sets.c.size)
            .join(fact_sets, fact_sets.c.id == observations.c.set_id)
            .where(observations.c.source_id.in_(analysed), fact_sets.c.kind == LAYER)
        )
    }
    if not sets:
        return None
    beginning = [_beginning(number, size) for number, size in sets]
    return sa.select(observations.c.source_id).where(observations.c.set_id.in_(sa.union_all(*beginning)))


def _beginning(number: int, size: int) -> sa.Select[tuple[int]]:
    """The sets that hold all layers of another, and more: as places are in them, those begin with it."""
    mine = sa.select(set_facts.c.fact_id).where(set_facts.c.set_id == number)
    whole = (
        sa.select(set_facts.c.set_id)
        .where(set_facts.c.fact_id.in_(mine), set_facts.c.subject == "image")
        .group_by(set_facts.c.set_id)
        .having(sa.func.count() == size)
    )
    return sa.select(fact_sets.c.id).where(
        fact_sets.c.id.in_(whole), fact_sets.c.kind == LAYER, fact_sets.c.size > size
    )


def _layers(connection: sa.Connection, found: Iterable[int]) -> dict[int, list[Fact]]:
    """The layers of images, the lowest first."""
    query = (
        sa.select(observations.c.source_id, facts.c.name, facts.c.value)
        .join(fact_sets, fact_sets.c.id == observations.c.set_id)
        .join(set_facts, set_facts.c.set_id == fact_sets.c.id)
        .join(facts, facts.c.id == set_facts.c.fact_id)
        .where(observations.c.source_id.in_(list(found)), fact_sets.c.kind == LAYER)
    )
    layers: dict[int, list[Fact]] = {}
    for number, name, value in connection.execute(query):
        layers.setdefault(number, []).append(Fact(LAYER, name, value))
    return {number: sorted(each, key=lambda layer: int(layer.value)) for number, each in layers.items()}
