"""What a kind of object tells of a build."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

from servo.connectors.builds.build import Phase

__all__ = ["Kind", "Outcome", "Pods"]


@dataclass(frozen=True, slots=True)
class Pods:
    """Where the pods of a build are found: by name, or by labels.

    Attributes:
        name: Of the one pod.
        labels: A selector.
    """

    name: str | None = None
    labels: str | None = None


@dataclass(frozen=True, slots=True)
class Outcome:
    """How a build ended, by its object.

    Attributes:
        phase: How.
        base, output: Images by their names; None: the object does not tell.
        started, finished: Seconds since 1970.
        exit_code: Of the builder.
        reason, message: In the cluster's words.
        pods: Which pods printed the log.
        log_path: Where the API has the whole log itself, below the object's own path; None: nowhere.
    """

    phase: Phase
    base: str | None = None
    output: str | None = None
    started: float | None = None
    finished: float | None = None
    exit_code: int | None = None
    reason: str | None = None
    message: str | None = None
    pods: Pods = field(default_factory=Pods)
    log_path: str | None = None

    @property
    def has_output(self) -> bool:
        """Whether an output should be there."""
        return self.phase is Phase.complete


class Kind(Protocol):
    """A kind of object of which each is a build, or may be one.

    Attributes:
        type: Its name in the configuration.
        group, plural: How the API addresses it.
        needs_labels: Whether only labels can tell a build from what is none.
    """

    type: str
    group: str
    plural: str
    needs_labels: bool

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Whether the object is a build, by what it says of itself."""

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended; None: it goes on."""

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return the image it is built on, also while it goes on; None: the object does not tell."""

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return where its pods are found, also while it goes on."""
