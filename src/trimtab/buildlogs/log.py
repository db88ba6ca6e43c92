"""A log, fed in pieces, to what it says."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Final

from trimtab.buildlogs.findings import Findings
from trimtab.buildlogs.prefixes import FIRST, Prefixed, Prefixes
from trimtab.buildlogs.recogniser import Channel, Line, Recogniser, Sign
from trimtab.buildlogs.recognisers import ALL
from trimtab.buildlogs.result import Result, concluded
from trimtab.buildlogs.tokenizer import Tokenizer

__all__ = ["Parser", "parse"]

_BLOCK: Final = 256 * 1024
_CHANNELS: Final = 256


_Handler = tuple[str, type[Recogniser], Callable[[Recogniser, Line], bool | None]]


def _starts() -> Mapping[str, tuple[_Handler, ...]]:
    """The methods for lines that begin so, by the first word of what they begin with."""
    table: dict[str, tuple[_Handler, ...]] = {}
    for each in ALL:
        for begin, method in each.starts.items():
            word = begin.split()[0]
            table[word] = (*table.get(word, ()), (begin, each, getattr(each, method)))
    return table


def _marks() -> Mapping[str, tuple[_Handler, ...]]:
    table: dict[str, tuple[_Handler, ...]] = {}
    for each in ALL:
        for mark, method in each.marks.items():
            table[mark] = (*table.get(mark, ()), (mark, each, getattr(each, method)))
    return table


def _signs() -> Mapping[str, tuple[tuple[type[Recogniser], Sign], ...]]:
    table: dict[str, tuple[tuple[type[Recogniser], Sign], ...]] = {}
    for each in ALL:
        for known in each.signs:
            for trigger in known.triggers:
                table[trigger] = (*table.get(trigger, ()), (each, known))
    return table


def _finds() -> Mapping[str, tuple[tuple[type[Recogniser], Callable[[Recogniser, Line], bool | None]], ...]]:
    table: dict[str, tuple[tuple[type[Recogniser], Callable[[Recogniser, Line], bool | None]], ...]] = {}
    for each in ALL:
        for text, method in each.finds.items():
            table[text] = (*table.get(text, ()), (each, getattr(each, method)))
    return table


def _words(line: bytes) -> list[bytes]:
    return line.translate(_BLANKS).split()


def _hot() -> Mapping[bytes, tuple[str, ...]]:
    """Triggers by the rarest of their words: only a line with one of these words can hold a trigger."""
    table: dict[bytes, tuple[str, ...]] = {}
    for trigger in (*_SIGNS, *_FINDS):
        word = max(_words(trigger.encode()), key=lambda each: (each not in _COMMON, len(each)))
        table[word] = (*table.get(word, ()), trigger)
    return table


# Words that good logs are full of, by the logs of the tests; of others the longest is taken for the rarest.
_COMMON: Final = frozenset(
    b"packages version hashes requirements metadata install installed status error internal requirement versions exit found package Running pyproject command"
    b" failed matching satisfies code the find".split()
)
# Everything but letters, digits and the ends of lines is a blank: words are compared with a set of them, a line's at once.
_BLANKS: Final = bytes(
    code if (chr(code).isalnum() and chr(code).isascii()) or chr(code) == "\n" else ord(" ")
    for code in range(256)
)
_STARTS: Final = _starts()
_MARKS: Final = _marks()
_SIGNS: Final = _signs()
_FINDS: Final = _finds()
_HOT: Final = _hot()
_COLD: Final = frozenset(_HOT).isdisjoint


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
        number, main, starts, marks, cold, prefixed = (
            self._number,
            self._main,
            _STARTS,
            _MARKS,
            _COLD,
            self._prefixes.stripped,
        )
        for raw, blanked in zip(
            lines, "\n".join(lines).encode().translate(_BLANKS).split(b"\n"), strict=False
        ):
            number += 1
            text, channel, line, words = raw, main, None, blanked.split()
            if text[:1] in FIRST and (line := prefixed(text)) is not None:
                channel, text = self._channel(line), line.text
                if line.joined:
                    words = _words(text.encode())
                if not line.whole:
                    continue
            if channel.capture is not None and self._captured(channel, text, number):
                continue
            begin = text.split(None, 1)
            if not begin:
                continue
            handlers = starts.get(begin[0]) or marks.get(begin[0][0])
            if handlers is None and cold(words):
                if channel.entry is not None:
                    self.findings.log(channel.entry, text)
            else:
                self._recognise(channel, text, _line(text, number, line), handlers or (), words)
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
        line: Line,
        handlers: Iterable[_Handler],
        words: list[bytes],
    ) -> None:
        entry = channel.entry
        known = False
        for beginning, kind, method in handlers:
            if line.text.startswith(beginning):
                known = method(channel.recognisers.get(kind) or channel.of(kind), line) or known
        # An instruction may hold any text: what it quotes did not happen.
        if not known and not _COLD(words):
            self._signs(channel, line, words)
        if entry is not None and (channel.entry is entry or channel.ended == line.number):
            self.findings.log(entry, text)

    @staticmethod
    def _signs(channel: Channel, line: Line, words: list[bytes]) -> None:
        """Of a line counts one sign of what may pass and one of what fails something: of each the nearest to a cause, with the longest trigger.

        What may pass comes first: where both are in one line, it is why the other failed.
        """
        hits = [trigger for word in _HOT.keys() & words for trigger in _HOT[word] if trigger in line.text]
        for hit in hits:
            for kind, method in _FINDS.get(hit, ()):
                method(channel.of(kind), line)
        known = [(-sign.failure.weight, -len(hit), hit, kind, sign) for hit in hits for kind, sign in _SIGNS.get(hit, ())]
        if known:
            known.sort(key=lambda each: each[:3])
            for passing in (True, False):
                matching = [each for each in known if each[4].passing is passing and each[4].pattern.search(line.text)]
                if matching:
                    *_, kind, first = matching[0]
                    if kind.tool:
                        channel.findings.tool(kind.tool)
                    channel.sign(first, line, {each[4].level for each in matching} - {None} if first.level is None else {first.level})


def _line(text: str, number: int, prefixed: Prefixed | None) -> Line:
    if prefixed is None:
        return Line(text.strip(), number)
    return Line(text.strip(), number, prefixed.time, prefixed.offset)


def parse(data: bytes | str) -> Result:
    """What a whole log says."""
    parser = Parser()
    parser.feed(data.encode("utf-8", "surrogateescape") if isinstance(data, str) else data)
    return parser.finish()
