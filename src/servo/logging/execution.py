"""Decorators that log when a function is entered, left, and how long it took."""

import functools
import inspect
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, ParamSpec, TypeVar, cast, overload

from loguru import logger

P = ParamSpec("P")
R = TypeVar("R")


@overload
def log_execution(fn: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def log_execution(
    *, entry: bool = True, exit: bool = True, level: str = "DEBUG"
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def log_execution(
    fn: Callable[..., Any] | None = None,
    *,
    entry: bool = True,
    exit: bool = True,  # noqa: A002 - the original's signature
    level: str = "DEBUG",
) -> Any:
    """Log arguments on entry and the result on exit; with or without parentheses, sync or async."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def around(args: tuple[Any, ...], kwargs: dict[str, Any]) -> Iterator[list[Any]]:
            log = _at_caller(function)
            result: list[Any] = []
            if entry:
                log.log(level, "Entering '{}' (args={}, kwargs={})", function.__name__, args, kwargs)
            yield result
            if exit:
                log.log(level, "Exiting '{}' (result={})", function.__name__, result[0])

        return _wrap(function, around)

    return decorate if fn is None else decorate(fn)


@overload
def log_execution_time(fn: Callable[P, R], /) -> Callable[P, R]: ...
@overload
def log_execution_time(*, level: str = "DEBUG") -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def log_execution_time(fn: Callable[..., Any] | None = None, *, level: str = "DEBUG") -> Any:
    """Log how long each call took, in seconds; with or without parentheses, sync or async."""

    def decorate(function: Callable[..., Any]) -> Callable[..., Any]:
        @contextmanager
        def around(_args: tuple[Any, ...], _kwargs: dict[str, Any]) -> Iterator[list[Any]]:
            started = time.perf_counter()
            yield []
            elapsed = time.perf_counter() - started
            _at_caller(function).log(level, "Function '{}' executed in {:f} s", function.__name__, elapsed)

        return _wrap(function, around)

    return decorate if fn is None else decorate(fn)


def _wrap(function: Callable[..., Any], around: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs) as result:
            result.append(function(*args, **kwargs))
        return result[0]

    @functools.wraps(function)
    async def call_async(*args: Any, **kwargs: Any) -> Any:
        with around(args, kwargs) as result:
            result.append(await function(*args, **kwargs))
        return result[0]

    return call_async if inspect.iscoroutinefunction(function) else call


def _at_caller(function: Callable[..., Any]) -> Any:
    # The line names the decorated function, not this wrapper.
    code = getattr(function, "__code__", None)
    place: dict[str, Any] = {"name": function.__module__, "function": function.__name__}
    place |= {"line": code.co_firstlineno} if code is not None else {}
    return logger.patch(lambda record: cast("dict[str, Any]", record).update(place))
