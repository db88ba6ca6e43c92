"""What each command of an optimizer makes the connectors do, and the status it ends with."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from servo.api.messages import CommandResponse, MeasureParams, Status
from servo.api.payloads import descriptor_to_adjustments
from servo.api.statuses import Commands
from servo.errors import (
    AdjustmentFailedError,
    ConnectorError,
    EventCancelledError,
    EventError,
    EventHandlersNotFoundError,
    MeasurementFailedError,
    ServoError,
)
from servo.events import EventResult, Preposition
from servo.logging import logger
from servo.servo import Events, Servo
from servo.types.api import Adjustment, Control, Description, Measurement

__all__ = ["EVENTS", "adjust", "carry_out", "control_of", "describe", "failure", "measure"]

T = TypeVar("T")


async def describe(servo: Servo, control: Control) -> Description:
    """Ask all connectors what can be adjusted and measured; if none can say, that is nothing.

    Raises:
        EventCancelledError: A connector forbids it.
    """
    results = await servo.dispatch_event(Events.describe, control=control)
    if _is_answered(servo, Events.describe):
        _not_cancelled(results, Events.describe)
    return _description(results)


async def measure(servo: Servo, params: MeasureParams) -> Measurement:
    """Have all connectors measure, side by side.

    Raises:
        EventHandlersNotFoundError: No connector measures.
    """
    _require(servo, Events.measure)
    results = await servo.dispatch_event(Events.measure, metrics=params.metrics, control=params.control)
    _not_cancelled(results, Events.measure)
    return Measurement.merged(_value(result, Measurement) for result in results)


async def adjust(servo: Servo, adjustments: list[Adjustment], control: Control) -> Description:
    """Have all connectors adjust what is theirs, side by side.

    Raises:
        EventHandlersNotFoundError: No connector adjusts.
    """
    _require(servo, Events.adjust)
    results = await servo.dispatch_event(Events.adjust, adjustments, control=control)
    _not_cancelled(results, Events.adjust)
    return _description(results)


async def carry_out(servo: Servo, command: CommandResponse) -> Status:
    """Carry out a command; whatever goes wrong becomes a status."""
    try:
        payload = await _OPERATIONS[command.command](servo, command)
    except (Exception, SystemExit) as error:  # noqa: BLE001 - whatever a connector does ends in a status
        return failure(error, command, servo)
    return Status.ok(**payload, command_uid=command.command_uid)


def failure(error: BaseException, command: CommandResponse, servo: Servo) -> Status:
    """Return the status for what a command raised: the most important error of a group, the others beside it."""
    chosen = _chosen(error, _DEFAULT_ERRORS.get(command.command, EventError))
    if chosen.__cause__ is not None:
        # Nobody raised this on purpose: it is a defect, and whoever mends it wants the traceback.
        logger.opt(exception=error).error("{} failed: {}", command.command.value, chosen, connector=servo)
    else:
        logger.error("{} failed: {}", command.command.value, chosen, connector=servo)
    return Status.from_error(chosen, command_uid=command.command_uid)


async def _describe(servo: Servo, command: CommandResponse) -> dict[str, Any]:
    description = await describe(servo, control_of(command))
    return {"descriptor": description.__opsani_repr__()}


async def _measure(servo: Servo, command: CommandResponse) -> dict[str, Any]:
    assert isinstance(command.param, MeasureParams)
    return (await measure(servo, command.param)).__opsani_repr__()


async def _adjust(servo: Servo, command: CommandResponse) -> dict[str, Any]:
    param = _param(command)
    adjustments = descriptor_to_adjustments(param.get("state") or {})
    return {"state": (await adjust(servo, adjustments, control_of(command))).__opsani_repr__()}


_OPERATIONS: Mapping[Commands, Callable[[Servo, CommandResponse], Any]] = {
    Commands.describe: _describe,
    Commands.measure: _measure,
    Commands.adjust: _adjust,
}
EVENTS: Mapping[Commands, Events] = {
    Commands.describe: Events.describe,
    Commands.measure: Events.measure,
    Commands.adjust: Events.adjust,
}
"""What the connectors hear of each command."""
_DEFAULT_ERRORS: Mapping[Commands, type[EventError]] = {
    Commands.measure: MeasurementFailedError,
    Commands.adjust: AdjustmentFailedError,
}


def _param(command: CommandResponse) -> Mapping[str, Any]:
    return command.param if isinstance(command.param, Mapping) else {}


def control_of(command: CommandResponse) -> Control:
    """Return how a command is to be carried out.

    Raises:
        EventError: Its parameter makes no sense.
    """
    if isinstance(command.param, MeasureParams):
        return command.param.control
    try:
        return Control.model_validate(_param(command).get("control") or {})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        place = ".".join(str(step) for step in ("control", *first["loc"]))
        raise EventError(
            f"the parameter of {command.command.value} is invalid: {place}: {first['msg']}"
        ) from None


def _description(results: list[EventResult]) -> Description:
    descriptions = [_value(result, Description) for result in results]
    return Description(
        components=[component for each in descriptions for component in each.components],
        metrics=[metric for each in descriptions for metric in each.metrics],
    )


def _value(result: EventResult, kind: type[T]) -> T:
    if isinstance(result.value, kind):
        return result.value
    raise ConnectorError(
        f"the connector '{result.connector.name}' answered {result.event} with {type(result.value).__name__}, "
        f"not with {kind.__name__}",
        connector=result.connector,
    )


def _require(servo: Servo, event: Events) -> None:
    if not _is_answered(servo, event):
        raise EventHandlersNotFoundError(f"no connector answers {event}", connector=servo)


def _is_answered(servo: Servo, event: Events) -> bool:
    return any(member.get_event_handlers(event, Preposition.on) for member in servo.__connectors__)


def _not_cancelled(results: list[EventResult], event: Events) -> None:
    """Tell an event that a *before* handler cancelled from one that was carried out."""
    if not results:
        raise EventCancelledError(f"a connector cancelled {event} before it began")


def _chosen(error: BaseException, default: type[EventError]) -> ServoError:
    """Return the one error to report, made of what was raised if that was no error of ours."""
    if isinstance(error, ServoError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return _wrapped(error, default)
    chosen = ServoError.servo_error_from_group(error, default)
    if chosen.__cause__ is None or not chosen.additional_errors or chosen in chosen.additional_errors:
        return chosen
    wrapped = _wrapped(chosen.additional_errors[0], default)
    wrapped._additional_errors = list(chosen.additional_errors[1:])  # noqa: SLF001 - our own class
    return wrapped


def _wrapped(error: BaseException, default: type[EventError]) -> ServoError:
    result = getattr(error, "__event_result__", None)
    connector = getattr(result, "connector", None)
    owner = f"the connector '{connector.name}' failed with " if connector is not None else ""
    wrapped = default(f"{owner}{type(error).__name__}: {error}", connector=connector)
    wrapped.__cause__ = error
    return wrapped
