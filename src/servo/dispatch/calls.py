"""One dispatch: its phases, and the calls of the handlers in each."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Iterator
from typing import TYPE_CHECKING, Any, Final, cast

from servo.concurrency import run_together
from servo.context import connector_var, event_var
from servo.dispatch.bus import Handlers, Phase, Plan
from servo.errors import EventAbortedError, EventCancelledError
from servo.events import Event, EventContext, EventHandler, EventResult, Preposition
from servo.logging import logger
from servo.utilities.strings import join_to_series

if TYPE_CHECKING:
    from servo.dispatch.mixin import Mixin

__all__ = ["Call", "dispatch", "name_of"]

_BEFORE: Final = Preposition.before
_ON: Final = Preposition.on
_AFTER: Final = Preposition.after


async def dispatch(
    plan: Plan,
    prepositions: Preposition,
    args: tuple[Any, ...],
    kwargs: dict[str, Any],
    *,
    first: bool,
    return_exceptions: bool,
) -> Any:
    """Run the phases of a dispatch, see :meth:`servo.dispatch.Mixin.dispatch_event`."""
    if plan.before and _BEFORE in prepositions:
        try:
            await Call(plan.before, args, kwargs).all()
        except ExceptionGroup as group:
            if not _is_cancelled(plan.event, group):
                raise
            return None if first else []
    results: list[EventResult] = []
    if plan.on and _ON in prepositions:
        call = Call(plan.on, args, kwargs, return_exceptions=return_exceptions)
        results = await (call.first() if first else call.all())
    if plan.after and _AFTER in prepositions:
        await Call(plan.after, (results,), {}).all()
    if first:
        return results[0] if results else None
    return results


class Call:
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
        phase = self.phase
        coroutines: list[Any] = [
            self._invoke(connector, handlers[0]) if len(handlers) == 1 else self._in_turn(connector, handlers)
            for connector, handlers in phase.responders
        ]
        outcome = await run_together(coroutines, phase.name, self._cancelled)
        if outcome.errors:
            raise ExceptionGroup(f"unhandled errors in handlers of {phase.name}", outcome.errors)
        return outcome.values if phase.is_simple else list(_flattened(outcome.values))

    async def first(self) -> list[EventResult]:
        """Call the first connector alone; raise what it raises."""
        return await self._in_turn(*self.phase.responders[0])

    async def _in_turn(self, connector: Mixin, handlers: Handlers) -> list[EventResult]:
        results: list[EventResult] = []
        for handler in handlers:
            outcome = await run_together(
                [self._invoke(connector, handler)],
                self.phase.name,
                lambda _: self._failed(connector, handler, _cancellation(connector, self.context)),  # noqa: B023 - called before the loop goes on
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
        except SystemExit as leaving:
            # In a task it would end the event loop, and all servos with it.
            return self._failed(connector, handler, _exited(leaving))
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
        f"{name_of(connector)} was cancelled while it handled {context}",
        reason="cancelled",
        connector=connector,
        event=context,
    )


def _exited(leaving: SystemExit) -> RuntimeError:
    error = RuntimeError(
        f"a handler must not end the process, but it raised SystemExit({leaving.code!r:.100})"
    )
    error.__cause__ = leaving
    return error


def _is_cancelled(event: Event, group: ExceptionGroup[Exception]) -> bool:
    cancellations, others = group.split(EventCancelledError)
    if cancellations is None:
        return False
    for error in others.exceptions if others else ():
        logger.opt(exception=error).error(f"before handler of {event} failed: {error!r}")
    who = join_to_series([name_of(_result_of(error).connector) for error in cancellations.exceptions])
    why = "; ".join(text for text in map(str, cancellations.exceptions) if text)
    logger.warning(f'event "{event}" was cancelled by {who}' + (f": {why}" if why else ""))
    return True


def _result_of(error: BaseException) -> EventResult:
    return cast("Any", error).__event_result__  # type: ignore[no-any-return] # set by Call for every error


def name_of(connector: Any) -> str:
    """Return how a connector is called in selections and messages."""
    return str(getattr(connector, "name", connector))
