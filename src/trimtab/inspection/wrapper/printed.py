"""What a script's output means: JSON, or text, or bytes that are neither."""

from trimtab.inspection.wrapper.json_text import Base64, Quoted, Verbatim

_DEEPEST = 100
_WHITE = b" \t\n\r"
_LONGEST_NUMBER = 400


class _Reading:
    """What the scanner of JSON asks how to read things."""

    strict = True
    object_hook = None
    object_pairs_hook = None
    parse_float = float
    parse_int = int
    memo: "dict[str, str]" = {}  # noqa: RUF012 - Python 3.6 has no ClassVar to import cheaply

    @staticmethod
    def parse_constant(name: str) -> object:
        """NaN and the infinities, which Python writes and JSON has not."""
        raise ValueError(name)


def output(parts: "list[bytes]") -> "tuple[dict[str, object], list[str]]":
    """The members of the document for standard output, and what is to be said about them.

    `stdout` is the value, if all of it is JSON, and the text otherwise; a value that is empty, zero or false is `{}`, as
    the original had it. `stdout_raw` is the text where `stdout` is not; `stdout_base64` the bytes that are no text.
    """
    data = parts[0] if len(parts) == 1 else b""
    value, notes = _value(data), []
    if isinstance(value, str):
        notes.append(value)
        value = None
    text = Quoted(whole_characters(parts))
    empty = not any(parts)
    return {
        "stdout": {} if empty else text if value is None else value,
        "stdout_raw": None if value is None and not empty else text,
        "stdout_base64": exact(parts),
    }, notes


def exact(parts: "list[bytes]") -> "Base64 | None":
    """The bytes, if a text cannot hold them."""
    for part in whole_characters(parts):
        try:
            part.decode("utf-8")
        except UnicodeDecodeError:
            return Base64(parts)
    return None


def whole_characters(parts: "list[bytes]") -> "list[bytes]":
    """Beginning and end of a text that was cut, without the halves of characters at the cut."""
    if len(parts) == 1:
        return parts
    first, last = parts[0], parts[-1]
    cut = next((n for n in range(1, 4) if first[-n:][:1] >= b"\xc0"), 0)
    if cut and cut < _length(first[-cut]):
        first = first[:-cut]
    skip = next((n for n in range(4) if not b"\x80" <= last[n : n + 1] < b"\xc0"), 0)
    return [first, *parts[1:-1], last[skip:]]


def _length(byte: int) -> int:
    """Bytes of a character that begins so."""
    return 4 if byte >= 0xF0 else 3 if byte >= 0xE0 else 2  # noqa: PLR2004 - of UTF-8


def _value(data: bytes) -> "object":
    """The value, to be written as it was; None if it is no JSON, or a text that says why it was not taken."""
    bare = data.strip(_WHITE)
    # What starts otherwise is no JSON, and need not be looked at further.
    if not bare or bare[:1] not in b'{["-0123456789tfnNI':
        return None
    try:
        value = _scan(bare.decode("utf-8"), _Reading())
    except RecursionError:
        return "standard output is JSON, nested too deep; it is kept as text"
    except ValueError as error:
        return _without_constants(bare) if str(error) in {"NaN", "Infinity", "-Infinity"} else None
    except (StopIteration, MemoryError):
        return None
    return _kept(value, bare)


def _kept(value: object, bare: bytes) -> object:
    if bare.count(b"[") + bare.count(b"{") > _DEEPEST and _depth(value, _DEEPEST) > _DEEPEST:
        return "standard output is JSON, nested too deep; it is kept as text"
    if not value:
        return {}
    if b"\\ud" in bare.lower():
        return _mended(bare)
    return Verbatim(bare)


def _scan(text: str, reading: object) -> object:
    from _json import make_scanner

    value, end = make_scanner(reading)(text, 0)  # type: ignore[arg-type] # it asks for these attributes alone
    if end != len(text):
        raise ValueError("more follows")
    return value


def _depth(value: object, left: int) -> int:
    """Levels of lists and objects, counted no further than `left` and one."""
    if left < 0 or not isinstance(value, (list, dict)):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return 1 + max([_depth(item, left - 1) for item in inner], default=0)


def _without_constants(bare: bytes) -> object:
    import json

    value = json.loads(bare.decode("utf-8"), parse_constant=lambda _: None)
    if _depth(value, _DEEPEST) > _DEEPEST:
        return "standard output is JSON, nested too deep; it is kept as text"
    return _written(value)


def _mended(bare: bytes) -> object:
    """With half a surrogate pair replaced, which Python takes for a character and others refuse."""
    import json

    return _written(json.loads(bare.decode("utf-8")))


def _written(value: object) -> object:
    import json

    return Verbatim(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace")) if value else {}
