"""Candidate rules: what experience says not to try.

A rule names versions of one package or of several. Several are kept out only together: a stack that has all of them.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml
from packaging.markers import InvalidMarker, Marker
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.utils import canonicalize_name
from packaging.version import Version

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.release import Release
from trimtab.stacks.sources.text import read_text
from trimtab.stacks.stack import Stack
from trimtab.stacks.target import Target

__all__ = ["Rule", "RulesSieve", "parse_rules", "read_rules"]

FILE_LIMIT = 16 * 1024 * 1024
_COUNT = 20_000
_KEYS = {"id", "packages", "when", "reason", "source", "base"}
_SURE, _PYTHON = "fails", "pypi"


@dataclass(frozen=True)
class Rule:
    """Versions that are not tried together.

    Attributes:
        id: By which it is known.
        packages: Versions by canonical name; all of them have to be in a stack.
        reason: Why.
        when: Marker of the targets it is for; None: all.
        base: Base image that it is for; None: any.
    """

    id: str
    packages: Mapping[str, SpecifierSet]
    reason: str
    when: Marker | None = None
    base: str | None = None

    def document(self) -> dict[str, Any]:
        """As people write it."""
        packages = {name: str(versions) or "*" for name, versions in self.packages.items()}
        found = {"id": self.id, "packages": packages, "reason": self.reason, "base": self.base}
        return {**found, "when": str(self.when) if self.when else None}

    def hit(self, pins: Mapping[str, str]) -> dict[str, str] | None:
        """What it keeps out of some pins; None: nothing."""
        if all(
            name in pins and versions.contains(Version(pins[name]), prereleases=True)
            for name, versions in self.packages.items()
        ):
            return {name: pins[name] for name in self.packages}
        return None


class RulesSieve:
    """Keeps out what rules name.

    Args:
        rules: The rules.
        target: Those that are for other targets are left out.
        base: Base image of what will be built; those that are for another are left out, and without it all that are for one.
    """

    name = "rule"

    def __init__(self, rules: tuple[Rule, ...], target: Target, base: str | None = None) -> None:
        environment = {**target.environment, "extra": ""}
        self._rules = tuple(
            each
            for each in rules
            if each.base in {None, base} and (each.when is None or each.when.evaluate(environment))
        )
        self._single: dict[str, list[Rule]] = {}
        for rule in self._rules:
            if len(rule.packages) == 1:
                self._single.setdefault(next(iter(rule.packages)), []).append(rule)

    def release(self, release: Release) -> str | None:
        """The rule that keeps it out of every stack."""
        pins = {release.name: str(release.version)}
        return next((_reason(each) for each in self._single.get(release.name, ()) if each.hit(pins)), None)

    async def stack(self, stack: Stack) -> Exclusion | None:
        """The first rule that keeps it out."""
        for rule in self._rules:
            if hit := rule.hit(stack.pins):
                return Exclusion(self.name, hit, _reason(rule))
        return None


def read_rules(path: Path) -> tuple[Rule, ...]:
    """Read rules.

    Args:
        path: YAML or JSON with a list `rules`. An entry of people has `packages` (versions by name, as `"<2"` or `"==1.4.1"`),
            `reason`, and, if wanted, `id`, `source`, `base` and `when` (a marker, as `python_version < "3.12"`). One of
            observations has `package` and `versions`, as `trimtab ask rules` writes it; those of which there are not enough
            builds to say, and those of packages that are not Python's, are left out.

    Raises:
        RequirementsError: It is no such file; with the rule's number.
    """
    try:
        document = yaml.safe_load(read_text(path, FILE_LIMIT))
    except (yaml.YAMLError, RecursionError) as error:
        raise RequirementsError(f"{path} is no YAML: {' '.join(str(error).split())[:500]}") from None
    return parse_rules(document, str(path))


def parse_rules(document: Any, place: str) -> tuple[Rule, ...]:
    """Rules of a document, as `read_rules` has it.

    Args:
        document: With a list `rules`.
        place: What it is, for errors.

    Raises:
        RequirementsError: It is no such document; with the rule's number.
    """
    listed = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _COUNT:
        raise RequirementsError(f"{place} has no list 'rules' of at most {_COUNT} entries")
    found = (_rule(each, f"{place}, rule {number}", number) for number, each in enumerate(listed, 1))
    return tuple(each for each in found if each)


def _rule(entry: Any, place: str, number: int) -> Rule | None:
    if not isinstance(entry, dict):
        raise RequirementsError(f"{place} is no table of its keys")
    return _observed(entry, place) if "package" in entry else _written(entry, place, number)


def _written(entry: Mapping[str, Any], place: str, number: int) -> Rule:
    if not isinstance(entry.get("packages"), dict) or not entry["packages"]:
        raise RequirementsError(f"{place} has no 'packages', versions by name")
    if unknown := sorted(map(str, entry.keys() - _KEYS)):
        raise RequirementsError(
            f"{place} has an unknown key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}"
        )
    if not isinstance(entry.get("reason"), str):
        raise RequirementsError(f"{place} has no 'reason'; say why, for each exclusion is shown with it")
    return Rule(
        str(entry.get("id") or f"rule {number}"),
        {canonicalize_name(str(name)): _versions(text, place) for name, text in entry["packages"].items()},
        entry["reason"],
        _marker(entry.get("when"), place),
        _base(entry),
    )


def _observed(entry: Mapping[str, Any], place: str) -> Rule | None:
    """A rule that observations of builds gave, with the counts as its reason."""
    package, inside, failure = (_table(entry.get(key)) for key in ("package", "inside", "failure"))
    if entry.get("verdict") != _SURE or package.get("type") != _PYTHON:
        return None
    name, versions = canonicalize_name(str(package.get("name"))), _versions(entry.get("versions"), place)
    base = _base(entry)
    counts = f"{inside.get('failed')} of {inside.get('builds')} builds"
    reason = (
        f"it broke {counts} on {base or 'any base image'}: {failure.get('class') or 'for reasons unknown'}"
    )
    return Rule(str(entry.get("id") or name), {name: versions}, reason, base=base)


def _table(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}


def _base(entry: Mapping[str, Any]) -> str | None:
    return str(entry["base"]) if entry.get("base") else None


def _versions(text: Any, place: str) -> SpecifierSet:
    try:
        return SpecifierSet("" if text in ("*", None) else str(text))
    except InvalidSpecifier:
        raise RequirementsError(
            f"{place}: {str(text)[:100]!r} is no specifier; write it as '<2' or '==1.4.1'"
        ) from None


def _marker(text: Any, place: str) -> Marker | None:
    if text is None:
        return None
    try:
        return Marker(str(text))
    except (InvalidMarker, RecursionError):
        raise RequirementsError(f"{place}: {str(text)[:100]!r} is no marker") from None


def _reason(rule: Rule) -> str:
    return f"{rule.reason} [{rule.id}]"
