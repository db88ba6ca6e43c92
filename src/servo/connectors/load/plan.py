"""What one generator process is told: everything it needs, in one JSON document on its standard input."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any

from servo.connectors.load.arrivals import Phase, starts
from servo.connectors.load.requests import Origin, Request


@dataclass(frozen=True, slots=True)
class Plan:
    """A load to generate.

    Attributes:
        phases: Rates over time; in a closed loop the rates are not used.
        origins: Where to connect.
        requests: What to send.
        concurrency: Closed loop with this many users, each sending as soon as it is answered; `None`: open loop.
        poisson: Random gaps instead of equal ones.
        shuffled: Requests drawn at random instead of in turn.
        seed: Of both.
        connections: Most connections to all origins together.
        keepalive: Whether connections are used again.
        timeout: Seconds from the intended sending to the end of the answer.
        max_body: Bytes of an answer's body beyond which it counts as failed.
        expect: Status codes that are a success.
        interval: Seconds between the live reports.
        batches: Parts into which each measured phase is divided, to estimate the spread.
        ca_file: Certificates to trust instead of the system's.
        prompt: Whether the system is asked to run the generator before anything else.
        shard: Which process this is, from 0.
        shards: How many share the load.
    """

    phases: tuple[Phase, ...]
    origins: tuple[Origin, ...]
    requests: tuple[Request, ...]
    concurrency: int | None = None
    poisson: bool = False
    shuffled: bool = False
    seed: int = 0
    connections: int = 256
    keepalive: bool = True
    timeout: float = 10.0
    max_body: int = 10 * 1024 * 1024
    expect: frozenset[int] = frozenset(range(200, 300))
    interval: float = 1.0
    batches: int = 10
    ca_file: str | None = None
    prompt: bool = True
    shard: int = 0
    shards: int = 1

    @property
    def duration(self) -> float:
        """Seconds of all phases together, waiting for the last answers not included."""
        return starts(self.phases)[-1]

    @property
    def warmup(self) -> float:
        """Seconds before anything is measured."""
        return sum(phase.duration for phase in self.phases if not phase.measured)

    def split(self, shards: int) -> list[Plan]:
        """One plan for each of several processes; together they make this load."""
        return [
            replace(
                self,
                shard=shard,
                shards=shards,
                connections=max(_share(self.connections, shard, shards), 1),
                concurrency=None if self.concurrency is None else _share(self.concurrency, shard, shards),
            )
            for shard in range(shards)
        ]

    def dump(self) -> dict[str, Any]:
        """JSON-ready form."""
        plain = {name: getattr(self, name) for name in self.__slots__}
        return plain | {
            "phases": [asdict(phase) for phase in self.phases],
            "origins": [asdict(origin) for origin in self.origins],
            "requests": [request.dump() for request in self.requests],
            "expect": sorted(self.expect),
        }

    @classmethod
    def load(cls, document: dict[str, Any]) -> Plan:
        """The plan that was dumped."""
        parsed: dict[str, Sequence[Any] | frozenset[int]] = {
            "phases": tuple(Phase(**phase) for phase in document["phases"]),
            "origins": tuple(Origin(**origin) for origin in document["origins"]),
            "requests": tuple(Request.load(request) for request in document["requests"]),
            "expect": frozenset(document["expect"]),
        }
        return cls(**document | parsed)


def _share(count: int, shard: int, shards: int) -> int:
    return count // shards + (shard < count % shards)
