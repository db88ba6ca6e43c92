"""The stacks that Dependency Monkey makes."""

import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import tomli_w

from trimtab.engines.index import Index
from trimtab.stacks.candidates import Candidates
from trimtab.stacks.errors import PlanError, RequirementsError
from trimtab.stacks.monkey.question import MonkeyQuestion
from trimtab.stacks.oracle import Oracle
from trimtab.stacks.pipfile import locked, pipfile_of, read_pipfile_document
from trimtab.stacks.plans import All, Random
from trimtab.stacks.project import Project
from trimtab.stacks.releases import Releases
from trimtab.stacks.sieves import PlatformSieve, Sieve, YankedSieve
from trimtab.stacks.sources import read_project
from trimtab.stacks.space import Space
from trimtab.stacks.stack import Stack
from trimtab.stacks.surveying import survey
from trimtab.stacks.target import Target

__all__ = ["Product", "products", "project_of"]


@dataclass(frozen=True)
class Product:
    """A stack as it is handed on.

    Attributes:
        number: From 1.
        stack: The stack.
        reason: What it is for.
        requirements: The Pipfile, as JSON.
        requirements_locked: The Pipfile.lock, as JSON.
    """

    number: int
    stack: Stack
    reason: str
    requirements: dict[str, Any]
    requirements_locked: dict[str, Any]

    @property
    def python(self) -> dict[str, Any]:
        """The `python` of a specification."""
        return {"requirements": self.requirements, "requirements_locked": self.requirements_locked}


def project_of(question: MonkeyQuestion, *, foreign: bool = True) -> tuple[Project, dict[str, Any] | None]:
    """What is wanted, and its Pipfile as JSON if it came as one.

    Args:
        question: What was asked.
        foreign: Whether the requirements may name indexes and URLs: not where strangers ask, for then this machine would
            fetch what they like.

    Raises:
        RequirementsError: The requirements cannot be read, or are not for this.
    """
    with tempfile.TemporaryDirectory(prefix="trimtab-monkey-") as folder:
        path = _written(question, Path(folder))
        try:
            project = replace(read_project(path), origin="the requirements")
        except RequirementsError as error:
            raise RequirementsError(str(error).replace(str(path), "the requirements")) from None
        pipfile = read_pipfile_document(path) if question.format == "pipenv" else None
    if not foreign and (project.indexes or any(each.url for each in project.requirements)):
        raise RequirementsError(
            "the requirements name an index or a URL, and here only the indexes are asked that this server is configured with; "
            "leave it out, or make the stacks yourself: trimtab monkey"
        )
    return project, pipfile


async def products(
    question: MonkeyQuestion,
    cache: Path,
    *,
    index: Index | None = None,
    parallel: int | None = None,
    foreign: bool = True,
) -> AsyncIterator[Product]:
    """Make stacks, one after the other; the same question and index give the same.

    Args:
        question: What is wanted.
        cache: Directory of uv's cache.
        index: Where packages come from; by default what this machine is configured to use.
        parallel: Processes of uv at once.
        foreign: Whether the requirements may name indexes and URLs.

    Raises:
        StacksError: The requirements cannot be read or satisfied, or an index does not answer.
    """
    project, pipfile = project_of(question, foreign=foreign)
    target = Target(question.python or project.python, question.platform)
    async with (
        Oracle(project, target, cache, index=index, parallel=parallel) as oracle,
        Releases(oracle.index) as releases,
    ):
        asked = pipfile or _pipfile(project, target, oracle)
        sieves: list[Sieve] = [PlatformSieve(target, releases), YankedSieve(releases)]
        found = await survey(
            oracle, releases, sieves, vary=question.vary, newest=question.limit_latest_versions
        )
        space = _without(found.space, question.held)
        plan = Random(space, question.seed) if question.at_random else All(space)
        candidates = Candidates(oracle, plan, sieves)
        number = 0
        while number < question.count and (candidate := await candidates.ask()):
            number += 1
            stack = candidate.stack
            yield Product(number, stack, candidate.reason, asked, locked(asked, stack))


def _written(question: MonkeyQuestion, folder: Path) -> Path:
    if question.format == "requirements":
        if not isinstance(question.requirements, str):
            raise RequirementsError("the requirements are no text; or is their format pipenv?")
        path = folder / "requirements.txt"
        path.write_text(question.requirements)
        return path
    path = folder / "Pipfile"
    if isinstance(question.requirements, str):
        path.write_text(question.requirements)
        return path
    try:
        path.write_text(tomli_w.dumps(_bare(question.requirements)))
    except (TypeError, ValueError, AttributeError) as error:
        raise RequirementsError(f"the requirements are no Pipfile: {error}") from None
    return path


def _bare(value: Any) -> Any:
    """TOML has no null: what is null is not there."""
    if isinstance(value, dict):
        return {key: _bare(each) for key, each in value.items() if each is not None}
    return [_bare(each) for each in value] if isinstance(value, list) else value


def _pipfile(project: Project, target: Target, oracle: Oracle) -> dict[str, Any]:
    python = f"{target.version.major}.{target.version.minor}"
    return pipfile_of(project, python, oracle.index.default or "")


def _without(space: Space, held: frozenset[str]) -> Space:
    """The space without packages that are held: they stay as they are as far as that is possible."""
    if not held:
        return space
    left = tuple(each for each in space.variables if each.name not in held)
    if not left:
        raise PlanError("the pipeline holds every package that varies; take a OneVersionStride away")
    pinned = {each.name: each.versions[0] for each in space.variables if each.name in held}
    return replace(space, variables=left, held={**pinned, **space.held})
