"""The `vegeta` section of servo.yaml."""

from __future__ import annotations

import re
from enum import StrEnum
from pathlib import Path
from typing import Any, Self

from pydantic import ConfigDict, Field, field_validator, model_validator

from servo.configuration import BaseConfiguration
from servo.connectors.vegeta.targets import MAX_TEXT, check_http, check_json, read_file
from servo.types.core import Duration

__all__ = ["TargetFormat", "VegetaConfiguration"]

UNLIMITED = 2**64 - 1
"""Vegeta's own default of its most workers."""

_RATE = re.compile(r"(?P<hits>[0-9]{1,9})(?:/(?P<interval>\S+))?")
_SHORTEST = Duration("1s")


class TargetFormat(StrEnum):
    """The form of the targets."""

    http = "http"
    json = "json"


class VegetaConfiguration(BaseConfiguration):
    """What vegeta requests, and how often."""

    model_config = ConfigDict(extra="forbid")

    rate: str = Field(
        description="Requests per second, such as 50; or per span of time, such as 500/1m. 0: as many as max_workers can.",
        examples=["50/1s"],
    )
    format: TargetFormat = Field(default=TargetFormat.http, description="Form of the targets: http or json.")
    target: str | None = Field(default=None, max_length=MAX_TEXT, description="Targets, written here.")
    targets: Path | None = Field(default=None, description="File with the targets.")
    connections: int = Field(default=10_000, ge=1, description="Most idle connections to a host.")
    workers: int = Field(default=10, ge=1, description="Workers at the beginning.")
    max_workers: int | None = Field(default=None, ge=1, description="Most workers; unset: no limit.")
    max_body: int = Field(default=-1, ge=-1, description="Bytes of an answer that are read; -1: all.")
    http2: bool = Field(default=True, description="Speak HTTP/2 where the server does.")
    keepalive: bool = Field(default=True, description="Use connections again.")
    insecure: bool = Field(default=False, description="Trust any certificate.")
    reporting_interval: Duration = Field(
        default=Duration("15s"), description="Time between two reports, each a value of every metric."
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample, which is the original's."""
        described = "Update the rate and target/targets to match your load profile"
        sample = {"description": described, "rate": "50/1s", "target": "GET https://example.com/"}
        return super().generate(**sample | values)

    @field_validator("rate", mode="before")
    @classmethod
    def _check_rate(cls, value: Any) -> Any:
        if isinstance(value, bool) or not isinstance(value, int | str):
            raise ValueError("a whole number, or such as 50/1s")  # noqa: TRY004  pydantic's kind of error
        match = _RATE.fullmatch(str(value).strip())
        if match is None:
            raise ValueError(
                f"{str(value)[:40]!r} is no rate: write a whole number of requests per second, or such as 50/1s"
            )
        if match["interval"] is not None and Duration(match["interval"]) <= Duration(0):
            raise ValueError("the span of time of a rate has to be more than zero")
        return match[0]

    @field_validator("targets")
    @classmethod
    def _check_file(cls, value: Path | None) -> Path | None:
        if value is not None and not value.is_file():
            raise ValueError(f"there is no file at {str(value)!r}")
        return value

    @field_validator("reporting_interval")
    @classmethod
    def _check_interval(cls, value: Duration) -> Duration:
        if value < _SHORTEST:
            raise ValueError("at least 1s")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if (self.target is None) == (self.targets is None):
            raise ValueError("give one of target and targets")
        if self.hits == 0 and self.max_workers is None:
            raise ValueError("a rate of 0 is as fast as can be, and needs max_workers to be bounded")
        self.read_targets()
        return self

    @property
    def hits(self) -> int:
        """Requests per :attr:`interval`."""
        return int(self.rate.partition("/")[0])

    @property
    def interval(self) -> Duration:
        """Of the rate."""
        return Duration(self.rate.partition("/")[2] or _SHORTEST)

    def read_targets(self) -> str:
        """The targets as vegeta reads them.

        Raises:
            ValueError: They cannot be read, or are not of the form.
        """
        text = self.target if self.targets is None else read_file(self.targets)
        return check_json(text or "") if self.format is TargetFormat.json else check_http(text or "")

    def arguments(self, duration: Duration) -> list[str]:
        """The arguments of ``vegeta attack``; its targets come by its standard input."""
        flags = {
            "rate": f"{self.hits}/{seconds(self.interval)}",
            "duration": seconds(duration),
            "format": self.format.value,
            "connections": self.connections,
            "workers": self.workers,
            "max-workers": UNLIMITED if self.max_workers is None else self.max_workers,
            "max-body": self.max_body,
            "http2": str(self.http2).lower(),
            "keepalive": str(self.keepalive).lower(),
            "insecure": str(self.insecure).lower(),
        }
        return ["attack", *(f"-{name}={value}" for name, value in flags.items())]


def seconds(duration: Duration) -> str:
    """A span of time as Go reads it, which knows no days."""
    return f"{duration.total_seconds():.6f}".rstrip("0").rstrip(".") + "s"
