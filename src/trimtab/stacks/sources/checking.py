"""Which requirements can be searched."""

import re
from collections.abc import Iterable
from typing import Any
from urllib.parse import urlsplit

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

from trimtab.stacks.errors import RequirementsError, without_secrets

__all__ = ["checked", "names_only", "pin_of", "pinned", "python_of", "requirement_of"]

_PYTHON = re.compile(r"(3\.[0-9]{1,2})(?:\.[0-9*]+)?")
_EXACT = {"==", "==="}


def checked(requirement: Requirement, place: str) -> Requirement:
    """The same, if it can be resolved without running foreign code.

    Raises:
        RequirementsError: It is a repository, a path, or an archive that has to be built.
    """
    if requirement.url:
        address = urlsplit(requirement.url)
        if address.scheme not in {"http", "https"} or not address.path.endswith(".whl"):
            raise RequirementsError(
                f"{place}: {requirement.name} is {without_secrets(requirement.url)[:100]}: its metadata is known only by "
                "building it, which runs foreign code; build its wheel in a container, and give the wheel's URL, or "
                "an index or find-links directory that has it"
            )
    return requirement


def requirement_of(text: str, place: str) -> Requirement:
    """A requirement that can be searched.

    Raises:
        RequirementsError: It is none.
    """
    try:
        return checked(Requirement(text), place)
    except (InvalidRequirement, RecursionError) as error:
        reason = str(error).splitlines()[0] if str(error) else "it is nested too deeply"
        raise RequirementsError(
            f"{place}: {without_secrets(text)[:100]!r} is no requirement: {reason}"
        ) from None


def pin_of(requirement: Requirement, place: str) -> tuple[str, str]:
    """Name and version of a pinned requirement.

    Raises:
        RequirementsError: It is not pinned.
    """
    specifiers = list(requirement.specifier)
    if len(specifiers) != 1 or specifiers[0].operator not in _EXACT:
        raise RequirementsError(
            f"{place}: {requirement.name} is not pinned with ==, so this is no lock; lock it again"
        )
    return pinned(requirement.name, specifiers[0].version, place)


def pinned(name: Any, version: Any, place: str) -> tuple[str, str]:
    """Canonical name and version.

    Raises:
        RequirementsError: They are none.
    """
    try:
        text = str(Version(str(version).lstrip("= ")))
        return canonicalize_name(str(name), validate=True), text
    except (InvalidVersion, ValueError):
        raise RequirementsError(
            f"{place}: {str(name)[:100]!r} {str(version)[:100]!r} is no package with a version"
        ) from None


def names_only(names: Iterable[str], place: str) -> tuple[Requirement, ...]:
    """Requirements of names alone: the versions of a lock bind nothing."""
    return tuple(requirement_of(name, place) for name in names)


def python_of(value: Any) -> str | None:
    """`X.Y` of a version of Python; None if it is none, or a range."""
    match = _PYTHON.fullmatch(value) if isinstance(value, str) else None
    return match[1] if match else None
