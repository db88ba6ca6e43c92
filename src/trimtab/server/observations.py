"""What is remembered of builds: the questions, under `/api/v1/ask`; and the original's list of container images.

Observations belong to nobody: whoever may read is told what all builds taught. Where a document came from is not told.
"""

from dataclasses import asdict
from typing import Annotated, Any, Generic, Literal, TypeVar

from fastapi import APIRouter, Query, Response
from pydantic import AfterValidator, BaseModel, Field
from starlette.exceptions import HTTPException

from trimtab.builds.questions import Answer, QuestionError, UnknownError, ask
from trimtab.catalog import Database
from trimtab.catalog.observations import (
    BaseRate,
    Breaker,
    Drift,
    FirstBad,
    HeldImage,
    Neighbours,
    Observation,
    OnlyInFailures,
    SpecifierError,
    observed_after,
)
from trimtab.catalog.observations.listing import RELATIONS
from trimtab.catalog.observations.versions import check_specifier, split_requirement
from trimtab.catalog.values import storable
from trimtab.server.answer import answer
from trimtab.server.caller import Scope, needs
from trimtab.server.container_images import add_container_images
from trimtab.server.errors import Problem

__all__ = ["create_router"]

T = TypeVar("T")
READ = needs(Scope.READ)
MISSING: dict[int | str, dict[str, Any]] = {404: {"model": Problem, "description": "Nothing is known of it"}}


def _readable(text: str) -> str:
    """A package that can be asked for."""
    try:
        check_specifier(split_requirement(text)[1])
    except SpecifierError as error:
        raise ValueError(str(error)) from error
    return text


Pinned = Annotated[str, Field(max_length=500, description="`name==version`")]
Name = Annotated[str, Query(min_length=1, max_length=500)]
Base = Annotated[
    str | None, Query(max_length=500, description="On this base image, as it is called, with its tag")
]
System = Annotated[
    str | None, Query(max_length=16, description="Packages of this system: `pypi`, `deb`, `rpm`, …")
]
Number = Annotated[int, Query(ge=1, le=1 << 40, description="From 1")]
Limit = Annotated[int, Query(ge=1, le=100, description="Of one page")]
Text = Annotated[str | None, Query(max_length=500)]
Readable = Annotated[
    str, Field(max_length=500, description="`numpy`, or `numpy>=1.20,<2`"), AfterValidator(_readable)
]
Relations = Annotated[list[Literal[RELATIONS]] | None, Query()]  # type: ignore[valid-type] # they are literals
Kind = Annotated[str, Field(max_length=32)]
Filter = Annotated[str | None, Field(max_length=500)]


class ImageFilters(BaseModel):
    """Which images are asked for; what is not given says nothing."""

    package: Readable | None = None
    kind: Annotated[str | None, Field(max_length=16, description="The package's system")] = None
    library: Filter = None
    symbol: Filter = None
    os_name: Filter = None
    os_version: Filter = None
    python_version: Filter = None
    cuda_version: Filter = None
    image: Filter = None
    base: Filter = None
    page: Annotated[int, Field(ge=1, le=1 << 40, description="From 1")] = 1
    limit: Annotated[int, Field(ge=1, le=100, description="Of one page")] = 25


class Listed(BaseModel, Generic[T]):
    """A page of an answer, how much there is in all, and what was asked."""

    items: list[T]
    total: int
    parameters: dict[str, Any]


class Observations(BaseModel):
    """A page of observations; `next` is after which document the next one begins, if there is one."""

    items: list[Observation]
    next: str | None
    parameters: dict[str, Any]


class FirstBadAnswer(BaseModel):
    """What was asked, and the answer."""

    answer: FirstBad
    parameters: dict[str, Any]


class DriftAnswer(BaseModel):
    """What was asked, and the answer."""

    answer: Drift
    parameters: dict[str, Any]


class NeighboursAnswer(BaseModel):
    """What was asked, and the answer."""

    answer: Neighbours
    parameters: dict[str, Any]


class Rules(BaseModel):
    """Candidate rules, in the shape that docs/observations.md describes; and how many packages there are to look at."""

    schema_: str
    rules: list[dict[str, Any]]
    looked_at: int
    parameters: dict[str, Any]

    model_config = {"alias_generator": lambda name: name.rstrip("_")}


def create_router(database: Database) -> APIRouter:
    """The routes.

    Args:
        database: The catalog.
    """
    router = APIRouter(prefix="/api/v1", tags=["observations"], dependencies=[READ])
    _add_failures(router, database)
    _add_versions(router, database)
    _add_images(router, database)
    _add_documents(router, database)
    add_container_images(router, database)
    return router


def _told(database: Database, question: str, **parameters: Any) -> Answer:
    try:
        return ask(database, question, **parameters)
    except QuestionError as error:
        raise HTTPException(400, str(error)) from None
    except UnknownError as error:
        raise HTTPException(404, str(error)) from None


def _listed(database: Database, question: str, **parameters: Any) -> Response:
    return answer({**_told(database, question, **parameters), "parameters": parameters})


