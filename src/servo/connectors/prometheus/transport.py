"""Requests to a server, tried again where that may help, with answers that are bounded."""

from __future__ import annotations

import asyncio
import json
import ssl
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from servo.configuration import CommonConfiguration
from servo.configuration.settings import CONNECT, DEFAULT, BackoffConfigurations
from servo.connectors.prometheus.connection import ConnectionConfiguration, TlsConfiguration
from servo.connectors.prometheus.errors import QueryError, UnavailableError
from servo.connectors.prometheus.responses import Error
from servo.connectors.quoting import harmless
from servo.logging import logger

if TYPE_CHECKING:
    import httpx2

__all__ = ["Transport"]

MAX_ANSWER = 128 * 1024 * 1024
GRACE = 5.0
"""How many seconds after the server should have given up we do."""

_PASSING = frozenset({429, 500, 502, 503})
_HEAVY = frozenset({"timeout", "canceled"})
_HINTS: Mapping[int, str] = {
    301: "; redirects are not followed: correct base_url",
    302: "; redirects are not followed: correct base_url",
    307: "; redirects are not followed: correct base_url",
    308: "; redirects are not followed: correct base_url",
    401: "; check bearer_token, bearer_token_file or basic_auth",
    403: "; whoever the token or user is may not ask this",
    404: "; base_url may need a path such as /prometheus",
}
_SHOWN = 300


class Transport:
    """The connections to one server.

    Args:
        url: Where its API is.
        config: Who we are, whom we trust, and for how long to try.
        settings: Proxies, and whom to trust if ``config`` does not say.
    """

    def __init__(
        self, url: str, config: ConnectionConfiguration, settings: CommonConfiguration | None
    ) -> None:
        self._url = url
        self._config = config
        self._http = _client(config, settings or CommonConfiguration.model_validate({}))
        limit = {"max_time": config.retry_time}
        self._backoff = BackoffConfigurations.model_validate({DEFAULT: limit, CONNECT: limit})

    async def request(self, method: str, endpoint: str, params: Mapping[str, str]) -> dict[str, Any]:
        """Send a request and return the JSON object of the answer.

        What may pass (no connection, 429, 500, 502, 503) is tried again with growing pauses, no sooner than the
        server says by ``Retry-After``. A query that ran out of time is not: it would do so again, at the server's cost.

        Raises:
            UnavailableError: The server could not be reached, did not answer in time, or let nobody in.
            QueryError: It refused the request.
        """
        import httpx2

        from servo.api.retry import retry

        try:
            return await retry(
                lambda: self._exchange(method, endpoint, params),
                self._backoff,
                fatal=_is_final,
                errors=(httpx2.HTTPStatusError, httpx2.TransportError),
                on_retry=self._log_retry,
            )
        except httpx2.HTTPStatusError as error:
            raise _refusal(error) from error
        except httpx2.TransportError as error:
            said = str(error) or type(error).__name__
            raise UnavailableError(f"cannot reach Prometheus at {self._url}: {said}") from error

    async def aclose(self) -> None:
        """Close the connections."""
        await self._http.aclose()

    async def _exchange(self, method: str, endpoint: str, params: Mapping[str, str]) -> dict[str, Any]:
        import httpx2

        posted = method == "POST"
        # Compressed answers could unfold without bound.
        headers = {"Accept-Encoding": "identity", **self._config.every_header()}
        tls = self._config.tls_config
        extensions = {"sni_hostname": tls.server_name} if tls and tls.server_name else {}
        seconds = self._config.timeout.total_seconds() + GRACE
        try:
            async with (
                asyncio.timeout(seconds),
                self._http.stream(
                    method,
                    self._url + endpoint,
                    params=None if posted else dict(params),
                    data=dict(params) if posted else None,
                    headers=headers,
                    extensions=extensions,
                ) as response,
            ):
                body = await _read(response)
        except TimeoutError:
            raise httpx2.ReadTimeout(f"no complete answer within {seconds:g} s") from None
        except ssl.SSLError as error:
            # httpx2 hands on what a server says of our certificate, for TLS 1.3 says it only when we read.
            raise UnavailableError(f"cannot reach Prometheus at {self._url}: {error}") from error
        if response.is_success:
            return _object(body, self._url)
        read = httpx2.Response(
            response.status_code, headers=response.headers, content=body, request=response.request
        )
        raise httpx2.HTTPStatusError("", request=response.request, response=read)

    def _log_retry(self, error: Exception, delay: float) -> None:
        status = getattr(getattr(error, "response", None), "status_code", None)
        what = f"it answered {status}" if status else str(error) or type(error).__name__
        logger.warning("Prometheus at {}: {}; trying again in {:.1f} s", self._url, what, delay)


def _client(config: ConnectionConfiguration, settings: CommonConfiguration) -> httpx2.AsyncClient:
    import httpx2

    from servo.api.connections import proxy_options

    verify = _verification(config.tls_config, settings)
    seconds = config.timeout.total_seconds()
    return httpx2.AsyncClient(
        verify=verify,
        timeout=httpx2.Timeout(seconds + GRACE, connect=min(seconds, 10.0)),
        limits=httpx2.Limits(max_connections=config.limits.concurrency),
        trust_env=settings.proxies is None,
        **proxy_options(settings, verify=verify),
    )


def _verification(tls: TlsConfiguration | None, settings: CommonConfiguration) -> ssl.SSLContext | bool:
    if tls is not None:
        return tls.context()
    bundle = settings.ssl_verify
    if bundle is False:
        return False
    return TlsConfiguration.model_validate({"ca_file": None if bundle in {None, True} else bundle}).context()


def _is_final(error: BaseException) -> bool:
    """Whether another try would do no better, or harm."""
    import httpx2

    if isinstance(error, httpx2.HTTPStatusError):
        refused = _error_of(error.response)
        return error.response.status_code not in _PASSING or (refused is not None and refused.type in _HEAVY)
    if "CERTIFICATE_VERIFY_FAILED" in str(error):
        return True
    return isinstance(error, httpx2.ReadTimeout | httpx2.WriteTimeout)


def _refusal(error: httpx2.HTTPStatusError) -> UnavailableError | QueryError:
    response = error.response
    status = response.status_code
    refused = _error_of(response)
    if refused is not None and (status not in _PASSING | {401, 403, 404} or refused.type in _HEAVY):
        return QueryError(f"Prometheus refused: {refused}", reason="query-refused")
    said = str(refused) if refused else harmless(response.text[:_SHOWN].strip().replace("\n", " "))
    hint = _HINTS.get(status, "")
    found = UnavailableError(
        f"{response.request.url.host} answered {status}{hint}{': ' + said if said else ''}"
    )
    found.status = status
    return found


def _error_of(response: httpx2.Response) -> Error | None:
    """What the API itself says of a failure; None if somebody else answered."""
    try:
        body = response.json()
        return Error.model_validate(body) if isinstance(body, dict) else None
    except (ValueError, RecursionError):
        return None


async def _read(response: httpx2.Response) -> bytes:
    if response.headers.get("Content-Encoding", "identity").lower() not in {"", "identity"}:
        raise UnavailableError("Prometheus' answer is compressed though that was not asked for")
    body = bytearray()
    async for piece in response.aiter_bytes():
        body += piece
        if len(body) > MAX_ANSWER:
            raise UnavailableError(
                f"Prometheus' answer is larger than {MAX_ANSWER // 1024 // 1024} MiB: lower limits.max_samples"
            )
    return bytes(body)


def _object(body: bytes, url: str) -> dict[str, Any]:
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise UnavailableError(f"what answers at {url} is no Prometheus: its answer is no JSON object")
    return value
