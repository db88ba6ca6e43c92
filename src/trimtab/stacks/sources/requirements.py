"""requirements.txt as people write it, and with hashes as tools do."""

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.requirements import Requirement

from trimtab.stacks.errors import RequirementsError, without_secrets
from trimtab.stacks.project import Project
from trimtab.stacks.sources.checking import pin_of, requirement_of
from trimtab.stacks.sources.text import read_text

__all__ = ["read_requirements"]

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASH = re.compile(r"\s--hash[=\s]\s*\S+")
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:[=\s]\s*(.+))?")
_DEPTH, _COUNT = 10, 5000
_INDEX = {"-i", "--index-url", "--extra-index-url", "--pypi-url"}
_IGNORED = {"--require-hashes", "--prefer-binary", "--only-binary", "--trusted-host", "--no-binary"}


@dataclass
class _Found:
    requirements: list[Requirement] = field(default_factory=list)
    constraints: list[Requirement] = field(default_factory=list)
    indexes: list[str] = field(default_factory=list)
    hashed: int = 0


def read_requirements(path: Path) -> Project:
    """Read direct requirements; if all have hashes it is a lock, and its versions bind nothing.

    Raises:
        RequirementsError: It cannot be read.
    """
    found = _Found()
    _read(path, found, path.parent.resolve(), depth=0, constraints=False)
    requirements, pins = found.requirements, {}
    if requirements and found.hashed == len(requirements):
        pins = dict(pin_of(each, str(path)) for each in requirements)
        requirements = [_free(each) for each in requirements]
    return Project(
        tuple(requirements),
        tuple(found.constraints),
        pins,
        indexes=tuple(dict.fromkeys(found.indexes)),
        origin=str(path),
    )


def _read(path: Path, found: _Found, root: Path, *, depth: int, constraints: bool) -> None:
    if depth > _DEPTH:
        raise RequirementsError(f"{path}: files name each other more than {_DEPTH} deep")
    for number, line in _logical_lines(read_text(path)):
        place = f"{path}, line {number}"
        if line.startswith("-"):
            _option(line, path, found, root, place, depth=depth, constraints=constraints)
            continue
        found.hashed += bool(_HASH.search(line)) and not constraints
        into = found.constraints if constraints else found.requirements
        into.append(requirement_of(_HASH.sub("", line).strip(), place))
        if len(into) > _COUNT:
            raise RequirementsError(f"{path} has more than {_COUNT} requirements")


def _option(
    line: str, path: Path, found: _Found, root: Path, place: str, *, depth: int, constraints: bool
) -> None:
    match = _OPTION.fullmatch(line)
    name, value = (match[1], (match[2] or "").strip()) if match else (line, "")
    if name in {"-r", "--requirement", "-c", "--constraint"} and value:
        other = (path.parent / value).resolve()
        if not other.is_relative_to(root):
            raise RequirementsError(
                f"{place}: {value[:100]!r} is outside of {root}; copy it beside {path.name}"
            )
        bound = constraints or name in {"-c", "--constraint"}
        _read(other, found, root, depth=depth + 1, constraints=bound)
    elif name in _INDEX and value:
        found.indexes.append(value)
    elif name not in _IGNORED:
        raise RequirementsError(
            f"{place}: {without_secrets(line)[:100]!r} cannot be searched; write a name with versions instead"
        )


def _free(requirement: Requirement) -> Requirement:
    extras = f"[{','.join(sorted(requirement.extras))}]" if requirement.extras else ""
    return Requirement(
        f"{requirement.name}{extras}" + (f" ; {requirement.marker}" if requirement.marker else "")
    )


def _logical_lines(text: str) -> Iterator[tuple[int, str]]:
    """Each line with its number, comments removed, those that end in a backslash joined."""
    parts: list[str] = []
    first = 1
    for number, raw in enumerate(text.splitlines(), 1):
        first = first if parts else number
        line = _COMMENT.sub("", raw).strip()
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        if whole := " ".join([*parts, line]).strip():
            yield first, whole
        parts = []
    if whole := " ".join(parts).strip():
        yield first, whole
