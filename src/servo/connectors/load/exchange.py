"""One request under way."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from servo.connectors.load.connection import Connection
    from servo.connectors.load.requests import Request
    from servo.connectors.load.tally import Tally


class Exchange:
    """A request and what became of it.

    Attributes:
        request: What to send.
        intended: Seconds from the beginning of the load at which it was meant to be sent.
        batch: Where its outcome is counted.
        connection: Where it was sent, while it waits for its answer.
        retried: Whether it was sent a second time already.
        done: Whether its outcome is counted.
    """

    __slots__ = ("batch", "connection", "done", "intended", "request", "retried")

    def __init__(self, request: Request, intended: float, batch: Tally) -> None:
        self.request = request
        self.intended = intended
        self.batch = batch
        self.connection: Connection | None = None
        self.retried = False
        self.done = False
