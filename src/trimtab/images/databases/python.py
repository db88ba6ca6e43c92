"""Python's packages, wherever they are installed: any directory with `*.dist-info` or `*.egg-info` in it."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit, urlunsplit

from trimtab.images.databases.control import header, text
from trimtab.images.interests import Interest
from trimtab.images.package import Package

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trimtab.images.databases.reading import Reading
    from trimtab.images.tree import Entry

__all__ = ["INTERESTS", "packages"]

WANTED = frozenset(("name", "version", "license", "license-expression"))
LONGEST_LICENCE = 100
LONGEST_URL = 2000
INSTALLED = ("site-packages", "dist-packages")


def _metadata(data: bytes) -> dict[str, str]:
    return header(data, WANTED)


def _direct_url(data: bytes) -> dict[str, Any]:
    try:
        told = json.loads(data)
        directory, vcs = told.get("dir_info") or {}, told.get("vcs_info") or {}
        editable = directory.get("editable") is True
        return {"editable": editable, "origin": _origin(told["url"], vcs)}
    except RecursionError:
        raise ValueError("nested too deeply") from None
    except (AttributeError, KeyError, TypeError):
        raise ValueError("a direct_url.json that names no URL") from None


def _link(data: bytes) -> str:
    return text(data[:LONGEST_URL]).split("\n")[0].strip()


def _in_metadata_directory(path: str) -> bool:
    return path.endswith((".dist-info/METADATA", ".egg-info/PKG-INFO", "EGG-INFO/PKG-INFO"))


INTERESTS = (
    Interest(named=("METADATA", "PKG-INFO"), accepts=_in_metadata_directory, condense=_metadata),
    Interest(named=(".egg-info",), condense=_metadata),
    Interest(
        named=("direct_url.json",),
        accepts=lambda path: path.endswith(".dist-info/direct_url.json"),
        limit=1 << 16,
        condense=_direct_url,
    ),
    # That there is metadata at all is known from the files that stand beside it.
    Interest(
        named=("RECORD",), accepts=lambda path: path.endswith(".dist-info/RECORD"), condense=lambda _: True
    ),
    # What `setup.py develop` and pip up to 20 leave of an editable installation; and what tells sources from it.
    Interest(named=(".egg-link",), limit=1 << 16, condense=_link),
    Interest(
        named=("SOURCES.txt",),
        accepts=lambda path: path.endswith(".egg-info/SOURCES.txt"),
        condense=lambda _: True,
    ),
)


def packages(reading: Reading) -> Iterator[Package]:
    """Each distribution; broken metadata and duplicates in one directory are findings."""
    seen: dict[tuple[str, str], Entry] = {}
    linked = _linked(reading)
    for entry in reading.entries:
        if _missing(entry, reading):
            reading.broken(entry, "a distribution without METADATA: no tool can tell its version")
        package = _package(entry, reading)
        if package is None:
            continue
        if package.location in linked:
            package = replace(package, editable=True, origin=f"file://{package.location}")
        elif _is_of_sources(entry, reading):
            continue
        key = package.location, re.sub(r"[-_.]+", "-", package.name).lower()
        if key in seen:
            other = seen[key].path.rpartition("/")[0] or seen[key].path
            reading.note("duplicate-metadata", f"{package.name} is also in /{other}", entry)
        seen.setdefault(key, entry)
        yield package


def _linked(reading: Reading) -> set[str]:
    """Directories of sources that are installed as they are, by links of setuptools."""
    found = set[str]()
    for entry in reading.entries:
        if entry.path.endswith(".egg-link") and isinstance(entry.content, str):
            directory = reading.tree.real(entry.content)
            if directory is None:
                message = f"an editable installation leads to {entry.content[:200]}, which has no package"
                reading.note("broken-link", message, entry)
            else:
                found.add(f"/{directory}")
    return found


def _is_of_sources(entry: Entry, reading: Reading) -> bool:
    """Whether this is what a build left beside its sources: it says of what was built, not that it is installed."""
    directory, _, name = entry.path.rpartition("/")
    if name != "PKG-INFO" or directory.rpartition("/")[0].rpartition("/")[2] in INSTALLED:
        return False
    return reading.tree.find(f"{directory}/SOURCES.txt") is not None


def _missing(entry: Entry, reading: Reading) -> bool:
    if not entry.path.endswith(".dist-info/RECORD"):
        return False
    return reading.tree.find(entry.path.removesuffix("RECORD") + "METADATA") is None


def _package(entry: Entry, reading: Reading) -> Package | None:
    if not entry.path.endswith(("/METADATA", "/PKG-INFO", ".egg-info")) or not isinstance(
        entry.content, dict
    ):
        return None
    fields: Mapping[str, str] = entry.content
    name, version = fields.get("name", ""), fields.get("version", "")
    if not name or not version:
        reading.broken(entry, f"metadata without {'Version' if name else 'Name'}")
        name, version = _from_path(entry.path, name, version)
        if not name:
            return None
    direct = _direct(entry, reading)
    return Package(
        "pypi",
        name,
        version,
        reading.place(entry),
        location=_location(entry.path),
        licence=_licence(fields),
        editable=direct.get("editable", False),
        origin=direct.get("origin", ""),
    )


def _from_path(path: str, name: str, version: str) -> tuple[str, str]:
    directory = next((part for part in path.split("/") if part.endswith((".dist-info", ".egg-info"))), "")
    stem = directory.rpartition(".")[0]
    parts = stem.split("-")
    return name or parts[0], version or (parts[1] if len(parts) > 1 else "")


def _location(path: str) -> str:
    parts = path.split("/")
    last = next(i for i, part in enumerate(parts) if part.endswith((".dist-info", ".egg-info", "EGG-INFO")))
    return "/" + "/".join(parts[:last])


def _licence(fields: Mapping[str, str]) -> str:
    found = fields.get("license-expression") or fields.get("license", "")
    return found if len(found) <= LONGEST_LICENCE and found.upper() != "UNKNOWN" else ""


def _direct(entry: Entry, reading: Reading) -> dict[str, Any]:
    """Where it was installed from (PEP 610), and whether it is editable."""
    if not entry.path.endswith(".dist-info/METADATA"):
        return {}
    beside = reading.tree.find(entry.path.removesuffix("METADATA") + "direct_url.json")
    return beside.content if beside and isinstance(beside.content, dict) else {}


def _origin(url: str, vcs: Mapping[str, Any]) -> str:
    parts = urlsplit(url[:LONGEST_URL])
    host = parts.netloc.rpartition("@")[2]  # credentials stay behind, and a query, which may hold some
    plain = urlunsplit((parts.scheme, host, parts.path, "", ""))
    if vcs.get("vcs") and vcs.get("commit_id"):
        return f"{vcs['vcs']}+{plain}@{vcs['commit_id']}"
    return plain
