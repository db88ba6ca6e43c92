"""What stands before a line: when it was written, and by which of several that write at once.

CRI and Kubernetes, Argo, Tekton, Docker (its files and `logs --timestamps`), Compose, GitHub Actions, GitLab, Jenkins, BuildKit,
and the log lines of Python programs.
"""

import json
import re
from dataclasses import dataclass
from typing import Final

from trimtab.buildlogs.harmless import plain

__all__ = ["CRI", "DIGITS", "Prefixed", "Prefixes", "may_be_prefixed"]

_TIME: Final = r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?"
_LEVEL: Final = "(?:TRACE|DEBUG|INFO|WARNING|ERROR|CRITICAL)"
_DATED: Final = re.compile(
    # GitLab has two digits of the step, O or E, and + where it goes on.
    rf"(?P<time>{_TIME})(?: (?P<channel>\d\d)[OE][ +]| (?P<stream>stdout|stderr) (?P<part>[FP])(?::\w+)*(?: |$)| \[\d+\] {_LEVEL} +[\w.]+: |[ \t]|$)"
    rf"|(?P<date>\d\d-\d\d-\d\d \d\d:\d\d:\d\d) [\w.]+ +{_LEVEL} +"
)
_BRACKETED: Final = re.compile(
    rf"\[(?:(?P<time>{_TIME})|(?P<channel>[a-z0-9][a-z0-9.-]* : [a-z0-9][a-z0-9.-]*|pod/[^\]\s]{{1,200}}"
    r"|(?!notice|error|warn|info|debug|output|end)(?=[0-9.-]*[a-z])[a-z0-9][a-z0-9-]*))\](?: |$)"
)
_VERTEX: Final = re.compile(r"#(?P<vertex>\d{1,5}) (?:(?P<offset>\d+\.\d+)(?: |$))?")
_NAMED: Final = re.compile(
    r"(?P<channel>[a-z0-9][a-z0-9.-]{0,250}-\d{5,10}): |(?P<service>[a-z0-9][a-z0-9_.-]{0,100}[-_]\d{1,4}) +\| "
)
_TABBED: Final = re.compile(rf"(?P<channel>[^\t]{{1,100}}\t[^\t]{{1,100}})\t\ufeff?(?P<time>{_TIME})(?: |$)")
_FIRST: Final = frozenset("0123456789[#{\ufeff")
DIGITS: Final = frozenset("0123456789")
_LOWER: Final = frozenset("abcdefghijklmnopqrstuvwxyz")
CRI: Final = re.compile(
    r"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{1,9}(?:Z|[+-]\d\d:?\d\d)) (?:stdout|stderr) F (?=[ A-Z]|$)(?!.*\t)"
)
"""What a cluster's container runtime writes before a whole line, where no further prefix can follow; the time is its first group."""
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
        joined: Whether it is put together: a part of it came before, or it was inside of something.
    """

    text: str
    channel: str = ""
    vertex: str = ""
    time: str = ""
    offset: float | None = None
    whole: bool = True
    joined: bool = False


class Prefixes:
    """Takes prefixes off, and joins what a container runtime had split."""

    def __init__(self) -> None:
        self._parts: dict[str, str] = {}

    def stripped(self, text: str) -> Prefixed | None:
        """The line without its prefix; None if it has none."""
        found = _match(text)
        if found is None and text[0] not in "\ufeff{":
            return None
        line = Prefixed(text.removeprefix("\ufeff"))
        if found is None:
            _unwrap(line)
            found = _match(line.text)
        for _ in range(_DEEP):
            if found is None:
                break
            self._take(line, found)
            found = _match(line.text) if line.whole and may_be_prefixed(line.text) else None
        return line

    @property
    def joining(self) -> bool:
        """Whether a line goes on with the next of its stream."""
        return bool(self._parts)

    def rest(self) -> list[str]:
        """What no further part came of: the log ends inside of these lines."""
        parts, self._parts = list(self._parts.values()), {}
        return parts

    def _take(self, line: Prefixed, found: re.Match[str]) -> None:
        line.text = line.text[found.end() :]
        if found.re is _VERTEX:
            line.vertex, offset = found.groups()
            line.offset = float(offset) if offset else None
        elif found.re is _DATED:
            time, channel, stream, part, date = found.groups()
            line.time = time or _dated(date)
            _name(line, channel)
            if stream and (part == "P" or self._parts):
                self._join(line, f"{line.channel}\t{stream}", part=part == "P")
        else:
            groups = found.groupdict()
            line.time = groups.get("time") or line.time
            _name(line, groups["channel"] or groups.get("service"))

    def _join(self, line: Prefixed, key: str, *, part: bool) -> None:
        before = self._parts.pop(key, "")
        text = (before + line.text)[:_LONGEST]
        line.text, line.whole, line.joined = text, not part, line.joined or bool(before)
        if part and len(self._parts) < _DEEP:
            self._parts[key] = text


def may_be_prefixed(text: str) -> bool:
    """Whether something may stand before the line; most lines show at once that nothing does."""
    first = text[:1]
    if first in _FIRST:
        return True
    return ("\t" in text and first.isalpha() and first.isascii()) or (
        first in _LOWER and (" | " in text or (": " in text and "-" in text))
    )


def _match(text: str) -> re.Match[str] | None:
    """What stands before a line, by its first character, as most lines begin with none of these."""
    first = text[:1]
    if first.isdigit():
        return _DATED.match(text) or _NAMED.match(text)
    if first == "[":
        return _BRACKETED.match(text)
    if first == "#":
        return _VERTEX.match(text)
    if "\t" in text and (found := _TABBED.match(text)):
        return found
    return _NAMED.match(text) if first.islower() else None


def _name(line: Prefixed, channel: str | None) -> None:
    if channel:
        line.channel = f"{line.channel}/{channel}" if line.channel else channel


def _unwrap(line: Prefixed) -> None:
    """A line of Docker's file of a container: an object with log, stream and time."""
    if not line.text.startswith('{"'):
        return
    try:
        entry = json.loads(line.text)
    except (ValueError, RecursionError):
        return
    log, time = (entry.get("log"), entry.get("time")) if isinstance(entry, dict) else (None, None)
    if isinstance(log, str):
        line.text, line.joined = plain(log).rstrip("\r\n").replace("\n", " ").rpartition("\r")[2], True
        line.time = plain(time)[:40] if isinstance(time, str) else ""


def _dated(date: str | None) -> str:
    """`11-21-26 02:06:40` as other times are written."""
    return f"20{date[6:8]}-{date[:5]}T{date[9:]}" if date else ""
