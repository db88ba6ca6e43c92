"""Events, the prepositions with which they are answered, handlers and their results."""

from __future__ import annotations

import enum
import inspect
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final

from servo import context, signatures

if TYPE_CHECKING:
    from servo.dispatch import Mixin

ContextManagerFactory = Callable[[Any], AbstractAsyncContextManager[None]]

registry: Final[dict[str, Event]] = {}
"""All events by name: connectors of any package declare events and answer those of others."""


class Preposition(enum.Flag):
    """When a handler runs, relative to the event it answers."""

    before = enum.auto()
    on = enum.auto()
    after = enum.auto()
    all = before | on | after

    @classmethod
    def from_str(cls, name: str) -> Preposition:
        """Return the preposition of that name.

        Raises:
            ValueError: There is none.
        """
        try:
            return cls[name]
        except KeyError:
            raise ValueError(f'unknown preposition "{name}": expected before, on, after or all') from None

    @property
    def flag(self) -> bool:
        """Whether this is one preposition and not a combination of several."""
        return self.value.bit_count() == 1

    def __str__(self) -> str:
        return str(self.name).lower()


class Event:
    """A named asynchronous signature that handlers answer.

    Equal to another event of the same name and signature, and to the string that is its name.

    Args:
        name: Unique among all events.
        signature: What handlers take and return, ``self`` included.
        module: Where it was declared.
        on_handler_context_manager: Entered with the connector around every invocation of a handler.
    """

    __slots__ = ("module", "name", "on_handler_context_manager", "signature")

    def __init__(
        self,
        name: str,
        signature: inspect.Signature,
        module: str | None = None,
        on_handler_context_manager: ContextManagerFactory | None = None,
    ) -> None:
        self.name = name
        self.signature = signature
        self.module = module
        self.on_handler_context_manager = on_handler_context_manager

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return self.name == other
        if isinstance(other, Event):
            return self.name == other.name and self.signature == other.signature
        return NotImplemented

    def __hash__(self) -> int:
        return hash(self.name)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        return f"Event({self.name!r}, {str(self.signature)!r})"


class EventContext:
    """One phase of one dispatch: which event, with which preposition, since when.

    Equal to the strings that name it: ``"before:adjust"``, and for *on* both ``"adjust"`` and ``"on:adjust"``.
    """

    __slots__ = ("_created", "event", "preposition")

    def __init__(self, event: Event, preposition: Preposition, created_at: datetime | None = None) -> None:
        self.event = event
        self.preposition = preposition
        self._created = time.time() if created_at is None else created_at.timestamp()

    @classmethod
    def from_str(cls, text: str) -> EventContext | None:
        """Parse ``"measure"`` or ``"before:adjust"``; None if it names no event or no preposition."""
        preposition, _, name = text.rpartition(":")
        found = registry.get(name)
        if found is None or preposition not in {"", "before", "on", "after"}:
            return None
        return cls(found, Preposition.from_str(preposition or "on"))

    @property
    def created_at(self) -> datetime:
        """When the phase began, in UTC."""
        return datetime.fromtimestamp(self._created, UTC)

    def is_before(self) -> bool:
        """Whether handlers run before the event."""
        return self.preposition is Preposition.before

    def is_on(self) -> bool:
        """Whether handlers carry the event out."""
        return self.preposition is Preposition.on

    def is_after(self) -> bool:
        """Whether handlers run after the event."""
        return self.preposition is Preposition.after

    def operation(self) -> str | None:
        """Return what the optimizer calls it, e.g. ``"MEASUREMENT"``; None for events it does not know."""
        return _OPERATIONS.get(self.event.name)

    def current(self) -> AbstractContextManager[None]:
        """Make this the current event for the extent of a `with` block."""
        return context.set_for(context.event_var, self)

    def __eq__(self, other: object) -> bool:
        if isinstance(other, str):
            return other in {str(self), f"{self.preposition}:{self.event.name}"}
        if isinstance(other, EventContext):
            return self.event == other.event and self.preposition is other.preposition
        return NotImplemented

    def __hash__(self) -> int:
        return hash(str(self))

    def __str__(self) -> str:
        return self.event.name if self.is_on() else f"{self.preposition}:{self.event.name}"

    def __repr__(self) -> str:
        return f"EventContext({str(self)!r})"


_OPERATIONS: Final = {"describe": "DESCRIPTION", "measure": "MEASUREMENT", "adjust": "ADJUSTMENT"}


class EventHandler:
    """A function that answers an event with a preposition.

    Args:
        event: What it answers.
        preposition: When: one of before, on, after.
        kwargs: Arguments it is given where the dispatch does not give them.
        connector_type: The class it belongs to; None until that is created.
        handler: The function, called with the connector first.
    """

    __slots__ = ("by_name", "connector_type", "event", "handler", "is_async", "kwargs", "preposition")

    def __init__(
        self,
        event: Event,
        preposition: Preposition,
        kwargs: dict[str, Any] | None = None,
        connector_type: type[Mixin] | None = None,
        handler: Callable[..., Any] | None = None,
    ) -> None:
        assert handler is not None, "a handler needs a function"
        self.event = event
        self.preposition = preposition
        self.kwargs = kwargs or {}
        self.connector_type = connector_type
        self.handler = handler
        self.is_async = inspect.iscoroutinefunction(handler)
        # Whether arguments must be matched by name, because the handler absorbs or orders them differently.
        self.by_name = not signatures.same_call(handler, parameters_of(event, preposition))

    def belonging_to(self, connector_type: type[Mixin]) -> EventHandler:
        """Return the same handler as that of ``connector_type``."""
        return EventHandler(self.event, self.preposition, self.kwargs, connector_type, self.handler)

    def arguments(
        self, connector: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a dispatch as this handler takes them, its own defaults filled in."""
        if self.by_name:
            bound = parameters_of(self.event, self.preposition).bind(connector, *args, **kwargs)
            bound.apply_defaults()
            args, kwargs = (), signatures.named_arguments(bound)
        return args, {**self.kwargs, **kwargs}

    def __repr__(self) -> str:
        return f"EventHandler({self.preposition}:{self.event.name}, {self.handler.__qualname__})"


class EventResult:
    """What one handler returned, or the error it raised.

    Attributes:
        event: What was dispatched.
        preposition: When the handler ran.
        handler: Who ran.
        connector: On whose behalf.
        value: The returned value or raised error.
    """

    __slots__ = ("_created", "connector", "event", "handler", "preposition", "value")

    def __init__(
        self,
        event: Event,
        preposition: Preposition,
        handler: EventHandler,
        connector: Any,
        value: Any = None,
        created_at: datetime | None = None,
    ) -> None:
        self.event = event
        self.preposition = preposition
        self.handler = handler
        self.connector = connector
        self.value = value
        self._created = time.time() if created_at is None else created_at.timestamp()

    @property
    def created_at(self) -> datetime:
        """When the handler ended, in UTC."""
        return datetime.fromtimestamp(self._created, UTC)

    def __repr__(self) -> str:
        name = getattr(self.connector, "name", self.connector)
        return f"EventResult({self.preposition}:{self.event.name}, connector={name!r}, value={self.value!r})"


def parameters_of(event: Event, preposition: Preposition) -> inspect.Signature:
    """Return what a handler is called with: the event's arguments, or the results if it runs after the event."""
    return _AFTER if preposition is Preposition.after else event.signature


_AFTER: Final = inspect.Signature(
    [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("results", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=list[EventResult]),
    ],
)
