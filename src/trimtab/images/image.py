"""An image as every source gives it: a configuration, and layers that can be read, the lowest first."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from typing import Any, Protocol

from trimtab.images.finding import Findings
from trimtab.images.limits import Limits
from trimtab.images.member import Member

__all__ = ["Image", "Layer", "Members"]


class Members(Protocol):
    """What lies in one layer, in its order."""

    def __iter__(self) -> Iterator[Member]:
        """Each member, once."""

    def content(self) -> Iterator[bytes]:
        """Pieces of the content of the member that came last."""


class Layer(Protocol):
    """One layer."""

    @property
    def digest(self) -> str | None:
        """Of the layer as it is stored; None for a root directory."""

    @property
    def size(self) -> int:
        """Bytes as it is stored."""

    def members(self, limits: Limits, findings: Findings) -> AbstractContextManager[Members]:
        """Open it. Leaving the context without an error says that the content was what its digest says."""


@dataclass(frozen=True, slots=True)
class Image:
    """One image of one platform.

    Parameters:
        reference: What it was asked for by.
        layers: The lowest first.
        digest: Of its manifest, where there is one.
        config: Its configuration as OCI and Docker have it: `architecture`, `os`, `created`, `config` with `Env`, `Labels`.
        manifest: Its manifest, where there is one.
        listed: Digest of what its name names: of an index it was chosen from, or of its manifest.
        current: Asks which digest its tag names now, where it has a tag in a registry; None if that cannot be said.
    """

    reference: str
    layers: Sequence[Layer]
    digest: str | None = None
    config: Mapping[str, Any] = field(default_factory=dict)
    manifest: Mapping[str, Any] = field(default_factory=dict)
    listed: str | None = None
    current: Callable[[], str | None] | None = None

    @property
    def size(self) -> int:
        """Bytes of its layers as they are stored."""
        return sum(layer.size for layer in self.layers)

    def moved(self) -> str | None:
        """The digest that its tag names by now, if it is another than what was read."""
        now = self.current() if self.current else None
        return now if now != self.listed else None

    def setting(self, name: str) -> Any:
        """A default of its containers: `Env`, `Labels`, `Entrypoint`, `Cmd`."""
        inner = self.config.get("config")
        return inner.get(name) if isinstance(inner, Mapping) else None
