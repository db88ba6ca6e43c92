"""Paragraphs of `Field: value` lines, as Debian's control files, Python's metadata and manifests have them.

`email` reads them too, in eight times the time (Debian's status file of 20 000 lines).
"""

from collections.abc import Iterator

__all__ = ["header", "paragraphs", "text"]

LONGEST_NAME = 80
LONGEST = 1000


def text(data: bytes) -> str:
    """As UTF-8; what is none is replaced."""
    return data.decode("utf-8", "replace")


def paragraphs(data: str, wanted: frozenset[str]) -> Iterator[dict[str, str]]:
    """The wanted fields of each paragraph, names in lower case; lines that are no field are passed over."""
    found: dict[str, str] = {}
    name = ""
    for line in data.split("\n"):
        if not line.strip():
            if found:
                yield found
            found, name = {}, ""
        elif line[0] in " \t":
            if name:
                found[name] += "\n" + line.strip()
        else:
            key, colon, value = line.partition(":")
            name = key.lower() if colon and len(key) < LONGEST_NAME and key.lower() in wanted else ""
            if name:
                found[name] = value.strip()
    if found:
        yield found


def header(data: bytes, wanted: frozenset[str]) -> dict[str, str]:
    """The wanted fields before the first empty line; of a field that comes twice the first.

    Raises:
        ValueError: There is none of them.
    """
    found: dict[str, str] = {}
    for line in text(data).replace("\r\n", "\n").lstrip("\ufeff").split("\n"):
        if not line.strip():
            break
        name, colon, value = line.partition(":")
        if colon and name.lower() in wanted:
            found.setdefault(name.lower(), value.strip()[:LONGEST])
    if not found:
        raise ValueError("none of the fields that should be there")
    return found
