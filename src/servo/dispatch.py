"""How an event reaches its handlers.

The connectors of a servo share a :class:`Bus`. A dispatch has three phases:

1. *before*: all connectors side by side. Who raises `EventCancelledError` cancels the event: nothing else runs.
2. *on*: all connectors side by side, or one after the other until the ``first`` that answers.
3. *after*: all connectors side by side, with the results of the second phase; only if that succeeded.

The handlers of one connector run one after the other, in the order of their registration.

Who answers what is worked out once for each bus and event and kept as a plan, until a connector joins or leaves the
bus or a handler is added anywhere: dispatch is on the path of every command of every servo, registration is not.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable, Coroutine, Iterable, Iterator, MutableSequence, Sequence
from types import MethodType
from typing import Any, ClassVar, Concatenate, Final, Generic, ParamSpec, SupportsIndex, TypeVar, overload

from servo.concurrency import run_together
from servo.context import connector_var, event_var
from servo.errors import EventAbortedError, EventCancelledError
from servo.events import (
    Event,
    EventContext,
    EventHandler,
    EventResult,
    Preposition,
    get_event,
    make_handler,
)
from servo.logging import logger
from servo.utilities.strings import join_to_series

__all__ = ["Bus", "Mixin"]

P = ParamSpec("P")
R = TypeVar("R")

Handlers = tuple[EventHandler, ...]
Responder = tuple["Mixin", Handlers]
Selection = Iterable["str | Mixin"]

_BEFORE: Final = Preposition.before
_ON: Final = Preposition.on
_AFTER: Final = Preposition.after


class _Registrations:
    """Counts registrations of handlers: a plan of an older count may lack one."""

    count = 0


class Phase:
    """Who answers an event with one preposition, in the order of the bus."""

    __slots__ = ("event", "name", "preposition", "responders")

    def __init__(self, event: Event, preposition: Preposition, responders: tuple[Responder, ...]) -> None:
        self.event = event
        self.preposition = preposition
        self.name = f"{preposition}:{event.name}"
        self.responders = responders


class Plan:
    """Who answers an event, by phase; None for a phase in which nobody does."""

    __slots__ = ("after", "before", "event", "made_at", "on")

    def __init__(self, event: Event, connectors: Iterable[Mixin]) -> None:
        members = tuple(connectors)
        self.event = event
        self.made_at = _Registrations.count
        self.before, self.on, self.after = (
            Phase(event, preposition, responders) if responders else None
            for preposition in (_BEFORE, _ON, _AFTER)
            for responders in (_responders(members, event, preposition),)
        )


class Bus(MutableSequence["Mixin"]):
    """The connectors that hear each other's events, in the order in which they joined.

    Members are kept as a tuple that is replaced, never changed: who joins or leaves does not disturb a dispatch
    that is under way.
    """

    __slots__ = ("_members", "plans")

    def __init__(self, members: Iterable[Mixin] = ()) -> None:
        self._members = tuple(members)
        self.plans: dict[str, Plan] = {}

    def plan(self, event: str | Event) -> Plan:
        """Return who answers ``event``.

        Raises:
            KeyError: There is no such event.
        """
        name = event if type(event) is str else str(event)
        plan = self.plans.get(name)
        if plan is None or plan.made_at != _Registrations.count:
            plan = self.plans[name] = Plan(get_event(name), self._members)
        return plan

    def insert(self, index: SupportsIndex, value: Mixin) -> None:
        """Let a connector join at a place in the order."""
        self._become(lambda members: members.insert(index, value))

    def remove(self, value: Mixin) -> None:
        """Let a connector leave.

        Raises:
            ValueError: It is no member.
        """
        kept = tuple(member for member in self._members if member is not value)
        if len(kept) == len(self._members):
            raise ValueError(f"{value!r} is not on the bus")
        self._members = kept
        self.plans.clear()

    def _become(self, change: Callable[[list[Mixin]], object]) -> None:
        members = list(self._members)
        change(members)
        self._members = tuple(members)
        self.plans.clear()

    @overload
    def __getitem__(self, index: int) -> Mixin: ...
    @overload
    def __getitem__(self, index: slice) -> list[Mixin]: ...
    def __getitem__(self, index: int | slice) -> Mixin | list[Mixin]:
        return list(self._members[index]) if isinstance(index, slice) else self._members[index]

    def __setitem__(self, index: Any, value: Any) -> None:
        self._become(lambda members: members.__setitem__(index, value))

    def __delitem__(self, index: int | slice) -> None:
        self._become(lambda members: members.__delitem__(index))

    def __len__(self) -> int:
        return len(self._members)

    def __iter__(self) -> Iterator[Mixin]:
        return iter(self._members)

    def __contains__(self, value: object) -> bool:
        return any(member is value for member in self._members)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Sequence) or isinstance(other, str):
            return NotImplemented
        return len(self) == len(other) and all(map(lambda one, two: one is two, self, other))

    __hash__ = None  # type: ignore[assignment] # mutable, like a list

    def __repr__(self) -> str:
        return f"Bus({[getattr(member, 'name', member) for member in self._members]!r})"


class _OfClassOrInstance(Generic[P, R]):
    """A method that is called with its instance, or with the class if called on that."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> Callable[P, R]:
        return MethodType(self._function, owner if instance is None else instance)


