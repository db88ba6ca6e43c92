"""What a connector dispatches and handles events with."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Iterator
from types import MethodType
from typing import Any, ClassVar, Concatenate, Generic, ParamSpec, TypeAlias, TypeVar

from servo.dispatch.bus import Bus, Handlers, Phase, Plan, Registrations, handlers_of, matching
from servo.dispatch.calls import Call, dispatch, name_of
from servo.dispatch.inheritance import class_handlers
from servo.events import Event, EventHandler, EventResult, Preposition
from servo.events.handlers import make_handler

__all__ = ["Mixin"]

P = ParamSpec("P")
R = TypeVar("R")

Selection: TypeAlias = Iterable["str | Mixin"]


class _OfClassOrInstance(Generic[P, R]):
    """A method that is called with its instance, or with the class if called on that."""

    def __init__(self, function: Callable[Concatenate[Any, P], R]) -> None:
        self._function = function
        self.__doc__ = function.__doc__

    def __get__(self, instance: Any, owner: type) -> Callable[P, R]:
        return MethodType(self._function, owner if instance is None else instance)


class Mixin:
    """What dispatches and handles events: the part of a connector that knows nothing of configuration."""

    __event_handlers__: ClassVar[list[EventHandler]] = []
    """The handlers of the class, inherited ones first."""

    _bus: Bus | None
    _own_handlers: Handlers

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        cls.__event_handlers__ = class_handlers(cls)

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
        return any(handler.event.name == name for handler in handlers_of(self))

    @_OfClassOrInstance
    def get_event_handlers(
        self: Any, event: str | Event, preposition: Preposition = Preposition.all
    ) -> list[EventHandler]:
        """Return the handlers of ``event``, in the order of registration; of a class or an instance."""
        return list(matching(self, str(event), preposition))

    @_OfClassOrInstance
    def add_event_handler(
        self: Any,
        /,
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
        function = callable.__func__ if getattr(callable, "__self__", None) is self else callable  # type: ignore[attr-defined] # a method has it
        owner = self if isinstance(self, type) else type(self)
        handler = make_handler(event, preposition, function, kwargs, owner)
        if isinstance(self, type):
            self.__event_handlers__.append(handler)  # type: ignore[attr-defined] # a connector class has it
        else:
            self._own_handlers = (*self._own_handlers, handler)
        Registrations.count += 1
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
        handlers = matching(self, event.name, preposition)
        if not handlers:
            return None
        phase = Phase(event, preposition, ((self, handlers),))
        return await Call(phase, args, kwargs, return_exceptions=return_exceptions).first()

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
            return Call(plan.on, args, kwargs, return_exceptions=return_exceptions).all()
        return dispatch(plan, _prepositions, args, kwargs, first=first, return_exceptions=return_exceptions)


def _selected(bus: Bus, include: Selection | None, exclude: Selection | None) -> Iterator[Mixin]:
    wanted = None if include is None else set(_names(include))
    unwanted = set() if exclude is None else set(_names(exclude))
    for connector in bus:
        name = name_of(connector)
        if (wanted is None or name in wanted) and name not in unwanted:
            yield connector


def _names(selection: Selection) -> Iterator[str]:
    # A model is iterable, and so is a string: neither is meant as a collection.
    for item in (selection,) if isinstance(selection, (str, Mixin)) else selection:
        yield item if isinstance(item, str) else name_of(item)
