"""A stack as a Pipfile with its lock: the form in which a resolver of the original hands a project on."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement

from trimtab.engines.pipfile import pipfile_hash
from trimtab.engines.process.pins import Pin
from trimtab.engines.process.requirements import read_requirements
from trimtab.stacks.errors import RequirementsError, without_secrets
from trimtab.stacks.project import Project
from trimtab.stacks.sources.text import read_toml
from trimtab.stacks.stack import Stack

__all__ = ["locked", "pins_of", "pipfile_of", "read_pipfile_document"]

_DEFAULT = "pypi"
_SPEC = 6


def read_pipfile_document(path: Path) -> dict[str, Any]:
    """A Pipfile as JSON.

    Raises:
        RequirementsError: It is none.
    """
    document = read_toml(path)
    if not isinstance(document.get("packages"), dict):
        raise RequirementsError(f"{path} has no table [packages], so it is no Pipfile")
    return document


def pipfile_of(project: Project, python: str, url: str) -> dict[str, Any]:
    """The Pipfile, as JSON, that asks for what a project requires.

    Args:
        project: What is wanted.
        python: For which Python, as `X.Y`.
        url: Of the index.
    """
    sources = [{"name": _DEFAULT, "url": without_secrets(url), "verify_ssl": True}]
    sources += [
        {"name": f"index-{at}", "url": without_secrets(each), "verify_ssl": True}
        for at, each in enumerate(project.indexes, 1)
    ]
    packages = {each.name: _entry(each) for each in project.requirements}
    return {
        "source": sources,
        "packages": packages,
        "dev-packages": {},
        "requires": {"python_version": python},
    }


def locked(pipfile: Mapping[str, Any], stack: Stack) -> dict[str, Any]:
    """The Pipfile.lock, as JSON, of a stack that satisfies a Pipfile; without development packages, which no stack has."""
    sources = pipfile.get("source") or []
    index = next(
        (each["name"] for each in sources if isinstance(each, Mapping) and each.get("name")), _DEFAULT
    )
    return {
        "_meta": {
            "hash": {"sha256": pipfile_hash(pipfile)},
            "pipfile-spec": _SPEC,
            "requires": pipfile.get("requires") or {},
            "sources": sources,
        },
        "default": {each.name: _locked(each, index) for each in pins_of(stack)},
        "develop": {},
    }


def pins_of(stack: Stack) -> tuple[Pin, ...]:
    """The packages of a stack with their hashes."""
    return read_requirements(stack.lock.encode()).pins


def _entry(requirement: Requirement) -> str | dict[str, Any]:
    version = str(requirement.specifier) or "*"
    more: dict[str, Any] = {}
    if requirement.extras:
        more["extras"] = sorted(requirement.extras)
    if requirement.marker:
        more["markers"] = str(requirement.marker)
    if requirement.url:
        return {"file": requirement.url, **more}
    return {"version": version, **more} if more else version


def _locked(pin: Pin, index: str) -> dict[str, Any]:
    hashes = {"hashes": sorted(pin.hashes)}
    marker = {"markers": pin.marker} if pin.marker else {}
    if pin.url:
        return {"file": pin.url, **hashes, **marker}
    extras = {"extras": sorted(pin.extras)} if pin.extras else {}
    return {**extras, **hashes, "index": index, **marker, "version": f"=={pin.version}"}
