"""Candidate rules: what experience says not to try.

A rule names versions of one package or of several. Several are kept out only together: a stack that has all of them.
"""

from collections.abc import Iterator, Mapping
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

__all__ = ["Rule", "RulesSieve", "read_rules"]

FILE_LIMIT = 16 * 1024 * 1024
_COUNT = 20_000
_KEYS = {"id", "packages", "when", "reason", "source"}


@dataclass(frozen=True)
class Rule:
    """Versions that are not tried together.

    Attributes:
        id: By which it is known.
        packages: Versions by canonical name; all of them have to be in a stack.
        reason: Why.
        when: Marker of the targets it is for; None: all.
    """

    id: str
    packages: Mapping[str, SpecifierSet]
    reason: str
    when: Marker | None = None

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
    """

    name = "rule"

    def __init__(self, rules: tuple[Rule, ...], target: Target) -> None:
        environment = {**target.environment, "extra": ""}
        self._rules = tuple(each for each in rules if each.when is None or each.when.evaluate(environment))
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
        path: YAML: `rules`, a list of `packages` (versions by name, as `"<2"` or `"==1.4.1"`), `reason`, and, if wanted, `id`,
            `source` and `when` (a marker, as `python_version < "3.12"`).

    Raises:
        RequirementsError: It is no such file; with the rule's number.
    """
    try:
        document = yaml.safe_load(read_text(path, FILE_LIMIT))
    except (yaml.YAMLError, RecursionError) as error:
        raise RequirementsError(f"{path} is no YAML: {' '.join(str(error).split())[:500]}") from None
    listed = document.get("rules") if isinstance(document, dict) else None
    if not isinstance(listed, list) or len(listed) > _COUNT:
        raise RequirementsError(f"{path} has no list 'rules' of at most {_COUNT} entries")
    return tuple(_rules(listed, path))


def _rules(listed: list[Any], path: Path) -> Iterator[Rule]:
    for number, each in enumerate(listed, 1):
        place = f"{path}, rule {number}"
        if not isinstance(each, dict) or not isinstance(each.get("packages"), dict) or not each["packages"]:
            raise RequirementsError(f"{place} has no 'packages', versions by name")
        if unknown := sorted(map(str, each.keys() - _KEYS)):
            raise RequirementsError(
                f"{place} has an unknown key {unknown[0]!r}; there are {', '.join(sorted(_KEYS))}"
            )
        if not isinstance(each.get("reason"), str):
            raise RequirementsError(f"{place} has no 'reason'; say why, for each exclusion is shown with it")
        yield Rule(
            str(each.get("id") or f"rule {number}"),
            {canonicalize_name(str(name)): _versions(text, place) for name, text in each["packages"].items()},
            " ".join(each["reason"].split()),
            _marker(each.get("when"), place),
        )


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
