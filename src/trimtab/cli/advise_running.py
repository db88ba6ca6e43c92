"""What `trimtab advise` does."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from trimtab.catalog import CatalogError
from trimtab.cli.inspection_output import print_document, print_rows
from trimtab.cli.options import read_settings
from trimtab.cli.place import FAILURE, USAGE, fail
from trimtab.cli.session_options import Output
from trimtab.cli.stacks_options import Question
from trimtab.cli.stacks_output import check_directory
from trimtab.cli.stacks_search import Search, opened, run
from trimtab.pages import write_whole
from trimtab.settings import Settings
from trimtab.stacks.advice import Advice, Memory, advise, recall
from trimtab.stacks.errors import without_secrets
from trimtab.stacks.locking import LockFile, lock_like
from trimtab.store import StoreError

if TYPE_CHECKING:
    from trimtab.workflows import Place

__all__ = ["give_advice", "requirements_of"]

_FILES = (
    "uv.lock",
    "pyproject.toml",
    "Pipfile.lock",
    "Pipfile",
    "pylock.toml",
    "requirements.in",
    "requirements.txt",
)


def requirements_of(project: Path) -> Path:
    """The file of a project's requirements; of a directory the first that is there."""
    if not project.is_dir():
        return project
    found = next((each for name in _FILES if (each := project / name).is_file()), None)
    if found is None:
        fail(f"{project} has none of {', '.join(_FILES)}; name the file with the requirements", USAGE)
    return found


def give_advice(question: Question, directory: Path | None, output: Output) -> None:
    """Find it, print it, and write the lock if that is wanted."""
    check_directory(directory)

    async def work() -> None:
        async with opened(question) as search:
            first = await search.oracle.first()
            memory = _remembered(question, {*first.pins, *search.project.direct(search.target)})
            advice = await advise(search.oracle, search.releases, memory, search.sieves)
            lock = (
                None
                if directory is None
                else await lock_like(search.oracle, advice.stack, question.requirements)
            )
        path = None if lock is None or directory is None else _written(lock, directory)
        _print(search, question, advice, memory, path, output)

    run(work())


def _remembered(question: Question, names: set[str]) -> Memory:
    from trimtab.workflows import Place

    try:
        with Place.open(read_settings(Settings, {"home": question.home})) as place:
            return recall(place.database, names, base=question.base, line=lambda each: _line(place, each))
    except (StoreError, CatalogError) as error:
        fail(str(error), FAILURE)


def _line(place: "Place", inspection_id: str) -> str | None:
    """The last line that matters of what failed."""
    try:
        report = place.inspections[inspection_id].retrieve_report()
    except StoreError:
        return None
    failures = [report.get("failure"), *(each.get("failure") for each in report.get("runs") or ())]
    lines = next((each["lines"] for each in failures if each and each.get("lines")), None)
    return lines[-1].strip()[:400] if lines else None


def _written(lock: LockFile, directory: Path) -> Path:
    path = directory / lock.name
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_whole(path, lock.text)
    except OSError as error:
        fail(f"--directory: {directory}: {error.strerror}; name one that can be written")
    return path


def _print(
    search: Search, question: Question, advice: Advice, memory: Memory, path: Path | None, output: Output
) -> None:
    unknown = [*advice.unknown, *_not_looked_at(question)]
    if output is not Output.table:
        print_document(_document(search, question, advice, memory, unknown, path), output)
        return
    rows = [
        (each.name, each.version, each.newest if each.newest != each.version else "", each.passed, each.built)
        for each in advice.packages
    ]
    print_rows(("PACKAGE", "VERSION", "NEWEST", "INSPECTED", "BUILT"), rows)
    for title, lines in (
        ("Why not the newest", [f"{each.name} {why}" for each in advice.packages for why in each.reasons]),
        ("Known", advice.known),
        ("Not known", unknown),
    ):
        if lines:
            typer.echo(f"\n{title}:")
            for each in lines:
                typer.echo(
                    f"  {' '.join(without_secrets(each).split())}"
                )  # much of it is a stranger's: a log's, an index's
    if path is not None:
        typer.echo(f"\nLock: {path}")


def _not_looked_at(question: Question) -> list[str]:
    found = []
    if not question.osv:
        found.append("Whether a version has a known vulnerability: give the data by --osv.")
    if question.base is None:
        found.append("On which base image it will run: all are counted together; name it by --base.")
    return found


def _document(
    search: Search, question: Question, advice: Advice, memory: Memory, unknown: list[str], path: Path | None
) -> dict[str, Any]:
    return {
        "schema": "trimtab/advice/1",
        "requirements": {
            "file": str(question.requirements),
            "direct": list(map(str, search.project.requirements)),
        },
        "target": {
            "python": str(search.target.version),
            "platform": search.target.platform,
            "base": question.base,
        },
        "stack": advice.stack.digest,
        "packages": [{**asdict(each), "reasons": list(each.reasons)} for each in advice.packages],
        "known": list(advice.known),
        "unknown": unknown,
        "memory": {
            "inspections": len(memory.evidence),
            "contexts": len(memory.contexts),
            "rules": len(memory.rules),
        },
        "lock": advice.stack.lock if path is None else str(path),
    }
