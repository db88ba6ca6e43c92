"""One event loop for one invocation: what an assembly opens in a first call, a second call may go on using."""

from collections.abc import Awaitable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any, TypeVar

if TYPE_CHECKING:
    import asyncio

T = TypeVar("T")


class _Loop:
    """Made when first used: help and usage errors never import asyncio."""

    def __init__(self) -> None:
        self._runner: asyncio.Runner | None = None

    def run(self, awaitable: Awaitable[T]) -> T:
        import asyncio

        if self._runner is None:
            self._runner = asyncio.Runner(loop_factory=_fastest())
        return self._runner.run(_wait_for(awaitable))

    def close(self) -> None:
        if self._runner is not None:
            self._runner.close()


_current: ContextVar[_Loop | None] = ContextVar("servo.cli.loop", default=None)


def run_async(awaitable: Awaitable[T]) -> T:
    """Wait for ``awaitable`` from a synchronous command and return its result.

    Within one invocation every call uses the same loop; outside of any, one is made and closed again.
    """
    loop = _current.get()
    if loop is not None:
        return loop.run(awaitable)
    import asyncio

    return asyncio.run(_wait_for(awaitable))


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


async def _wait_for(awaitable: Awaitable[T]) -> T:
    return await awaitable


def _fastest() -> Any:
    try:
        import uvloop
    except ImportError:  # it has no Windows version
        return None
    return uvloop.new_event_loop
