"""What can be wrong with a request to the sessions.

OptimizerError
└── SessionError
    ├── UnknownSessionError      no session has this id
    ├── UnknownApplicationError  no session was ever created for this application
    ├── ActiveSessionError       the application has an unfinished session
    ├── FencedError              another agent has taken the application over
    └── MessageError             what was posted is no message of the protocol
"""

from trimtab.optimizer.errors import OptimizerError

__all__ = [
    "ActiveSessionError",
    "FencedError",
    "MessageError",
    "SessionError",
    "UnknownApplicationError",
    "UnknownSessionError",
]


class SessionError(OptimizerError):
    """Anything the sessions refuse."""


class UnknownSessionError(SessionError):
    """There is no session of this id."""

    def __init__(self, session_id: str) -> None:
        super().__init__(f"No session {session_id!r} found; list them with `trimtab sessions list`")


class UnknownApplicationError(SessionError):
    """No session was ever created for this application."""

    def __init__(self, application: str) -> None:
        super().__init__(
            f"No session of application {application!r} found; "
            f"create one with `trimtab sessions create --application {application}`"
        )


class ActiveSessionError(SessionError):
    """The application has a session that is not over: one at a time decides."""

    def __init__(self, application: str, session_id: str | None) -> None:
        which = f"the unfinished session {session_id}" if session_id else "an unfinished session"
        super().__init__(f"Application {application!r} has {which}; wait for it, cancel it or delete it")


class FencedError(SessionError):
    """The post of an agent after another one said HELLO."""

    def __init__(self) -> None:
        super().__init__("unexpected servo_uid")


class MessageError(SessionError):
    """A post that is no message of the protocol."""
