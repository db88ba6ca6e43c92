"""Ask registries for others, a few at a time, and no longer than somebody waits for an answer."""

import asyncio
import threading
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TypeVar

from trimtab.builds import Known, Registries, Secret, look
from trimtab.images import UnavailableError

__all__ = ["Registrar"]

T = TypeVar("T")
PATIENCE = 30.0
MOST = 32


@dataclass(frozen=True)
class Registrar:
    """Asks registries.

    Args:
        registries: How they are reached.
        patience: Seconds that one may take to say what an image is.
        most: How many are asked at the same time.
    """

    registries: Registries = field(default_factory=Registries)
    patience: float = PATIENCE
    most: int = MOST
    _room: threading.BoundedSemaphore = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_room", threading.BoundedSemaphore(self.most))

    async def look(
        self, image: str, secret: Secret | None, *, verify_tls: bool, with_tags: bool = False
    ) -> Known:
        """What the registry of an image says of it.

        Raises:
            ImageError: It cannot be had; `transient` says whether it may be later.
        """
        if not self._room.acquire(blocking=False):
            raise UnavailableError("too many registries are being asked already", transient=True)

        def call() -> Known:
            try:
                return look(image, self.registries, secret, verify_tls=verify_tls, with_tags=with_tags)
            finally:
                self._room.release()

        try:
            return await asyncio.wait_for(_in_thread(call), self.patience)
        except TimeoutError:
            late = f"its registry did not answer within {self.patience:g} s"
            raise UnavailableError(late, transient=True) from None


async def _in_thread(call: Callable[[], T]) -> T:
    """Call in a thread that the end of the process does not wait for: a registry may take its time."""
    loop = asyncio.get_running_loop()
    future: asyncio.Future[T] = loop.create_future()

    def settle(result: T | None, error: Exception | None) -> None:
        if future.done():
            return
        if error is not None:
            future.set_exception(error)
        else:
            future.set_result(result)  # type: ignore[arg-type] # it is what was called for

    def run() -> None:
        result, error = None, None
        try:
            result = call()
        except Exception as caught:  # noqa: BLE001 # is raised where it is waited for
            error = caught
        with suppress(RuntimeError):  # the loop is closed: nobody waits any more
            loop.call_soon_threadsafe(settle, result, error)

    threading.Thread(target=run, name="registry", daemon=True).start()
    return await future
