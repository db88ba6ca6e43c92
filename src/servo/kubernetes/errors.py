"""What can go wrong between a client and a cluster.

::

    ServoError
    └── KubernetesError
        ├── ConfigurationError          no cluster is named, or a kubeconfig cannot be used
        ├── CredentialsError            an exec plugin or a file gives no credentials
        ├── UnreachableError            no answer, or one that breaks off
        │   └── CertificateError        the server's certificate is not trusted
        ├── CommandTimeoutError         a command in a container did not end in time (also a TimeoutError)
    ├── AnswerError                 an answer that is too large, or no JSON
        └── ApiError                    the server answered with an error
            ├── UnauthorizedError       401
            ├── ForbiddenError          403
            ├── NotFoundError           404
            ├── ConflictError           409
            │   └── AlreadyExistsError  409 whose reason is AlreadyExists
            ├── GoneError               410
            ├── InvalidError            422
            └── TooManyRequestsError    429
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servo import errors

__all__ = [
    "AlreadyExistsError",
    "AnswerError",
    "ApiError",
    "CertificateError",
    "CommandTimeoutError",
    "ConfigurationError",
    "ConflictError",
    "CredentialsError",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "KubernetesError",
    "NotFoundError",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnreachableError",
    "api_error",
]

MAX_MESSAGE = 2048
_PASSING = frozenset({429, 500, 502, 503, 504})


class KubernetesError(errors.ServoError):
    """Root of what this package raises.

    Attributes:
        transient: Whether the same request may succeed later, with nothing changed by anybody.
    """

    transient: bool = False


class ConfigurationError(KubernetesError, errors.ConfigurationError):
    """No cluster is named, or what names it cannot be used. Its text has the place and the remedy."""


class CredentialsError(KubernetesError):
    """What a kubeconfig names as the source of credentials gives none."""

    transient = True


class UnreachableError(KubernetesError):
    """There was no answer in time, or it broke off. Whether the request was carried out is not known."""

    transient = True


class CertificateError(UnreachableError):
    """The server's certificate is not trusted, or is for another name."""

    transient = False


class AnswerError(KubernetesError):
    """An answer is larger than what is read, or is not what the API says."""


class CommandTimeoutError(KubernetesError, TimeoutError):
    """A command in a container did not end in time. It may still run: a container has no handle of it."""


class ApiError(KubernetesError):
    """The server answered with an error.

    Args:
        status: The HTTP status.
        reason: Kubernetes' word for it, e.g. ``NotFound``; empty if there was none.
        message: The server's sentence.
        details: What else the ``Status`` object says: ``name``, ``kind``, ``causes``, ``retryAfterSeconds``.
    """

    def __init__(
        self, status: int, reason: str = "", message: str = "", details: Mapping[str, Any] | None = None
    ) -> None:
        said = message or f"the server answered {status}"
        super().__init__(f"{said} ({status} {reason})" if reason else f"{said} ({status})", reason)
        self.status = status
        self.message = message
        self.details = dict(details or {})
        self.transient = status in _PASSING

    @property
    def causes(self) -> list[dict[str, Any]]:
        """Which fields are wrong, of 422: objects with ``field``, ``reason`` and ``message``."""
        causes = self.details.get("causes")
        return [cause for cause in causes if isinstance(cause, dict)] if isinstance(causes, list) else []


class UnauthorizedError(ApiError):
    """401: the credentials are not accepted, newly read ones neither."""


class ForbiddenError(ApiError):
    """403: a role does not allow it, or an admission controller or a quota refuses it."""


class NotFoundError(ApiError):
    """404: no such object, or no such kind of object."""


class ConflictError(ApiError):
    """409: the object was changed in between, or a field belongs to another manager."""


class AlreadyExistsError(ConflictError):
    """409: there is an object of this name."""


class GoneError(ApiError):
    """410: the version asked for is no longer kept; list anew."""


class InvalidError(ApiError):
    """422: the object is not valid; ``causes`` names the fields."""


class TooManyRequestsError(ApiError):
    """429: the server, or a disruption budget, asks for patience."""


_BY_STATUS: Mapping[int, type[ApiError]] = {
    401: UnauthorizedError,
    403: ForbiddenError,
    404: NotFoundError,
    409: ConflictError,
    410: GoneError,
    422: InvalidError,
    429: TooManyRequestsError,
}


def api_error(status: int, body: Any) -> ApiError:
    """Return the error for an answer.

    Args:
        status: The HTTP status, or the ``code`` of a watch's ERROR.
        body: The decoded ``Status`` object, or the text of an answer by something else, e.g. a proxy.
    """
    found = body if isinstance(body, dict) else {}
    reason = str(found.get("reason") or "")[:128]
    message = str(found.get("message") or "") if isinstance(body, dict) else str(body)
    details = found.get("details")
    kind = AlreadyExistsError if reason == "AlreadyExists" else _BY_STATUS.get(status, ApiError)
    return kind(status, reason, message[:MAX_MESSAGE].strip(), details if isinstance(details, dict) else None)
