"""Who a client is: tokens, certificates, and where they are had from anew."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

from servo.kubernetes.errors import CredentialsError

__all__ = ["Credential", "Credentials", "StoredCredentials", "read_file"]

MAX_FILE = 1 << 20
FRESH = 10.0
"""For how many seconds a file is taken to be what it was."""


@dataclass(frozen=True, slots=True)
class Credential:
    """What is shown to the server.

    Attributes:
        authorization: The ``Authorization`` header, if any.
        certificate: The client's certificate and key as PEM, if any.
    """

    authorization: str | None = field(default=None, repr=False)
    certificate: tuple[bytes, bytes] | None = field(default=None, repr=False)


class Credentials(Protocol):
    """A source of credentials."""

    async def get(self, *, renew: bool = False) -> Credential:
        """Return what is valid now.

        Args:
            renew: Whether the server has refused what was returned last.

        Raises:
            CredentialsError: There is none.
        """
        ...


class StoredCredentials:
    """Credentials from a kubeconfig, or from files that something else replaces.

    A service account's token lives for an hour or less; the kubelet writes the next one before that. Files are read again
    when they were read ``FRESH`` seconds ago, and at once when the server refused what they held.

    Args:
        authorization: The ``Authorization`` header, unless there is a token's file.
        token: The file of the bearer token.
        certificate: Certificate and key, as PEM or as files.
    """

    def __init__(
        self,
        authorization: str | None = None,
        *,
        token: Path | None = None,
        certificate: tuple[bytes | Path, bytes | Path] | None = None,
    ) -> None:
        self._authorization = authorization
        self._token = token
        self._certificate = certificate
        self._read: tuple[float, Credential] | None = None

    async def get(self, *, renew: bool = False) -> Credential:
        """Return them as they are now."""
        if renew or self._read is None or time.monotonic() - self._read[0] > FRESH:
            self._read = time.monotonic(), await asyncio.to_thread(self._load)
        return self._read[1]

    def _load(self) -> Credential:
        authorization = self._authorization if self._token is None else f"Bearer {_token(self._token)}"
        if self._certificate is None:
            return Credential(authorization)
        certificate, key = self._certificate
        return Credential(authorization, (_content(certificate), _content(key)))


def _token(path: Path) -> str:
    token = read_file(path).decode(errors="replace").strip()
    if not token or not token.isascii() or not token.isprintable() or " " in token:
        raise CredentialsError(f"{path} holds no token")
    return token


def _content(source: bytes | Path) -> bytes:
    return source if isinstance(source, bytes) else read_file(source)


def read_file(path: Path) -> bytes:
    """Return a small file's content.

    Raises:
        CredentialsError: It cannot be read, or is larger than 1 MiB.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_FILE + 1)
    except OSError as error:
        raise CredentialsError(f"{path} cannot be read: {error.strerror or error}") from error
    if len(content) > MAX_FILE:
        raise CredentialsError(f"{path} is larger than 1 MiB: it is no token, key or certificate")
    return content
