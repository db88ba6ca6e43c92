"""What is said of sessions to the outside: a session as it stands, and the one document that holds all of it.

The JSON Schema of `Document` (`Document.model_json_schema()`) is the format of `trimtab sessions export`; it is
explained in docs/sessions.md. Times are ISO 8601 in UTC.
"""

from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field

from trimtab.optimizer.session_machine import State, Step
from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["Agent", "Best", "Command", "Document", "Progress", "Result", "Session", "Trial"]

Value = int | float | str
Point = dict[str, Value]


def _from_epoch(value: object) -> object:
    return datetime.fromtimestamp(value, UTC) if isinstance(value, int | float) else value


Time = Annotated[AwareDatetime, BeforeValidator(_from_epoch)]


class _Model(BaseModel):
    model_config = ConfigDict(frozen=True, from_attributes=True)


class Progress(_Model):
    """What the agent last reported of the command in flight."""

    percent: float | None
    message: str


class Command(_Model):
    """A command of the protocol: what it was for, and how it was answered.

    `status` is null while it is in flight, else what the agent posted, or `lost` if its answer is no longer wanted.
    """

    number: int
    cmd: str
    step: Step
    trial: int | None
    attempt: int | None
    param: dict[str, Any]
    issued_at: Time
    answered_at: Time | None
    status: str | None
    reason: str | None
    message: str | None


class Trial(_Model):
    """One point that was measured, and what came of it; `status` is null while it is in flight."""

    number: int
    purpose: Literal["baseline", "search", "confirm", "verify"]
    point: Point
    strategy: str
    why: str
    predicted: dict[str, float | None] | None
    attempts: int
    status: Literal["ok", "rejected", "failed", "aborted", "lost"] | None
    metrics: dict[str, float] | None
    spread: dict[str, float] | None
    reason: str | None
    message: str | None
    seconds: float | None
    started_at: Time
    finished_at: Time | None
    value: Annotated[float | None, Field(description="The objective in its own unit")] = None
    feasible: Annotated[bool | None, Field(description="Whether every SLO held")] = None
    violations: list[str] = []


class Agent(_Model):
    """Who serves the application; `stale`: nothing was heard of it for too long."""

    servo_uid: str | None
    name: str
    hello_at: Time | None
    goodbye: str | None
    last_seen: Time | None
    stale: bool


class InFlight(_Model):
    """The command the agent is at work on."""

    cmd: str
    step: Step
    issued_at: Time
    elapsed: float
    planned: Annotated[float, Field(description="Seconds it takes by the session's control, at least")]
    progress: Progress | None


class Best(_Model):
    """The last known good settings, the mean of their readings, and that of the baseline's."""

    point: Point
    value: float | None
    baseline_value: float | None


class Result(_Model):
    """What was found: see `trimtab.optimizer.Recommendation`; importance is each setting's share."""

    recommendation: dict[str, Any]
    importance: dict[str, float | None]


class Session(_Model):
    """A session as it stands."""

    id: str
    application: str
    state: State
    message: str
    spec: SessionSpec
    trials_done: int
    trials_budget: int
    trial: Trial | None
    attempt: int
    command: InFlight | None
    best: Best | None
    result: Result | None
    agent: Agent | None
    created_at: Time
    updated_at: Time
    finished_at: Time | None

    @property
    def over(self) -> bool:
        """Whether nothing is left to do."""
        return self.state in {State.finished, State.cancelled, State.failed}


class Event(_Model):
    """One moment of the session: `hello`, `goodbye`, `command`, `answer`, `cancelled`, `ending`, `over`."""

    at: Time
    kind: str
    data: dict[str, Any]


class Document(_Model):
    """All of a session."""

    format: Literal["trimtab-session/1"] = "trimtab-session/1"
    session: Session
    description: dict[str, Any] | None
    baseline: Point | None
    trials: list[Trial]
    commands: list[Command]
    timeline: list[Event]
    exported_at: Time
