"""How far a cluster was read, as the journal keeps it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

__all__ = ["Position", "Running"]

_MOST = 5_000


@dataclass(frozen=True, slots=True)
class Running:
    """A build that went on when it was last seen."""

    namespace: str
    name: str


@dataclass(slots=True)
class Position:
    """How far a kind of object was read.

    Attributes:
        version: The resource version to watch from; None: all is listed first.
        since: Seconds since 1970; what ended before was there before the agent, and is not shown. None: never read.
        running: What went on, by uid. One that is missing after a gap was deleted in it. At most 5 000 are kept.
    """

    version: str | None = None
    since: float | None = None
    running: dict[str, Running] = field(default_factory=dict)

    def text(self) -> str:
        """Return it as a line."""
        running = list(self.running.items())[-_MOST:]
        value = {
            "version": self.version,
            "since": self.since,
            "running": {uid: [each.namespace, each.name] for uid, each in running},
        }
        return json.dumps(value, separators=(",", ":"))

    @classmethod
    def parse(cls, text: str | None) -> Position:
        """Return what :meth:`text` wrote; a new one where it is nothing of ours."""
        try:
            value: Any = json.loads(text) if text else {}
            running = {
                str(uid): Running(str(namespace), str(name))
                for uid, (namespace, name) in (value.get("running") or {}).items()
            }
            version, since = value.get("version"), value.get("since")
            return cls(
                version if isinstance(version, str) else None,
                float(since) if isinstance(since, int | float) else None,
                running,
            )
        except (ValueError, TypeError, AttributeError):
            return cls()
