"""What is odd about an image: noticed, contained and told, while everything else is still read."""

from collections.abc import Iterator
from dataclasses import dataclass, field

__all__ = ["Finding", "Findings"]

TOLD = 200  # of one kind; a hostile layer makes millions
LONGEST = 500


@dataclass(frozen=True, slots=True)
class Finding:
    """One odd thing.

    Parameters:
        kind: Its class, a word for programs (`path-escape`, `broken-metadata`, …; docs/container-images.md lists them).
        message: What it is, for people.
        layer: Digest of the layer it is in, where it is in one.
        path: The path in the image, where it has one.
    """

    kind: str
    message: str
    layer: str | None = None
    path: str | None = None


@dataclass(slots=True)
class Findings:
    """Findings as they come: of each kind the first ones, and how many there were."""

    _told: list[Finding] = field(default_factory=list)
    _counts: dict[str, int] = field(default_factory=dict)
    layer: str | None = None

    def add(self, kind: str, message: str, path: str | None = None) -> None:
        """Note a finding in the layer that is being read."""
        count = self._counts[kind] = self._counts.get(kind, 0) + 1
        if count <= TOLD:
            self._told.append(Finding(kind, message[:LONGEST], self.layer, path and path[:LONGEST]))

    def __iter__(self) -> Iterator[Finding]:
        yield from self._told
        for kind, count in self._counts.items():
            if count > TOLD:
                yield Finding(kind, f"{count - TOLD} more of this kind")
