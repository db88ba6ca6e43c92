"""Options of the commands that search stacks."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer

__all__ = [
    "Accept",
    "AllowLicence",
    "Base",
    "DenyLicence",
    "Extra",
    "IndexDate",
    "KnownLicences",
    "Newest",
    "Osv",
    "Parallel",
    "PlanName",
    "Platform",
    "Python",
    "Question",
    "Requirements",
    "Rules",
    "Vary",
    "Yanked",
    "read_date",
]


class PlanName(StrEnum):
    """In which order stacks are made."""

    all = "all"
    random = "random"
    pairwise = "pairwise"
    floor = "floor"
    newest = "newest"
    around = "around"
    bisect = "bisect"
    breakers = "breakers"


Requirements = Annotated[
    Path,
    typer.Argument(
        metavar="FILE",
        help="pyproject.toml, Pipfile, Pipfile.lock, pylock.toml, uv.lock, or requirements of another name.",
    ),
]
Extra = Annotated[list[str] | None, typer.Option(help="Extra of the pyproject.toml; may be repeated.")]
Python = Annotated[str | None, typer.Option(help="Python of the stacks, such as 3.12.", metavar="VERSION")]
Platform = Annotated[
    str | None, typer.Option(help="Platform of the stacks, such as x86_64-manylinux_2_28.", metavar="NAME")
]
IndexDate = Annotated[
    str | None,
    typer.Option(help="Nothing that was uploaded later, such as 2026-01-31.", metavar="DATE"),
]
Vary = Annotated[
    list[str] | None,
    typer.Option(help="Vary this package and hold the others; * for all; may be repeated.", metavar="NAME"),
]
Newest = Annotated[
    int | None, typer.Option(min=1, help="Of each package only so many of its newest versions.")
]
Rules = Annotated[list[Path] | None, typer.Option(help="Candidate rules, as YAML; may be repeated.")]
Base = Annotated[
    str | None, typer.Option(help="Base image of what will be built: rules for it hold.", metavar="IMAGE")
]
Osv = Annotated[
    list[Path] | None,
    typer.Option(help="Vulnerabilities in the format of OSV: JSON, JSON lines, or zip; may be repeated."),
]
Accept = Annotated[
    list[str] | None,
    typer.Option(help="Id of a vulnerability that is no reason; may be repeated.", metavar="ID"),
]
AllowLicence = Annotated[
    list[str] | None,
    typer.Option(help="SPDX identifier that is allowed, such as MIT or GPL-*; may be repeated."),
]
DenyLicence = Annotated[
    list[str] | None, typer.Option(help="SPDX identifier that is not allowed; may be repeated.")
]
KnownLicences = Annotated[
    bool, typer.Option("--known-licences", help="Keep out what nobody knows the licence of.")
]
Yanked = Annotated[bool, typer.Option("--yanked", help="Take withdrawn releases, too.")]
Parallel = Annotated[
    int | None, typer.Option(min=1, max=64, help="Processes of uv at once; two for each core by default.")
]


@dataclass(frozen=True)
class Question:
    """What both commands are asked: the options above, as they were given."""

    requirements: Path
    extras: tuple[str, ...] = ()
    python: str | None = None
    platform: str | None = None
    index_date: str | None = None
    vary: tuple[str, ...] | None = None
    newest: int | None = None
    rules: tuple[Path, ...] = ()
    base: str | None = None
    osv: tuple[Path, ...] = ()
    accepted: tuple[str, ...] = ()
    allowed: tuple[str, ...] = ()
    denied: tuple[str, ...] = ()
    known_licences: bool = False
    yanked: bool = False
    parallel: int | None = None
    home: Path | None = None


def read_date(text: str | None) -> datetime | None:
    """The moment before which a release has to be there; of a date, the end of its day in UTC.

    Raises:
        RequirementsError: It is none.
    """
    from trimtab.stacks import RequirementsError

    if text is None:
        return None
    try:
        found = datetime.fromisoformat(text)
    except ValueError:
        raise RequirementsError(
            f"--index-date: {text[:50]!r} is no date; write it as 2026-01-31 or 2026-01-31T12:00:00Z"
        ) from None
    found = found if found.tzinfo else found.replace(tzinfo=UTC)
    return found + timedelta(days=1) if len(text) <= len("2026-01-31") else found
