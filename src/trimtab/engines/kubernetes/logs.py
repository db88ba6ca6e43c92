"""The log of a container, as it comes."""

import asyncio
from contextlib import aclosing, suppress

from servo.kubernetes import Client, KubernetesError
from trimtab.engines.log import Log

__all__ = ["CopiedLog"]

_PAUSE = 1.0
_ATTEMPTS = 5
_LATE = 20.0


class CopiedLog:
    """Copies what a container prints while the block runs, and at its end what is still missing.

    A stream that breaks off is asked for again from the beginning, and what was written is skipped: the times of lines say too little,
    for the API asks by the second.

    Args:
        client: The cluster.
        pod: Its name.
        container: Which one.
        log: Takes it.
    """

    def __init__(self, client: Client, pod: str, container: str, log: Log) -> None:
        self._client = client
        self._pod = pod
        self._container = container
        self._log = log
        self._written = 0

    async def __aenter__(self) -> None:
        self._task = asyncio.create_task(self._copy(), name=f"log of {self._pod}")

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        if kind is None:
            await asyncio.wait({self._task}, timeout=_LATE)
        self._task.cancel()
        with suppress(asyncio.CancelledError):
            await self._task

    async def _copy(self) -> None:
        for attempt in range(_ATTEMPTS):
            try:
                await self._once()
            except KubernetesError as error:
                if attempt == _ATTEMPTS - 1 or not error.transient:
                    self._log.say(f"the rest of the log could not be had: {error}")
                    return
                await asyncio.sleep(_PAUSE)
            else:
                return

    async def _once(self) -> None:
        known = self._written
        async with aclosing(self._client.follow_log(self._pod, container=self._container)) as chunks:
            async for chunk in chunks:
                new = chunk[known:]
                known = max(0, known - len(chunk))
                self._written += len(new)
                self._log.write(new)
