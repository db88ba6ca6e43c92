"""Facts, before they are rows: what was found, and what was found together."""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import NamedTuple

from trimtab.catalog.values import text

__all__ = ["DECLARED", "INFERRED", "OBSERVED", "PACKAGES", "Fact", "FactSet", "fact", "named", "repository"]

DECLARED, OBSERVED, INFERRED = "declared", "observed", "inferred"
PACKAGES = ("pypi", "deb", "rpm", "apk", "conda", "npm", "golang", "maven")
"""The kinds of facts that are packages, as package URLs call their systems."""
LONGEST_NAME, LONGEST_VALUE = 300, 200


class Fact(NamedTuple):
    """Something that is so, whoever saw it.

    Args:
        kind: Of a package its system; `interpreter`, `cuda`, `library` or `layer`.
        name: Of the package, or a path in the image; of a layer its digest.
        value: The version; of a library the digest of its symbols; of a layer its place, from 1.
    """

    kind: str
    name: str
    value: str


@dataclass(frozen=True, slots=True)
class FactSet:
    """Facts of one kind that a document tells together.

    Args:
        kind: Of all of them.
        relation: `contains` of an image; `requires`, `installed` or `attempted` of a build.
        how: `declared`, `observed` or `inferred`.
        facts: Which.
    """

    kind: str
    relation: str
    how: str
    facts: frozenset[Fact]

    @property
    def subject(self) -> str:
        """What has them: `image` or `build`."""
        return "image" if self.relation == "contains" else "build"

    @property
    def digest(self) -> str:
        """SHA-256, in hex; the same for the same facts of the same subject."""
        whole = sha256(f"{self.subject}\0{self.kind}".encode())
        for each in sorted(self.facts):
            whole.update(f"\0{each.name}\0{each.value}".encode())
        return whole.hexdigest()


def fact(kind: str, name: object, value: object) -> Fact | None:
    """A fact as columns can take it; None if it has no name, or no value."""
    called, told = text(name, LONGEST_NAME), text(value, LONGEST_VALUE)
    return Fact(kind, called, told) if called and told else None


def sets_of(found: Iterable[Fact | None], relation: str, how: str, limit: int) -> list[FactSet]:
    """The facts, a set for each kind.

    Args:
        found: They; None is passed over.
        relation: What they are to what is told about.
        how: It is known.
        limit: How many are taken at most.
    """
    kinds: dict[str, set[Fact]] = {}
    left = limit
    for each in found:
        if left <= 0:
            break
        if each is not None:
            kinds.setdefault(each.kind, set()).add(each)
            left -= 1
    return [FactSet(kind, relation, how, frozenset(facts)) for kind, facts in sorted(kinds.items())]


def named(reference: str) -> str:
    """What an image is called: with its tag, and without the digest beside it."""
    plain = reference.removeprefix("docker://")
    name, at, _ = plain.partition("@")
    return name if not at or ":" in name.rpartition("/")[2] else plain


def repository(reference: str) -> str:
    """The same without its tag, too."""
    name = reference.removeprefix("docker://").partition("@")[0]
    head, slash, last = name.rpartition("/")
    return head + slash + last.partition(":")[0]
