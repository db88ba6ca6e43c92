"""What Dependency Monkey is asked: the options of the original, read and checked."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

import yaml

from trimtab.stacks.errors import RequirementsError
from trimtab.stacks.surveying import EVERYTHING

__all__ = ["FORMATS", "PREDICTORS", "MonkeyQuestion", "read_text_or_table"]

FORMATS = ("pipenv", "requirements")
PREDICTORS = (
    "AUTO", "AdaptiveSimulatedAnnealing", "ApproximatingLatest", "HillClimbing", "MCTS", "PackageCombinations", "RandomWalk",
    "Sampling", "TemporalDifference",
)  # fmt: skip
_LATEST = {"ApproximatingLatest", "HillClimbing"}
_LEARNING = {"AdaptiveSimulatedAnnealing", "HillClimbing", "MCTS", "TemporalDifference"}
_COMBINATIONS = "PackageCombinations"
_PLATFORMS = {"linux-x86_64": "linux", "linux-aarch64": "aarch64-unknown-linux-gnu"}
_UNITS = ("boots", "pseudonyms", "sieves", "steps", "strides", "wraps")
_APPLIED = {"OneVersionStride", "CutPreReleasesSieve", "PlatformBoot", "PythonVersionBoot"}
_MOST = 1_000_000
_LONGEST = 1024 * 1024


@dataclass(frozen=True)
class MonkeyQuestion:
    """Which stacks are wanted, and how many.

    Attributes:
        requirements: Text of a Pipfile or of requirements; or a Pipfile as JSON.
        format: `pipenv` or `requirements`.
        count: How many stacks.
        seed: Of all that is drawn.
        decision: `all`: from the newest on; `random`.
        predictor: A name of the original's; `AUTO` goes by the decision.
        predictor_config: `package_combinations`: names of the packages that vary alone.
        pipeline: Units by kind; `OneVersionStride` holds a package.
        runtime_environment: `python_version` and `platform` are the target's.
        limit_latest_versions: Of each package only so many of the newest versions; None: all.

    Raises:
        RequirementsError: One of them is not what it has to be.
    """

    requirements: str | Mapping[str, Any]
    format: str = "pipenv"
    count: int = 3
    seed: int = 0
    decision: Literal["all", "random"] = "all"
    predictor: str = "AUTO"
    predictor_config: Mapping[str, Any] | None = None
    pipeline: Mapping[str, Any] | None = None
    runtime_environment: Mapping[str, Any] | None = None
    limit_latest_versions: int | None = None
    notes: list[str] = field(default_factory=list, compare=False)
    """What of it is not done, each a sentence."""

    def __post_init__(self) -> None:
        _check(self.format in FORMATS, f"the format {self.format!r} is none of {', '.join(FORMATS)}")
        _check(1 <= self.count <= _MOST, f"the count {self.count} is not from 1 to {_MOST}")
        _check(
            self.decision in {"all", "random"}, f"the decision {self.decision!r} is neither all nor random"
        )
        _check(
            self.predictor in PREDICTORS,
            f"the predictor {self.predictor[:50]!r} is not known; there are {', '.join(PREDICTORS)}",
        )
        _check(bool(self.requirements), "the requirements are empty; name a package")
        self._check_pipeline()
        if self.predictor in _LEARNING:
            self.notes.append(
                f"{self.predictor} learned from scores that nobody has before a stack was tried; `trimtab campaigns` learns "
                "from inspections"
            )

    @property
    def at_random(self) -> bool:
        """Whether stacks are drawn, and not gone through from the newest on."""
        if self.predictor in {"AUTO", _COMBINATIONS}:
            return self.decision == "random"
        return self.predictor not in _LATEST

    @property
    def vary(self) -> tuple[str, ...]:
        """Packages whose versions are chosen."""
        chosen = (self.predictor_config or {}).get("package_combinations")
        if self.predictor != _COMBINATIONS or not isinstance(chosen, list) or not chosen:
            return (EVERYTHING,)
        return tuple(str(each) for each in chosen)

    @property
    def held(self) -> frozenset[str]:
        """Packages whose version is not chosen, as the pipeline has it."""
        return frozenset(
            str(unit["configuration"].get("package_name"))
            for unit in (self.pipeline or {}).get("strides") or ()
            if unit["name"] == "OneVersionStride"
        )

    @property
    def python(self) -> str | None:
        """The Python that the environment says."""
        version = (self.runtime_environment or {}).get("python_version")
        return str(version) if version else None

    @property
    def platform(self) -> str | None:
        """The platform that the environment says, in uv's words."""
        named = (self.runtime_environment or {}).get("platform")
        return None if not named else _PLATFORMS.get(str(named), str(named))

    def _check_pipeline(self) -> None:
        """Units as the original has them: a list of names with configurations for each kind."""
        for kind, units in (self.pipeline or {}).items():
            _check(
                kind in _UNITS and isinstance(units or [], list),
                f"the pipeline has {str(kind)[:50]!r}, which is no list of {', '.join(_UNITS)}",
            )
            for unit in units or []:
                _check(
                    isinstance(unit, dict)
                    and isinstance(unit.get("name"), str)
                    and isinstance(unit.setdefault("configuration", {}) or {}, dict),
                    f"a unit of the pipeline's {kind} is no table with name and configuration",
                )
                unit["configuration"] = unit["configuration"] or {}
        names = sorted(
            {
                unit["name"]
                for units in (self.pipeline or {}).values()
                for unit in units or []
                if unit["name"] not in _APPLIED
            }
        )
        if names:
            more = f" and {len(names) - 5} more" if len(names) > 5 else ""  # noqa: PLR2004 - as many as are shown
            self.notes.append(
                f"units of the original's pipeline without a counterpart here: {', '.join(names[:5])}{more}; the resolver is uv"
            )


def fresh_seed() -> int:
    """A seed where none is given; it is in the report."""
    return secrets.randbelow(2**31)


def read_text_or_table(text: str, what: str) -> Mapping[str, Any]:
    """A table as YAML or JSON.

    Raises:
        RequirementsError: It is none.
    """
    _check(len(text) <= _LONGEST, f"{what} has more than {_LONGEST} characters")
    try:
        found = yaml.safe_load(text)
    except (yaml.YAMLError, RecursionError, ValueError) as error:
        raise RequirementsError(
            f"{what} is neither YAML nor JSON: {' '.join(str(error).split())[:300]}"
        ) from None
    if not isinstance(found, dict):
        raise RequirementsError(f"{what} is no table of keys and values")
    return found


def _check(fulfilled: bool, problem: str) -> None:  # noqa: FBT001 - what it is about
    if not fulfilled:
        raise RequirementsError(problem)
