"""The handlers of a class: its own and those it inherits."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from servo.events import EventHandler
from servo.events.handlers import make_handler

if TYPE_CHECKING:
    from servo.dispatch.mixin import Mixin

__all__ = ["class_handlers"]


def class_handlers(cls: type[Mixin]) -> list[EventHandler]:
    """Return the handlers of a class, inherited ones first, in the order of their declaration."""
    own = {name: handler for name, value in vars(cls).items() if (handler := _declared(cls, value))}
    handlers: list[EventHandler] = []
    for base in cls.__bases__:
        for inherited in getattr(base, "__event_handlers__", ()):
            handler = _overridden(cls, base, inherited, own)
            if handler is not None and handler not in handlers:
                handlers.append(handler)
    return handlers + [handler for handler in own.values() if handler not in handlers]


def _declared(cls: type[Mixin], value: Any) -> EventHandler | None:
    handler = getattr(value, "__event_handler__", None) if callable(value) else None
    if not isinstance(handler, EventHandler):
        return None
    if handler.connector_type not in {None, cls}:
        return handler.belonging_to(cls)
    handler.connector_type = cls
    return handler


def _overridden(
    cls: type[Mixin], base: type, inherited: EventHandler, own: dict[str, EventHandler]
) -> EventHandler | None:
    """Return who answers in ``cls`` what ``inherited`` answers in ``base``.

    A handler is a method: a subclass that defines the method again means its own to be called, not both.
    """
    name = inherited.handler.__name__
    if name not in vars(cls) or getattr(base, name, None) is not inherited.handler:
        return inherited
    if name in own:
        return own[name]
    replacement = vars(cls)[name]
    if not callable(replacement):
        return None
    return make_handler(inherited.event, inherited.preposition, replacement, inherited.kwargs, cls)