class Mixin:
    """What dispatches and handles events: the part of a connector that knows nothing of configuration."""

    __slots__ = ()

    __event_handlers__: ClassVar[list[EventHandler]] = []
    """The handlers of the class, inherited ones first."""

    _bus: Bus | None
    _own_handlers: Handlers

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__event_handlers__ = _class_handlers(cls)

    @property
    def __connectors__(self) -> Bus:
        """The bus: this connector and its peers. One that was given no peers has only itself."""
        if self._bus is None:
            self._bus = Bus([self])
        return self._bus

    @__connectors__.setter
    def __connectors__(self, connectors: Iterable[Mixin]) -> None:
        self._bus = connectors if isinstance(connectors, Bus) else Bus(connectors)

    @_OfClassOrInstance
    def responds_to_event(self: Any, event: str | Event) -> bool:
        """Whether there is a handler of ``event``, with any preposition; of a class or an instance."""
        name = str(event)
        return any(handler.event.name == name for handler in _handlers_of(self))

    @_OfClassOrInstance
    def get_event_handlers(
        self: Any, event: str | Event, preposition: Preposition = Preposition.all
    ) -> list[EventHandler]:
        """Return the handlers of ``event``, in the order of registration; of a class or an instance."""
        return list(_matching(self, str(event), preposition))

    @_OfClassOrInstance
    def add_event_handler(
        self: Any,
        event: str | Event,
        preposition: Preposition,
        callable: Callable[..., Any],  # noqa: A002  the original's name
        **kwargs: Any,
    ) -> EventHandler:
        """Add a handler to this connector alone or, if called on a class, to all connectors of the class.

        Args:
            event: What it answers.
            preposition: When it runs: one of before, on, after.
            callable: The function, called with the connector first; or a method of this connector.
            **kwargs: Arguments of the function where the dispatch does not give them.

        Raises:
            ValueError: There is no such event.
            TypeError: The function's signature does not fit.
        """
        function = callable.__func__ if getattr(callable, "__self__", None) is self else callable  # type: ignore[attr-defined]
        owner = self if isinstance(self, type) else type(self)
        handler = make_handler(event, preposition, function, kwargs, owner)
        if isinstance(self, type):
            self.__event_handlers__.append(handler)  # type: ignore[attr-defined]
        else:
            self._own_handlers = (*self._own_handlers, handler)
        _Registrations.count += 1
        return handler

    async def run_event_handlers(
        self,
        event: Event,
        preposition: Preposition,
        *args: Any,
        return_exceptions: bool = False,
        **kwargs: Any,
    ) -> list[EventResult] | None:
        """Run this connector's handlers of an event, one after the other, each in a task of its own.

        Args:
            event: What they answer.
            preposition: Those to run.
            *args: Passed to each.
            return_exceptions: Whether an error is a result instead of being raised.
            **kwargs: Passed to each.

        Returns:
            What each returned, or None if there are no handlers.

        Raises:
            ValueError: ``event`` is no `Event`.
        """
        if not isinstance(event, Event):
            raise ValueError(f"event must be an Event, not {event!r}")  # noqa: TRY004  the original's
        handlers = _matching(self, event.name, preposition)
        if not handlers:
            return None
        phase = Phase(event, preposition, ((self, handlers),))
        return await _Call(phase, args, kwargs, return_exceptions=return_exceptions).first()

    def dispatch_event(
        self,
        event: str | Event,
        *args: Any,
        first: bool = False,
        include: Selection | None = None,
        exclude: Selection | None = None,
        return_exceptions: bool = False,
        _prepositions: Preposition = Preposition.all,
        **kwargs: Any,
    ) -> Coroutine[Any, Any, Any]:
        """Dispatch an event to the connectors on this connector's bus; to be awaited.

        Args:
            event: What to dispatch.
            *args: Arguments of the event.
            first: Whether to ask one connector after the other until one has handlers.
            include: The connectors to ask, or their names; all by default. Unknown names match nothing.
            exclude: Connectors not to ask, or their names.
            return_exceptions: Whether an error of an *on* handler is its result instead of being raised.
            _prepositions: The phases to run.
            **kwargs: Arguments of the event.

        Returns:
            The results of the *on* handlers in the order of the bus, nothing if the event was cancelled. With
            ``first`` the single result, None if nobody answered or the event was cancelled.

        Raises:
            KeyError: There is no such event.
            ExceptionGroup: What handlers raised. With ``first`` the error of the one that was asked, bare.
        """
        plan = self.__connectors__.plan(event)
        if include is not None or exclude is not None:
            plan = Plan(plan.event, _selected(self.__connectors__, include, exclude))
        if plan.on and _prepositions is Preposition.all and not (first or plan.before or plan.after):
            return _Call(plan.on, args, kwargs, return_exceptions=return_exceptions).all()
        return _dispatch(plan, _prepositions, args, kwargs, first=first, return_exceptions=return_exceptions)


