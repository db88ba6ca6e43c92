"""What can go wrong in a servo.

::

    RuntimeError
    └── BaseError
        └── ServoError
            ├── ConfigurationError (also a ValueError)
            ├── ConnectorNotFoundError
            └── ConnectorError
                ├── EventHandlersNotFoundError
                └── EventError
                    ├── UnexpectedEventError
                    ├── UnexpectedCommandIdError
                    ├── EventCancelledError
                    ├── EventAbortedError
                    ├── MeasurementFailedError
                    └── AdjustmentFailedError
                        └── AdjustmentRejectedError

A handler answers an optimizer's command with failure by raising one of the event errors; its class becomes the
status that is posted, its text the message, and its ``reason`` the machine-readable reason.
"""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Any, Self

from servo import context

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator

__all__ = [
    "AdjustmentFailedError",
    "AdjustmentRejectedError",
    "BaseError",
    "ConfigurationError",
    "ConnectorError",
    "ConnectorNotFoundError",
    "EventAbortedError",
    "EventCancelledError",
    "EventError",
    "EventHandlersNotFoundError",
    "MeasurementFailedError",
    "ServoError",
    "UnexpectedCommandIdError",
    "UnexpectedEventError",
]


class BaseError(RuntimeError):
    """Root of every error that Servo raises on purpose.

    Args:
        message: What is wrong, in a sentence for people.
        reason: A word for programs, e.g. ``"unschedulable"``.
        assembly: Where it happened; each of these four defaults to the one at work when the error is made.
        servo_: The servo at work.
        connector: The connector at work.
        event: The event context at work.
        additional_errors: Errors that were raised beside this one.
    """

    def __init__(
        self,
        message: str = "",
        reason: str | None = None,
        *,
        assembly: Any = None,
        servo_: Any = None,
        connector: Any = None,
        event: Any = None,
        additional_errors: Iterable[BaseException] | None = None,
    ) -> None:
        super().__init__(message)
        self._reason = reason
        self._created_at = datetime.now().astimezone()
        self._assembly = context.current_assembly() if assembly is None else assembly
        self._servo = context.current_servo() if servo_ is None else servo_
        self._connector = context.current_connector() if connector is None else connector
        self._event = context.current_event() if event is None else event
        self._additional_errors = list(additional_errors or ())

    @property
    def reason(self) -> str | None:
        """Why, in a word that a program can compare."""
        return self._reason

    @reason.setter
    def reason(self, reason: str | None) -> None:
        self._reason = reason

    @property
    def created_at(self) -> datetime:
        """When the error was made, with its time zone."""
        return self._created_at

    @property
    def assembly(self) -> Any:
        """The assembly at work when the error was made, or None."""
        return self._assembly

    @property
    def servo(self) -> Any:
        """The servo at work when the error was made, or None."""
        return self._servo

    @property
    def connector(self) -> Any:
        """The connector at work when the error was made, or None."""
        return self._connector

    @property
    def event(self) -> Any:
        """The event context at work when the error was made, or None."""
        return self._event

    @property
    def additional_errors(self) -> tuple[BaseException, ...]:
        """Every error of the group this one was chosen from, itself included."""
        return tuple(self._additional_errors)


class ServoError(BaseError):
    """Something failed inside a servo."""

    @classmethod
    def servo_error_from_group(
        cls,
        group: BaseExceptionGroup[Any],
        default_error: Callable[[str], ServoError] | None = None,
    ) -> ServoError:
        """Choose the one error of a group that an optimizer shall hear of.

        Args:
            group: What a task group raised, nested to any depth.
            default_error: What to make of the first error's text if none is a ``ServoError``; this class if None.

        Returns:
            The servo error of the highest priority (an abort outranks a rejection, that a failed adjustment, that
            a failed measurement, that all else), the first among equals. All errors of the group, it included,
            are its ``additional_errors``.
        """
        errors = list(_leaves(group))
        chosen = max(
            (error for error in errors if isinstance(error, ServoError)), key=_priority, default=None
        )
        if chosen is None:
            chosen = (default_error or cls)(str(errors[0]) or type(errors[0]).__name__)
            chosen.__cause__ = errors[0]
        chosen._additional_errors = errors  # noqa: SLF001  our own class
        return chosen


