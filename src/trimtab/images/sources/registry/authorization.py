"""What is sent along with each request, after the registry has said how it wants to be asked."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from trimtab.images.errors import AccessError, CorruptError, CredentialsMissingError
from trimtab.images.sources.registry.challenge import Challenge
from trimtab.images.sources.registry.failures import checked, raise_for

if TYPE_CHECKING:
    import httpx2

    from trimtab.images.sources.registry.connection import Connection
    from trimtab.images.sources.registry.credentials import Credentials
    from trimtab.images.sources.registry.repository import Site

__all__ = ["Authorization"]

LARGEST = 1 << 20


class Authorization:
    """Nothing, until the registry asks; then basic credentials or a bearer token, asked for again when it ends.

    Parameters:
        connection: What tokens are fetched through.
        site: What is to be read, and whether credentials may be sent without TLS.
        credentials: Who asks; None asks anonymously.
    """

    def __init__(self, connection: Connection, site: Site, credentials: Credentials | None) -> None:
        self._connection, self._site, self._credentials = connection, site, credentials
        self._header: str | None = None

    @property
    def known(self) -> bool:
        """Whether there are credentials."""
        return self._credentials is not None

    def headers(self) -> dict[str, str]:
        """What goes along with a request."""
        return {"Authorization": self._header} if self._header else {}

    def answer(self, header: str) -> None:
        """Get ready to ask again, as the registry's challenge says.

        Raises:
            AccessError: It wants credentials, and there are none, or wants them in a way that is not known.
        """
        challenge, host = Challenge.parse(header), self._site.host
        if challenge.scheme == "basic":
            if self._credentials is None or self._credentials.token:
                raise CredentialsMissingError(
                    f"{host}: authentication is required; `podman login {host}` keeps credentials"
                )
            self._header = _basic(self._credentials)
        elif challenge.scheme == "bearer":
            self._header = f"Bearer {self._token(challenge, host)}"
        else:
            raise AccessError(
                f"{host} wants authentication by {challenge.scheme[:40] or 'nothing'!r}: not known"
            )

    def _token(self, challenge: Challenge, host: str) -> str:
        realm = challenge.parameters.get("realm", "")
        parts = urlsplit(realm)
        if parts.scheme not in ({"https", "http"} if self._site.plain else {"https"}) or not parts.hostname:
            raise AccessError(f"{host} names no service of tokens that can be trusted with credentials")
        asked = {"scope": challenge.parameters.get("scope") or f"repository:{self._site.path}:pull"}
        if service := challenge.parameters.get("service"):
            asked["service"] = service
        with raise_for(parts.hostname):
            response = self._fetch(realm, asked)
            try:
                told = _document(checked(response, parts.hostname, "a token", known=self.known))
            finally:
                response.close()
        token = told.get("token") or told.get("access_token")
        if not isinstance(token, str) or not token.isascii() or not token.isprintable():
            raise CorruptError(f"{parts.hostname} answers without a token")
        return token

    def _fetch(self, realm: str, asked: dict[str, str]) -> httpx2.Response:
        credentials = self._credentials
        if credentials is not None and credentials.token:
            form = asked | {
                "grant_type": "refresh_token",
                "refresh_token": credentials.password,
                "client_id": "trimtab",
            }
            return self._connection.send("POST", realm, data=form)
        headers = {"Authorization": _basic(credentials)} if credentials else {}
        return self._connection.send("GET", realm, params=asked, headers=headers)


def _document(response: httpx2.Response) -> dict[str, Any]:
    import json

    data = bytearray()
    for piece in response.iter_bytes():
        data += piece
        if len(data) > LARGEST:
            raise CorruptError("an answer of the service of tokens that is too large")
    try:
        told = json.loads(bytes(data))
    except (ValueError, RecursionError):
        told = {}
    return told if isinstance(told, dict) else {}


def _basic(credentials: Credentials) -> str:
    pair = f"{credentials.user}:{credentials.password}"
    return f"Basic {base64.b64encode(pair.encode()).decode()}"
