"""JSON from outside, bounded before anything looks at it."""

import json
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import Any, TypeAlias

from trimtab.inspection.specification.limits import MAX_DEPTH, MAX_DOCUMENT, MAX_NODES
from trimtab.inspection.specification.problems import Problem, SpecificationError, place

__all__ = ["bound", "parse"]

_MAX_KEY = 1024
_Place: TypeAlias = tuple[str | int, ...]


def parse(text: str | bytes) -> Mapping[str, Any]:
    """Read a JSON object.

    Raises:
        SpecificationError: It is too large, no JSON, or no object; the error names line and column.
    """
    if len(text) > MAX_DOCUMENT:
        raise SpecificationError([Problem("", f"the document is larger than {MAX_DOCUMENT} bytes")])
    try:
        document = json.loads(text.decode() if isinstance(text, bytes) else text)
    except RecursionError:
        raise SpecificationError([_too_deep(())]) from None
    except UnicodeDecodeError as error:
        raise SpecificationError([Problem("", f"the document is not UTF-8: {error}")]) from None
    except json.JSONDecodeError as error:
        raise SpecificationError([Problem("", f"the document is no JSON: {error}")]) from None
    except ValueError:
        raise SpecificationError([Problem("", "an integer in it has more digits than can be read")]) from None
    bound(document)
    if not isinstance(document, dict):
        raise SpecificationError([Problem("", "a specification is a JSON object")])
    return document


def bound(document: object) -> None:
    """Check depth, count and texts of a document.

    Raises:
        SpecificationError: There is too much of it, or what no JSON document can hold; the error names the place.
    """
    waiting: list[tuple[_Place, object]] = [((), document)]
    seen = size = 0
    while waiting:
        path, value = waiting.pop()
        seen += 1
        size += len(value) if isinstance(value, str) else 0
        if seen > MAX_NODES:
            raise SpecificationError([Problem("", f"the document has more than {MAX_NODES} values")])
        if size > MAX_DOCUMENT:
            raise SpecificationError([Problem("", f"its texts have more than {MAX_DOCUMENT} characters")])
        if len(path) > MAX_DEPTH:
            raise SpecificationError([_too_deep(path)])
        if problem := _problem(value):
            raise SpecificationError([Problem(place(path), problem)])
        waiting.extend(_children(path, value))


def _too_deep(path: Iterable[str | int]) -> Problem:
    return Problem(place(path), f"the document is nested more than {MAX_DEPTH} deep")


def _children(path: _Place, value: object) -> Iterator[tuple[_Place, object]]:
    if isinstance(value, Mapping):
        for key, child in value.items():
            yield (*path, key), child
    elif isinstance(value, list | tuple):
        for index, child in enumerate(value):
            yield (*path, index), child


def _problem(value: object) -> str | None:
    if isinstance(value, float) and not math.isfinite(value):
        return "NaN and infinity are no JSON numbers"
    if isinstance(value, str):
        return _text(value)
    if isinstance(value, Mapping):
        return next(filter(None, map(_key, value)), None)
    return None


def _key(key: object) -> str | None:
    if not isinstance(key, str) or len(key) > _MAX_KEY:
        return f"it has a key that is no text of at most {_MAX_KEY} characters"
    return _text(key)


def _text(value: str) -> str | None:
    try:
        value.encode()
    except UnicodeEncodeError:
        return "the text has half of a surrogate pair, which is no character"
    return None
