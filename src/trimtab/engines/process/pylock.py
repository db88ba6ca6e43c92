"""pylock.toml (PEP 751)."""

import tomllib
from collections.abc import Iterator, Mapping
from typing import Any

from packaging.markers import Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet

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

__all__ = ["read_pylock"]

_FILE = "pylock.toml"
_CHOICES = ("extras", "dependency_groups")


def read_pylock(content: bytes, environment: Mapping[str, str]) -> Pins:
    """Read the packages that are installed where nobody chooses extras or groups.

    Args:
        content: Of the file.
        environment: The markers of the Python it is installed for.

    Raises:
        LockError: It is no such file, or it is for other Pythons.
    """
    document = _document(content)
    _check_python(document, environment)
    groups = [str(name) for name in _list(document, "default-groups")]
    pins: list[Pin] = []
    sources: list[str] = []
    refused: list[str] = []
    packages = _list(document, "packages")
    if len(packages) > COUNT_LIMIT:
        raise LockError(f"{_FILE} has more than {COUNT_LIMIT} packages")
    for number, entry in enumerate(packages):
        try:
            pins += _pins(_table(entry), environment, groups)
            sources += [url_of(entry["index"])] if "index" in entry else []
        except ValueError as error:
            label = entry.get("name") if isinstance(entry, dict) else None
            refused.append(f"{_FILE}: package {str(label or number)[:100]}: {error}")
    return Pins(tuple(pins), tuple(dict.fromkeys(sources)), (), tuple(refused))


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = tomllib.loads(content.decode())
    except (ValueError, RecursionError) as error:
        raise LockError(f"{_FILE} is no TOML: {error}") from None
    version = str(document.get("lock-version", ""))
    if version.split(".", maxsplit=1)[0] != "1":
        raise LockError(f"{_FILE}: lock-version is {version[:20]!r}, and 1.0 is understood")
    return document


def _check_python(document: Mapping[str, Any], environment: Mapping[str, str]) -> None:
    wanted, version = document.get("requires-python"), environment["python_full_version"]
    if wanted is None:
        return
    try:
        fits = SpecifierSet(str(wanted)).contains(version, prereleases=True)
    except InvalidSpecifier:
        raise LockError(f"{_FILE}: requires-python {str(wanted)[:100]!r} is no version specifier") from None
    if not fits:
        raise LockError(f"{_FILE} is for Python {wanted}, and this machine's is {version}")


def _list(document: Mapping[str, Any], name: str) -> list[Any]:
    found = document.get(name) or []
    if not isinstance(found, list):
        raise LockError(f"{_FILE}: {name} is no array")
    return found


def _table(entry: object) -> Mapping[str, Any]:
    if not isinstance(entry, dict):
        raise ValueError("is no table")  # noqa: TRY004 - of the lock, not of our caller
    return entry


def _pins(entry: Mapping[str, Any], environment: Mapping[str, str], groups: list[str]) -> Iterator[Pin]:
    name, marker = name_of(entry.get("name")), marker_of([str(entry["marker"])] if "marker" in entry else [])
    if any(choice in marker for choice in _CHOICES):
        # What nobody chose here has no name in a file of requirements: it is decided now.
        if not Marker(marker).evaluate(
            {**environment, "extras": set(), "dependency_groups": set(groups)}, context="lock_file"
        ):
            return
        marker = ""
    if "vcs" in entry:
        raise ValueError("comes from a repository, of which no hash is known")
    if "directory" in entry:
        raise ValueError("comes from a directory of the machine where it was locked")
    if "archive" in entry:
        archive = _table(entry["archive"])
        yield Pin(name, "", (), marker, hashes_of(archive.get("hashes")), url_of(archive.get("url")))
        return
    files = [*_list(entry, "wheels"), *([entry["sdist"]] if "sdist" in entry else [])]
    hashes = {digest for file in files for digest in hashes_of(_table(file).get("hashes"))}
    yield Pin(name, version_of(entry.get("version")), (), marker, hashes_of(sorted(hashes)))
