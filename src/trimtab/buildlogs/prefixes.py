"""What stands before a line: when it was written, and by which of several that write at once.

CRI and Kubernetes, Argo, Tekton, Docker (its files and `logs --timestamps`), Compose, GitHub Actions, GitLab, Jenkins, BuildKit,
and the log lines of Python programs.
"""

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

__all__ = ["FIRST", "Prefixed", "Prefixes"]

_TIME: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_LEVEL: Final = "(?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_DATED: Final = (
    # GitLab: time, two digits of the step, O or E, and + where it goes on.
    rf"(?P<time>{_TIME}) (?P<channel>\d\d)[OE][ +]",
    rf"(?P<time>{_TIME}) (?P<stream>stdout|stderr) (?P<part>[FP])(?::\w+)* ?",
    rf"(?P<time>{_TIME}) \[\d+\] {_LEVEL} +[\w.]+: ",
    rf"(?P<time>{_TIME})(?: |\t|$)",
    rf"(?P<date>\d\d-\d\d-\d\d \d\d:\d\d:\d\d) [\w.]+ +{_LEVEL} +",
)
_BRACKETED: Final = (
    rf"\[(?P<time>{_TIME})\](?: |$)",
    r"\[(?P<channel>[a-z0-9][a-z0-9.-]* : [a-z0-9][a-z0-9.-]*)\](?: |$)",
    r"\[(?P<channel>pod/[^\]\s]{1,200})\](?: |$)",
    r"\[(?P<channel>(?!notice|error|warn|info|debug|output|end)(?=[0-9.-]*[a-z])[a-z0-9][a-z0-9-]*)\] ",
)
_VERTEX: Final = (r"#(?P<vertex>\d{1,5}) (?:(?P<offset>\d+\.\d+)(?: |$))?",)
_NAMED: Final = (
    r"(?P<channel>[a-z0-9](?:[a-z0-9.-]*[a-z0-9])?-\d{5,10}): ",
    r"(?P<channel>[a-z0-9][a-z0-9_.-]*[-_]\d{1,4}) +\| ",
)
_TABBED: Final = (rf"(?P<channel>[^\t]{{1,100}}\t[^\t]{{1,100}})\t\ufeff?(?P<time>{_TIME}) ?",)


def _compiled(*groups: tuple[str, ...]) -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(each) for group in groups for each in group)


# By the first character, as most lines begin with none of these.
_BY_FIRST: Final[Mapping[str, tuple[re.Pattern[str], ...]]] = {
    **dict.fromkeys("0123456789", _compiled(_DATED, _NAMED)),
    **dict.fromkeys("abcdefghijklmnopqrstuvwxyz", _compiled(_NAMED)),
    "[": _compiled(_BRACKETED),
    "#": _compiled(_VERTEX),
}
_GITHUB: Final = _compiled(_TABBED)
FIRST: Final = frozenset("0123456789[#{\ufeffabcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ")
_DEEP: Final = 4
_LONGEST: Final = 64 * 1024


@dataclass(slots=True)
class Prefixed:
    """A line without what stood before it.

    Attributes:
        text: The rest.
        channel: Which of several writers wrote it; empty if that is not told.
        vertex: BuildKit's number of the step, empty if there is none.
        time: When, as it is written there; empty if that is not told.
        offset: Seconds since BuildKit's step began.
        whole: Whether the line ends here, or goes on with the next of its channel.
    """

    text: str
    channel: str = ""
    vertex: str = ""
    time: str = ""
    offset: float | None = None
    whole: bool = True


class Prefixes:
    """Takes prefixes off, and joins what a container runtime had split."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}

    def stripped(self, text: str) -> Prefixed | None:
        """The line without its prefix; None if it has none."""
        if self._match(text) is None and text[0] not in "\ufeff{":
            return None
        line = Prefixed(text.removeprefix("\ufeff"))
        if line.text.startswith('{"'):
            _unwrap(line)
        for _ in range(_DEEP):
            found = self._match(line.text)
            if found is None or not line.whole:
                break
            self._take(line, found.groupdict(), line.text[found.end() :])
        return line

    @staticmethod
    def _match(text: str) -> re.Match[str] | None:
        for pattern in (
            _BY_FIRST.get(text[:1], ()) if "\t" not in text else (*_BY_FIRST.get(text[:1], ()), *_GITHUB)
        ):
            found = pattern.match(text)
            if found:
                return found
        return None

    def _take(self, line: Prefixed, found: Mapping[str, str | None], rest: str) -> None:
        line.text = rest
        line.time = found.get("time") or line.time or _dated(found.get("date"))
        if channel := found.get("channel"):
            line.channel = f"{line.channel}/{channel}" if line.channel else channel
        if vertex := found.get("vertex"):
            line.vertex, line.offset = vertex, float(found["offset"]) if found["offset"] else None
        if stream := found.get("stream"):
            self._join(line, f"{line.channel}\t{stream}", part=found["part"] == "P")

    def _join(self, line: Prefixed, key: str, *, part: bool) -> None:
        text = (self._parts.pop(key, "") + line.text)[:_LONGEST]
        line.text, line.whole = text, not part
        if part and len(self._parts) < _DEEP:
            self._parts[key] = text


def _unwrap(line: Prefixed) -> None:
    """A line of Docker's file of a container: an object with log, stream and time."""
    try:
        entry = json.loads(line.text)
    except (ValueError, RecursionError):
        return
    log, time = (entry.get("log"), entry.get("time")) if isinstance(entry, dict) else (None, None)
    if isinstance(log, str):
        line.text = log.rstrip("\n").replace("\n", " ")
        line.time = time if isinstance(time, str) else ""


def _dated(date: str | None) -> str:
    """`11-21-26 02:06:40` as other times are written."""
    return f"20{date[6:8]}-{date[:5]}T{date[9:]}" if date else ""
