"""JSON, written without the standard library's module: to import that takes longer than all the rest of a document.

Long texts are written in pieces, so that the memory for them does not grow with them.
"""

import codecs

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

_PIECE = 65536


def quoted(text: str) -> str:
    """A text as a JSON string; characters beyond ASCII stay."""
    if text.isprintable() and '"' not in text and "\\" not in text:
        return '"' + text + '"'
    from _json import encode_basestring

    return encode_basestring(text)


class Quoted:
    """Bytes that become a JSON string: they are read as UTF-8, and what is not is replaced.

    Args:
        parts: The bytes in their order; no character crosses from one part into the next.
    """

    def __init__(self, parts: "list[bytes]") -> None:
        self._parts = parts

    def pieces(self) -> "Iterator[bytes]":
        """The string as it stands in a document."""
        yield b'"'
        for part in self._parts:
            decoder = codecs.getincrementaldecoder("utf-8")("replace")
            for start in range(0, len(part), _PIECE):
                yield quoted(decoder.decode(part[start : start + _PIECE]))[1:-1].encode()
            yield quoted(decoder.decode(b"", True))[1:-1].encode()
        yield b'"'


class Base64:
    """Bytes that become a JSON string by base64."""

    def __init__(self, parts: "list[bytes]") -> None:
        self._parts = parts

    def pieces(self) -> "Iterator[bytes]":
        """The string as it stands in a document."""
        import binascii

        data = b"".join(self._parts)
        step = _PIECE - _PIECE % 3
        yield b'"'
        for start in range(0, len(data), step):
            yield binascii.b2a_base64(data[start : start + step]).rstrip(b"\n")
        yield b'"'


class Verbatim:
    """Bytes that are JSON already."""

    def __init__(self, data: bytes) -> None:
        self._data = data

    def pieces(self) -> "Iterator[bytes]":
        """They themselves."""
        yield self._data


def encode(value: object, indent: str = "\n") -> str:
    """A value of our own as JSON: keys sorted, two blanks deeper for each level; a float that is no number is null."""
    if isinstance(value, str):
        return str(quoted(value.encode("utf-8", "replace").decode()))
    if isinstance(value, bool) or value is None:
        return {True: "true", False: "false", None: "null"}[value]
    if isinstance(value, (int, float)):
        return repr(value) if value - value == 0 else "null"
    deeper = indent + "  "
    if isinstance(value, dict):
        members = [quoted(name) + ": " + encode(value[name], deeper) for name in sorted(value)]
        return "{" + deeper + ("," + deeper).join(members) + indent + "}" if members else "{}"
    if isinstance(value, (list, tuple)):
        members = [encode(item, deeper) for item in value]
        return "[" + deeper + ("," + deeper).join(members) + indent + "]" if members else "[]"
    raise TypeError(f"{type(value).__name__} is no JSON")


def members(fields: "dict[str, object]") -> "Iterator[bytes]":
    """An object's beginning and members, sorted by name, without its end."""
    before = "{\n  "
    for name in sorted(fields):
        value = fields[name]
        yield (before + quoted(name) + ": ").encode()
        if isinstance(value, (Quoted, Base64, Verbatim)):
            for piece in value.pieces():
                yield piece
        else:
            yield encode(value, "\n  ").encode()
        before = ",\n  "
