"""pyproject.toml, pylock.toml and uv.lock."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.project import Project
from trimtab.stacks.sources.checking import names_only, pinned, requirement_of
from trimtab.stacks.sources.text import read_toml

__all__ = ["read_pylock", "read_pyproject", "read_uv_lock"]

_OWN = ("virtual", "editable", "directory")


def read_pyproject(path: Path, extras: Sequence[str] = ()) -> Project:
    """Read the dependencies of a pyproject.toml.

    Args:
        path: The file.
        extras: Optional dependencies that are wanted, too.

    Raises:
        RequirementsError: It has none, or what cannot be searched.
    """
    document = read_toml(path)
    project = document.get("project")
    if not isinstance(project, dict) or not isinstance(project.get("dependencies", []), list):
        raise RequirementsError(
            f"{path} has no table [project] with dependencies; write them as PEP 621 has it"
        )
    sources = _table(document, "tool", "uv", "sources")
    texts = [("project.dependencies", text) for text in project.get("dependencies", [])]
    optional = project.get("optional-dependencies") or {}
    for extra in extras:
        if not isinstance(optional, dict) or extra not in optional:
            known = ", ".join(sorted(optional)) if isinstance(optional, dict) and optional else "none"
            raise RequirementsError(f"{path} has no extra {extra[:50]!r}; there are {known}")
        texts += [(f"project.optional-dependencies.{extra}", text) for text in optional[extra]]
    found = tuple(_of_pyproject(text, f"{path}, {where}", sources) for where, text in texts)
    return Project(
        found, indexes=tuple(_indexes(_table(document, "tool", "uv").get("index"))), origin=str(path)
    )


def read_pylock(path: Path) -> Project:
    """Read a pylock.toml. It does not say what was asked for, so each locked package is taken as required.

    Raises:
        RequirementsError: It is none.
    """
    entries = read_toml(path).get("packages")
    if not isinstance(entries, list):
        raise RequirementsError(f"{path} has no array [[packages]], so it is no pylock.toml")
    pins = _pins(entries, path)
    return Project(names_only(pins, str(path)), pins=pins, origin=str(path))


def read_uv_lock(path: Path) -> Project:
    """Read a uv.lock, which knows what its project requires.

    Raises:
        RequirementsError: It is none.
    """
    entries = read_toml(path).get("package")
    if not isinstance(entries, list):
        raise RequirementsError(f"{path} has no array [[package]], so it is no uv.lock")
    own = [each for each in entries if isinstance(each, dict) and any(key in _source(each) for key in _OWN)]
    pins = _pins([each for each in entries if each not in own], path)
    wanted = tuple(
        requirement
        for project in own
        for requirement in _of_uv_lock(_table(project, "metadata").get("requires-dist"), path)
    )
    return Project(wanted or names_only(pins, str(path)), pins=pins, origin=str(path))


def _of_pyproject(text: Any, place: str, sources: Mapping[str, Any]) -> Requirement:
    if not isinstance(text, str):
        raise RequirementsError(f"{place} has an entry that is no text")
    requirement = requirement_of(text, place)
    source = sources.get(requirement.name)
    if isinstance(source, dict) and "index" not in source:
        raise RequirementsError(
            f"{place}: {requirement.name} comes from {', '.join(sorted(source))} of [tool.uv.sources], which has no "
            "versions to search; build its wheel in a container and put it into an index"
        )
    return requirement


def _of_uv_lock(entries: Any, path: Path) -> Iterator[Requirement]:
    for each in entries if isinstance(entries, list) else ():
        if not isinstance(each, dict) or "extra ==" in str(each.get("marker", "")):
            continue
        extras = f"[{','.join(each['extras'])}]" if isinstance(each.get("extras"), list) else ""
        text = f"{each.get('name')}{extras}{each.get('specifier', '')}"
        marker = each.get("marker")
        yield requirement_of(f"{text} ; {marker}" if marker else text, f"{path}, requires-dist")


def _pins(entries: Sequence[Any], path: Path) -> dict[str, str]:
    return dict(
        pinned(each.get("name"), each["version"], str(path))
        for each in entries
        if isinstance(each, dict) and "version" in each
    )


def _source(entry: Mapping[str, Any]) -> Mapping[str, Any]:
    return _table(entry, "source")


def _table(document: Any, *names: str) -> Mapping[str, Any]:
    for name in names:
        document = document.get(name) if isinstance(document, Mapping) else None
    return document if isinstance(document, Mapping) else {}


def _indexes(entries: Any) -> Iterator[str]:
    for each in entries if isinstance(entries, list) else ():
        if isinstance(each, dict) and isinstance(each.get("url"), str):
            yield each["url"]
