"""How a run in a container ended, as the engine that ran it knows."""

from dataclasses import dataclass

__all__ = ["Verdict", "exited"]

_SIGNALLED = range(129, 129 + 64)


@dataclass(frozen=True, slots=True)
class Verdict:
    """How it ended.

    Attributes:
        exit_code: Of its first process; 128 + n, if signal n ended it. None: nobody knows.
        signal: n. A program that exits with 128 + n by itself looks the same from here; its wrapper knows better.
        oom_killed: Whether the memory limit ended it.
        lost: Why it was lost.
        notes: What else is to be said.
    """

    exit_code: int | None
    signal: int | None = None
    oom_killed: bool = False
    lost: str | None = None
    notes: tuple[str, ...] = ()


def exited(code: int, *, oom_killed: bool = False, notes: tuple[str, ...] = ()) -> Verdict:
    """The verdict of a container that ended with a code."""
    return Verdict(code, code - 128 if code in _SIGNALLED else None, oom_killed, notes=notes)
