"""Targets as the bytes that go over the wire, prepared once."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from itertools import cycle
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

if TYPE_CHECKING:
    from collections.abc import Iterator

    from servo.connectors.load.targets import Target

_IDEMPOTENT = frozenset({"GET", "HEAD", "PUT", "DELETE", "OPTIONS"})
_WITH_BODY = frozenset({"POST", "PUT", "PATCH"})
_DRAWN = 8192
_LONGEST_ROUND = 200_000


@dataclass(frozen=True, slots=True)
class Origin:
    """Where connections go: scheme, host, port."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"{self.scheme}://{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Request:
    """A request ready to be written.

    Attributes:
        payload: The whole HTTP/1.1 message.
        origin: Number of the origin in the plan.
        head: Whether the answer has no body though it may announce one.
        repeatable: Whether it may be sent again when a kept-alive connection turns out to be closed.
        weight: How often relative to the others.
    """

    payload: bytes = field(repr=False)
    origin: int
    head: bool = False
    repeatable: bool = True
    weight: int = 1

    def dump(self) -> dict[str, Any]:
        """JSON-ready form."""
        return {
            "payload": self.payload.decode("latin-1"),
            "origin": self.origin,
            "head": self.head,
            "repeatable": self.repeatable,
            "weight": self.weight,
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> Request:
        """The request that was dumped."""
        return cls(**document | {"payload": document["payload"].encode("latin-1")})


def origin_of(url: str) -> Origin:
    """Where a URL is served."""
    parts = urlsplit(url)
    return Origin(parts.scheme, parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80))


def prepare(targets: Sequence[Target], *, keepalive: bool = True) -> tuple[list[Origin], list[Request]]:
    """Origins and requests of targets; each request knows its origin by number."""
    origins: dict[Origin, int] = {}
    requests = []
    for target in targets:
        number = origins.setdefault(origin_of(target.url), len(origins))
        requests.append(
            Request(
                payload=encode(target, keepalive=keepalive),
                origin=number,
                head=target.method == "HEAD",
                repeatable=target.method in _IDEMPOTENT,
                weight=target.weight,
            )
        )
    return list(origins), requests


def encode(target: Target, *, keepalive: bool = True) -> bytes:
    """The HTTP/1.1 message of a target."""
    parts = urlsplit(target.url)
    path = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    names = {name.lower() for name, _ in target.headers}
    lines = [f"{target.method} {path} HTTP/1.1"]
    if "host" not in names:
        lines.append(f"Host: {parts.netloc}")
    lines.extend(f"{name}: {value}" for name, value in target.headers)
    if target.body or target.method in _WITH_BODY:
        lines.append(f"Content-Length: {len(target.body)}")
    if not keepalive:
        lines.append("Connection: close")
    return "\r\n".join([*lines, "", ""]).encode("latin-1") + target.body


def sequence(requests: Sequence[Request], *, shuffled: bool = False, seed: int = 0) -> Iterator[Request]:
    """Requests without end, each as often as its weight says.

    Args:
        requests: What to choose from.
        shuffled: Drawn at random (repeatably) instead of evenly interleaved.
        seed: Of the draw.
    """
    if shuffled or sum(request.weight for request in requests) > _LONGEST_ROUND:
        source = random.Random(seed)  # noqa: S311 - load, not secrets
        return cycle(source.choices(requests, [r.weight for r in requests], k=max(_DRAWN, len(requests))))
    return cycle(_interleaved(requests))


def _interleaved(requests: Sequence[Request]) -> list[Request]:
    # Each request sits at evenly spaced positions of the round, so that a heavy one does not come in bursts.
    places = [((turn + 0.5) / r.weight, i) for i, r in enumerate(requests) for turn in range(r.weight)]
    return [requests[index] for _, index in sorted(places)]
