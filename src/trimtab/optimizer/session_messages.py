"""Messages of the wire protocol as the server sees them: what agents post, and what they are answered."""

import math
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, cast

from trimtab.optimizer.session_errors import MessageError

__all__ = ["Event", "Message", "Reply", "clean", "command", "invalid", "ok", "sleep", "status"]

Event = Literal["HELLO", "WHATS_NEXT", "DESCRIPTION", "MEASUREMENT", "ADJUSTMENT", "GOODBYE"]
Reply = dict[str, Any]

EVENTS = frozenset({"HELLO", "WHATS_NEXT", "DESCRIPTION", "MEASUREMENT", "ADJUSTMENT", "GOODBYE"})
UNEXPECTED_UID = "unexpected cmd_uid"
MAX_UID = 200
MAX_TEXT = 4000
# What no text column takes: PostgreSQL refuses NUL, and no encoding has lone surrogates.
_UNSTORABLE = re.compile("[\x00\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Message:
    """One post of an agent.

    Args:
        event: What it is.
        param: Its content; {} where the agent sent null.
        servo_uid: Who sent it, as the agent was configured; None if it was not.
        empty: Whether the agent sent null.
    """

    event: Event
    param: Mapping[str, Any]
    servo_uid: str | None = None
    empty: bool = False

    @classmethod
    def parse(cls, body: object) -> "Message":
        """Read the body of a post.

        Raises:
            MessageError: It is not `{"event": …, "param": …, "servo_uid": …}`.
        """
        if not isinstance(body, Mapping):
            raise MessageError("a message is an object with event, param and servo_uid")
        event, param, uid = body.get("event"), body.get("param"), body.get("servo_uid")
        if not isinstance(event, str) or event not in EVENTS:
            raise MessageError(f"event must be one of {', '.join(sorted(EVENTS))}")
        if not isinstance(param, Mapping | None):
            raise MessageError("param must be an object or null")
        if not (uid is None or (isinstance(uid, str) and len(uid) <= MAX_UID)):
            raise MessageError(f"servo_uid must be null or a text of at most {MAX_UID} characters")
        return cls(cast("Event", event), param or {}, clean(uid) if uid else None, param is None)

    @property
    def is_progress(self) -> bool:
        """Whether it reports progress rather than a result."""
        return "progress" in self.param and "status" not in self.param

    @property
    def cmd_uid(self) -> str | None:
        """The command it belongs to."""
        uid = self.param.get("cmd_uid")
        return uid if isinstance(uid, str) and len(uid) <= MAX_UID else None

    def text(self, key: str) -> str | None:
        """A text of the content that may be stored; None if there is none."""
        value = self.param.get(key)
        return clean(value) if isinstance(value, str) else None

    def number(self, key: str) -> float | None:
        """A finite number of the content; None if there is none."""
        value = self.param.get(key)
        return finite(value)


def finite(value: object) -> float | None:
    """A JSON number as a float; None for anything else, NaN and infinity included."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        number = float(value)
    except OverflowError:  # an integer of hundreds of digits
        return None
    return number if math.isfinite(number) else None


def clean(text: str, limit: int = MAX_TEXT) -> str:
    """A text of others, of bounded length, as every database can store it."""
    return _UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text[:limit])


def status(value: str, *, message: str | None = None, reason: str | None = None) -> Reply:
    """A status object; what is None is left out."""
    fields = {"status": value, "message": message, "reason": reason}
    return {key: each for key, each in fields.items() if each is not None}


def ok(message: str | None = None) -> Reply:
    """The post was taken."""
    return status("ok", message=message)


def invalid() -> Reply:
    """The post belongs to no command that is wanted: the agent gives up what it is doing."""
    return status("invalid", reason=UNEXPECTED_UID, message="this command is not, or no longer, wanted")


def command(cmd: str, cmd_uid: str, param: Mapping[str, Any]) -> Reply:
    """A command."""
    return {"cmd": cmd, "cmd_uid": cmd_uid, "param": dict(param)}


def sleep(seconds: float, reason: str) -> Reply:
    """Nothing to do for a while."""
    return {"cmd": "SLEEP", "param": {"duration": seconds, "data": {"reason": reason}}}
