"""Which files of an image are read, and what is kept of them.

Asked once for each of hundreds of thousands of members, so by the last part of the path first.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

__all__ = ["EXECUTABLE", "Interest", "Interests"]

MIB = 1 << 20
EXECUTABLE = "\0executable"  # in `named`: any program; no path ends so
SMALLEST_PROGRAM = 500_000  # bytes: what brings its libraries along is larger


@dataclass(frozen=True, slots=True)
class Interest:
    """One sort of files.

    Parameters:
        named: The last parts of paths it means, or their last suffixes with the dot (`.py`).
        within: Begins of paths it means; all if there is none.
        accepts: Whether it means a path and mode, asked last.
        limit: Bytes of a file; a larger one is a finding and not read.
        condense: What is kept instead of the bytes. It raises `ValueError` for what it cannot read.
        stream: The same from pieces of the content, for files too large for memory.
        large: Contents may be too large for memory, and are kept in a file: a `Path` is kept.
    """

    named: Sequence[str]
    within: tuple[str, ...] = ()
    accepts: Callable[[str], bool] | None = None
    limit: int = 16 * MIB
    condense: Callable[[bytes], Any] | None = None
    stream: Callable[[Iterator[bytes]], Any] | None = None
    large: bool = False

    def means(self, path: str) -> bool:
        """Whether a path with the right last part is meant."""
        if self.within and not path.startswith(self.within):
            return False
        return self.accepts is None or self.accepts(path)


class Interests:
    """All of them, found by path."""

    def __init__(self, interests: Sequence[Interest]) -> None:
        self._named: dict[str, list[Interest]] = {}
        self._within: list[Interest] = []
        self._executable: Interest | None = None
        for each in interests:
            for name in each.named:
                if name == EXECUTABLE:
                    self._executable = each
                self._named.setdefault(name, []).append(each)
            if not each.named:
                self._within.append(each)
        self._prefixes = tuple(prefix for each in self._within for prefix in each.within)

    def of_executable(self, path: str, mode: int, size: int) -> Interest | None:
        """What wants a program that nothing wants by its path."""
        is_program = mode & 0o111 and size > SMALLEST_PROGRAM and "." not in path[path.rfind("/") + 1 :]
        return self._executable if is_program else None

    def of(self, path: str) -> Interest | None:
        """What wants the file at this path."""
        name = path[path.rfind("/") + 1 :]
        found = self._named.get(name) or self._named.get(name[name.rfind(".") :])
        if found is None and ".so." in name:
            found = self._named.get(".so")
        for each in found or ():
            if each.means(path):
                return each
        if path.startswith(self._prefixes):
            return next((each for each in self._within if each.means(path)), None)
        return None
