"""Who hears an event: the connectors on a bus, and the plans of who answers what."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, MutableSequence, Sequence
from typing import TYPE_CHECKING, Any, Final, SupportsIndex, TypeAlias, overload

from servo.events import Event, EventHandler, Preposition, get_event

if TYPE_CHECKING:
    from servo.dispatch.mixin import Mixin

__all__ = ["Bus", "Handlers", "Phase", "Plan", "Registrations", "Responder", "handlers_of", "matching"]

Handlers: TypeAlias = tuple[EventHandler, ...]
Responder: TypeAlias = tuple["Mixin", Handlers]

_BEFORE: Final = Preposition.before
_ON: Final = Preposition.on
_AFTER: Final = Preposition.after


class Registrations:
    """Counts registrations of handlers: a plan of an older count may lack one."""

    count = 0


class Phase:
    """Who answers an event with one preposition, in the order of the bus."""

    __slots__ = ("event", "is_simple", "name", "preposition", "responders")

    def __init__(self, event: Event, preposition: Preposition, responders: tuple[Responder, ...]) -> None:
        self.event = event
        self.preposition = preposition
        self.name = f"{preposition}:{event.name}"
        self.responders = responders
        # The rule: a connector has one handler of an event, so each answer is a single result.
        self.is_simple = all(len(handlers) == 1 for _, handlers in responders)


class Plan:
    """Who answers an event, by phase; None for a phase in which nobody does."""

    __slots__ = ("after", "before", "event", "made_at", "on")

    def __init__(self, event: Event, connectors: Iterable[Mixin]) -> None:
        members = tuple(connectors)
        self.event = event
        self.made_at = Registrations.count
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
        if plan is None or plan.made_at != Registrations.count:
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


def _responders(
    connectors: tuple[Mixin, ...], event: Event, preposition: Preposition
) -> tuple[Responder, ...]:
    found = ((connector, matching(connector, event.name, preposition)) for connector in connectors)
    return tuple((connector, handlers) for connector, handlers in found if handlers)


def matching(target: Mixin | type[Mixin], event: str, preposition: Preposition) -> Handlers:
    """Return the handlers of a connector or class that answer an event."""
    return tuple(
        handler
        for handler in handlers_of(target)
        if handler.event.name == event
        and (handler.preposition is preposition or handler.preposition in preposition)
    )


def handlers_of(target: Mixin | type[Mixin]) -> Sequence[EventHandler]:
    """Return all handlers of a connector, those it was given itself last, or of a class."""
    if isinstance(target, type):
        return target.__event_handlers__
    return [*target.__event_handlers__, *target._own_handlers]  # noqa: SLF001  this module's own
