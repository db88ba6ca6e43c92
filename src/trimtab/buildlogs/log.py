"""A log, fed in pieces, to what it says."""

import re
from collections.abc import Sequence
from typing import Final

from trimtab.buildlogs.findings import Findings
from trimtab.buildlogs.prefixes import CRI, DIGITS, Prefixed, Prefixes, may_be_prefixed
from trimtab.buildlogs.recogniser import Channel, Line, Recogniser, Sign
from trimtab.buildlogs.result import Result, concluded
from trimtab.buildlogs.tokenizer import Tokenizer
from trimtab.buildlogs.vocabulary import BLANKS, COLD, FINDS, MARKS, SIGNS, STARTS, Handler, triggers

__all__ = ["Parser", "parse"]

_BLOCK: Final = 256 * 1024
_CHANNELS: Final = 256


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
        self.findings.installers.append(self._main.installer)
        self._number = 0

    def feed(self, data: bytes) -> None:
        """The next bytes."""
        for start in range(0, len(data), _BLOCK):
            self._take(self._tokenizer.feed(data[start : start + _BLOCK]))

    def finish(self) -> Result:
        """The log ends here."""
        self._take(self._tokenizer.finish())
        read = self._number
        self._take(self._prefixes.rest())
        self._number = read
        for channel in self._channels.values():
            if channel.capture is not None:
                self._captured(channel, "", self._number)
        self.findings.truncated = self.findings.truncated or self._tokenizer.truncated
        return concluded(self.findings, lines=self._number, size=self._tokenizer.size)

    def _take(self, lines: Sequence[str]) -> None:
        # The one hot loop: what most lines need is here, and what few need is elsewhere. Blanks are put in for all at once.
        number, main, starts, marks, cold, prefixes, cri, digits = (
            self._number,
            self._main,
            STARTS,
            MARKS,
            COLD,
            self._prefixes,
            CRI.match,
            DIGITS,
        )
        blanked = "\n".join(lines).encode().translate(BLANKS).split(b"\n")
        for text, blank in zip(lines, blanked, strict=False):
            number += 1
            channel: Channel = main
            line: Prefixed | re.Match[str] | None = None
            if text[:1] in digits and (found := cri(text)) is not None and not prefixes.joining:
                # The one prefix of most logs that have any; what it says is read when it is wanted.
                line, end = found, found.end()
                text, blank = text[end:], blank[end:]  # noqa: PLW2901 # the same line, from here on
            elif may_be_prefixed(text) and (line := prefixes.stripped(text)) is not None:
                blank = _without_prefix(text, blank, line)  # noqa: PLW2901 # as above
                channel, text = self._channel(line), line.text  # noqa: PLW2901 # as above
                if not line.whole:
                    continue
            if channel.capture is not None and self._captured(channel, text, number):
                continue
            begin = text.split(None, 1)
            if not begin:
                continue
            words = blank.split()
            handlers = starts.get(begin[0]) or marks.get(begin[0][0])
            if handlers is not None or not cold(words):
                self._recognise(channel, text, number, line, handlers or (), words)
            elif channel.entry is not None:
                self.findings.log(channel.entry, text)
            if channel.waiting:
                channel.follow(text, number)
            channel.tail.append(text)
        self._number = number

    def _channel(self, line: Prefixed) -> Channel:
        if not line.channel and not line.vertex:
            return self._main
        name = f"{line.channel}#{line.vertex}" if line.vertex else line.channel
        channel = self._channels.get(name)
        if channel is None:
            if len(self._channels) >= _CHANNELS:
                return self._main
            channel = self._channels[name] = Channel(name, self.findings)
            self.findings.installers.append(channel.installer)
        return channel

    @staticmethod
    def _captured(channel: Channel, text: str, number: int) -> bool:
        """Whether the line was taken by what captures lines; a line that ends it is not."""
        assert channel.capture is not None
        if channel.capture(text, number):
            return True
        channel.capture = None
        return False

    def _recognise(
        self,
        channel: Channel,
        text: str,
        number: int,
        prefix: Prefixed | re.Match[str] | None,
        handlers: Sequence[Handler],
        words: list[bytes],
    ) -> None:
        entry, known, seen, line = channel.entry, False, text.strip(), None
        for beginning, kind, method in handlers:
            if seen.startswith(beginning):
                line = line or _line(seen, number, prefix)
                known = method(channel.recognisers.get(kind) or channel.of(kind), line) or known
        # An instruction may hold any text: what it quotes did not happen.
        if not known and not COLD(words) and (hits := triggers(seen, words)):
            _signs(channel, line or _line(seen, number, prefix), hits)
        if entry is not None and (channel.entry is entry or channel.ended == number):
            self.findings.log(entry, text)


def _line(text: str, number: int, prefix: Prefixed | re.Match[str] | None) -> Line:
    if prefix is None:
        return Line(text, number)
    return (
        Line(text, number, prefix.time, prefix.offset)
        if isinstance(prefix, Prefixed)
        else Line(text, number, prefix[1])
    )


def _without_prefix(raw: str, blank: bytes, line: Prefixed) -> bytes:
    """The blanked line without what was taken off; of what is not at the end of the line, blanked anew."""
    if line.joined or not raw.isascii():
        return line.text.encode().translate(BLANKS)
    return blank[len(raw) - len(line.text) :]


def _signs(channel: Channel, line: Line, hits: Sequence[str]) -> None:
    """Of a line counts one sign of what may pass and one of what fails something: of each the nearest to a cause, with the longest trigger.

    What may pass comes first: where both are in one line, it is why the other failed.
    """
    for hit in hits:
        for _, kind, method in FINDS.get(hit, ()):
            method(channel.of(kind), line)
    matching = [
        (-each.failure.weight, -len(hit), hit, kind, each)
        for hit in hits
        for kind, each in SIGNS.get(hit, ())
        if each.pattern.search(line.text)
    ]
    if len(matching) > 1:
        matching.sort(key=lambda each: each[:3])
        _one(channel, line, [each[3:] for each in matching if each[4].passing])
        _one(channel, line, [each[3:] for each in matching if not each[4].passing])
    elif matching:
        _one(channel, line, [matching[0][3:]])


def _one(channel: Channel, line: Line, matching: Sequence[tuple[type[Recogniser], Sign]]) -> None:
    """The first of these; where it is not told what failed with it, what failed with the others."""
    if not matching:
        return
    kind, first = matching[0]
    if kind.tool:
        channel.findings.tool(kind.tool)
    levels = {each.level for _, each in matching} if first.level is None else {first.level}
    channel.sign(first, line, levels - {None})


def parse(data: bytes | str) -> Result:
    """What a whole log says."""
    parser = Parser()
    parser.feed(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
    return parser.finish()
