"""What a session is created from."""

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from servo.types.duration import Duration
from trimtab.optimizer.objective import Goal
from trimtab.optimizer.strategy import names
from trimtab.optimizer.trial import MAX_TRIALS, Budget

__all__ = ["APPLICATION", "BudgetSpec", "ControlSpec", "GoalSpec", "SessionSpec"]

# `organization/name` of an Opsani optimizer, or the bare id of an AppDynamics one; both are path segments.
APPLICATION = re.compile(r"(?!-)[A-Za-z0-9.-]{1,50}/[A-Za-z0-9_.-]{1,64}|[A-Za-z0-9_.-]{1,64}")
WEEK = 7 * 24 * 3600


def _to_seconds(value: Any) -> Any:
    return Duration(value).total_seconds() if isinstance(value, str) else value


Seconds = Annotated[float, BeforeValidator(_to_seconds, json_schema_input_type=float | str)]
Text = Annotated[str, Field(min_length=1, max_length=1000)]


class Spec(BaseModel):
    """Base of the parts: unknown keys are mistakes, values are not changed once read."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class GoalSpec(Spec):
    """What is wanted; as `Goal.to_dict` writes it."""

    objective: Annotated[Text, Field(examples=["maximize throughput / cost"])]
    slos: Annotated[tuple[Text, ...], Field(max_length=32, examples=[["latency_p99 <= 200ms"]])] = ()
    prices: Annotated[
        dict[str, Annotated[float, Field(ge=0)]], Field(max_length=64, examples=[{"web.cpu": 30.0}])
    ] = {}
    units: Annotated[dict[str, str], Field(max_length=256)] = {}


class BudgetSpec(Spec):
    """What may be spent: trials, and optionally their time in seconds."""

    trials: Annotated[int, Field(ge=1, le=MAX_TRIALS)] = 30
    seconds: Annotated[Seconds, Field(gt=0)] | None = None

    def to_budget(self) -> Budget:
        """For a study."""
        return Budget(self.trials, self.seconds)


class ControlSpec(Spec):
    """How long the application is measured, after which warm-up, and how long settings settle; in seconds."""

    duration: Annotated[Seconds, Field(gt=0, le=WEEK)] = 60.0
    warmup: Annotated[Seconds, Field(ge=0, le=WEEK)] = 0.0
    settlement: Annotated[Seconds, Field(ge=0, le=WEEK)] = 0.0


def _check_application(value: str) -> str:
    if not APPLICATION.fullmatch(value):
        raise ValueError(
            "write organization/name (letters, digits, '.', '-'; the name also '_'), or the id of an optimizer"
        )
    return value


def _check_goal(value: GoalSpec) -> GoalSpec:
    Goal.from_dict(value.model_dump())
    return value


def _check_strategy(value: str) -> str:
    if value not in names():
        raise ValueError(f"unknown strategy {value!r}; there are {', '.join(names())}")
    return value


class SessionSpec(Spec):
    """One application's course with the optimizer.

    Args:
        application: The optimizer id its agent is configured with, such as `example.com/shop`.
        goal: Objective, SLOs and prices.
        budget: Trials and time.
        control: Durations of each trial.
        strategy: Which search proposes candidates.
        seed: The same seed and the same measurements make the same course.
        apply: Whether an improvement is left in place at the end; else the baseline is.
        warm_start: Whether the history of the application's earlier sessions is used.
    """

    application: Annotated[
        str,
        AfterValidator(_check_application),
        Field(
            max_length=115,
            examples=["example.com/shop"],
            json_schema_extra={"pattern": f"^({APPLICATION.pattern})$"},
        ),
    ]
    goal: Annotated[GoalSpec, AfterValidator(_check_goal)]
    budget: BudgetSpec = BudgetSpec()
    control: ControlSpec = ControlSpec()
    strategy: Annotated[str, AfterValidator(_check_strategy), Field(max_length=64)] = "gaussian-process"
    seed: Annotated[int, Field(ge=0, lt=2**32)] = 0
    apply: bool = True
    warm_start: bool = True
