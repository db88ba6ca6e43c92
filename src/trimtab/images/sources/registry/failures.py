"""What a registry's answers, and the want of one, mean."""

from __future__ import annotations

import json
import socket
import ssl
from contextlib import contextmanager
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING

from trimtab.images.errors import (
    CertificateError,
    CredentialsMissingError,
    CredentialsRefusedError,
    ForbiddenError,
    ImageError,
    ManifestUnknownError,
    NotFoundError,
    RateLimitError,
    RepositoryUnknownError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

__all__ = ["checked", "raise_for"]

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER = 401, 403, 404, 429, 500
TRANSIENT = (408, 425, 500, 502, 503, 504)
LARGEST = 64 << 10  # bytes of an answer that says what is wrong
UNKNOWN = {"MANIFEST_UNKNOWN": ManifestUnknownError, "NAME_UNKNOWN": RepositoryUnknownError}
CHAIN = 10  # a chain of causes that is longer is a circle


@contextmanager
def raise_for(host: str) -> Iterator[None]:
    """Make our errors of those of the HTTP client. No message repeats a URL: it may hold a signature."""
    import httpx2

    try:
        yield
    except httpx2.ConnectError as error:
        raise _unconnected(error, host) from None
    except httpx2.TimeoutException:
        raise UnavailableError(f"{host} does not answer", transient=True) from None
    except (httpx2.InvalidURL, httpx2.UnsupportedProtocol, httpx2.TooManyRedirects) as error:
        raise UnavailableError(
            f"{host} leads to where nothing can be read ({type(error).__name__})"
        ) from None
    except httpx2.HTTPError as error:
        broken = f"{host}: the connection broke off ({type(error).__name__})"
        raise UnavailableError(broken, transient=True) from None


def checked(response: httpx2.Response, host: str, what: str, *, known: bool = False) -> httpx2.Response:
    """The answer, if it is a success.

    Parameters:
        response: The answer.
        host: Who gave it.
        what: What was asked for.
        known: Whether credentials were sent along.

    Raises:
        ImageError: It is none.
    """
    if not response.is_success:
        try:
            raise _error(response, host, what, known=known)
        finally:
            response.close()
    return response


def _error(response: httpx2.Response, host: str, what: str, *, known: bool) -> ImageError:
    status = response.status_code
    if status == UNAUTHORIZED:
        return _unauthorized(host, what, known=known)
    if status == FORBIDDEN:
        return ForbiddenError(f"{host}: these credentials do not allow to read {what}")
    if status == NOT_FOUND:
        return UNKNOWN.get(_code(response), NotFoundError)(f"{host} has no {what}")
    after = _after(response.headers.get("retry-after", ""))
    if status == TOO_MANY:
        return RateLimitError(f"{host} limits the rate of requests; try again {_when(after)}", after)
    transient = status in TRANSIENT
    if status >= SERVER:
        return UnavailableError(
            f"{host} cannot serve {what} now: status {status}", after, transient=transient
        )
    return UnavailableError(f"{host}: an answer of status {status} for {what}", transient=transient)


def _unauthorized(host: str, what: str, *, known: bool) -> ImageError:
    if known:
        return CredentialsRefusedError(f"{host}: these credentials are wrong for {what}")
    return CredentialsMissingError(
        f"{host}: authentication is required for {what}; `podman login {host}` keeps credentials"
    )


def _code(response: httpx2.Response) -> str:
    """The first code of an error's document, as the distribution specification has it."""
    import httpx2

    data = bytearray()
    try:
        for piece in response.iter_bytes():
            data += piece
            if len(data) > LARGEST:
                return ""
        return str(json.loads(bytes(data))["errors"][0]["code"])
    except (httpx2.HTTPError, ValueError, KeyError, IndexError, TypeError, RecursionError):
        return ""


def _after(told: str) -> float | None:
    """Seconds of a `Retry-After`, which is a number or a date."""
    if told.isascii() and told.isdecimal():
        return float(told[:9])
    try:
        moment = parsedate_to_datetime(told)
    except (ValueError, TypeError, IndexError):
        return None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds())


def _when(after: float | None) -> str:
    return "later" if after is None else f"in {after:.0f} seconds"


def _unconnected(error: httpx2.ConnectError, host: str) -> ImageError:
    causes = list(_causes(error))
    if any(isinstance(each, ssl.SSLCertVerificationError) for each in causes) or any(
        "CERTIFICATE_VERIFY_FAILED" in str(each) for each in causes
    ):
        return CertificateError(
            f"{host}: its certificate is not trusted; name its authority, or switch verification off"
        )
    lost = any(isinstance(each, socket.gaierror) and each.errno != socket.EAI_AGAIN for each in causes)
    return UnavailableError(f"{host} cannot be reached: {error}", transient=not lost)


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    for _ in range(CHAIN):
        if error is None:
            return
        yield error
        error = error.__cause__ or error.__context__
