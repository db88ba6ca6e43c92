"""The sections every servo has: how it talks to its optimizer, how it checks itself, when it gives up a measurement."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

from pydantic import (
    Field,
    RootModel,
    SerializationInfo,
    field_serializer,
    field_validator,
    model_validator,
)

from servo.configuration.base import AbstractBaseConfiguration
from servo.types.core import Duration, ErrorSeverity
from servo.utilities.strings import without_password

__all__ = [
    "BackoffConfigurations",
    "BackoffContexts",
    "BackoffSettings",
    "ChecksConfiguration",
    "CommonConfiguration",
    "FastFailConfiguration",
    "Proxies",
    "Timeouts",
]

DEFAULT = "__default__"
CONNECT = "connect"
# Made once: ten thousand servos have them.
_TEN_MINUTES = Duration("10m")
_AN_HOUR = Duration("1h")
_PROXY_PREFIXES = ("http://", "https://", "all://")

Proxies = str | dict[str, str | None] | None
"""A proxy for everything, or one for each prefix of an address; None for an address that shall be reached directly."""


def masked_proxies(proxies: Proxies) -> Proxies:
    """Return proxies as they may be shown, without the passwords in their addresses."""
    if isinstance(proxies, dict):
        return {prefix: url and without_password(url) for prefix, url in proxies.items()}
    return proxies and without_password(proxies)


class BackoffContexts:
    """Names of the contexts that the agent itself retries in."""

    default = DEFAULT
    connect = CONNECT


class BackoffSettings(AbstractBaseConfiguration):
    """How long and how often one kind of operation is tried again."""

    max_time: Duration | None = Field(default=None, description="Stop retrying after this long.")
    max_tries: int | None = Field(default=None, ge=1, description="Stop after this many tries.")


class BackoffConfigurations(RootModel[dict[str, BackoffSettings]]):
    """Retry limits by context; a context that is not named uses ``__default__``."""

    root: dict[str, BackoffSettings] = Field(
        default_factory=lambda: {
            DEFAULT: BackoffSettings.model_validate({"max_time": _TEN_MINUTES}),
            CONNECT: BackoffSettings.model_validate({"max_time": _AN_HOUR}),
        }
    )

    @model_validator(mode="before")
    @classmethod
    def _keep_defaults(cls, value: Any) -> Any:
        """Contexts that are not given keep their defaults, so naming one never unbounds another."""
        if isinstance(value, Mapping):
            return {DEFAULT: {"max_time": _TEN_MINUTES}, CONNECT: {"max_time": _AN_HOUR}, **value}
        return value

    def __getitem__(self, context: str) -> BackoffSettings:
        return self.root[context]

    def __iter__(self) -> Iterator[str]:  # type: ignore[override]  # a mapping iterates over its keys
        return iter(self.root)

    def get(self, context: str = DEFAULT) -> BackoffSettings:
        """Return the settings of a context, those of ``__default__`` if it has none."""
        return self.root.get(context) or self.root[DEFAULT]

    def max_time(self, context: str = DEFAULT) -> float | None:
        """Return after how many seconds to stop retrying; None for never."""
        limit = self.get(context).max_time
        return None if limit is None else limit.total_seconds()

    def max_tries(self, context: str = DEFAULT) -> int | None:
        """Return after how many tries to stop; None for no limit."""
        return self.get(context).max_tries


class Timeouts(AbstractBaseConfiguration):
    """How long each step of an HTTP exchange may take; what is not given keeps its finite default."""

    connect: Duration | None = Field(default=None, description="Establishing a connection (default 10s).")
    read: Duration | None = Field(
        default=None, description="Waiting for a piece of the response (default 60s)."
    )
    write: Duration | None = Field(default=None, description="Sending a piece of the request (default 30s).")
    pool: Duration | None = Field(default=None, description="Waiting for a free connection (default 60s).")

    def __init__(self, timeout: Any = None, /, **values: Any) -> None:
        every = {} if timeout is None else dict.fromkeys(("connect", "read", "write", "pool"), timeout)
        super().__init__(**{**every, **values})

    __init__.__pydantic_base_init__ = True  # type: ignore[attr-defined]  # nested values are made without it

    @model_validator(mode="before")
    @classmethod
    def _same_for_all(cls, value: Any) -> Any:
        if value is None or isinstance(value, Mapping | Timeouts):
            return value
        # Read once, so that what is wrong with it is said once.
        return dict.fromkeys(("connect", "read", "write", "pool"), Duration(value))


class CommonConfiguration(AbstractBaseConfiguration):
    """How the servo and its connectors talk over the network."""

    backoff: BackoffConfigurations = Field(
        default_factory=BackoffConfigurations, description="Retry limits by kind of operation."
    )
    proxies: Proxies = Field(
        default=None,
        description="Proxy URL, or a map from http://, https:// or all:// prefixes to one. "
        "Unset: HTTP_PROXY, HTTPS_PROXY and NO_PROXY are honoured.",
    )
    timeouts: Timeouts | None = Field(
        default=None, description="Timeouts of HTTP requests: one for all, or connect, read, write and pool."
    )
    ssl_verify: bool | Path | None = Field(
        default=None,
        description="Path of a CA bundle to trust, or false to trust anybody. Unset: certificates are verified.",
    )
    command_timeout: Duration = Field(
        default=_AN_HOUR,
        description="How much longer than the time it asks for (warm-up, duration, delay, settlement) a command may "
        "take; then it is broken off and has failed.",
    )

    @field_validator("command_timeout")
    @classmethod
    def _takes_time(cls, value: Duration) -> Duration:
        if value <= Duration(0):
            raise ValueError(f"must be greater than zero, not {value}")
        return value

    @field_validator("proxies")
    @classmethod
    def _addresses(cls, value: Proxies) -> Proxies:
        if isinstance(value, str) and "://" not in value:
            raise ValueError("a proxy is a URL such as http://proxy.example:3128")
        if isinstance(value, dict):
            for prefix in value:
                if not prefix.startswith(_PROXY_PREFIXES):
                    raise ValueError(f"the prefix {prefix!r} must start with http://, https:// or all://")
        return value

    @field_serializer("proxies", when_used="json")
    def _without_passwords(self, value: Proxies, info: SerializationInfo) -> Proxies:
        return value if info.context and info.context.get("reveal_secrets") else masked_proxies(value)

    def __repr_args__(self) -> Iterator[tuple[str | None, Any]]:
        for name, value in super().__repr_args__():
            yield name, masked_proxies(value) if name == "proxies" else value

    @field_validator("ssl_verify")
    @classmethod
    def _bundle_exists(cls, value: Any) -> Any:
        if isinstance(value, Path) and not value.exists():
            raise ValueError(f"there is no CA bundle at {str(value)!r}")
        return value


class FastFailConfiguration(AbstractBaseConfiguration):
    """When a measurement that violates its SLOs is broken off."""

    disabled: Literal[0, 1] = Field(default=0, description="1: never break off.")
    period: Duration = Field(default=Duration("60s"), description="How often the SLOs are looked at.")
    span: Duration = Field(
        default=None, validate_default=True, description="Of how long a time each look is; default: period."
    )
    skip: Duration = Field(
        default=Duration("0"), description="For how long after the start nothing is looked at."
    )
    treat_zero_as_missing: bool = Field(
        default=False, description="Whether a metric of zero counts as no metric."
    )

    @field_validator("span", mode="before")
    @classmethod
    def _span_is_period(cls, value: Any, info: Any) -> Any:
        return info.data.get("period") if value is None else value

    @field_validator("period", "span")
    @classmethod
    def _positive(cls, value: Duration) -> Duration:
        if value is not None and value <= Duration(0):
            raise ValueError(f"must be greater than zero, not {value}")
        return value


class ChecksConfiguration(AbstractBaseConfiguration):
    """Which checks run before a servo starts, and for how long they are tried again."""

    connectors: list[str] | None = Field(
        default=None, description="Names of the connectors to check; unset: all."
    )
    name: list[str] | None = Field(default=None, description="Names of the checks to run, or one /regex/.")
    id: list[str] | None = Field(
        default=None, description="Ids of the checks to run, or one /regex/ or comma list."
    )
    tag: list[str] | None = Field(default=None, description="Tags of the checks to run, or one comma list.")
    quiet: bool = Field(default=False, description="Print no table.")
    verbose: bool = Field(default=False, description="Print ids, tags and messages.")
    progressive: bool = Field(
        default=True, description="Log results as they come instead of printing tables."
    )
    wait: str = Field(default="30m", description="Keep trying failing checks this long; 0: one pass.")
    delay: str = Field(default="expo", description="Pause between passes, or expo for 8s, 16s, 32s, ...")
    halt_on: ErrorSeverity | None = Field(
        default=ErrorSeverity.critical,
        description="The severity of a failure that ends the checks of a connector.",
    )
    remedy: bool = Field(default=True, description="Run the remedies of failing checks.")
    check_halting: bool = Field(default=False, description="Look at no more results after the first failure.")

    @field_validator("connectors", "name", "id", "tag", mode="before")
    @classmethod
    def _one_is_a_list(cls, value: Any) -> Any:
        return [value] if isinstance(value, str) else value

    @field_validator("wait", "delay", mode="after")
    @classmethod
    def _durations(cls, value: str) -> str:
        if value not in {"", "expo"}:
            Duration(value)
        return value
