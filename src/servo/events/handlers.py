"""Declaring handlers of events."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

from servo import signatures
from servo.events.values import Event, EventContext, EventHandler, Preposition, parameters_of, registry

if TYPE_CHECKING:
    from servo.dispatch import Mixin

__all__ = [
    "after_event",
    "before_event",
    "event_handler",
    "make_handler",
    "on_event",
    "validate_event_contexts",
]

Method = TypeVar("Method", bound=Callable[..., Any])


def before_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[Method], Method]:
    """Register a method that runs before an event and can cancel it by raising `EventCancelledError`.

    It takes the event's parameters and returns nothing. See :func:`event_handler`.
    """
    return event_handler(event, Preposition.before, **kwargs)


def on_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[Method], Method]:
    """Register a method that carries an event out. See :func:`event_handler`."""
    return event_handler(event, Preposition.on, **kwargs)


def after_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[Method], Method]:
    """Register a method that runs after an event, with the list of all results. See :func:`event_handler`."""
    return event_handler(event, Preposition.after, **kwargs)


def event_handler(
    event_name: str | Event | None = None, preposition: Preposition = Preposition.on, **kwargs: Any
) -> Callable[[Method], Method]:
    """Register a method, synchronous or not, as handler of an event.

    Args:
        event_name: The event; that named like the method by default.
        preposition: When it runs.
        **kwargs: Arguments of the method where the dispatch does not give them.

    Raises:
        ValueError: There is no such event.
        TypeError: The method's signature does not fit, see :mod:`servo.signatures`.
    """

    def decorate(function: Method) -> Method:
        made = make_handler(event_name or function.__name__, preposition, function, kwargs)
        function.__event_handler__ = made  # type: ignore[attr-defined] # the original's interface
        return function

    return decorate


def make_handler(
    event: str | Event,
    preposition: Preposition,
    function: Callable[..., Any],
    kwargs: dict[str, Any],
    connector_type: type[Mixin] | None = None,
) -> EventHandler:
    """Return a handler whose signature was found to fit the event."""
    found = event if isinstance(event, Event) else registry.get(event)
    if found is None:
        raise ValueError(f"Unknown event '{event}'")
    if not preposition.flag:
        raise ValueError(f"a handler has one preposition, not {preposition}")
    title = f'event handler "{found.name}"'
    if preposition is not Preposition.on:
        title = f'{preposition} event handler "{preposition}:{found.name}"'
    signatures.require_fit(function, title, _expected(found, preposition), kwargs)
    return EventHandler(found, preposition, kwargs, connector_type, function)


def validate_event_contexts(cls: Any, value: Any, field: Any = None) -> Any:  # noqa: ARG001  a validator's signature
    """Reject what names no event; a validator for fields like ``events: list[str]``, one or several.

    Raises:
        ValueError: An item is not of the form ``measure`` or ``before:adjust``.
    """
    items: Sequence[Any] = [value] if isinstance(value, str) else value
    for item in items if isinstance(items, (list, tuple, set)) else ():
        if isinstance(item, str) and EventContext.from_str(item) is None:
            raise ValueError(f"Invalid event {item}")
    return value


def _expected(event: Event, preposition: Preposition) -> inspect.Signature:
    taken = parameters_of(event, preposition)
    return taken if preposition is Preposition.on else taken.replace(return_annotation=None)