async def _dispatch(
    plan: Plan,
    prepositions: Preposition,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    first: bool,
    return_exceptions: bool,
) -> Any:
    if plan.before and _BEFORE in prepositions:
        try:
            await _Call(plan.before, args, kwargs).all()
        except ExceptionGroup as group:
            if not _is_cancelled(plan.event, group):
                raise
            return None if first else []
    results: list[EventResult] = []
    if plan.on and _ON in prepositions:
        call = _Call(plan.on, args, kwargs, return_exceptions=return_exceptions)
        results = await (call.first() if first else call.all())
    if plan.after and _AFTER in prepositions:
        await _Call(plan.after, (results,), {}).all()
    if first:
        return results[0] if results else None
    return results


class _Call:
    """One phase of one dispatch: who is called, with what."""

    __slots__ = ("args", "context", "kwargs", "phase", "return_exceptions")

    def __init__(
        self, phase: Phase, args: tuple[Any, ...], kwargs: dict[str, Any], *, return_exceptions: bool = False
    ) -> None:
        self.phase = phase
        self.args = args
        self.kwargs = kwargs
        self.return_exceptions = return_exceptions
        self.context = EventContext(phase.event, phase.preposition)

    async def all(self) -> list[EventResult]:
        """Call all connectors side by side; raise what they raise as a group."""
        responders = self.phase.responders
        coroutines: list[Any] = [
            self._invoke(connector, handlers[0]) if len(handlers) == 1 else self._in_turn(connector, handlers)
            for connector, handlers in responders
        ]
        outcome = await run_together(coroutines, self.phase.name, self._cancelled)
        if outcome.errors:
            raise ExceptionGroup(f"unhandled errors in handlers of {self.phase.name}", outcome.errors)
        return list(_flattened(outcome.values))

    async def first(self) -> list[EventResult]:
        """Call the first connector alone; raise what it raises."""
        return await self._in_turn(*self.phase.responders[0])

    async def _in_turn(self, connector: Mixin, handlers: Handlers) -> list[EventResult]:
        results: list[EventResult] = []
        for handler in handlers:
            outcome = await run_together(
                [self._invoke(connector, handler)],
                self.phase.name,
                lambda _: self._failed(connector, handler, _cancellation(connector, self.context)),  # noqa: B023
            )
            if outcome.errors:
                raise outcome.errors[0]
            results += outcome.values
        return results

    async def _invoke(self, connector: Mixin, handler: EventHandler) -> EventResult:
        # Nothing is reset: the handler runs in a context of its own.
        connector_var.set(connector)
        event_var.set(self.context)
        try:
            if self.phase.event.on_handler_context_manager is not None:
                value = await self._invoke_wrapped(connector, handler)
            elif handler.is_async and not (handler.by_name or handler.kwargs):
                value = await handler.handler(connector, *self.args, **self.kwargs)
            else:
                value = await self._invoke_adapted(connector, handler)
        except Exception as error:  # noqa: BLE001  the one place where a handler's errors arrive
            return self._failed(connector, handler, error)
        return EventResult(self.phase.event, self.phase.preposition, handler, connector, value)

    async def _invoke_wrapped(self, connector: Mixin, handler: EventHandler) -> Any:
        manager = self.phase.event.on_handler_context_manager
        assert manager is not None
        async with manager(connector):
            return await self._invoke_adapted(connector, handler)

    async def _invoke_adapted(self, connector: Mixin, handler: EventHandler) -> Any:
        args, kwargs = handler.arguments(connector, self.args, self.kwargs)
        value = handler.handler(connector, *args, **kwargs)
        return await value if handler.is_async or inspect.isawaitable(value) else value

    def _cancelled(self, index: int) -> EventResult:
        connector, handlers = self.phase.responders[index]
        return self._failed(connector, handlers[0], _cancellation(connector, self.context))

    def _failed(self, connector: Mixin, handler: EventHandler, error: Exception) -> EventResult:
        """Raise a handler's error, or return it as result if that was asked for."""
        if isinstance(error, EventCancelledError) and not self.context.is_before():
            error = self._misuse(error)
        result = EventResult(self.phase.event, self.phase.preposition, handler, connector, error)
        error.__event_result__ = result  # type: ignore[attr-defined] # the original's interface
        if not self.return_exceptions:
            raise error
        return result

    def _misuse(self, error: EventCancelledError) -> Exception:
        message = f"Cannot cancel an event from an {self.phase.preposition} handler"
        if self.return_exceptions:
            logger.warning(f"{message}: event dispatched")
            return error
        misuse = TypeError(message)
        misuse.__cause__ = error
        return misuse


