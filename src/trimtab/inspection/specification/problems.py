"""What is wrong with a specification, and where."""

from collections.abc import Iterable
from dataclasses import dataclass

from pydantic import ValidationError

__all__ = ["Problem", "SpecificationError", "place"]

SHOWN = 10
_BARE = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-@")
_MAX_KEY = 80


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong.

    Attributes:
        place: Path of the field, such as `files[3].path`; empty for the document as a whole.
        message: What is wrong with it and what to do.
    """

    place: str
    message: str

    def __str__(self) -> str:
        return f"{self.place}: {self.message}" if self.place else self.message


class SpecificationError(ValueError):
    """A document that is no specification.

    Args:
        problems: All that was found, in the order of the document.
    """

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        shown = [str(each) for each in self.problems[:SHOWN]]
        more = len(self.problems) - len(shown)
        super().__init__("\n".join([*shown, *([f"and {more} more"] if more else [])]))

    def __reduce__(self) -> tuple[type["SpecificationError"], tuple[tuple[Problem, ...]]]:
        return SpecificationError, (self.problems,)

    @classmethod
    def of(cls, error: ValidationError) -> "SpecificationError":
        """The problems that pydantic found, in plain words."""
        found = error.errors(include_url=False, include_input=False)
        return cls(Problem(place(each["loc"]), _words(each["type"], each["msg"])) for each in found)


def place(location: Iterable[str | int]) -> str:
    """The path of a field: `run.requests.cpu`, `files[3].path`, `python.lock["uv.lock"]`."""
    path = ""
    for part in location:
        if isinstance(part, int):
            path += f"[{part}]"
        elif part and set(part) <= _BARE:
            path += f".{part}" if path else part
        else:
            path += f'["{_printable(part)}"]'
    return path


def _printable(key: str) -> str:
    shown = "".join(c if c.isprintable() else " " for c in key[:_MAX_KEY])
    return shown + ("…" if len(key) > _MAX_KEY else "")


_WORDS = {
    "missing": "it is required",
    "extra_forbidden": "there is no such field; remove it, or mend its name",
    "model_type": "it is no object",
    "dict_type": "it is no object",
    "tuple_type": "it is no array",
    "list_type": "it is no array",
    "string_type": "it is no text",
}


def _words(kind: str, message: str) -> str:
    return _WORDS.get(kind) or message.removeprefix("Value error, ")
