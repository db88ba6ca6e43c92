"""What a search was found to be about, as a value that outlives the process: an index changes."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

from trimtab.stacks.exclusion import Exclusion
from trimtab.stacks.space import Space, Variable
from trimtab.stacks.stack import Stack
from trimtab.stacks.surveying import Survey

__all__ = ["Ground"]


@dataclass(frozen=True)
class Ground:
    """What plans are made from.

    Attributes:
        survey: Space and first stack; None for a bisection, which needs neither.
        between: Of a bisection, the versions between its locks.
    """

    survey: Survey | None = None
    between: Mapping[str, tuple[str, ...]] | None = None

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return {"survey": self.survey and _written(self.survey), "between": self.between}

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        found, between = document["survey"], document["between"]
        return cls(found and _read(found), between and {name: tuple(each) for name, each in between.items()})


def exclusion_document(exclusion: Exclusion) -> dict[str, Any]:
    """An exclusion as JSON has it."""
    return {"sieve": exclusion.sieve, "packages": dict(exclusion.packages), "reason": exclusion.reason}


def _written(survey: Survey) -> dict[str, Any]:
    space = survey.space
    return {
        "variables": {each.name: list(each.versions) for each in space},
        "excluded": dict(space.excluded),
        "held": dict(space.held),
        "exclusions": list(map(exclusion_document, space.exclusions)),
        "first": survey.first.lock,
    }


def _read(document: Mapping[str, Any]) -> Survey:
    variables = tuple(Variable(name, tuple(each)) for name, each in document["variables"].items())
    exclusions = tuple(Exclusion(**each) for each in document["exclusions"])
    space = Space(variables, document["excluded"], document["held"], exclusions)
    return Survey(space, Stack(document["first"]))
