"""Counts and candidates as they are printed and written."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import typer

from trimtab.cli.inspection_output import print_rows
from trimtab.cli.place import USAGE, fail
from trimtab.cli.stacks_search import Search
from trimtab.stacks import CONFIDENCE, Candidate, Count, Exclusion, Survey, Tally

__all__ = [
    "candidate_document",
    "check_directory",
    "print_candidates",
    "print_count",
    "search_document",
    "write_locks",
]

_SHOWN = 10
_DIGEST = 12
_CHANGES = 6


def search_document(search: Search, found: Survey | None, exclusions: Iterable[Exclusion]) -> dict[str, Any]:
    """What was searched: enough to search it again."""
    target = search.target
    document: dict[str, Any] = {
        "requirements": {
            "file": search.project.origin,
            "direct": list(map(str, search.project.requirements)),
        },
        "target": {
            "python": str(target.version),
            "platform": target.platform,
            "index_date": target.index_date and target.index_date.isoformat(),
        },
        "resolved_at": datetime.now(UTC).isoformat(timespec="seconds"),
        "questions": search.oracle.questions,
    }
    if found is not None:
        document["space"] = {
            "combinations": found.space.size,
            "packages": {each.name: list(each.versions) for each in found.space},
        }
    document["exclusions"] = [
        {"sieve": each.sieve, "packages": dict(each.packages), "reason": each.reason} for each in exclusions
    ]
    return document


def candidate_document(candidate: Candidate) -> dict[str, Any]:
    """A candidate without its lock's text."""
    stack = candidate.stack
    return {
        "number": candidate.number,
        "stack": stack.digest,
        "lock_sha256": stack.lock_digest,
        "reason": candidate.reason,
        "packages": dict(stack.pins),
    }


def print_count(found: Survey, counted: Count) -> None:
    """What there is, and how much of it is valid."""
    rows = [
        (each.name, len(each.versions), each.versions[0], each.versions[-1], _kept_out(found, each.name))
        for each in found.space
    ]
    print_rows(("PACKAGE", "VERSIONS", "NEWEST", "OLDEST", "KEPT OUT"), rows)
    typer.echo()
    print_rows(None, _facts(counted))
    _print_exclusions(found.space.exclusions)


def print_candidates(
    candidates: Sequence[Candidate], tally: Tally, exclusions: Sequence[Exclusion], base: Mapping[str, str]
) -> None:
    """One line for each, and what became of the others."""
    rows = [
        (each.number, each.stack.digest[:_DIGEST], each.reason, _differs(each, base)) for each in candidates
    ]
    if rows:
        print_rows(("NUMBER", "STACK", "WHAT FOR", "DIFFERS IN"), rows)
        typer.echo()
    typer.echo(
        f"{len(candidates)} shown of {tally.found} candidates from {tally.proposed} proposals: "
        f"{tally.unsatisfiable} had no stack, {tally.excluded} were kept out, {tally.duplicates} were there already."
    )
    _print_exclusions(exclusions)


def write_locks(candidates: Sequence[Candidate], directory: Path) -> None:
    """`<number>/requirements.txt` of each."""
    try:
        for each in candidates:
            path = directory / str(each.number)
            path.mkdir(parents=True, exist_ok=True)
            (path / "requirements.txt").write_text(each.stack.lock)
    except OSError as error:
        fail(f"--directory: {directory}: {error.strerror}; name one that can be written")


def check_directory(directory: Path | None) -> None:
    """Refuse one that has something in it, among which nobody could tell what is new."""
    try:
        filled = directory is not None and directory.exists() and any(directory.iterdir())
    except OSError as error:
        fail(f"--directory: {directory}: {error.strerror}; name one that can be written", USAGE)
    if filled:
        fail(f"--directory: {directory} is not empty; name one that is, or a new one", USAGE)


def _facts(counted: Count) -> list[tuple[str, str]]:
    facts = [("Combinations", f"{counted.combinations:,}")]
    if counted.exact:
        return [*facts, ("Valid", f"{counted.valid:,}, all of them resolved")]
    sure = f"between {counted.low:,} and {counted.high:,} with {CONFIDENCE:.0%} confidence"
    return [
        *facts,
        ("Valid", f"about {counted.estimate:,}, {sure}"),
        ("Sample", f"{counted.valid} of {counted.tried} combinations drawn have a stack"),
    ]


def _kept_out(found: Survey, name: str) -> int:
    return sum(name in each.packages for each in found.space.exclusions)


def _differs(candidate: Candidate, base: Mapping[str, str]) -> str:
    pins = candidate.stack.pins
    changed = [f"{name} {version}" for name, version in pins.items() if base.get(name) != version]
    changed += [f"no {name}" for name in base if name not in pins]
    more = f" and {len(changed) - _CHANGES} more" if len(changed) > _CHANGES else ""
    return ", ".join(changed[:_CHANGES]) + more


def _print_exclusions(exclusions: Iterable[Exclusion]) -> None:
    """Each reason with how often it was one, and the first it was one for."""
    by_reason: dict[tuple[str, str], list[Exclusion]] = defaultdict(list)
    for each in exclusions:
        by_reason[each.sieve, each.reason].append(each)
    if not by_reason:
        return
    typer.echo()
    rows = [(sieve, len(found), _what(found[0]), reason) for (sieve, reason), found in by_reason.items()]
    rows.sort(key=lambda row: -row[1])
    print_rows(("SIEVE", "KEPT OUT", "SUCH AS", "WHY"), rows[:_SHOWN])
    if len(rows) > _SHOWN:
        typer.echo(f"and {len(rows) - _SHOWN} more reasons: --output json")


def _what(exclusion: Exclusion) -> str:
    return " with ".join(f"{name} {version}" for name, version in exclusion.packages.items())
