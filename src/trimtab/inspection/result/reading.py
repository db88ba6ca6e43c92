"""JSON of a run, bounded: it comes from where a stranger's program ran."""

import json
import math
from collections.abc import Mapping
from typing import Any

__all__ = ["LARGEST", "ResultError", "largest", "parse"]

_OUTPUT_LIMIT = 4 * 1024 * 1024
_REST = 4 * 1024 * 1024
_EACH_BYTE = 8  # a control character takes six, and base64 of it another one and a half
_STREAMS = 2
_DEEPEST = 120
_VALUES = 8_000_000
_DIGITS = 400


class ResultError(ValueError):
    """A text that is no document of a run."""


def largest(output_limit: int) -> int:
    """Bytes of the largest document the wrapper writes when it keeps so many of each stream."""
    return output_limit * _EACH_BYTE * _STREAMS + _REST


LARGEST = largest(_OUTPUT_LIMIT)


def parse(data: bytes, limit: int = LARGEST) -> dict[str, Any]:
    """Read a JSON object.

    Numbers that JSON has not (NaN, infinities) are None, and half a pair of surrogates is replaced, so that whatever
    is made of the document can be written again.

    Raises:
        ResultError: It is too large, too deep, no JSON, or no object.
    """
    if len(data) > limit:
        raise ResultError(f"the document has {len(data)} bytes; {limit} are read, see TRIMTAB_OUTPUT_LIMIT")
    try:
        document = _load(data.decode("utf-8"))
    except RecursionError:
        raise ResultError(f"the document is nested more than {_DEEPEST} deep") from None
    except ValueError as error:
        raise ResultError(f"the document is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise ResultError("the document is no JSON object")
    _bound(document)
    if b"\\ud" in data.lower():
        document = _load(json.dumps(document, ensure_ascii=False).encode("utf-8", "replace").decode())
    return dict(document)


def _load(text: str) -> Any:
    return json.loads(text, parse_constant=lambda _: None, parse_float=_finite, parse_int=_integer)


def _finite(text: str) -> float | None:
    value = float(text)
    return value if math.isfinite(value) else None


def _integer(text: str) -> int | float | None:
    return int(text) if len(text) <= _DIGITS else _finite(text)


def _bound(document: object) -> None:
    waiting: list[tuple[int, object]] = [(1, document)]
    seen = 0
    while waiting:
        depth, value = waiting.pop()
        inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
        seen += len(inner)
        if depth > _DEEPEST:
            raise ResultError(f"the document is nested more than {_DEEPEST} deep")
        if seen > _VALUES:
            raise ResultError(f"the document has more than {_VALUES} values")
        waiting.extend((depth + 1, each) for each in inner if isinstance(each, Mapping | list))
