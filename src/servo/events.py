"""Events: what a servo can be asked to do, and who answers.

An event is a named asynchronous signature. Connectors answer it with handlers that run *before*, *on* or *after* it::

    class Gauge(servo.BaseConnector):
        @servo.on_event()
        async def measure(self, *, metrics: list[str] | None = None, control: Control = Control()) -> Measurement: ...

        @servo.after_event("adjust")
        async def notify(self, results: list[EventResult]) -> None: ...

The registry of events is global: connectors of any package declare events and answer those of others by name.
How an event reaches its handlers is in :mod:`servo.dispatch`, what a handler must look like in
:mod:`servo.signatures`.
"""

from __future__ import annotations

import enum
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AbstractContextManager, asynccontextmanager
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Final, TypeVar, cast, overload

from servo import context, signatures
from servo.context import current_assembly, current_command_uid, current_connector, current_event, current_servo
from servo.logging import logger

if TYPE_CHECKING:
    from servo.dispatch import Mixin

__all__ = [
    "Event",
    "EventCallable",
    "EventContext",
    "EventHandler",
    "EventResult",
    "Preposition",
    "after_event",
    "before_event",
    "create_event",
    "current_assembly",
    "current_command_uid",
    "current_connector",
    "current_event",
    "current_servo",
    "event",
    "event_handler",
    "get_event",
    "get_events",
    "on_event",
    "validate_event_contexts",
]

EventCallable = TypeVar("EventCallable", bound=Callable[..., Any])
"""A function that declares or handles an event."""

ContextManagerFactory = Callable[[Any], AbstractAsyncContextManager[None]]

_registry: dict[str, Event] = {}
_required: Final = object()


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
        found = _registry.get(name)
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
        self.by_name = preposition is not Preposition.after and not signatures.same_call(handler, event.signature)

    def belonging_to(self, connector_type: type[Mixin]) -> EventHandler:
        """Return the same handler as that of ``connector_type``."""
        return EventHandler(self.event, self.preposition, self.kwargs, connector_type, self.handler)

    def arguments(
        self, connector: Any, args: tuple[Any, ...], kwargs: dict[str, Any]
    ) -> tuple[tuple[Any, ...], dict[str, Any]]:
        """Return the arguments of a dispatch as this handler takes them, its own defaults filled in."""
        if self.by_name:
            bound = self.event.signature.bind(connector, *args, **kwargs)
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


_AFTER: Final = inspect.Signature(
    [
        inspect.Parameter("self", inspect.Parameter.POSITIONAL_OR_KEYWORD),
        inspect.Parameter("results", inspect.Parameter.POSITIONAL_OR_KEYWORD, annotation=list[EventResult]),
    ],
    return_annotation=None,
)


def get_events() -> list[Event]:
    """Return all events, in the order of their declaration."""
    return list(_registry.values())


@overload
def get_event(name: str) -> Event: ...
@overload
def get_event(name: str, default: Event | None) -> Event | None: ...
def get_event(name: str, default: Any = _required) -> Event | None:
    """Return the event of that name, or ``default``.

    Raises:
        KeyError: There is none and no default was given.
    """
    found = _registry.get(name)
    if found is None and default is _required:
        raise KeyError(f'no event named "{name}"')
    return default if found is None else found


def create_event(
    name: str, signature: inspect.Signature | Callable[..., Any], *, module: str | None = None
) -> Event:
    """Declare an event and return it.

    Args:
        name: Unique among all events.
        signature: What its handlers take and return, or an ``async def`` that says it. A coroutine function is a
            stub, ending in ``...`` or ``pass``. An async generator function is set-up and tear-down: entered, with
            only the connector, around every invocation of a handler of the event.
        module: Where it is declared; that of the function by default.

    Raises:
        ValueError: There is an event of that name, or the function is not async or not a stub.
        TypeError: The signature has a variable positional parameter.
    """
    if isinstance(signature, inspect.Signature):
        return _register(name, signature, module)
    _require_async(name, signature)
    if not inspect.isasyncgenfunction(signature):
        _require_stub(name, signature)
    return declare(name, signature, module=module)


