"""One event loop for one invocation: what an assembly opens in a first call, a second call may go on using."""

from __future__ import annotations

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

import typer

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")

TERMINATED = 143  # what a shell reports of a program that SIGTERM ended


class _Loop:
    """Made when first used: help and usage errors never import asyncio."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, awaitable: Awaitable[T]) -> T:
        import asyncio

        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=_fastest())
        return self._runner.run(_until_told(awaitable))

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


_current: ContextVar[_Loop | None] = ContextVar("servo.cli.loop", default=None)


def run_async(awaitable: Awaitable[T]) -> T:
    """Wait for ``awaitable`` from a synchronous command and return its result.

    Within one invocation every call uses the same loop; outside of any, one is made and closed again. SIGTERM cancels
    what is waited for, as Ctrl-C does, so that it can clean up; the command then ends with exit code 143.
    """
    loop = _current.get()
    if loop is not None:
        return loop.run(awaitable)
    import asyncio

    return asyncio.run(_until_told(awaitable))


@contextmanager
def one_loop() -> Iterator[None]:
    """Let every :func:`run_async` of the block share a loop, which is closed at its end."""
    loop = _Loop()
    token = _current.set(loop)
    try:
        yield
    finally:
        _current.reset(token)
        loop.close()


async def _until_told(awaitable: Awaitable[T]) -> T:
    import asyncio
    import signal
    import threading

    task, told = asyncio.current_task(), False
    assert task is not None

    def terminate() -> None:
        nonlocal told
        told = True
        task.cancel()

    loop = asyncio.get_running_loop()
    # Signals are the main thread's; elsewhere, as in a test, nobody sends any.
    main = threading.current_thread() is threading.main_thread()
    if main:
        loop.add_signal_handler(signal.SIGTERM, terminate)
    try:
        return await awaitable
    except asyncio.CancelledError:
        if told:
            raise typer.Exit(TERMINATED) from None
        raise
    finally:
        if main:
            loop.remove_signal_handler(signal.SIGTERM)


def _fastest() -> Any:
    try:
        import uvloop
    except ImportError:  # it has no Windows version
        return None
    return uvloop.new_event_loop
