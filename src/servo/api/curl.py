"""Requests as curl commands, for people to repeat; without their secrets."""

from __future__ import annotations

import shlex

import httpx2

__all__ = ["redacted_to_curl"]

_SECRET_HEADERS = frozenset({"authorization", "proxy-authorization", "x-sf-token", "cookie"})
_TRANSPORT_HEADERS = frozenset({"content-length", "host"})


def redacted_to_curl(request: httpx2.Request) -> str:
    """Return the curl command of a request, credentials replaced by ``[REDACTED]``."""
    words = ["curl", "-X", request.method]
    for name, value in request.headers.items():
        if name.lower() not in _TRANSPORT_HEADERS:
            words += ["-H", f"{name}: {_shown(name, value)}"]
    if request.content:
        words += ["-d", request.content.decode(errors="replace")]
    return shlex.join([*words, str(request.url.copy_with(username=None, password=None))])


def _shown(name: str, value: str) -> str:
    if name.lower() not in _SECRET_HEADERS:
        return value
    scheme, _, rest = value.partition(" ")
    return f"{scheme} [REDACTED]" if rest and name.lower().endswith("authorization") else "[REDACTED]"
