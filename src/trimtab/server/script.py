"""Fetch the script that a specification names by its URL.

Whoever submits makes this server connect to somewhere, so where is bounded: each host is resolved once, its addresses are
checked, and the connection is made to the one that was checked, not to the name (which might be another address by then). The
same again after each redirect.
"""

import asyncio
import socket
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from urllib.parse import urljoin

from trimtab.inspection.specification.limits import MAX_TEXT
from trimtab.server.addresses import Allowed

if TYPE_CHECKING:
    import httpx2

__all__ = ["ScriptError", "Scripts"]

PATIENCE = 30.0
CONNECT = 10.0
REDIRECTS = 5
MAX_URL = 4096


class ScriptError(ValueError):
    """A script that could not be had; the message is for whoever submitted its URL.

    Args:
        url: As it was submitted.
        reason: Why.
    """

    def __init__(self, url: str, reason: str) -> None:
        super().__init__(f"Failed to obtain script from {url[:MAX_URL]} ({reason})")


class _RefusedError(Exception):
    """Why a URL is not fetched."""


@dataclass(frozen=True, slots=True)
class Scripts:
    """Fetches scripts.

    Args:
        allowed: Where from.
        patience: Seconds that one may take, all in all.
        limit: Bytes that one may have.
    """

    allowed: Allowed = field(default_factory=Allowed)
    patience: float = PATIENCE
    limit: int = MAX_TEXT

    async def fetch(self, url: str) -> str:
        """The script behind a URL.

        Raises:
            ScriptError: It cannot be had, or is no script.
        """
        import httpx2

        try:
            async with asyncio.timeout(self.patience):
                content = await self._follow(url)
        except _RefusedError as error:
            raise ScriptError(url, str(error)) from None
        except TimeoutError:
            raise ScriptError(url, f"it did not come within {self.patience:g} s") from None
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            # Its message may name an address of ours; its kind says enough.
            raise ScriptError(url, f"the connection failed: {type(error).__name__}") from None
        return _text(url, content)

    async def _follow(self, url: str) -> bytes:
        import httpx2

        # No proxy of this process's environment: it would resolve names on its own.
        async with httpx2.AsyncClient(trust_env=False, timeout=httpx2.Timeout(CONNECT)) as client:
            here = url
            for _ in range(REDIRECTS + 1):
                found = await self._get(client, here)
                if isinstance(found, bytes):
                    return found
                here = found
        raise _RefusedError(f"it was redirected more than {REDIRECTS} times")

    async def _get(self, client: "httpx2.AsyncClient", url: str) -> bytes | str:
        """What is there; or where to go on."""
        request = await self._request(client, url)
        response = await client.send(request, stream=True)
        try:
            if response.has_redirect_location:
                return urljoin(url, response.headers["Location"])
            if not response.is_success:
                raise _RefusedError(f"HTTP status: {response.status_code}")
            return await self._body(response)
        finally:
            await response.aclose()

    async def _request(self, client: "httpx2.AsyncClient", url: str) -> "httpx2.Request":
        """A request to a checked address, in which the name stands where HTTP and TLS want it."""
        import httpx2

        parsed = httpx2.URL(url)
        if parsed.scheme not in {"http", "https"} or not parsed.host:
            raise _RefusedError("it is no http or https URL")
        if parsed.userinfo:
            raise _RefusedError("a password has no place in a URL")
        address = await self._address(parsed.host, parsed.port or (443 if parsed.scheme == "https" else 80))
        headers = {"Host": parsed.netloc.decode("ascii"), "Accept-Encoding": "identity"}
        return client.build_request(
            "GET",
            parsed.copy_with(host=address),
            headers=headers,
            extensions={"sni_hostname": parsed.raw_host.decode("ascii")},
        )

    async def _address(self, host: str, port: int) -> str:
        loop = asyncio.get_running_loop()
        try:
            found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
        except (OSError, UnicodeError):
            raise _RefusedError("its host is not known") from None
        addresses = [str(entry[4][0]) for entry in found]
        chosen = [each for each in addresses if self.allowed.allows(host, each)]
        if not chosen:
            raise _RefusedError("its host has no public address; TRIMTAB_SCRIPT_HOSTS names others")
        return chosen[0]

    async def _body(self, response: "httpx2.Response") -> bytes:
        if response.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise _RefusedError("it comes compressed, which was not asked for")
        body = bytearray()
        async for chunk in response.aiter_raw():
            body += chunk
            if len(body) > self.limit:
                raise _RefusedError(f"it has more than {self.limit} bytes")
        return bytes(body)


def _text(url: str, content: bytes) -> str:
    try:
        text = content.decode()
    except UnicodeDecodeError:
        raise ScriptError(url, "it is no UTF-8 text") from None
    if not text or "\0" in text:
        raise ScriptError(url, "it is empty" if not text else "a script has no NUL")
    return text
