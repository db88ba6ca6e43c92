"""Which packages a specification locks, whatever kind of lock it has."""

import hashlib
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Any

from trimtab.catalog.values import at, text

__all__ = ["Package", "normalise", "packages_of", "stack_digest"]

LIMIT = 10_000  # packages of one stack
DEFAULT = "pypi"
PINNED = re.compile(
    r"^\s*([A-Za-z0-9][A-Za-z0-9._-]*)\s*(?:\[[^\]]*\])?\s*===?\s*([^\s;\\,#]+)", re.MULTILINE
)
# Entries of uv.lock that are the project itself, or a part of it.
OWN = {"virtual", "editable", "directory"}


@dataclass(frozen=True, slots=True, order=True)
class Package:
    """A package of a stack.

    Args:
        name: As PEP 503 normalises it.
        version: Without the `==` of the lock.
        source: The index that the lock names for it, by its name or URL; `pypi` where it names none.
    """

    name: str
    version: str
    source: str


def normalise(name: str) -> str:
    """A name as PEP 503 compares it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def packages_of(specification: Mapping[str, Any]) -> tuple[Package, ...]:
    """The packages that a specification locks for its runs, sorted; none if it has no lock, or one that cannot be read.

    Args:
        specification: With `python.requirements_locked` (a Pipfile.lock as JSON), or the text of a requirements.txt,
            pylock.toml or uv.lock in `python.lock`.
    """
    found = islice(_locked(specification), LIMIT)
    packages = {
        Package(*each) for name, version, source in found if (each := _columns(name, version, source))
    }
    return tuple(sorted(packages))


def stack_digest(packages: Iterable[Package]) -> str:
    """SHA-256, in hex, of these packages; the same for the same ones, whatever file they were locked in."""
    lines = (f"{each.name}=={each.version} @ {each.source}\n" for each in sorted(packages))
    return hashlib.sha256("".join(lines).encode()).hexdigest()


def _columns(name: Any, version: Any, source: Any) -> tuple[str, str, str] | None:
    if not isinstance(name, str) or not name:
        return None
    pinned = version if isinstance(version, str) else ""
    index = source if isinstance(source, str) and source else DEFAULT
    return text(normalise(name), 200) or "", text(pinned.lstrip("= "), 100) or "", text(index, 500) or ""


def _locked(specification: Mapping[str, Any]) -> Iterator[tuple[Any, Any, Any]]:
    yield from _pipfile_lock(at(specification, "python", "requirements_locked", "default"))
    lock = at(specification, "python", "lock")
    for file, content in lock.items() if isinstance(lock, Mapping) else ():
        if not isinstance(content, str):
            continue
        if file == "requirements.txt":
            yield from ((name, version, None) for name, version in PINNED.findall(content))
        elif file in {"pylock.toml", "uv.lock"}:
            yield from _toml(content)


def _pipfile_lock(section: Any) -> Iterator[tuple[Any, Any, Any]]:
    for name, entry in section.items() if isinstance(section, Mapping) else ():
        yield name, at(entry, "version") or at(entry, "ref"), at(entry, "index")


def _toml(content: str) -> Iterator[tuple[Any, Any, Any]]:
    try:
        document = tomllib.loads(content)
    except (ValueError, RecursionError):
        return
    for key in ("packages", "package"):  # of pylock.toml and of uv.lock
        entries = document.get(key)
        for entry in entries if isinstance(entries, list) else ():
            source = at(entry, "source")
            if not isinstance(source, Mapping) or OWN.isdisjoint(source):
                yield at(entry, "name"), at(entry, "version"), at(entry, "index") or at(source, "registry")
