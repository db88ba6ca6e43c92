"""What a program wrote, made fit to be quoted in a message or a log."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ESCAPE = re.compile(r"\x1b(?:\[[0-9;?]*[ -/]*[@-~]|\][^\x07\x1b]*(?:\x07|\x1b\\)?|[@-Z\\-_])")
_QUOTED = 10
_LENGTH = 300


def harmless(text: str) -> str:
    """The text of a line without terminal sequences, its other unprintable characters made visible."""
    stripped = _ESCAPE.sub("", text)
    return "".join(
        c if c.isprintable() or c == "\t" else c.encode("unicode_escape").decode("ascii") for c in stripped
    )


def quoted(lines: Sequence[str]) -> str:
    """The last lines of an output as the end of a message; empty if there are none."""
    kept = [harmless(line)[:_LENGTH] for line in lines if line.strip()][-_QUOTED:]
    if not kept:
        return "; it wrote nothing"
    return "; the last it wrote:\n" + "\n".join(f"  | {line}" for line in kept)
