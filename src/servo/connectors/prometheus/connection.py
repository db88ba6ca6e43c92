"""How a Prometheus is reached: who we are, whom we trust, and how much is asked of it."""

from __future__ import annotations

import base64
import re
import ssl
from pathlib import Path
from typing import Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.connectors.prometheus.errors import UnavailableError
from servo.types.core import Duration

__all__ = ["BasicAuth", "ConnectionConfiguration", "LimitsConfiguration", "TlsConfiguration"]

SERVER_POINTS = 11_000
"""Points of a series that Prometheus gives at most; it refuses ranges of more."""

MAX_SECRET = 8192
_MAX_HEADERS = 100
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
_TEN_MINUTES = Duration("10m")


class BasicAuth(AbstractBaseConfiguration):
    """A user and a password."""

    username: str = Field(min_length=1, description="Name of the user.")
    password: SecretStr | None = Field(default=None, description="Password of the user.")
    password_file: Path | None = Field(
        default=None, description="File with the password, read for each request."
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if (self.password is None) == (self.password_file is None):
            raise ValueError("give one of password and password_file")
        return self

    def header(self) -> str:
        """The value of the header ``Authorization``."""
        password = self.password.get_secret_value() if self.password else _read_secret(self.password_file)
        return "Basic " + base64.b64encode(f"{self.username}:{password}".encode()).decode()


class TlsConfiguration(AbstractBaseConfiguration):
    """Whom we trust, and who we are."""

    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    cert_file: Path | None = Field(default=None, description="Our own certificate.")
    key_file: Path | None = Field(default=None, description="Its key, if that is in a file of its own.")
    server_name: str | None = Field(
        default=None, description="Name that the server's certificate is for, if it is not the URL's."
    )
    insecure_skip_verify: bool = Field(
        default=False,
        description="Trust anybody: whoever is in between reads the token, and makes up the metrics.",
    )

    @model_validator(mode="after")
    def _check(self) -> Self:
        if self.key_file is not None and self.cert_file is None:
            raise ValueError("key_file is the key of a cert_file, and there is none")
        return self

    def context(self) -> ssl.SSLContext:
        """What a connection is made with.

        Raises:
            UnavailableError: A file cannot be read, or is no certificate.
        """
        try:
            made = _trusting(self.ca_file)
            if self.cert_file is not None:
                made.load_cert_chain(self.cert_file, self.key_file)
        except OSError as error:
            files = ", ".join(str(path) for path in (self.ca_file, self.cert_file, self.key_file) if path)
            raise UnavailableError(f"tls_config: cannot read the certificates of {files}: {error}") from error
        if self.insecure_skip_verify:
            made.check_hostname, made.verify_mode = False, ssl.CERT_NONE
        return made


class LimitsConfiguration(AbstractBaseConfiguration):
    """How much is asked of a server."""

    concurrency: int = Field(default=4, ge=1, le=100, description="Requests at once.")
    max_points: int = Field(
        default=SERVER_POINTS,
        ge=1,
        le=SERVER_POINTS,
        description="Points of each series in one answer; a longer range is asked for in pieces.",
    )
    max_series: int = Field(default=500, ge=1, le=100_000, description="Series that a query may give.")
    max_samples: int = Field(
        default=1_000_000,
        ge=1,
        le=50_000_000,
        description="Values in one answer: pieces are short enough for it even if there are max_series.",
    )
    max_queries: int = Field(
        default=1000, ge=1, le=1_000_000, description="Requests that the metrics of a measurement may take."
    )

    @property
    def piece(self) -> int:
        """Points of each series that are asked for at once."""
        return max(min(self.max_points, self.max_samples // self.max_series), 1)


class ConnectionConfiguration(BaseConfiguration):
    """How a server is reached."""

    model_config = ConfigDict(extra="forbid")

    bearer_token: SecretStr | None = Field(default=None, description="Token to show.")
    bearer_token_file: Path | None = Field(
        default=None, description="File with the token, read for each request, for it may be renewed."
    )
    basic_auth: BasicAuth | None = Field(default=None, description="User and password to show.")
    headers: dict[str, str] = Field(
        default_factory=dict, max_length=_MAX_HEADERS, description="Headers to send, such as X-Scope-OrgID."
    )
    secret_headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        max_length=_MAX_HEADERS,
        description="The same for values that no output may show.",
    )
    tls_config: TlsConfiguration | None = Field(
        default=None,
        description="Whom to trust, and our own certificate; certificates are verified without it, too.",
    )
    timeout: Duration = Field(
        default=Duration("30s"), description="Time for each request; the server is told to give up then, too."
    )
    retry_time: Duration = Field(
        default=Duration("1m"), description="For how long a request is tried again if what failed may pass."
    )
    limits: LimitsConfiguration = Field(
        default_factory=lambda: LimitsConfiguration.model_validate({}),
        description="How much is asked of the server.",
    )

    @field_validator("timeout")
    @classmethod
    def _check_timeout(cls, value: Duration) -> Duration:
        if not Duration(0) < value <= _TEN_MINUTES:
            raise ValueError("more than zero and at most 10m")
        return value

    @field_validator("retry_time")
    @classmethod
    def _check_retry_time(cls, value: Duration) -> Duration:
        if not Duration(0) <= value <= _TEN_MINUTES:
            raise ValueError("at least zero and at most 10m")
        return value

    @field_validator("headers", "secret_headers")
    @classmethod
    def _check_headers(cls, value: dict[str, str | SecretStr]) -> dict[str, str | SecretStr]:
        for name, content in value.items():
            text = content if isinstance(content, str) else content.get_secret_value()
            if not _HEADER_NAME.fullmatch(name) or not _HEADER_VALUE.fullmatch(text):
                raise ValueError(f"{name!r} or its value has a character that headers cannot have")
        return value

    @model_validator(mode="after")
    def _check_one_identity(self) -> Self:
        given = [
            name
            for name in ("bearer_token", "bearer_token_file", "basic_auth")
            if getattr(self, name) is not None
        ]
        if any(name.lower() == "authorization" for name in (*self.headers, *self.secret_headers)):
            given.append("a header Authorization")
        if len(given) > 1:
            raise ValueError(f"{' and '.join(given)} exclude each other")
        return self

    def every_header(self) -> dict[str, str]:
        """Headers of a request, the secret ones in clear; files are read now.

        Raises:
            UnavailableError: A file cannot be read.
        """
        secret = {name: value.get_secret_value() for name, value in self.secret_headers.items()}
        authorization = self._authorization()
        return {**self.headers, **secret, **({"Authorization": authorization} if authorization else {})}

    def _authorization(self) -> str | None:
        if self.basic_auth is not None:
            return self.basic_auth.header()
        if self.bearer_token is not None:
            return f"Bearer {self.bearer_token.get_secret_value()}"
        return None if self.bearer_token_file is None else f"Bearer {_read_secret(self.bearer_token_file)}"


def _trusting(path: Path | None) -> ssl.SSLContext:
    if path is not None and path.is_dir():
        return ssl.create_default_context(capath=path)
    return ssl.create_default_context(cafile=path)


def _read_secret(path: Path | None) -> str:
    assert path is not None
    try:
        with path.open("rb") as file:
            text = file.read(MAX_SECRET + 1).decode().strip()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        raise UnavailableError(f"cannot read the secret in {path}: {reason}") from error
    if not text or len(text) > MAX_SECRET or not _HEADER_VALUE.fullmatch(text):
        raise UnavailableError(f"{path} holds no secret: it is empty, too long, or has several lines")
    return text
