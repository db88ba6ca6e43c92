"""What a registry's answers, and the want of one, mean."""

from __future__ import annotations

import ssl
from contextlib import contextmanager
from typing import TYPE_CHECKING

from trimtab.images.errors import (
    AccessError,
    CertificateError,
    ImageError,
    NotFoundError,
    RateLimitError,
    UnavailableError,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    import httpx2

__all__ = ["checked", "raise_for"]

UNAUTHORIZED, FORBIDDEN, NOT_FOUND, TOO_MANY, SERVER = 401, 403, 404, 429, 500


@contextmanager
def raise_for(host: str) -> Iterator[None]:
    """Make our errors of those of the HTTP client. No message repeats a URL: it may hold a signature."""
    import httpx2

    try:
        yield
    except httpx2.ConnectError as error:
        if _is_about_certificates(error):
            raise CertificateError(
                f"{host}: its certificate is not trusted; name its authority, or switch verification off"
            ) from None
        raise UnavailableError(f"{host} cannot be reached: {error}") from None
    except httpx2.TimeoutException:
        raise UnavailableError(f"{host} does not answer") from None
    except httpx2.HTTPError as error:
        raise UnavailableError(f"{host}: the connection broke off ({type(error).__name__})") from None


def checked(response: httpx2.Response, host: str, what: str) -> httpx2.Response:
    """The answer, if it is a success.

    Raises:
        ImageError: It is none.
    """
    if not response.is_success:
        response.close()
        raise _error(response, host, what)
    return response


def _error(response: httpx2.Response, host: str, what: str) -> ImageError:
    status = response.status_code
    if status == UNAUTHORIZED:
        return AccessError(f"{host}: authentication is required for {what}, or these credentials are wrong")
    if status == FORBIDDEN:
        return AccessError(f"{host}: these credentials do not allow to read {what}")
    if status == NOT_FOUND:
        return NotFoundError(f"{host} has no {what}")
    if status == TOO_MANY:
        after = response.headers.get("retry-after", "")
        seconds = float(after) if after.isdecimal() else None
        return RateLimitError(f"{host} limits the rate of requests; try again later", seconds)
    if status >= SERVER:
        return UnavailableError(f"{host} cannot serve {what} now: status {status}")
    return UnavailableError(f"{host}: an answer of status {status} for {what}")


def _is_about_certificates(error: BaseException | None) -> bool:
    seen = 0
    while error is not None and seen < 10:  # noqa: PLR2004 # a chain that long is a circle
        if isinstance(error, ssl.SSLCertVerificationError) or "CERTIFICATE_VERIFY_FAILED" in str(error):
            return True
        error, seen = error.__cause__ or error.__context__, seen + 1
    return False
