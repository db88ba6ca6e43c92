"""Follow an inspection: as server-sent events, or by waiting for its end."""

import asyncio
import json
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, suppress
from dataclasses import asdict
from typing import Any

from loguru import logger
from starlette.exceptions import HTTPException

from trimtab.catalog import CatalogError
from trimtab.workflows import Event

__all__ = ["Follower", "ended"]

BEAT = 15.0
MOST = 200


class Follower:
    """Follows inspections for those who asked to.

    Args:
        follow: Tells what happens to one: `Inspecting.follow`.
        beat: Seconds of silence after which a comment is sent, so that no proxy takes the line for dead.
        most: How many are followed at once; the next is told to come again.
    """

    def __init__(
        self, follow: Callable[[str], AsyncIterator[Event]], *, beat: float = BEAT, most: int = MOST
    ) -> None:
        self._follow = follow
        self._beat = beat
        self._room = asyncio.Semaphore(most)
        self._stopping = asyncio.Event()

    def stop(self) -> None:
        """End all streams and waits: the server ends."""
        self._stopping.set()

    def check(self) -> None:
        """See whether there is room.

        Raises:
            HTTPException: There is none, now.
        """
        if self._room.locked():
            raise HTTPException(503, "too many wait already; come again", headers={"Retry-After": "5"})

    async def stream(self, inspection_id: str) -> AsyncIterator[bytes]:
        """Each event as text/event-stream has it, up to `over`."""
        async with self._room, aclosing(self._events(inspection_id)) as events:
            async for event in events:
                yield b": still here\n\n" if event is None else _encoded(event)

    async def wait(self, inspection_id: str, seconds: float) -> None:
        """Until it is over, so many seconds have passed, or the server ends."""
        async with self._room:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds), aclosing(self._events(inspection_id)) as events:
                    async for _ in events:
                        pass

    async def _events(self, inspection_id: str) -> AsyncGenerator[Event | None, None]:
        """Events up to the last; None where there was none for a while."""
        found = self._follow(inspection_id)
        stopping = asyncio.ensure_future(self._stopping.wait())
        coming: asyncio.Future[Event] | None = None
        try:
            while True:
                coming = coming or asyncio.ensure_future(anext(found))
                waiting: set[asyncio.Future[Any]] = {coming, stopping}
                await asyncio.wait(waiting, timeout=self._beat, return_when=asyncio.FIRST_COMPLETED)
                if stopping.done():
                    return
                if not coming.done():
                    yield None
                    continue
                event, coming = coming.result(), None
                yield event
                if event.kind == "over":
                    return
        except StopAsyncIteration:
            return
        except (CatalogError, LookupError) as error:  # whoever follows asks again
            logger.warning("following {}: {}", inspection_id, error)
        finally:
            await _ended(stopping, coming)
            await _closed(found)


async def _ended(*tasks: "asyncio.Future[Any] | None") -> None:
    for task in tasks:
        if task is not None and not task.done():
            task.cancel()
            with suppress(asyncio.CancelledError, StopAsyncIteration):
                await task


async def _closed(events: AsyncIterator[Event]) -> None:
    if hasattr(events, "aclose"):
        await events.aclose()


async def ended(inspection_id: str, state: str) -> AsyncIterator[bytes]:
    """The stream of one that is over."""
    yield _encoded(Event(inspection_id, "over", text=state))


def _encoded(event: Event) -> bytes:
    return f"event: {event.kind}\ndata: {json.dumps(asdict(event))}\n\n".encode("ascii")
