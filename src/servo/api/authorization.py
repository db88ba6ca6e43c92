"""Who the servo says it is: a static token, or one issued for OAuth2 client credentials."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import httpx2

from servo.configuration.optimizers import AppdynamicsOptimizer, OptimizerTypes

__all__ = ["ClientCredentials", "needs_client_credentials", "token_headers"]

SF_TOKEN = "X-SF-Token"  # noqa: S105 - the name of a header
REFRESH_BEFORE = 60.0
DEFAULT_LIFETIME = 300.0


def token_headers(token: str) -> dict[str, str]:
    """Return the header for a configured token.

    ``X-SF-Token <token>`` becomes a header of that name; a token that speaks of ``Bearer`` itself is sent as it is;
    all others are sent as a bearer token.
    """
    if token.startswith(SF_TOKEN):
        return {SF_TOKEN: token[len(SF_TOKEN) + 1 :].strip()}
    return {"Authorization": token if "Bearer" in token else f"Bearer {token}"}


def needs_client_credentials(optimizer: OptimizerTypes) -> bool:
    """Return whether the optimizer has no token, so that one must be issued."""
    return isinstance(optimizer, AppdynamicsOptimizer) and optimizer.token is None


class ClientCredentials:
    """Bearer tokens issued for a client's id and secret (RFC 6749, section 4.4), renewed before they expire.

    Args:
        optimizer: Whose ``token_url``, ``client_id`` and ``client_secret`` count.
        send: Sends a request and returns the decoded body; raises for an HTTP status of 400 or more.
    """

    __slots__ = ("_expires_at", "_lock", "_optimizer", "_send", "_token")

    def __init__(
        self, optimizer: AppdynamicsOptimizer, send: Callable[..., Awaitable[dict[str, Any]]]
    ) -> None:
        self._optimizer = optimizer
        self._send = send
        self._token: str | None = None
        self._expires_at = 0.0
        self._lock = asyncio.Lock()

    async def headers(self) -> dict[str, str]:
        """Return the header with a token that is good for a while."""
        async with self._lock:
            if self._token is None or asyncio.get_running_loop().time() >= self._expires_at:
                await self._issue()
        return {"Authorization": f"Bearer {self._token}"}

    def invalidate(self) -> None:
        """Forget the token: the optimizer does not accept it."""
        self._token = None

    async def _issue(self) -> None:
        optimizer = self._optimizer
        assert optimizer.token_url is not None
        assert optimizer.client_id is not None
        assert optimizer.client_secret is not None
        auth = httpx2.BasicAuth(optimizer.client_id, optimizer.client_secret.get_secret_value())
        body = await self._send(optimizer.token_url, auth=auth, data={"grant_type": "client_credentials"})
        token, lifetime = body.get("access_token"), body.get("expires_in", DEFAULT_LIFETIME)
        if not isinstance(token, str) or not (token.isascii() and token.isprintable()) or not token:
            raise httpx2.DecodingError("the token service answered without an access token")
        seconds = float(lifetime) if isinstance(lifetime, int | float) and lifetime > 0 else DEFAULT_LIFETIME
        self._token = token
        self._expires_at = asyncio.get_running_loop().time() + max(seconds - REFRESH_BEFORE, seconds / 2)