def declare(name: str, function: Callable[..., Any], *, module: str | None = None) -> Event:
    """Declare an event by the signature of an async function whose body is its own affair."""
    expected = signatures.resolved(function)
    manager: ContextManagerFactory | None = None
    if inspect.isasyncgenfunction(function):
        signatures.require_only_self(name, expected)
        # What is annotated is what the generator returns: nothing is said of the handlers.
        expected = expected.replace(return_annotation=inspect.Signature.empty)
        manager = asynccontextmanager(cast("Callable[[Any], AsyncIterator[None]]", function))
    return _register(name, expected, module or function.__module__, manager)


def event(name: str | None = None, *, handler: bool = False) -> Callable[[EventCallable], EventCallable]:
    """Declare an event by decorating a method with its signature.

    Args:
        name: The event's; that of the method by default.
        handler: Whether the method is also its class' handler of the event, and not only a stub.

    Raises:
        ValueError: See :func:`create_event`.
        TypeError: See :func:`create_event`.
    """

    def decorate(function: EventCallable) -> EventCallable:
        title = name or function.__name__
        if not handler:
            create_event(title, function)
            return function
        _require_async(title, function)
        declare(title, function)
        return on_event(title)(function)

    return decorate


def before_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[EventCallable], EventCallable]:
    """Register a method that runs before an event and can cancel it by raising `EventCancelledError`.

    It takes the event's parameters and returns nothing. See :func:`event_handler`.
    """
    return event_handler(event, Preposition.before, **kwargs)


def on_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[EventCallable], EventCallable]:
    """Register a method that carries an event out. See :func:`event_handler`."""
    return event_handler(event, Preposition.on, **kwargs)


def after_event(event: str | Event | None = None, **kwargs: Any) -> Callable[[EventCallable], EventCallable]:
    """Register a method that runs after an event, with the list of all results. See :func:`event_handler`."""
    return event_handler(event, Preposition.after, **kwargs)


def event_handler(
    event_name: str | Event | None = None, preposition: Preposition = Preposition.on, **kwargs: Any
) -> Callable[[EventCallable], EventCallable]:
    """Register a method, synchronous or not, as handler of an event.

    Args:
        event_name: The event; that named like the method by default.
        preposition: When it runs.
        **kwargs: Arguments of the method where the dispatch does not give them.

    Raises:
        ValueError: There is no such event.
        TypeError: The method's signature does not fit, see :mod:`servo.signatures`.
    """

    def decorate(function: EventCallable) -> EventCallable:
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
    found = event if isinstance(event, Event) else _registry.get(event)
    if found is None:
        raise ValueError(f"Unknown event '{event}'")
    if not preposition.flag:
        raise ValueError(f"a handler has one preposition, not {preposition}")
    title = f'event handler "{found.name}"'
    if preposition is not Preposition.on:
        title = f'{preposition} event handler "{preposition}:{found.name}"'
    signatures.require_fit(function, title, _expected(found.signature, preposition), kwargs)
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


def _expected(signature: inspect.Signature, preposition: Preposition) -> inspect.Signature:
    if preposition is Preposition.after:
        return _AFTER
    return signature if preposition is Preposition.on else signature.replace(return_annotation=None)


def _register(
    name: str,
    signature: inspect.Signature,
    module: str | None,
    manager: ContextManagerFactory | None = None,
) -> Event:
    if name in _registry:
        raise ValueError(f"Event '{name}' has already been created")
    signatures.require_no_variable_positional(name, signature)
    created = _registry[name] = Event(name, signature, module, manager)
    return created


def _require_async(name: str, function: Callable[..., Any]) -> None:
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise ValueError(f'events must be async: declare "{name}" by an async def')


def _require_stub(name: str, function: Callable[..., Awaitable[Any]]) -> None:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        logger.warning(f'cannot read the source of event "{name}": its body is taken to be empty')
        return
    last_line = source.rstrip().rpartition("\n")[2].partition(" #")[0].rstrip()
    if not last_line.endswith(("...", " pass", ":pass", "\tpass")):
        raise ValueError(
            f'the function that declares event "{name}" must be a stub that ends in "..." or "pass": '
            "put what shall happen into a handler, or declare it with @event(handler=True)"
        )
