"""A log, fed in pieces, to what it says."""

import re
from collections.abc import Iterable, Mapping
from typing import Any, Final

from trimtab.buildlogs.findings import Findings
from trimtab.buildlogs.prefixes import FIRST, Prefixed, Prefixes
from trimtab.buildlogs.recogniser import Channel, Line, Recogniser, Sign
from trimtab.buildlogs.recognisers import ALL
from trimtab.buildlogs.result import Result, concluded
from trimtab.buildlogs.tokenizer import Tokenizer

__all__ = ["Parser", "parse"]

_BLOCK: Final = 256 * 1024
_CHANNELS: Final = 256


def _methods(attribute: str) -> Mapping[str, tuple[tuple[type[Recogniser], str], ...]]:
    table: dict[str, tuple[tuple[type[Recogniser], str], ...]] = {}
    for each in ALL:
        for word, method in getattr(each, attribute).items():
            table[word] = (*table.get(word, ()), (each, method))
    return table


def _signs() -> Mapping[str, tuple[tuple[type[Recogniser], Sign], ...]]:
    table: dict[str, tuple[tuple[type[Recogniser], Sign], ...]] = {}
    for each in ALL:
        for known in each.signs:
            for trigger in known.triggers:
                table[trigger] = (*table.get(trigger, ()), (each, known))
    return table


_STARTS: Final = _methods("starts")
_MARKS: Final = _methods("marks")
_SIGNS: Final = _signs()
_TRIGGER: Final = re.compile("|".join(map(re.escape, sorted(_SIGNS, key=len, reverse=True))))


class Parser:
    """Reads a log. `feed` takes its bytes in pieces of any size, `finish` tells what it says.

    It raises nothing, whatever the bytes are; its memory is bounded by what it may find, not by the log.
    """

    def __init__(self) -> None:
        self.findings = Findings()
        self._tokenizer = Tokenizer()
        self._prefixes = Prefixes()
        self._main = Channel("", self.findings)
        self._channels = {"": self._main}
        self._number = 0

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        for start in range(0, len(data), _BLOCK):
            self._take(self._tokenizer.feed(data[start : start + _BLOCK]))

    def finish(self) -> Result:
        """The log ends here."""
        self._take(self._tokenizer.finish())
        for channel in self._channels.values():
            if channel.capture is not None:
                self._captured(channel, "", self._number)
        self.findings.truncated = self.findings.truncated or self._tokenizer.truncated
        return concluded(self.findings, lines=self._number, size=self._tokenizer.size)

    def _take(self, lines: Iterable[str]) -> None:
        number, main, trigger, starts, marks = self._number, self._main, _TRIGGER.search, _STARTS, _MARKS
        for text in lines:
            number += 1
            if not text or text.isspace():
                if main.capture is not None:
                    self._captured(main, "", number)
                continue
            channel, line = main, None
            if text[0] in FIRST and (found := self._stripped(text)) is not None:
                if not found.whole or not found.text.strip():
                    continue
                channel, text, line = self._channel(found), found.text, Line(found.text.strip(), number, found.time, found.offset)
            if channel.capture is not None and self._captured(channel, text, number):
                continue
            word = text.split(None, 1)[0]
            handlers = starts.get(word) or marks.get(word[0])
            hit = trigger(text)
            if handlers is None and hit is None:
                if channel.entry is not None:
                    self.findings.log(channel.entry, text)
            else:
                self._recognise(channel, text, line or Line(text.strip(), number), handlers or (), hit)
            if channel.waiting:
                self._follow(channel, text, number)
            channel.tail.append(text[:200])
        self._number = number

    def _stripped(self, text: str) -> Prefixed | None:
        return self._prefixes.strip(text)

    def _channel(self, line: Prefixed) -> Channel:
        name = f"{line.channel}#{line.vertex}" if line.vertex else line.channel
        channel = self._channels.get(name)
        if channel is None:
            if len(self._channels) >= _CHANNELS:
                return self._main
            channel = self._channels[name] = Channel(name, self.findings)
        return channel

    @staticmethod
    def _captured(channel: Channel, text: str, number: int) -> bool:
        """Whether the line was taken by what captures lines; a line that ends it is not."""
        assert channel.capture is not None
        if channel.capture(text, number):
            return True
        channel.capture = None
        return False

    def _recognise(self, channel: Channel, text: str, line: Line, handlers: Iterable[tuple[type[Recogniser], str]], hit: Any) -> None:
        entry = channel.entry
        known = False
        for kind, method in handlers:
            known = getattr(channel.of(kind), method)(line) or known
        # An instruction may hold any text: what it quotes did not happen.
        if hit is not None and not known:
            self._signs(channel, line)
        if entry is not None and (channel.entry is entry or channel.ended == line.number):
            self.findings.log(entry, text)

    @staticmethod
    def _signs(channel: Channel, line: Line) -> None:
        """The first sign that a line is of counts; one is the more particular the longer its trigger."""
        seen = {hit.group() for hit in _TRIGGER.finditer(line.text)}
        for trigger in sorted(seen, key=len, reverse=True):
            for kind, known in _SIGNS[trigger]:
                if known.pattern.search(line.text):
                    if kind.tool:
                        channel.findings.tool(kind.tool)
                    channel.sign(known, line)
                    return

    @staticmethod
    def _follow(channel: Channel, text: str, number: int) -> None:
        if channel.waiting[-1][1] != number or len(channel.waiting) > 1:
            waiting = [each for each in channel.waiting if each[1] == number]
            channel.waiting = [each for each in channel.waiting if each[1] != number]
            channel.follow(text)
            channel.waiting += waiting


def parse(data: bytes | str) -> Result:
    """What a whole log says."""
    parser = Parser()
    parser.feed(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
    return parser.finish()
