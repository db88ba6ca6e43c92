"""Who looks on while an inspection goes its way."""

from dataclasses import dataclass
from typing import Literal, Protocol, TypeAlias

__all__ = ["Event", "Kind", "Silent", "Watcher"]

Kind: TypeAlias = Literal["accepted", "building", "built", "running", "ran", "retrying", "over"]


@dataclass(frozen=True, slots=True)
class Event:
    """One step.

    Attributes:
        inspection: The inspection's id.
        kind: What happened. `retrying`: the infrastructure lost the build or the run, and it is tried again.
        item: Which run, from 0; None: of the build, or of the inspection as a whole.
        warmup: Whether the run is one that is not counted.
        text: More of it, in plain words.
        attempt: Of the run, from 1.
    """

    inspection: str
    kind: Kind
    item: int | None = None
    warmup: bool = False
    text: str = ""
    attempt: int = 1


class Watcher(Protocol):
    """Is told on the event loop, and must not block."""

    def event(self, event: Event) -> None:
        """Something happened."""

    def output(self, item: int | None, data: bytes) -> None:
        """A run, or the build if `item` is None, printed something."""


class Silent:
    """Nobody looks on."""

    def event(self, event: Event) -> None:
        """Nothing comes of it."""

    def output(self, item: int | None, data: bytes) -> None:
        """Nothing comes of it."""