class ConfigurationError(ServoError, ValueError):
    """A configuration cannot be used; its text names the place, what is wrong and what to do.

    Args:
        problem: What is wrong.
        file: The file it stands in.
        line: Its line there, from 1.
        column: Its column there, from 1.
        field: The path of the field, e.g. ``load.rate``.
        remedy: What to do about it.
    """

    def __init__(
        self,
        problem: str = "",
        *,
        file: Any = None,
        line: int | None = None,
        column: int | None = None,
        field: str | None = None,
        remedy: str | None = None,
    ) -> None:
        place = ":".join(str(part) for part in (file, line, column) if part is not None)
        text = ": ".join(part for part in (place, field, problem) if part)
        super().__init__(f"{text}; {remedy}" if remedy else text)
        self.problem = problem
        self.file = file
        self.line = line
        self.column = column
        self.field = field
        self.remedy = remedy

    def at(self, *, file: Any = None, line: int | None = None, column: int | None = None) -> Self:
        """Return the same error with the place filled in where it is not yet known."""
        return type(self)(
            self.problem,
            file=file if self.file is None else self.file,
            line=line if self.line is None else self.line,
            column=column if self.column is None else self.column,
            field=self.field,
            remedy=self.remedy,
        )


class ConnectorNotFoundError(ServoError):
    """No connector of that name is active."""


class ConnectorError(ServoError):
    """A connector failed."""


class EventHandlersNotFoundError(ConnectorError):
    """No connector answers the event."""


class EventError(ConnectorError):
    """An event could not be carried out."""


class UnexpectedEventError(EventError):
    """The optimizer did not expect what was sent: it and the servo are out of step."""


class UnexpectedCommandIdError(EventError):
    """The optimizer did not expect the command id that was sent: it has moved on to another command."""


class EventCancelledError(EventError):
    """The event shall not happen; raised by a *before* handler, or when the optimizer cancels a command."""


class EventAbortedError(EventError):
    """The event was broken off while it ran, e.g. because an SLO was violated."""


class MeasurementFailedError(EventError):
    """A measurement could not be taken."""


class AdjustmentFailedError(EventError):
    """An adjustment could not be applied."""


class AdjustmentRejectedError(AdjustmentFailedError):
    """The target does not accept the settings: they cannot be scheduled, do not start or are not stable."""


_PRIORITIES: tuple[tuple[type[ServoError], int], ...] = (
    (EventAbortedError, 4),
    (AdjustmentRejectedError, 3),
    (AdjustmentFailedError, 2),
    (MeasurementFailedError, 1),
)


def _priority(error: ServoError) -> int:
    return next((priority for kind, priority in _PRIORITIES if isinstance(error, kind)), 0)


def _leaves(group: BaseExceptionGroup[Any]) -> Iterator[BaseException]:
    for error in group.exceptions:
        if isinstance(error, BaseExceptionGroup):
            yield from _leaves(error)
        else:
            yield error


def foreseen(error: BaseException) -> ServoError | None:
    """Return what to say of an error that was raised on purpose; None if it is, or hides, a defect.

    A defect is told with its traceback; all else is a sentence.
    """
    if isinstance(error, ServoError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return None
    known, defects = error.split(ServoError)
    return ServoError.servo_error_from_group(known) if known is not None and defects is None else None


def explained(error: BaseException, default: type[ServoError]) -> ServoError:
    """Return the one error to report of what connectors raised.

    Args:
        error: An error, or a group of them.
        default: What is made of it if none of it is a `ServoError`; the text names the connector and the type.
    """
    if isinstance(error, ServoError):
        return error
    if not isinstance(error, BaseExceptionGroup):
        return _named(error, default)
    leaves = list(_leaves(error))
    if any(isinstance(leaf, ServoError) for leaf in leaves):
        return ServoError.servo_error_from_group(error)
    named = _named(leaves[0], default)
    named._additional_errors = leaves[1:]  # noqa: SLF001  our own class
    return named


def _named(error: BaseException, kind: type[ServoError]) -> ServoError:
    connector = getattr(getattr(error, "__event_result__", None), "connector", None)
    owner = f"the connector '{connector.name}' failed with " if connector is not None else ""
    named = kind(f"{owner}{type(error).__name__}: {error}", connector=connector)
    named.__cause__ = error
    return named
