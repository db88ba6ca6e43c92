"""Declaring events, and looking them up."""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, Final, TypeVar, cast, overload

from servo import signatures
from servo.events.handlers import on_event
from servo.events.values import ContextManagerFactory, Event, registry
from servo.logging import logger

__all__ = ["create_event", "declare", "event", "get_event", "get_events"]

Declaration = TypeVar("Declaration", bound=Callable[..., Any])

_required: Final = object()


def get_events() -> list[Event]:
    """Return all events, in the order of their declaration."""
    return list(registry.values())


@overload
def get_event(name: str) -> Event: ...
@overload
def get_event(name: str, default: Event | None) -> Event | None: ...
def get_event(name: str, default: Any = _required) -> Event | None:
    """Return the event of that name, or ``default``.

    Raises:
        KeyError: There is none and no default was given.
    """
    found = registry.get(name)
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


def event(name: str | None = None, *, handler: bool = False) -> Callable[[Declaration], Declaration]:
    """Declare an event by decorating a method with its signature.

    Args:
        name: The event's; that of the method by default.
        handler: Whether the method is also its class' handler of the event, and not only a stub.

    Raises:
        ValueError: See :func:`create_event`.
        TypeError: See :func:`create_event`.
    """

    def decorate(function: Declaration) -> Declaration:
        title = name or function.__name__
        if not handler:
            create_event(title, function)
            return function
        _require_async(title, function)
        declare(title, function)
        return on_event(title)(function)

    return decorate


def _register(
    name: str,
    signature: inspect.Signature,
    module: str | None,
    manager: ContextManagerFactory | None = None,
) -> Event:
    if name in registry:
        raise ValueError(f"Event '{name}' has already been created")
    signatures.require_no_variable_positional(name, signature)
    created = registry[name] = Event(name, signature, module, manager)
    return created


def _require_async(name: str, function: Callable[..., Any]) -> None:
    if not (inspect.iscoroutinefunction(function) or inspect.isasyncgenfunction(function)):
        raise ValueError(f'events must be async: declare "{name}" by an async def')


def _require_stub(name: str, function: Callable[..., Any]) -> None:
    try:
        source = inspect.getsource(function)
    except (OSError, TypeError):
        logger.warning(f'cannot read the source of event "{name}": its body is taken to be empty')
        return
    body = ast.parse(textwrap.dedent(source)).body[0].body  # type: ignore[attr-defined] # of a function
    if not (isinstance(body[-1], ast.Pass) or all(map(_is_constant, (body[0], body[-1])))):
        raise ValueError(
            f'the function that declares event "{name}" must be a stub that ends in "..." or "pass": '
            "put what shall happen into a handler, or declare it with @event(handler=True)"
        )


def _is_constant(statement: ast.stmt) -> bool:
    # A docstring or "...".
    return isinstance(statement, ast.Expr) and isinstance(statement.value, ast.Constant)
