"""requirements.txt with hashes, as pip-compile, pip and uv write it."""

import re
from collections.abc import Iterator

from packaging.requirements import InvalidRequirement, Requirement

from trimtab.engines.process.pins import (
    COUNT_LIMIT,
    LockError,
    Pin,
    Pins,
    hashes_of,
    marker_of,
    name_of,
    url_of,
    version_of,
)

__all__ = ["read_requirements"]

_COMMENT = re.compile(r"(^|\s)#.*$")
_HASHES = re.compile(r"\s--hash[=\s]\s*(\S+)")
_OPTION = re.compile(r"(--?[A-Za-z][A-Za-z-]*)(?:[=\s]\s*(\S+))?")
_LINE_LIMIT = 1024 * 1024
_INDEXES = frozenset({"-i", "--index-url", "--pypi-url", "--extra-index-url"})
_HARMLESS = frozenset({"--require-hashes", "--prefer-binary", "--pre", "--no-index"})


def read_requirements(content: bytes, name: str = "requirements.txt") -> Pins:
    """Read pinned requirements and the indexes they name.

    Args:
        content: Of the file.
        name: Of the file, for messages.

    Raises:
        LockError: It is no such file.
    """
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise LockError(f"{name} is no UTF-8: {error}") from None
    pins: list[Pin] = []
    sources: list[str] = []
    refused: list[str] = []
    for number, line in _logical_lines(text, name):
        try:
            if line.startswith("-"):
                sources += _source(line)
            else:
                pins.append(_pin(line))
        except ValueError as error:
            refused.append(f"{name}, line {number}: {error}")
        if len(pins) > COUNT_LIMIT:
            raise LockError(f"{name} has more than {COUNT_LIMIT} requirements")
    return Pins(tuple(pins), tuple(dict.fromkeys(sources)), (), tuple(refused))


def _logical_lines(text: str, name: str) -> Iterator[tuple[int, str]]:
    """Each requirement with the number of its first line: a backslash at its end continues a line."""
    parts: list[str] = []
    first = 1
    for number, raw in enumerate(text.splitlines(), 1):
        if len(raw) > _LINE_LIMIT:
            raise LockError(f"{name}, line {number} has more than {_LINE_LIMIT} characters")
        first = first if parts else number
        line = _COMMENT.sub("", raw).strip() if not raw.rstrip().endswith("\\") else raw.strip()
        if line.endswith("\\"):
            parts.append(line[:-1])
            continue
        whole = " ".join([*parts, line]).strip()
        parts = []
        if whole and not whole.startswith("#"):
            yield first, whole
    if whole := " ".join(parts).strip():
        yield first, whole


def _source(line: str) -> list[str]:
    found = _OPTION.match(line)
    option, value = (found[1], found[2]) if found else (line[:50], None)
    if option in _INDEXES:
        return [url_of(value)]
    if option in _HARMLESS:
        return []
    if option in {"-e", "--editable"}:
        raise ValueError("an editable requirement comes from a path of the machine where it was locked")
    raise ValueError(f"the option {option} names what is not part of the lock")


def _pin(line: str) -> Pin:
    hashes = _HASHES.findall(line)
    text = _HASHES.sub("", line).strip()
    try:
        requirement = Requirement(text)
    except (InvalidRequirement, RecursionError):
        raise ValueError(f"{text[:100]!r} is no requirement") from None
    marker = marker_of([str(requirement.marker)]) if requirement.marker else ""
    extras = tuple(sorted({name_of(extra) for extra in requirement.extras}))
    name = name_of(requirement.name)
    if requirement.url:
        return Pin(name, "", extras, marker, _proof(hashes, requirement.url), _file(requirement.url))
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator not in {"==", "==="} or "*" in specifiers[0].version:
        raise ValueError(f"{text[:100]!r} is not pinned to one version with ==")
    return Pin(name, version_of(specifiers[0].version), extras, marker, _proof(hashes, name))


def _proof(hashes: list[str], what: str) -> tuple[str, ...]:
    try:
        return hashes_of(hashes)
    except ValueError as error:
        raise ValueError(f"{what[:100]} {error}") from None


def _file(url: str) -> str:
    if url.split("+", 1)[0] in {"git", "hg", "svn", "bzr"}:
        raise ValueError(f"{url[:100]} is a repository, of which no hash is known")
    return url_of(url)
