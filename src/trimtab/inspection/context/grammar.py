"""Texts as a Containerfile writes them.

Both parsers, that of buildah and that of BuildKit, read an instruction line by line, then split it into words, then take
quotes away and put variables in. What is written here has been read back from images of both, byte for byte.
"""

import json
from collections.abc import Iterable

__all__ = ["copy", "environment", "holds", "run"]

_JOIN = " \\\n    "


def holds(value: str) -> bool:
    """Whether a Containerfile can hold this value of a variable: an instruction ends with its line."""
    return "\n" not in value


def environment(variables: Iterable[tuple[str, str]]) -> str:
    """An ENV instruction, each variable on a line of its own: a line has at most 64 KiB."""
    return "ENV " + _JOIN.join(f'{name}="{_escape(value)}"' for name, value in variables) + "\n"


def copy(sources: Iterable[str], target: str, *, owner: str | None = None) -> str:
    """A COPY instruction.

    Args:
        sources: Paths in the context, of our own making: letters, digits, dots, dashes and slashes.
        target: A directory of the image, with a slash at its end.
        owner: `uid:gid`; None: root.
    """
    option = f"--chown={owner} " if owner else ""
    return f"COPY {option}{_array([*sources, _escape(target, quotes=chr(39))])}\n"


def run(command: Iterable[str], names: Iterable[str] = ()) -> str:
    """A RUN instruction that starts a program, and no shell.

    Args:
        command: The program and its first arguments.
        names: Further arguments, each on a line of its own.
    """
    words = [", ".join(map(_json, command)), *map(_json, names)]
    return f"RUN [{(',' + _JOIN).join(words)}]\n"


def _escape(text: str, *, quotes: str = "") -> str:
    """What the parsers take for itself rather than for a quote, a variable or an escape.

    Within double quotes a backslash escapes nothing but these; an apostrophe there is one.
    """
    return "".join(f"\\{c}" if c in f'\\"${quotes}' else c for c in text)


def _array(words: Iterable[str]) -> str:
    return f"[{', '.join(map(_json, words))}]"


def _json(text: str) -> str:
    """A JSON string without the characters that a parser might see before it sees JSON.

    `<<` begins a here document, a backslash at the end of a line continues it: neither is left.
    """
    return json.dumps(text).replace("<", "\\u003c").replace("#", "\\u0023")
