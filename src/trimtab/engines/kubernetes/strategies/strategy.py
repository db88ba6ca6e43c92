"""What builds an image in a cluster and pushes it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol

from servo.kubernetes import Client
from trimtab.engines.log import Log
from trimtab.engines.request import Resources

__all__ = ["Order", "Strategy"]


@dataclass(frozen=True, slots=True)
class Order:
    """One build.

    Attributes:
        inspection: Its id.
        image: What it is pushed as: repository and tag.
        cache: The repository of layers that builds share; None: there is none.
        source: A tar archive: `Containerfile`, and below `context/` what it copies.
        secrets: Content by name, mounted as secrets of the build.
        arguments: Arguments of the build: the proxies.
        resources: What it may use.
        timeout: Seconds it may take; None: for ever.
    """

    inspection: str
    image: str
    cache: str | None
    source: bytes
    secrets: Mapping[str, bytes]
    arguments: Mapping[str, str]
    resources: Resources
    timeout: float | None


class Strategy(Protocol):
    """Builds."""

    @property
    def name(self) -> str:
        """As settings name it."""

    async def build(self, client: Client, order: Order, log: Log) -> str:
        """Build an image and push it; its digest, `sha256:…`. What was made for it in the cluster is removed again.

        Raises:
            BuildFailedError: It was tried and failed.
            EngineLostError: The cluster lost it.
            UnmetError: No node takes it.
        """
