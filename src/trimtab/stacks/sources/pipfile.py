"""Pipfile and Pipfile.lock."""

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.project import Project
from trimtab.stacks.sources.checking import names_only, pinned, python_of, requirement_of
from trimtab.stacks.sources.text import read_json, read_toml

__all__ = ["read_pipfile", "read_pipfile_lock"]

_DEFAULT = "pypi"


def read_pipfile(path: Path) -> Project:
    """Read the `packages` of a Pipfile; development packages are not part of a stack.

    Raises:
        RequirementsError: It is none, or has what cannot be searched.
    """
    document = read_toml(path)
    packages = document.get("packages")
    if not isinstance(packages, dict):
        raise RequirementsError(f"{path} has no table [packages], so it is no Pipfile")
    return Project(
        tuple(_requirement(name, entry, f"{path}, packages.{name}") for name, entry in packages.items()),
        python=_python(document.get("requires")),
        indexes=tuple(_indexes(document.get("source"))),
        origin=str(path),
    )


def read_pipfile_lock(path: Path) -> Project:
    """Read a Pipfile.lock, with the Pipfile beside it; without one, each locked package is taken as required.

    Raises:
        RequirementsError: One of them is none.
    """
    document = read_json(path)
    default = document.get("default") if isinstance(document, dict) else None
    if not isinstance(default, dict):
        raise RequirementsError(f"{path} has no object 'default', so it is no Pipfile.lock")
    pins = dict(
        pinned(name, entry["version"], f"{path}, default.{name}")
        for name, entry in default.items()
        if isinstance(entry, dict) and "version" in entry
    )
    meta = document.get("_meta")
    meta = meta if isinstance(meta, dict) else {}
    pipfile = path.with_name("Pipfile")
    wanted = read_pipfile(pipfile) if pipfile.is_file() else None
    return Project(
        wanted.requirements if wanted else names_only(pins, str(path)),
        pins=pins,
        python=_python(meta.get("requires")) or (wanted.python if wanted else None),
        indexes=tuple(_indexes(meta.get("sources"))),
        origin=str(path),
    )


def _requirement(name: str, entry: Any, place: str) -> Requirement:
    if isinstance(entry, str):
        entry = {"version": entry}
    if not isinstance(entry, Mapping):
        raise RequirementsError(f"{place} is neither a version nor a table")
    if unsearchable := {"git", "hg", "svn", "bzr", "path", "editable"} & entry.keys():
        raise RequirementsError(
            f"{place}: {min(unsearchable)} has no versions to search, and its metadata is known only by building it; "
            "build its wheel in a container and put it into an index"
        )
    extras = entry.get("extras") or ()
    text = name + (f"[{','.join(map(str, extras))}]" if isinstance(extras, list) and extras else "")
    version = str(entry.get("version") or "*").strip()
    if file := entry.get("file") or entry.get("url"):
        text += f" @ {file}"
    elif version != "*":
        text += version if version[:1] in "<>=!~" else f"=={version}"
    marker = entry.get("markers")
    return requirement_of(f"{text} ; {marker}" if marker else text, place)


def _python(requires: Any) -> str | None:
    if not isinstance(requires, Mapping):
        return None
    return python_of(requires.get("python_version")) or python_of(requires.get("python_full_version"))


def _indexes(sources: Any) -> Iterator[str]:
    """The source named `pypi` is the one that every machine has in its own way."""
    for each in sources if isinstance(sources, list) else ():
        url = each.get("url") if isinstance(each, Mapping) and each.get("name") != _DEFAULT else None
        if isinstance(url, str):
            yield url
