"""What a failure is."""

from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

__all__ = ["LINES", "SCANNED", "Failure", "FailureClass", "lines_of"]

LINES = 12
_LONGEST = 400
SCANNED = 256 * 1024
"""How much of a text's end is looked at, in characters."""


class FailureClass(StrEnum):
    """Whose failure it is: what has to change for it to go away."""

    STACK = "stack"
    """The packages, the base image, or how they fit together."""
    SCRIPT = "script"
    """The program that was to be run."""
    INFRASTRUCTURE = "infrastructure"
    """Where it was built and run: it says nothing of stack or script."""


@dataclass(frozen=True, slots=True)
class Failure:
    """A failure.

    Attributes:
        kind: Whose it is.
        reason: A word for it, such as `hash-mismatch`, `push`, `exit-code`.
        message: What happened and what to do, in a sentence.
        lines: The lines of the log or the output that matter, at most a dozen.
        retry: Whether it may go well when it is tried again as it is.
    """

    kind: FailureClass
    reason: str
    message: str
    lines: tuple[str, ...] = ()
    retry: bool = False

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `kind` is called `class` there."""
        values = asdict(self)
        return {"class": str(values.pop("kind")), **values, "lines": list(self.lines)}


def lines_of(text: str) -> list[str]:
    """The end of a text in lines, each of bounded length, without colours and what was overwritten in a terminal."""
    lines = text[-SCANNED:].replace("\r\n", "\n").split("\n")
    plain = (_plain(line.rpartition("\r")[2]) for line in lines)
    return [line if len(line) <= _LONGEST else line[:_LONGEST] + "…" for line in plain if line.strip()]


def _plain(line: str) -> str:
    pieces = line.split("\x1b[")
    kept = [pieces[0]] + [piece.lstrip("0123456789;?")[1:] for piece in pieces[1:]]
    return "".join(kept).rstrip()
