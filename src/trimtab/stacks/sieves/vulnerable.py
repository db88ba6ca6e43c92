"""Releases with known vulnerabilities, from OSV data in a file."""

import json
import zipfile
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import Release
from trimtab.stacks.sources.text import read_text
from trimtab.stacks.stack import Stack

__all__ = ["Vulnerability", "VulnerableSieve", "read_osv"]

FILE_LIMIT = 256 * 1024 * 1024
ENTRY_LIMIT = 4 * 1024 * 1024
_ECOSYSTEM = "PyPI"
_SHOWN = 200


@dataclass(frozen=True)
class Vulnerability:
    """An entry about one package.

    Attributes:
        id: As the data base has it.
        summary: One line.
        versions: Exactly these are affected.
        ranges: These, too: from (inclusive; None: from the first) to (exclusive, or inclusive; None: no end).
    """

    id: str
    summary: str
    versions: frozenset[str]
    ranges: tuple[tuple[Version | None, Version | None, bool], ...]

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        ranges = [[low and str(low), high and str(high), inclusive] for low, high, inclusive in self.ranges]
        return {"id": self.id, "summary": self.summary, "versions": sorted(self.versions), "ranges": ranges}

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> "Vulnerability":
        """Read what `document` wrote."""
        ranges = tuple(
            (low and Version(low), high and Version(high), bool(inclusive))
            for low, high, inclusive in document["ranges"]
        )
        return cls(document["id"], document["summary"], frozenset(document["versions"]), ranges)

    @cached_property
    def _exact(self) -> frozenset[Version]:
        return frozenset(found for each in self.versions if (found := _version(each)))

    def affects(self, version: Version) -> bool:
        """Whether a version is affected."""
        return version in self._exact or any(
            (low is None or version >= low)
            and (high is None or (version <= high if inclusive else version < high))
            for low, high, inclusive in self.ranges
        )


@dataclass(frozen=True)
class VulnerableSieve:
    """Keeps out what has known vulnerabilities.

    Args:
        known: Vulnerabilities by canonical name of the package, as `read_osv` gives them.
        accepted: Their ids or aliases that are no reason.
    """

    known: Mapping[str, tuple[Vulnerability, ...]]
    accepted: frozenset[str] = field(default=frozenset())
    name: str = "vulnerable"

    def release(self, release: Release) -> str | None:
        """Which vulnerability it has."""
        return self._reason(release.name, release.version)

    async def stack(self, stack: Stack) -> Exclusion | None:
        """Which of its packages has a vulnerability."""
        for name, version in stack.pins.items():
            if reason := self._reason(name, Version(version)):
                return Exclusion(self.name, {name: version}, reason)
        return None

    def _reason(self, name: str, version: Version) -> str | None:
        found = [
            each
            for each in self.known.get(name, ())
            if each.id not in self.accepted and each.affects(version)
        ]
        if not found:
            return None
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        summary = f": {found[0].summary}" if found[0].summary else ""
        return f"it has {found[0].id}{more}{summary}"


def read_osv(path: Path) -> dict[str, tuple[Vulnerability, ...]]:
    """Read vulnerabilities of Python packages in the format of osv.dev.

    Args:
        path: One entry as JSON, an array of them, one a line, or a zip archive with one in each file, as OSV offers
            for a whole ecosystem. Withdrawn entries are left out.

    Returns:
        By canonical name of the package.

    Raises:
        RequirementsError: It is no such file.
    """
    found: dict[str, list[Vulnerability]] = defaultdict(list)
    count = 0
    for count, entry in enumerate(_entries(path), 1):
        if not isinstance(entry, dict) or not isinstance(entry.get("id"), str):
            raise RequirementsError(f"{path}, entry {count} has no id, so it is no OSV data")
        for name, each in _of_entry(entry) if not entry.get("withdrawn") else ():
            found[name].append(each)
    if not count:
        raise RequirementsError(f"{path} has no entry, so it would exclude nothing; name another file")
    return {name: tuple(each) for name, each in found.items()}


def _entries(path: Path) -> Iterator[Any]:
    if path.suffix == ".zip":
        yield from _of_archive(path)
        return
    text = read_text(path, FILE_LIMIT)
    try:
        document = json.loads(text)
    except RecursionError:
        raise RequirementsError(f"{path} is nested too deeply") from None
    except ValueError as error:
        yield from _of_lines(path, text, error)
        return
    yield from document if isinstance(document, list) else [document]


def _of_lines(path: Path, text: str, error: ValueError) -> Iterator[Any]:
    for number, line in enumerate(text.splitlines(), 1):
        if line.strip():
            try:
                yield json.loads(line)
            except (ValueError, RecursionError) as wrong:
                reason = error if number == 1 else wrong
                raise RequirementsError(f"{path}, line {number} is no JSON: {reason}") from None


def _of_archive(path: Path) -> Iterator[Any]:
    try:
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.filename.endswith(".json"):
                    with archive.open(member) as file:
                        content = file.read(ENTRY_LIMIT + 1)
                    if len(content) > ENTRY_LIMIT:
                        raise RequirementsError(
                            f"{path}: {member.filename[:100]} has more than {ENTRY_LIMIT} bytes"
                        )
                    yield json.loads(content)
    except (
        OSError,
        zipfile.BadZipFile,
        ValueError,
        RecursionError,
        NotImplementedError,
        RuntimeError,
    ) as error:
        if isinstance(error, RequirementsError):
            raise
        raise RequirementsError(f"{path} is no archive of OSV entries: {error}") from None


def _of_entry(entry: Mapping[str, Any]) -> Iterator[tuple[str, Vulnerability]]:
    summary = " ".join(str(entry.get("summary") or "").split())[:_SHOWN]
    for affected in _listed(entry.get("affected")):
        package = affected.get("package")
        if not isinstance(package, dict) or package.get("ecosystem") != _ECOSYSTEM:
            continue
        versions = affected.get("versions")
        listed = frozenset(map(str, versions)) if isinstance(versions, list) else frozenset()
        ranges = tuple(
            found
            for each in _listed(affected.get("ranges"))
            if each.get("type") in {"ECOSYSTEM", "SEMVER"}
            for found in _ranges(_listed(each.get("events")))
        )
        # A range without an end says "unknown" where the affected versions are listed one by one.
        ranges = tuple(each for each in ranges if each[1] is not None or not listed)
        yield canonicalize_name(str(package.get("name"))), Vulnerability(entry["id"], summary, listed, ranges)


def _ranges(events: Iterable[Mapping[str, Any]]) -> Iterator[tuple[Version | None, Version | None, bool]]:
    """Pairs of events: what is introduced lasts until it is fixed, or is affected for the last time."""
    low: Version | None = None
    opened = False
    for event in events:
        if "introduced" in event:
            low, opened = _version(str(event["introduced"])), True
            continue
        for key in ("fixed", "last_affected"):
            if opened and key in event and (high := _version(str(event[key]))):
                yield low, high, key == "last_affected"
                opened = False
    if opened:
        yield low, None, False


def _listed(value: Any) -> list[dict[str, Any]]:
    return [each for each in value if isinstance(each, dict)] if isinstance(value, list) else []


def _version(text: str) -> Version | None:
    try:
        return Version(text)
    except InvalidVersion:
        return None
