"""What can go wrong between a build and the backend.

::

    ServoError
    └── BuildsError
        ├── JournalError          the journal cannot be used
        │   └── JournalFullError  there is no room for it just now
        ├── SourceError           builds cannot be watched just now
        ├── PartError             one part of a build cannot be had
        │   └── PassingError      just now; it may be had later
        └── BackendError          the backend did not take a submission
            ├── UnavailableError  it may do so later
            └── RefusedError      it will never do so
"""

from __future__ import annotations

from servo.errors import ServoError

__all__ = [
    "BackendError",
    "BuildsError",
    "JournalError",
    "JournalFullError",
    "PartError",
    "PassingError",
    "RefusedError",
    "SourceError",
    "UnavailableError",
]


class BuildsError(ServoError):
    """Something between a build and the backend went wrong."""


class JournalError(BuildsError):
    """The journal is damaged, of a newer version, or in use by another agent; the text says what to do."""


class JournalFullError(JournalError):
    """The journal's disk has no room just now, or cannot be written for another reason that may pass."""


class SourceError(BuildsError):
    """Builds cannot be watched just now: their source is away or answers nonsense."""


class PartError(BuildsError):
    """A part of a build cannot be had; the others are not concerned."""


class PassingError(PartError):
    """A part cannot be had just now: what it comes from is away or overloaded."""


class BackendError(BuildsError):
    """The backend did not take a submission.

    Args:
        message: Why not.
        status: The HTTP status, if there was an answer.
    """

    def __init__(self, message: str, status: int | None = None) -> None:
        super().__init__(message)
        self.status = status


class UnavailableError(BackendError):
    """It may take the same submission later.

    Args:
        message: Why not.
        status: The HTTP status, if there was an answer.
        after: Seconds that it asked to wait.
        alone: Whether only this submission is concerned, and others may go on.
    """

    def __init__(
        self, message: str, status: int | None = None, *, after: float | None = None, alone: bool = False
    ) -> None:
        super().__init__(message, status)
        self.after, self.alone = after, alone


class RefusedError(BackendError):
    """It will never take this submission."""
