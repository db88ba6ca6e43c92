"""The questions that observations answer, as values of JSON: the same for the command line and the API.

from trimtab.builds import ask
answer = ask(database, "first-bad-version", package="numpy")
"""

from collections.abc import Callable, Mapping
from dataclasses import asdict
from typing import Any, TypeAlias

import sqlalchemy as sa

from trimtab.catalog import Database
from trimtab.catalog import observations as catalog
from trimtab.catalog.errors import CatalogError
from trimtab.catalog.observations.versions import split_requirement

__all__ = ["QUESTIONS", "QuestionError", "UnknownError", "answer_to", "ask", "bounds"]

LIMIT, FARTHEST = 100, 1 << 40
OBSERVATIONS = 100_000  # of one document
Answer: TypeAlias = dict[str, Any]


class QuestionError(CatalogError):
    """A question cannot be understood; the message says what to write."""


class UnknownError(LookupError):
    """Nothing is known of what is asked about; the message is for people."""


def ask(database: Database, question: str, **parameters: Any) -> Answer:
    """The answer to a question.

    Args:
        database: The catalog.
        question: One of `QUESTIONS`.
        parameters: Of the question; docs/observations.md lists them. None is as if it were not given.

    Raises:
        QuestionError: It cannot be understood.
        UnknownError: Nothing is known of what is asked about.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    with database.read() as connection:
        return answer_to(connection, question, parameters)


def answer_to(connection: sa.Connection, question: str, parameters: Mapping[str, Any]) -> Answer:
    """The same, within a transaction."""
    if question not in QUESTIONS:
        raise QuestionError(f"there is no question {question[:80]!r}; there are {', '.join(QUESTIONS)}")
    given = {name: value for name, value in parameters.items() if value is not None}
    try:
        return QUESTIONS[question](connection, **given)
    except catalog.SpecifierError as error:
        raise QuestionError(str(error)) from error


def bounds(page: int = 1, limit: int = 25) -> dict[str, int]:
    """Offset and limit of a page; the first page is 1, and at most 100 are on it."""
    size = min(max(limit, 1), LIMIT)
    return {"offset": (min(max(page, 1), FARTHEST) - 1) * size, "limit": size}


def _only_in_failures(
    connection: sa.Connection,
    *,
    base: str | None = None,
    kind: str | None = None,
    page: int = 1,
    limit: int = 25,
) -> Answer:
    return asdict(catalog.only_in_failures(connection, base=base, kind=kind, **bounds(page, limit)))


def _first_bad_version(
    connection: sa.Connection, *, package: str, kind: str = "pypi", base: str | None = None
) -> Answer:
    return asdict(catalog.first_bad_version(connection, package, kind=kind, base=base))


def _drift(connection: sa.Connection, *, before: str, after: str) -> Answer:
    try:
        return asdict(catalog.drift(connection, before, after))
    except LookupError as error:
        raise UnknownError(f"no analysis of the image {str(error.args[0])[:200]!r} is known") from None


def _images(connection: sa.Connection, *, page: int = 1, limit: int = 25, **wanted: Any) -> Answer:
    return asdict(catalog.images_holding(connection, catalog.ImagesWanted(**wanted), **bounds(page, limit)))


def _failure_rates(
    connection: sa.Connection, *, by: Any = "reference", kind: Any = "any", base: str | None = None, page: int = 1, limit: int = 25
) -> Answer:  # fmt: skip
    return asdict(catalog.failure_rates(connection, by=by, kind=kind, base=base, **bounds(page, limit)))


def _breakers(
    connection: sa.Connection, *, by: Any = "package", kind: str | None = None, base: str | None = None, page: int = 1, limit: int = 25
) -> Answer:  # fmt: skip
    return asdict(
        catalog.most_frequent_breakers(connection, by=by, kind=kind, base=base, **bounds(page, limit))
    )


def _neighbours(
    connection: sa.Connection,
    *,
    build: str | None = None,
    package: Any = (),
    base: str | None = None,
    limit: int = 10,
) -> Answer:
    if (build is None) == (not package):
        raise QuestionError("name a build, or the packages of a stack as name==version")
    size = bounds(1, limit)["limit"]
    if build is None:
        return asdict(catalog.known_good_neighbours(connection, _stack(package), base=base, limit=size))
    try:
        return asdict(catalog.neighbours_of_build(connection, build, base=base, limit=size))
    except catalog.UnknownBuildError:
        raise UnknownError(f"nothing is known of the build {build[:200]!r}") from None


def _stack(packages: Any) -> dict[str, str]:
    found = {}
    for each in packages:
        name, specifier = split_requirement(each)
        if not specifier.startswith("==") or "," in specifier:
            raise QuestionError(f"{each[:80]!r} pins no version; write it as name==version")
        found[name] = specifier.lstrip("= ")
    return found


def _rules(
    connection: sa.Connection,
    *,
    base: str | None = None,
    package: str | None = None,
    any_base: bool = False,
    least: int = 3,
    unsure: bool = False,
    page: int = 1,
    limit: int = LIMIT,
) -> Answer:
    found = catalog.candidate_rules(
        connection,
        base=base,
        name=package,
        any_base=any_base,
        least=max(least, 1),
        unsure=unsure,
        **bounds(page, limit),
    )
    return catalog.rules_document(found.items) | {"looked_at": found.total}


def _observations(connection: sa.Connection, *, document: str, relation: Any = None) -> Answer:
    found = []
    for each in catalog.observed(connection, document_id=document, relations=relation or None):
        found.append(asdict(each))
        if len(found) > OBSERVATIONS:
            raise QuestionError(f"{document[:80]!r} tells more than {OBSERVATIONS} things; name a relation")
    if not found and not catalog.is_known(connection, document):
        raise UnknownError(f"nothing is known of the document {document[:200]!r}")
    return {"items": found, "total": len(found)}


QUESTIONS: Mapping[str, Callable[..., Answer]] = {
    "only-in-failures": _only_in_failures,
    "first-bad-version": _first_bad_version,
    "drift": _drift,
    "images": _images,
    "failure-rates": _failure_rates,
    "breakers": _breakers,
    "neighbours": _neighbours,
    "rules": _rules,
    "observations": _observations,
}
