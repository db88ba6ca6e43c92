"""JSON documents as they are stored: UTF-8, sorted keys, two spaces, no blank at a line's end."""

import json
from collections.abc import Mapping
from typing import Any

from trimtab.store.errors import DocumentError

__all__ = ["decode", "encode"]


def encode(document: Mapping[str, Any]) -> bytes:
    """A document as bytes; the same ones for equal documents.

    Raises:
        DocumentError: It holds what JSON has not: NaN, infinity, other objects, or itself.
    """
    try:
        return json.dumps(document, sort_keys=True, indent=2, allow_nan=False).encode("ascii")
    except (TypeError, ValueError, RecursionError) as error:
        raise DocumentError(f"this is no JSON document: {error}") from None


def decode(content: bytes, where: str) -> dict[str, Any]:
    """The document that the bytes are.

    Args:
        content: What was stored. NaN and infinity are read, for older documents have them.
        where: For the error: the store and the key.

    Raises:
        DocumentError: They are no JSON object: torn, foreign, or nested too deeply.
    """
    if not content:
        raise DocumentError(f"{where} is empty; it was torn, or never written")
    try:
        document = json.loads(content)
    except (ValueError, RecursionError) as error:
        raise DocumentError(f"{where} is no JSON document: {str(error)[:200]}") from None
    if not isinstance(document, dict):
        raise DocumentError(f"{where} is JSON, but a {type(document).__name__}, not an object")
    return document
