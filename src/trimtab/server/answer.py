"""JSON answers that hold documents of others."""

import json
from collections.abc import Mapping
from typing import Any

from fastapi import Response

from trimtab.catalog.values import standard
from trimtab.store import DocumentError

__all__ = ["answer"]


def answer(
    content: Mapping[str, Any],
    inspection_id: str | None = None,
    *,
    status: int = 200,
    headers: Mapping[str, str] | None = None,
) -> Response:
    """An answer, whatever is in it: older documents have NaN, and texts with halves of surrogate pairs.

    Args:
        content: Its fields.
        inspection_id: What it is about, if that is not in the content: its `parameters`.
        status: The code.
        headers: More of them.

    Raises:
        DocumentError: It is nested too deeply to be written.
    """
    body = content if inspection_id is None else {**content, "parameters": {"inspection_id": inspection_id}}
    return Response(_encoded(body), status, dict(headers or {}), "application/json")


def _encoded(content: Mapping[str, Any]) -> bytes:
    try:
        try:
            return json.dumps(content, allow_nan=False).encode("ascii")
        except ValueError:
            return json.dumps(standard(content)).encode("ascii")
    except RecursionError:
        raise DocumentError("the document is nested too deeply to be sent") from None
