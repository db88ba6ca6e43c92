"""Pipfile.lock, as Pipenv writes it."""

import json
from collections.abc import Iterator, Mapping
from typing import Any

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

__all__ = ["read_pipfile"]

_FILE = "Pipfile.lock"
_DEFAULT_SOURCE = "pypi"
_REPOSITORIES = ("git", "hg", "svn", "bzr")
_MARKERS = (
    "os_name", "sys_platform", "platform_machine", "platform_python_implementation", "platform_release",
    "platform_system", "platform_version", "python_version", "python_full_version", "implementation_name",
    "implementation_version",
)  # fmt: skip
"""Keys of an entry that are markers of their own: `"sys_platform": "== 'linux'"`."""


def read_pipfile(content: bytes) -> Pins:
    """Read the packages of the section `default`: those of `develop` are not installed by a deployment either.

    Args:
        content: Of the file.

    Raises:
        LockError: It is no such file.
    """
    document = _document(content)
    pins, refused = [], []
    for name, entry in _section(document, "default").items():
        try:
            pins.append(_pin(name, entry))
        except ValueError as error:
            refused.append(f"{_FILE}: default: {str(name)[:100]}: {error}")
    sources = list(_sources(document))
    return Pins(
        tuple(pins),
        tuple(url for url, _ in sources),
        tuple(url for url, verified in sources if not verified),
        tuple(refused),
    )


def _document(content: bytes) -> Mapping[str, Any]:
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise LockError(f"{_FILE} is no JSON: {error}; write it again with `pipenv lock`") from None
    if not isinstance(document, dict):
        raise LockError(f"{_FILE} is no JSON object; write it again with `pipenv lock`")
    return document


def _section(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    section = document.get(name) or {}
    if not isinstance(section, dict):
        raise LockError(f"{_FILE}: {name} is no object; write it again with `pipenv lock`")
    if len(section) > COUNT_LIMIT:
        raise LockError(f"{_FILE}: {name} has more than {COUNT_LIMIT} packages")
    return section


def _sources(document: Mapping[str, Any]) -> Iterator[tuple[str, bool]]:
    """URL of each index, and whether its certificate is verified. The one named `pypi` is this machine's default."""
    listed = _section(document, "_meta").get("sources") or []
    for entry in listed if isinstance(listed, list) else []:
        if isinstance(entry, dict) and entry.get("name") != _DEFAULT_SOURCE:
            try:
                yield url_of(entry.get("url")), entry.get("verify_ssl") is not False
            except ValueError as error:
                raise LockError(f"{_FILE}: _meta: sources: {error}; variables are not filled in") from None


def _pin(name: str, entry: object) -> Pin:
    if isinstance(entry, str):
        entry = {"version": entry}
    if not isinstance(entry, dict):
        raise ValueError("is neither an object nor a version")  # noqa: TRY004 - of the lock, not of our caller
    _refuse(entry)
    extras = entry.get("extras") or []
    common = (
        tuple(sorted({name_of(extra) for extra in (extras if isinstance(extras, list) else [extras])})),
        marker_of(_marker_texts(entry)),
        hashes_of(entry.get("hashes")),
    )
    if "file" in entry:
        return Pin(name_of(name), "", *common, url_of(entry["file"]))
    version = str(entry.get("version", ""))
    if not version.startswith("=="):
        raise ValueError(f"version {version!r} is not exact: it has to begin with ==")
    return Pin(name_of(name), version_of(version.lstrip("=").strip()), *common)


def _refuse(entry: Mapping[str, Any]) -> None:
    kind = next((kind for kind in _REPOSITORIES if kind in entry), None)
    if kind:
        raise ValueError(f"comes from a {kind} repository, of which no hash is known")
    if "path" in entry or entry.get("editable"):
        raise ValueError("comes from a path of the machine where it was locked")


def _marker_texts(entry: Mapping[str, Any]) -> list[str]:
    texts = [str(entry["markers"])] if entry.get("markers") else []
    return texts + [f"{name} {entry[name]}" for name in _MARKERS if entry.get(name)]
