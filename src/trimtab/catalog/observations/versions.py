"""Versions in the order of their systems, and specifiers of them.

Python's are compared as PEP 440 says, with packaging; Debian's and those of RPM by the rules of their own manuals; all else by its numbers.
"""

import re
from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

from trimtab.catalog.errors import CatalogError

__all__ = ["SpecifierError", "check_specifier", "matching", "order", "split_requirement"]

REQUIREMENT = re.compile(
    r"\s*([^\s<>=!~;,\[\]]{1,300})\s*((?:[<>=!~]=?=?[^,;]{1,100})(?:,\s*[<>=!~]=?=?[^,;]{1,100}){0,20})?\s*"
)
CLAUSE = re.compile(r"\s*(===?|!=|<=|>=|<<|>>|<|>|=)\s*([0-9A-Za-z]\S*)\s*")
PIECES = re.compile(r"(\d+)|([^\d]+)")


class SpecifierError(CatalogError):
    """A version specifier cannot be read."""


def split_requirement(requirement: str) -> tuple[str, str]:
    """Name and specifier of `numpy>=1.20,<2`; the specifier may be empty.

    Raises:
        SpecifierError: It is none.
    """
    found = REQUIREMENT.fullmatch(requirement)
    if found is None:
        raise SpecifierError(f"{requirement[:80]!r} names no package; write it as numpy or 'numpy>=1.20,<2'")
    return found[1], (found[2] or "").strip()


def order(kind: str) -> Callable[[str], Any]:
    """What versions of a system are sorted by; what is no version of it comes first."""
    return ORDERS.get(kind, _numbers)


def matching(kind: str, specifier: str, versions: Iterable[str]) -> list[str]:
    """Those of the versions that a specifier takes; all if it is empty.

    Raises:
        SpecifierError: It cannot be read.
    """
    given = list(versions)
    if not specifier:
        return given
    if kind == "pypi":
        return _matching_python(specifier, given)
    clauses = [_clause(each) for each in specifier.split(",")]
    key = order(kind)
    return [each for each in given if all(_holds(key(each), sign, key(bound)) for sign, bound in clauses)]


def check_specifier(specifier: str) -> None:
    """See whether some system could read it.

    Raises:
        SpecifierError: None could.
    """
    try:
        matching("pypi", specifier, ())
    except SpecifierError:
        matching("deb", specifier, ())


def _matching_python(specifier: str, versions: list[str]) -> list[str]:
    from packaging.specifiers import InvalidSpecifier, SpecifierSet
    from packaging.version import InvalidVersion, Version

    try:
        wanted = SpecifierSet(specifier, prereleases=True)
    except InvalidSpecifier:
        raise _unread(specifier) from None

    def takes(version: str) -> bool:
        try:
            return wanted.contains(Version(version))
        except InvalidVersion:
            return specifier.lstrip("= ") == version  # legacy versions equal themselves

    return [each for each in versions if takes(each)]


def _clause(text: str) -> tuple[str, str]:
    found = CLAUSE.fullmatch(text)
    if found is None:
        raise _unread(text)
    return found[1], found[2]


def _unread(text: str) -> SpecifierError:
    return SpecifierError(f"{text[:80]!r} is no version specifier; write it as >=1.20,<2")


def _holds(version: Any, sign: str, bound: Any) -> bool:
    if sign in {"=", "==", "==="}:
        return bool(version == bound)
    return bool(
        {
            "!=": version != bound,
            "<": version < bound,
            "<<": version < bound,
            "<=": version <= bound,
            ">": version > bound,
            ">>": version > bound,
            ">=": version >= bound,
        }[sign]
    )


@lru_cache(maxsize=50_000)
def _python(version: str) -> Any:
    from packaging.version import InvalidVersion, Version

    try:
        return (1, Version(version), version)
    except InvalidVersion:
        return (0, version, version)


def _numbers(version: str) -> Any:
    return tuple(
        (1, int(digits[:30]), "") if digits else (0, 0, text) for digits, text in PIECES.findall(version)
    )


def _debian(version: str) -> Any:
    """deb-version(7): epoch, then upstream version and revision, in which ~ is before the end and letters before all else."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    upstream, _, revision = rest.rpartition("-") if "-" in rest else (rest, "", "0")
    return (int(epoch[:9]) if epoch.isdecimal() else 0, _debian_part(upstream), _debian_part(revision))


def _debian_part(text: str) -> tuple[Any, ...]:
    """Runs of other characters and numbers by turns; each run ends with what is between ~ and a letter."""
    found: list[Any] = []
    left = text
    while left:
        other = re.match(r"\D*", left)
        assert other is not None
        digits = re.match(r"\d*", left[other.end() :])
        assert digits is not None
        found += [(*map(_weight, other[0]), 0), int(digits[0][:30] or 0)]
        left = left[other.end() + digits.end() :]
    return (*found, (0,), 0)


def _weight(character: str) -> int:
    if character == "~":
        return -1
    return ord(character) if character.isalpha() else ord(character) + 0x200000


def _rpm(version: str) -> Any:
    """Epoch, version and release, each by its runs of digits and letters: numbers after letters, ~ before the end, ^ after it."""
    epoch, colon, rest = version.partition(":")
    if not colon:
        epoch, rest = "0", version
    number, _, release = rest.partition("-")
    return (int(epoch[:9]) if epoch.isdecimal() else 0, _rpm_part(number), _rpm_part(release))


def _rpm_part(text: str) -> tuple[Any, ...]:
    found: list[tuple[int, int, str]] = []
    for each in re.findall(r"\d+|[A-Za-z]+|~|\^", text):
        if each == "~":
            found.append((0, 0, ""))
        elif each == "^":
            found.append((2, 0, ""))
        else:
            found.append((4, int(each[:30]), "") if each.isdecimal() else (3, 0, each))
    return (*found, (1, 0, ""))


ORDERS: dict[str, Callable[[str], Any]] = {
    "pypi": _python,
    "conda": _python,
    "deb": _debian,
    "rpm": _rpm,
}
