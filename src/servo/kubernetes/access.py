"""Where a cluster is, and how it is reached."""

from __future__ import annotations

from dataclasses import dataclass, field

from servo.kubernetes.credentials import Credentials, StoredCredentials

__all__ = ["Access"]


@dataclass(frozen=True, slots=True)
class Access:
    """A cluster, a user and a namespace: what a context of a kubeconfig is, or what a pod is given.

    Attributes:
        server: The URL of the API server.
        source: What all this was read from, for messages.
        namespace: Where objects are if nothing else is said.
        authority: PEM of who signed the server's certificate; the system's authorities if None.
        insecure: Whether the server's certificate is not verified.
        server_name: The name the certificate is for, where it is not the server's.
        proxy: The URL of the proxy on the way; ``environment`` to go by the environment's variables, None for none.
        credentials: Who asks.
        headers: Whom to act as (impersonation).
    """

    server: str
    source: str
    namespace: str = "default"
    authority: bytes | None = field(default=None, repr=False)
    insecure: bool = False
    server_name: str | None = None
    proxy: str | None = field(default="environment", repr=False)
    credentials: Credentials = field(default_factory=StoredCredentials, repr=False)
    headers: tuple[tuple[str, str], ...] = ()

    @property
    def encrypted(self) -> bool:
        """Whether the way to the server is TLS."""
        return self.server.lower().startswith("https://")
