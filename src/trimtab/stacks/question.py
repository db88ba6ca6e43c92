"""What is asked of the stacks of some requirements: all of it, so that it can be asked again on another machine."""

from collections.abc import Mapping
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Any, Self

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name
from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from trimtab.stacks.project import Project
from trimtab.stacks.target import Target

__all__ = ["PlanName", "Question", "SieveChoice", "asked"]

Text = Annotated[str, Field(min_length=1, max_length=1000)]
Name = Annotated[str, Field(min_length=1, max_length=200)]
Pins = Annotated[dict[Name, Annotated[str, Field(min_length=1, max_length=100)]], Field(max_length=5000)]


class PlanName(StrEnum):
    """In which order stacks are tried."""

    all = "all"
    random = "random"
    pairwise = "pairwise"
    floor = "floor"
    newest = "newest"
    around = "around"
    bisect = "bisect"
    breakers = "breakers"
    adaptive = "adaptive"


def _check_requirements(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        try:
            found = Requirement(each)
        except (InvalidRequirement, RecursionError):
            raise ValueError(f"{each[:100]!r} is no requirement; write it as 'name>=1.2'") from None
        if found.url:
            raise ValueError(f"{found.name} has a URL and no versions to choose from; name a version instead")
    return value


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class SieveChoice(_Part):
    """What is not tried. What has no wheel for the target never is.

    Attributes:
        yanked: Take what its makers withdrew, too.
        rules: Candidate rules, as `trimtab.stacks.read_rules` has them.
        base: Base image that rules are for; by default the context's.
        vulnerabilities: By name of the package, as `trimtab.stacks.Vulnerability` writes them.
        accept: Ids of vulnerabilities that are no reason.
        allow_licences: SPDX identifiers that are allowed; none: all are.
        deny_licences: SPDX identifiers that are not.
        known_licences: Keep out what nobody knows the licence of.
    """

    yanked: bool = False
    rules: Annotated[tuple[dict[str, Any], ...], Field(max_length=20_000)] = ()
    base: Annotated[str | None, Field(max_length=512)] = None
    vulnerabilities: Annotated[dict[Name, tuple[dict[str, Any], ...]], Field(max_length=200_000)] = {}
    accept: Annotated[tuple[Name, ...], Field(max_length=10_000)] = ()
    allow_licences: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    deny_licences: Annotated[tuple[Name, ...], Field(max_length=1000)] = ()
    known_licences: bool = False


class Question(_Part):
    """Requirements, target, plan, sieves, seed: the same question of the same index has the same candidates.

    Attributes:
        requirements: What is wanted, as PEP 508 has it.
        constraints: Bounds of packages that are not wanted for themselves.
        pins: Version by name of the lock that a search starts from.
        indexes: URLs of further package indexes.
        origin: Where the requirements are from, for people.
        python: Version of Python; None: the one that runs this.
        platform: In uv's words; None: the machine that asks.
        index_date: What was uploaded later is not there.
        vary: The packages that vary; None: the direct ones.
        newest: Of each package only so many of its newest versions.
        plan: In which order stacks are tried.
        seed: Of what is drawn.
        good: Version by name of a lock that passes, for `bisect`.
        bad: The same of one that fails.
        find: How many breakers are wanted, for `breakers`; None: all.
        slower: Stacks that take so many times as much as the others are looked for, too, for `breakers`; None: they are not.
        metric: Of which.
        objective: What is wanted, for `adaptive`: an expression of metrics, after `minimize` or `maximize`.
        strategy: Which way to search, for `adaptive`.
        sieves: What is not tried.
    """

    requirements: Annotated[
        tuple[Text, ...], Field(min_length=1, max_length=1000), AfterValidator(_check_requirements)
    ]
    constraints: Annotated[tuple[Text, ...], Field(max_length=5000), AfterValidator(_check_requirements)] = ()
    pins: Pins = {}
    indexes: Annotated[tuple[Text, ...], Field(max_length=20)] = ()
    origin: Annotated[str, Field(max_length=1000)] = "the requirements"
    python: Annotated[str | None, Field(max_length=20)] = None
    platform: Annotated[str | None, Field(max_length=50)] = None
    index_date: AwareDatetime | None = None
    vary: Annotated[tuple[Name, ...] | None, Field(max_length=1000)] = None
    newest: Annotated[int | None, Field(ge=1)] = None
    plan: PlanName = PlanName.pairwise
    seed: Annotated[int, Field(ge=0, le=2**63 - 1)] = 0
    good: Pins | None = None
    bad: Pins | None = None
    find: Annotated[int | None, Field(ge=1, le=1000)] = None
    slower: Annotated[float | None, Field(gt=1, le=1000)] = None
    metric: Name = "duration"
    objective: Annotated[str | None, Field(max_length=1000)] = None
    strategy: Annotated[str | None, Field(max_length=100)] = None
    sieves: SieveChoice = SieveChoice()

    @model_validator(mode="after")
    def _check_plan(self) -> Self:
        if self.plan is PlanName.bisect and not (self.good and self.bad):
            raise ValueError("the plan bisect needs good and bad, a lock that passes and one that fails")
        if self.plan is PlanName.adaptive and not self.objective:
            raise ValueError("the plan adaptive needs an objective, such as 'minimize duration'")
        own = {"good": "bisect", "bad": "bisect", "find": "breakers", "slower": "breakers"}
        own |= {"objective": "adaptive", "strategy": "adaptive"}
        for name, plan in own.items():
            if getattr(self, name) is not None and self.plan != plan:
                raise ValueError(f"{name} is for the plan {plan}, and the plan is {self.plan}")
        return self

    @property
    def project(self) -> Project:
        """What is wanted, as a search has it."""
        return Project(
            tuple(map(Requirement, self.requirements)),
            tuple(map(Requirement, self.constraints)),
            {canonicalize_name(name): version for name, version in self.pins.items()},
            self.python,
            self.indexes,
            self.origin,
        )

    @property
    def target(self) -> Target:
        """Where the stacks are to be installed.

        Raises:
            RequirementsError: A version or platform that is none.
        """
        return Target(self.python, self.platform, self.index_date)


def asked(project: Project, target: Target, **others: Any) -> Mapping[str, Any]:
    """A question's document, of a project that was read from a file."""
    date: datetime | None = target.index_date
    return {
        "requirements": list(map(str, project.requirements)),
        "constraints": list(map(str, project.constraints)),
        "pins": dict(project.pins),
        "indexes": list(project.indexes),
        "origin": project.origin,
        "python": target.python,
        "platform": target.platform,
        "index_date": date and date.isoformat(),
        **others,
    }
