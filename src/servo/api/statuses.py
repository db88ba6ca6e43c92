"""The words of the protocol: events, commands, statuses and reasons."""

from __future__ import annotations

from enum import StrEnum

from servo.errors import AdjustmentRejectedError, EventAbortedError, EventCancelledError

__all__ = ["Commands", "Events", "OptimizerStatuses", "Reasons", "ServoStatuses"]


class OptimizerStatuses(StrEnum):
    """What an optimizer answers to everything but a request for a command."""

    ok = "ok"
    invalid = "invalid"
    unexpected_event = "unexpected-event"
    cancelled = "cancel"


class ServoStatuses(StrEnum):
    """How a command ended."""

    ok = "ok"
    failed = "failed"
    rejected = "rejected"
    aborted = "aborted"
    cancelled = "cancelled"

    @classmethod
    def from_error(cls, error: BaseException) -> ServoStatuses:
        """Return the status that an error stands for; ``failed`` for any that is no more specific."""
        if isinstance(error, AdjustmentRejectedError):
            return cls.rejected
        if isinstance(error, EventAbortedError):
            return cls.aborted
        if isinstance(error, EventCancelledError):
            return cls.cancelled
        return cls.failed


class Reasons(StrEnum):
    """Why a command ended as it did; connectors use further words of their own."""

    success = "success"
    unknown = "unknown"
    unstable = "unstable"


class Events(StrEnum):
    """What a servo sends."""

    hello = "HELLO"
    whats_next = "WHATS_NEXT"
    describe = "DESCRIPTION"
    measure = "MEASUREMENT"
    adjust = "ADJUSTMENT"
    goodbye = "GOODBYE"


class Commands(StrEnum):
    """What an optimizer tells a servo to do."""

    describe = "DESCRIBE"
    measure = "MEASURE"
    adjust = "ADJUST"
    sleep = "SLEEP"

    @property
    def response_event(self) -> Events:
        """The event under which progress and result of the command are posted.

        Raises:
            ValueError: The command has no result: SLEEP.
        """
        try:
            return Events[self.name]
        except KeyError:
            raise ValueError(f"the command {self.value} has no response event") from None
