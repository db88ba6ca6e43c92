"""What lines are looked up in: how they begin, and which words they hold.

A trigger is found by one of its words, the rarest: of a line, all words are compared with all of those at once, and few lines are left.
"""

from collections.abc import Callable, Mapping
from typing import Any, Final

from trimtab.buildlogs.recogniser import Line, Recogniser, Sign
from trimtab.buildlogs.recognisers import ALL

__all__ = ["BLANKS", "COLD", "FINDS", "MARKS", "SIGNS", "STARTS", "Handler", "triggers"]

Method = Callable[[Any, Line], bool | None]
Handler = tuple[str, type[Recogniser], Method]

# Words that logs are full of, by those of the tests; of others the longest is taken for the rarest.
_COMMON: Final = frozenset(
    b"packages version hashes requirements metadata install installed status error internal requirement versions exit found package Running pyproject command"
    b" failed matching satisfies code the find building downloading Error sha256 digest image layers Downloading not wheel wheels poetry with file File dependencies directory process environment"
    b" container dependency Failed such subprocess linux terminated command information operation Dockerfile dockerfile writing download requires build pip gcc x86 64 linux gnu for No This".split()
)
# Everything but letters, digits and the ends of lines is a blank: words are compared with a set of them, a line's at once.
BLANKS: Final = bytes(
    code if (chr(code).isalnum() and chr(code).isascii()) or chr(code) == "\n" else ord(" ")
    for code in range(256)
)


def _starts() -> Mapping[str, tuple[Handler, ...]]:
    """The methods for lines that begin so, by the first word of what they begin with."""
    table: dict[str, tuple[Handler, ...]] = {}
    for each in ALL:
        for begin, method in each.starts.items():
            word = begin.split()[0]
            table[word] = (*table.get(word, ()), (begin, each, getattr(each, method)))
    return table


def _marks() -> Mapping[str, tuple[Handler, ...]]:
    table: dict[str, tuple[Handler, ...]] = {}
    for each in ALL:
        for mark, method in each.marks.items():
            table[mark] = (*table.get(mark, ()), (mark, each, getattr(each, method)))
    return table


def _finds() -> Mapping[str, tuple[Handler, ...]]:
    table: dict[str, tuple[Handler, ...]] = {}
    for each in ALL:
        for text, method in each.finds.items():
            table[text] = (*table.get(text, ()), (text, each, getattr(each, method)))
    return table


def _signs() -> Mapping[str, tuple[tuple[type[Recogniser], Sign], ...]]:
    table: dict[str, tuple[tuple[type[Recogniser], Sign], ...]] = {}
    for each in ALL:
        for known in each.signs:
            for trigger in known.triggers:
                table[trigger] = (*table.get(trigger, ()), (each, known))
    return table


STARTS: Final = _starts()
MARKS: Final = _marks()
FINDS: Final = _finds()
SIGNS: Final = _signs()


def _hot() -> Mapping[bytes, tuple[str, ...]]:
    """Triggers by the rarest of their words: only a line with one of these words can hold a trigger."""
    table: dict[bytes, tuple[str, ...]] = {}
    for trigger in (*SIGNS, *FINDS):
        words = trigger.encode().translate(BLANKS).split()
        word = max(words, key=lambda each: (each not in _COMMON, len(each)))
        table[word] = (*table.get(word, ()), trigger)
    return table


_HOT: Final = _hot()
_HOT_WORDS: Final = frozenset(_HOT)
COLD: Final = _HOT_WORDS.isdisjoint
"""Whether none of these words is one that a trigger is found by."""


def triggers(text: str, words: list[bytes]) -> list[str]:
    """Those that a line holds."""
    return [trigger for word in _HOT_WORDS.intersection(words) for trigger in _HOT[word] if trigger in text]
