"""What an agent knows of a build that ended."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["Build", "Image", "Missing", "Part", "Phase", "identity_of"]

_IDENTITY = re.compile(r"[A-Za-z0-9._:-]{1,128}")
compact = json.JSONEncoder(separators=(",", ":")).encode
"""What the journal holds is written without blanks."""
_MAX_TEXT = 2_000
_MAX_LABELS = 100


class Phase(StrEnum):
    """How a build ended."""

    complete = "complete"
    failed = "failed"
    cancelled = "cancelled"
    timed_out = "timed_out"
    error = "error"
    unknown = "unknown"
    """Nobody said: a log that came alone. The backend is told null."""


class Part(StrEnum):
    """What may be sent of a build, by the names of the API."""

    base = "base_image"
    output = "output_image"
    log = "build_log"


@dataclass(frozen=True, slots=True)
class Image:
    """An image of a build.

    Attributes:
        name: A reference that a registry understands, with a digest where one is known; None if it is in no registry.
        local: Where skopeo finds it on this machine, such as ``containers-storage:sha256…``; None if it is only in a registry.
        shown: What people call it.
        host: The address of the engine that has it on this machine; None for the usual one.
    """

    name: str | None = None
    local: str | None = None
    shown: str = ""
    host: str | None = None

    def to_json(self) -> dict[str, str | None]:
        """Return it as an object of JSON."""
        told = {"name": self.name, "local": self.local, "shown": self.shown}
        return told if self.host is None else {**told, "host": self.host}


@dataclass(frozen=True, slots=True)
class Missing:
    """A part that could not be had, and why."""

    part: Part
    reason: str


@dataclass(frozen=True, slots=True)
class Build:
    """A build that ended.

    Attributes:
        identity: Tells it from all others, over restarts; it is sent as ``Idempotency-Key``.
        name: What people call it.
        source: The name of the source that saw it.
        phase: How it ended.
        namespace: Where it belongs to.
        started_at, finished_at: Seconds since 1970; None if nobody knows.
        exit_code: Of the builder, where it has one.
        labels: What its source says of it besides.
        base, output: Its images; None if it has none that its source knows of.
        log: Where its log is, in the words of its source; None if there is none.
        missing: Parts that the source knows to be lost.
    """

    identity: str
    name: str
    source: str
    phase: Phase
    namespace: str | None = None
    started_at: float | None = None
    finished_at: float | None = None
    exit_code: int | None = None
    labels: Mapping[str, str] = field(default_factory=dict)
    base: Image | None = None
    output: Image | None = None
    log: str | None = None
    missing: tuple[Missing, ...] = ()

    def __post_init__(self) -> None:
        if not _IDENTITY.fullmatch(self.identity):
            raise ValueError("the identity of a build has 1 to 128 letters, digits and . _ : -")

    def to_json(self) -> str:
        """Return it as a line of JSON; what is not known is left out."""
        values = {
            "identity": self.identity, "name": self.name, "source": self.source, "phase": str(self.phase),
            "namespace": self.namespace, "started_at": self.started_at, "finished_at": self.finished_at,
            "exit_code": self.exit_code, "labels": dict(self.labels), "log": self.log,
            "base": self.base and self.base.to_json(), "output": self.output and self.output.to_json(),
            "missing": [{"part": str(each.part), "reason": each.reason} for each in self.missing],
        }  # fmt: skip
        return compact({key: value for key, value in values.items() if value or value in (0, "")})

    @classmethod
    def from_json(cls, text: str) -> Build:
        """Return what :meth:`to_json` wrote.

        Raises:
            ValueError: It is not such a line.
        """
        try:
            values = json.loads(text)
            values["phase"] = Phase(values["phase"])
            for key in ("base", "output"):
                if key in values:
                    values[key] = Image(**values[key])
            if "missing" in values:
                values["missing"] = tuple(
                    Missing(Part(each["part"]), each["reason"]) for each in values["missing"]
                )
            return cls(**values)
        except (TypeError, KeyError, AttributeError) as error:
            raise ValueError(f"no build: {error}") from error

    def described(self) -> dict[str, Any]:
        """Return what the backend is told of it, beside its parts."""
        labels = list(self.labels.items())[:_MAX_LABELS]
        return {
            "identity": self.identity,
            "name": self.name[:_MAX_TEXT],
            "namespace": self.namespace,
            "source": self.source,
            "phase": None if self.phase is Phase.unknown else str(self.phase),
            "started_at": self.started_at,
            "finished_at": self.finished_at,
            "exit_code": self.exit_code,
            "labels": {str(key)[:_MAX_TEXT]: str(value)[:_MAX_TEXT] for key, value in labels},
        }


def identity_of(source: str, *parts: object) -> str:
    """Return an identity that is the same for the same parts, whatever characters these have."""
    digest = hashlib.sha256("\0".join(map(str, parts)).encode("utf-8", "surrogatepass")).hexdigest()
    return f"{re.sub(r'[^A-Za-z0-9._-]', '-', source)[:60]}-{digest[:32]}"