def _flattened(values: Iterable[EventResult | list[EventResult]]) -> Iterator[EventResult]:
    for value in values:
        if type(value) is list:
            yield from value
        else:
            yield value  # type: ignore[misc] # the only other


def _cancellation(connector: Mixin, context: EventContext) -> EventAbortedError:
    return EventAbortedError(
        f"{_name(connector)} was cancelled while it handled {context}",
        reason="cancelled",
        connector=connector,
        event=context,
    )


def _is_cancelled(event: Event, group: ExceptionGroup[Exception]) -> bool:
    cancellations, others = group.split(EventCancelledError)
    if cancellations is None:
        return False
    for error in others.exceptions if others else ():
        logger.opt(exception=error).error(f"before handler of {event} failed: {error!r}")
    who = join_to_series([_name(error.__event_result__.connector) for error in cancellations.exceptions])  # type: ignore[attr-defined]
    why = "; ".join(text for text in map(str, cancellations.exceptions) if text)
    logger.warning(f'event "{event}" was cancelled by {who}' + (f": {why}" if why else ""))
    return True


def _name(connector: Any) -> str:
    return str(getattr(connector, "name", connector))


def _selected(bus: Bus, include: Selection | None, exclude: Selection | None) -> Iterator[Mixin]:
    wanted = None if include is None else set(_names(include))
    unwanted = set() if exclude is None else set(_names(exclude))
    for connector in bus:
        name = _name(connector)
        if (wanted is None or name in wanted) and name not in unwanted:
            yield connector


def _names(selection: Selection) -> Iterator[str]:
    # A model is iterable, and so is a string: neither is meant as a collection.
    for item in (selection,) if isinstance(selection, (str, Mixin)) else selection:
        yield item if isinstance(item, str) else _name(item)


def _responders(
    connectors: tuple[Mixin, ...], event: Event, preposition: Preposition
) -> tuple[Responder, ...]:
    found = ((connector, _matching(connector, event.name, preposition)) for connector in connectors)
    return tuple((connector, handlers) for connector, handlers in found if handlers)


def _matching(target: Mixin | type[Mixin], event: str, preposition: Preposition) -> Handlers:
    return tuple(
        handler
        for handler in _handlers_of(target)
        if handler.event.name == event
        and (handler.preposition is preposition or handler.preposition in preposition)
    )


def _handlers_of(target: Mixin | type[Mixin]) -> Sequence[EventHandler]:
    if isinstance(target, type):
        return target.__event_handlers__
    return [*target.__event_handlers__, *target._own_handlers]  # noqa: SLF001  this module's own


def _class_handlers(cls: type[Mixin]) -> list[EventHandler]:
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
