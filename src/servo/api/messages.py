"""Messages between a servo and its optimizer, field by field as on the wire."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Self

from pydantic import ConfigDict, Field, ValidationError, field_validator, model_validator

from servo.api.statuses import Commands, Events, OptimizerStatuses, Reasons, ServoStatuses
from servo.errors import BaseError, ServoError
from servo.types.api import Control
from servo.types.core import BaseModel, Duration

__all__ = [
    "CommandResponse",
    "MalformedCommandError",
    "MeasureParams",
    "Request",
    "SleepResponse",
    "Status",
    "parse_command",
]

# Status has a method named dict, so its annotations cannot say dict themselves.
JsonObject = dict[str, Any]
StringMap = dict[str, str]
DEFAULT_SLEEP = Duration("120s")
_MESSAGE_LIMIT = 16 * 1024


class Request(BaseModel):
    """What a servo posts: an event, its parameter and who speaks."""

    event: Events | str
    param: dict[str, Any] | None = None
    servo_uid: str | None = None


class Status(BaseModel):
    """How a command ended, or what the optimizer makes of a message.

    ``dict()`` and ``json()`` leave out what was never set and keep what was set to null.
    """

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True, extra="ignore"
    )

    status: OptimizerStatuses | ServoStatuses | str
    message: str | None = None
    other_messages: list[str] | None = None
    reason: str | None = None
    state: JsonObject | None = None
    descriptor: JsonObject | None = None
    metrics: JsonObject | None = None
    annotations: StringMap | None = None
    command_uid: str | None = Field(default=None, alias="cmd_uid")

    @classmethod
    def ok(cls, message: str | None = None, reason: str = Reasons.success, **values: Any) -> Self:
        """Return the status of a command that succeeded."""
        return cls(status=ServoStatuses.ok, message=message, reason=reason, **values)

    @classmethod
    def from_error(cls, error: BaseException, **values: Any) -> Self:
        """Return the status that an error stands for, with its text and, of our own errors, its reason."""
        others = _other_messages(error)
        if others:
            values.setdefault("other_messages", others)
        return cls(
            status=ServoStatuses.from_error(error),
            message=_text(error),
            reason=error.reason if isinstance(error, BaseError) else None,
            **values,
        )

    def dict(self, **options: Any) -> JsonObject:
        """Return the wire form: names of the wire, without what was never set."""
        return self.model_dump(**{"by_alias": True, "exclude_unset": True, "mode": "json", **options})

    def json(self, **options: Any) -> str:
        """Return the wire form as JSON text."""
        return self.model_dump_json(**{"by_alias": True, "exclude_unset": True, **options})


class MeasureParams(BaseModel):
    """What to measure, and how. ``metrics`` may be given as a map, whose keys count."""

    model_config = ConfigDict(extra="ignore")

    metrics: list[str]
    control: Control

    @field_validator("metrics", mode="before")
    @classmethod
    def _names(cls, value: Any) -> Any:
        return list(value) if isinstance(value, Mapping) else value


class SleepResponse(BaseModel):
    """How long to sleep, and what the optimizer says about it."""

    model_config = ConfigDict(extra="ignore")

    duration: Duration = DEFAULT_SLEEP
    data: dict[str, Any] | None = None

    @field_validator("duration")
    @classmethod
    def _not_negative(cls, value: Duration) -> Duration:
        if value.total_seconds() < 0:
            raise ValueError("a duration of sleep cannot be negative")
        return value


class CommandResponse(BaseModel):
    """What the optimizer tells the servo to do next."""

    model_config = ConfigDict(
        validate_by_name=True, validate_by_alias=True, serialize_by_alias=True, extra="ignore"
    )

    command: Commands = Field(alias="cmd")
    command_uid: str | None = Field(default=None, alias="cmd_uid")
    # The mapping first: a SleepResponse has no required field, so that it would take the parameter of any command.
    param: dict[str, Any] | MeasureParams | SleepResponse | None = Field(
        default=None, union_mode="left_to_right"
    )

    @model_validator(mode="before")
    @classmethod
    def _param_of_its_command(cls, values: Any) -> Any:
        if not isinstance(values, Mapping):
            return values
        parsed = dict(values)
        parser = _PARSERS.get(str(parsed.get("cmd", parsed.get("command"))))
        if parser is not None and not isinstance(parsed.get("param"), parser):
            parsed["param"] = parser.model_validate(parsed.get("param") or {})
        return parsed


class MalformedCommandError(ServoError):
    """What the optimizer sent is no command, or one whose parameter makes no sense.

    Attributes:
        command: The command, if that much is clear.
        command_uid: Its id, if it has one.
    """

    def __init__(
        self, message: str, *, command: Commands | None = None, command_uid: str | None = None
    ) -> None:
        super().__init__(message)
        self.command = command
        self.command_uid = command_uid


def parse_command(body: Mapping[str, Any]) -> CommandResponse:
    """Read the answer to a request for a command.

    Raises:
        MalformedCommandError: It is none; the error tells what could be inferred.
    """
    try:
        return CommandResponse.model_validate(body)
    except ValidationError as error:
        command = body.get("cmd")
        known = Commands(command) if command in list(Commands) else None
        uid = body.get("cmd_uid")
        raise MalformedCommandError(
            _complaint(error, known, body), command=known, command_uid=uid if isinstance(uid, str) else None
        ) from None


_PARSERS: dict[str, type[BaseModel]] = {Commands.measure: MeasureParams, Commands.sleep: SleepResponse}


def _complaint(error: ValidationError, command: Commands | None, body: Mapping[str, Any]) -> str:
    if command is None:
        said = f"status {body['status']!r:.100}" if "status" in body else f"cmd {body.get('cmd')!r:.100}"
        return f"the optimizer's answer is no command ({said})"
    first = error.errors(include_url=False, include_input=False)[0]
    place = ".".join(str(step) for step in first["loc"]) or "param"
    return f"the parameter of {command.value} is invalid: {place}: {first['msg']}"


def _other_messages(error: BaseException) -> list[str]:
    others = getattr(error, "additional_errors", ())
    return [_text(other) for other in others if other is not error]


def _text(error: BaseException) -> str:
    return (str(error) or type(error).__name__)[:_MESSAGE_LIMIT]
