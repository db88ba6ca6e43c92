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
    explained,
    foreseen,
)
from servo.events import EventResult, Preposition
from servo.logging import logger
from servo.servo import Events, Servo
from servo.types.api import Adjustment, Control, Description, Measurement

__all__ = ["EVENTS", "adjust", "carry_out", "control_of", "describe", "failure", "measure", "value_of"]

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
    return Measurement.merged(value_of(result, Measurement) for result in results)


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
    chosen = explained(error, _DEFAULT_ERRORS.get(command.command, EventError))
    # Whoever mends a defect wants its traceback.
    trace = None if foreseen(error) else error
    logger.opt(exception=trace).error("{} failed: {}", command.command.value, chosen, connector=servo)
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
    descriptions = [value_of(result, Description) for result in results]
    return Description(
        components=[component for each in descriptions for component in each.components],
        metrics=[metric for each in descriptions for metric in each.metrics],
    )


def value_of(result: EventResult, kind: type[T]) -> T:
    """Return what a handler returned.

    Raises:
        ConnectorError: It is not of the kind that the event asks for.
    """
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
