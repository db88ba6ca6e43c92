"""Bytes of a log, in pieces of any size, to its lines: what a terminal would show of each, of bounded length.

The result does not depend on how the bytes were cut. At most one line's bytes are kept, and of a line at most `LONGEST` of the
piece between carriage returns that is seen last: a progress bar counts as what it ended as.
"""

import re
from typing import Final

from trimtab.buildlogs.harmless import plain

__all__ = ["LONGEST", "Tokenizer"]

LONGEST: Final = 16 * 1024
_SEQUENCE: Final = re.compile(rb"\x1b\[[0-?]*[ -/]*[@-~]")
_PLAIN: Final = bytes(
    code for code in range(256) if (code >= ord(" ") or code in b"\t\n") and code not in b"\x7f\xc2"
)
"""What a line may hold as it is; characters that two bytes encode, of which 0xC2 is the first, may be controls."""
_ODD: Final = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff]")
_BLANK: Final = b" \t\n\r\x0b\x0c\0"


class Tokenizer:
    """Lines out of bytes.

    Attributes:
        truncated: Whether of some line, or of what a carriage return ended in it, something was left out.
        size: Bytes that were fed.
    """

    def __init__(self) -> None:
        self.truncated = False
        self.size = 0
        self._kept = bytearray()
        self._skipping = False

    def feed(self, data: bytes) -> list[str]:
        """The lines that end in this piece."""
        self.size += len(data)
        head, newline, rest = data.partition(b"\n")
        if not newline:
            self._keep(head)
            return []
        self._keep(head)
        lines = _decoded([self._taken()])
        body, _, tail = rest.rpartition(b"\n") if b"\n" in rest else (None, b"", rest)
        if body is not None:
            lines += self._block(body)
        self._keep(tail)
        return lines

    def finish(self) -> list[str]:
        """The last line, if it has no end."""
        return _decoded([self._taken()]) if self._kept else []

    def _block(self, body: bytes) -> list[str]:
        raw = body.split(b"\n")
        if len(max(raw, key=len)) > LONGEST:
            raw = [self._cut(each) if len(each) > LONGEST else each for each in raw]
        return _decoded(raw)

    def _cut(self, line: bytes) -> bytes:
        self._keep(line)
        return self._taken()

    def _taken(self) -> bytes:
        line = bytes(self._kept)
        self._kept.clear()
        self._skipping = False
        return line

    def _keep(self, data: bytes) -> None:
        if self._skipping:
            _, found, data = data.partition(b"\r")
            if not found:
                return
            self._skipping = False
            self._kept += b"\r"
        if len(self._kept) + len(data) <= LONGEST:
            self._kept += data
        else:
            self._squeeze(data)

    def _squeeze(self, data: bytes) -> None:
        """Keep the last visible piece that is complete, and the one that is not, each as long as it may be."""
        text = bytes(self._kept) + data
        # Also of a piece that is overwritten: what was seen of it depends on how the bytes were cut.
        self.truncated = self.truncated or max(map(len, text.split(b"\r"))) > LONGEST
        before, found, last = text.rpartition(b"\r")
        shown = _shown(before) if found else None
        kept = [last] if shown is None else [shown, last]
        self._skipping = len(kept[-1]) > LONGEST
        self._kept[:] = b"\r".join(each[:LONGEST] for each in kept)


def _shown(text: bytes) -> bytes | None:
    """The last piece between carriage returns of which, at its length, something is seen; None if there is none.

    All of them at once, as there may be as many as bytes.
    """
    pieces = text.split(b"\r")
    if max(map(len, pieces)) > LONGEST:
        text = b"\r".join(each[:LONGEST] for each in pieces)
    seen = _SEQUENCE.sub(b"", text).rstrip(_BLANK)
    return pieces[seen.count(b"\r")] if seen else None


def _decoded(raw: list[bytes]) -> list[str]:
    body = b"\n".join(raw)
    lines = body.decode("utf-8", "replace").split("\n")
    # Control characters go, too: form feeds end lines for str.splitlines and nobody else. Most blocks have none.
    odd = body.translate(None, _PLAIN)
    if not odd:
        return lines
    if b"\r" in odd:
        lines = [_overwritten(each) if "\r" in each else each for each in lines]
    return [plain(each) if _ODD.search(each) else each for each in lines]


def _overwritten(line: str) -> str:
    """What a terminal shows of a line with carriage returns: the last piece of which something is seen."""
    if "\x1b]" in line:  # what these hold may have carriage returns in it
        pieces = (each for each in reversed(line.split("\r")) if plain(each).strip())
        return next(pieces, "")[:LONGEST]
    seen = plain(line).rstrip()
    return line.split("\r")[seen.count("\r")][:LONGEST] if seen else ""