def _single(database: Database, question: str, **parameters: Any) -> Response:
    return answer({"answer": _told(database, question, **parameters), "parameters": parameters})


def _add_failures(router: APIRouter, database: Database) -> None:
    @router.get("/ask/only-in-failures", response_model=Listed[OnlyInFailures])
    def ask_only_in_failures(
        base: Base = None, kind: System = None, page: Number = 1, limit: Limit = 25
    ) -> Response:
        """List package versions that appear in failed builds and in none that succeeded."""
        return _listed(database, "only-in-failures", base=base, kind=kind, page=page, limit=limit)

    @router.get("/ask/failure-rates", response_model=Listed[BaseRate])
    def ask_failure_rates(
        by: Literal["reference", "repository"] = "reference",
        kind: Literal[
            "any", "stack", "index", "network", "infrastructure", "resource", "unexplained"
        ] = "any",
        base: Base = None,
        page: Number = 1,
        limit: Limit = 25,
    ) -> Response:
        """Tell how often builds fail, by base image."""
        return _listed(database, "failure-rates", by=by, kind=kind, base=base, page=page, limit=limit)

    @router.get("/ask/breakers", response_model=Listed[Breaker])
    def ask_breakers(
        by: Literal["package", "version", "class"] = "package",
        kind: Annotated[
            str | None, Query(max_length=16, description="Failures of this kind: `stack`, …")
        ] = None,
        base: Base = None,
        page: Number = 1,
        limit: Limit = 25,
    ) -> Response:
        """List what builds fail at most often."""
        return _listed(database, "breakers", by=by, kind=kind, base=base, page=page, limit=limit)


def _add_versions(router: APIRouter, database: Database) -> None:
    @router.get("/ask/first-bad-version", response_model=FirstBadAnswer)
    def ask_first_bad_version(
        package: Name, kind: Annotated[str, Query(max_length=16)] = "pypi", base: Base = None
    ) -> Response:
        """Tell from which version on a package breaks builds, and what became of each version."""
        return _single(database, "first-bad-version", package=package, kind=kind, base=base)

    @router.get("/ask/neighbours", response_model=NeighboursAnswer, responses=MISSING)
    def ask_neighbours(
        build: Text = None,
        package: Annotated[
            list[Pinned] | None,
            Query(max_length=1000, description="Instead of a build: a package of the stack"),
        ] = None,
        base: Base = None,
        limit: Limit = 10,
    ) -> Response:
        """List stacks that are like that of a build, or like one that is given package by package, and built."""
        asked = {"build": build, "package": package, "base": base, "limit": limit}
        return _single(database, "neighbours", **asked)

    @router.get("/ask/rules", response_model=Rules)
    def ask_rules(
        base: Base = None,
        package: Text = None,
        any_base: Annotated[bool, Query(description="Whatever the base image is")] = False,  # noqa: FBT002 # of a query
        least: Annotated[
            int, Query(ge=1, le=1 << 30, description="Builds that a package must have broken")
        ] = 3,
        unsure: Annotated[bool, Query(description="Also where there are not enough builds to say")] = False,  # noqa: FBT002  # a query parameter, which is given by its name
        page: Number = 1,
        limit: Limit = 100,
    ) -> Response:
        """List candidate rules for a resolver, with their evidence."""
        given = {"base": base, "package": package, "any_base": any_base, "least": least, "unsure": unsure}
        return _listed(database, "rules", **given, page=page, limit=limit)


def _add_images(router: APIRouter, database: Database) -> None:
    @router.get("/ask/images", response_model=Listed[HeldImage])
    def ask_images(asked: Annotated[ImageFilters, Query()]) -> Response:
        """List images that hold a package, a library or a symbol version; the last analysed first."""
        return _listed(database, "images", **asked.model_dump())

    @router.get("/ask/drift", response_model=DriftAnswer, responses=MISSING)
    def ask_drift(before: Name, after: Name) -> Response:
        """Tell what changed from one image to another: each by its digest, what it is called, or the id of an analysis."""
        return _single(database, "drift", before=before, after=after)


def _add_documents(router: APIRouter, database: Database) -> None:
    @router.get("/ask/observations", response_model=Listed[Observation], responses=MISSING)
    def ask_observations(
        document: Name,
        relation: Relations = None,
    ) -> Response:
        """List all that a document tells, with how we know it."""
        return _listed(database, "observations", document=document, relation=relation)

    @router.get("/observations", response_model=Observations)
    def get_observations(
        after: Annotated[
            str, Query(max_length=200, description="After this document: `next` of the page before")
        ] = "",
        relation: Relations = None,
        kind: Annotated[
            list[Kind] | None, Query(max_length=100, description="Of objects of these kinds alone")
        ] = None,
    ) -> Response:
        """List all observations, page by page; by default all but `provides`, of which there are thousands an image."""
        asked = {"after": after, "relation": relation, "kind": kind}
        if not storable(after):
            return answer({"items": [], "next": None, "parameters": asked})
        with database.read() as connection:
            found, last = observed_after(connection, after, relations=relation, kinds=kind)
        return answer({"items": [asdict(each) for each in found], "next": last, "parameters": asked})
