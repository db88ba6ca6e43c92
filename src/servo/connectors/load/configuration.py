"""The `load` section of servo.yaml."""

from __future__ import annotations

import re
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal, Self

from pydantic import ConfigDict, Field, SecretStr, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.connectors.guard import GuardConfiguration
from servo.connectors.load.requests import Origin, origin_of
from servo.connectors.load.targets import MAX_TEXT, Target, TargetError, parse
from servo.types.core import Duration

MAX_RATE = 200_000.0
MAX_STEPS = 100
MAX_TIMEOUT = 600.0

_RATE = re.compile(r"(?P<hits>[0-9]+(?:\.[0-9]+)?)/(?P<interval>\S+)")
_STATUS = re.compile(r"[1-5](?:[0-9]{2}|xx)")
_MIN_INTERVAL = 0.1
_CLASS_SIZE = 100


def parse_rate(value: object) -> object:
    """Requests per second of `500` or `30000/1m`.

    Raises:
        ValueError: It is neither.
    """
    if not isinstance(value, str):
        return value
    match = _RATE.fullmatch(value.strip())
    if match is None:
        return value
    seconds = Duration(match["interval"]).total_seconds()
    if seconds <= 0:
        raise ValueError(f"the interval of rate {value!r} is zero")
    return float(Decimal(match["hits"]) / Decimal(str(seconds)))


def parse_statuses(values: list[str]) -> frozenset[int]:
    """Status codes meant by `200` and `2xx`.

    Raises:
        ValueError: One is neither.
    """
    codes: set[int] = set()
    for value in values:
        if not _STATUS.fullmatch(value):
            raise ValueError(f"{value!r} is no status; write one such as 204, or a class such as 2xx")
        first = int(value.replace("xx", "00"))
        codes.update(range(first, first + (_CLASS_SIZE if value.endswith("xx") else 1)))
    return frozenset(codes)


Rate = Annotated[float, Field(gt=0, le=MAX_RATE)]


class SustainedConfiguration(AbstractBaseConfiguration):
    """When a step of a step load counts as sustained."""

    rate: float = Field(
        default=0.95, gt=0, le=1, description="Least share of the step's rate that is answered."
    )
    error_rate: float = Field(default=1.0, ge=0, le=100, description="Most failed requests, in percent.")
    latency_p99: Duration | None = Field(default=None, description="Longest 99th percentile of the latency.")


class LoadConfiguration(BaseConfiguration):
    """What is requested, how often, and what counts as a failure."""

    model_config = ConfigDict(extra="forbid")

    url: str | None = Field(
        default=None,
        description="What to request with GET if there are no targets; else the URL that relative targets start from.",
        examples=["http://127.0.0.1:8000/"],
    )
    targets: str | None = Field(default=None, max_length=MAX_TEXT, description="Targets, written here.")
    targets_file: Path | None = Field(default=None, description="File with the targets.")
    format: Literal["http", "jsonl"] = Field(
        default="http",
        description="Form of the targets: http (request line, headers, @body file) or jsonl (an object a line).",
    )
    order: Literal["cycle", "random"] = Field(
        default="cycle", description="Targets in turn, or drawn at random (the same for each measurement)."
    )
    headers: dict[str, str] = Field(
        default_factory=dict, description="Headers of every request without its own."
    )
    secret_headers: dict[str, SecretStr] = Field(
        default_factory=dict,
        description="The same for values that no output may show, such as Authorization.",
    )
    rate: Rate | None = Field(
        default=None, description="Open loop, constant: requests per second, or such as 30000/1m."
    )
    steps: list[Rate] | None = Field(
        default=None,
        min_length=1,
        max_length=MAX_STEPS,
        description="Open loop, in steps: the rates; each takes an equal share of the measurement.",
    )
    concurrency: int | None = Field(
        default=None,
        ge=1,
        le=10_000,
        description="Closed loop: users that each ask again as soon as they are answered. Finds the most that "
        "an application can do; its latencies are those of that crowd, not of users who come by themselves.",
    )
    arrivals: Literal["even", "poisson"] = Field(
        default="even",
        description="Gaps between requests of an open loop: equal, or random as of independent users.",
    )
    seed: int = Field(default=0, ge=0, description="Of what is random.")
    connections: int = Field(default=256, ge=1, le=20_000, description="Most connections.")
    keepalive: bool = Field(default=True, description="Use connections again.")
    timeout: Duration = Field(
        default=Duration("10s"), description="Time a request may take, from when it was meant to be sent."
    )
    max_body: int = Field(
        default=10 * 1024 * 1024,
        ge=0,
        le=1024**3,
        description="Bytes of an answer; a longer one counts as failed.",
    )
    expect: list[str] = Field(
        default=["2xx"], min_length=1, max_length=100, description="Statuses of success, as 204 or 2xx."
    )
    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    processes: int = Field(default=1, ge=1, le=64, description="Processes that generate the load.")
    prompt: bool = Field(
        default=True,
        description="Have the system run the generator before all else, where that is permitted, so that it is on time.",
    )
    interval: Duration = Field(
        default=Duration("1s"), description="Time between two looks at the running load."
    )
    max_lag: Duration = Field(
        default=Duration("10ms"),
        description="How late the generator itself may send before a measurement counts as failed (load-saturated).",
    )
    sustained: SustainedConfiguration = Field(
        default_factory=SustainedConfiguration, description="When a step counts as sustained."
    )
    fast_fail: GuardConfiguration = Field(
        default_factory=GuardConfiguration, description="How objectives are watched while a load runs."
    )
    series: bool = Field(
        default=False,
        description="Report each metric as a series (a value per step, or per part of the measurement) instead of one "
        "value over the whole.",
    )
    check_duration: Duration = Field(
        default=Duration("2s"), description="How long the load of the checks takes."
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample: 50 requests a second to a service on this machine."""
        return super().generate(**{"url": "http://127.0.0.1:8000/", "rate": 50.0} | values)

    @field_validator("rate", mode="before")
    @classmethod
    def _parse_rate(cls, value: object) -> object:
        return parse_rate(value)

    @field_validator("steps", mode="before")
    @classmethod
    def _parse_steps(cls, value: object) -> object:
        return [parse_rate(rate) for rate in value] if isinstance(value, list) else value

    @field_validator("expect")
    @classmethod
    def _check_expect(cls, value: list[str]) -> list[str]:
        parse_statuses(value)
        return value

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str | None) -> str | None:
        return None if value is None else Target("GET", value).url

    @field_validator("timeout", "check_duration", "max_lag")
    @classmethod
    def _bound(cls, value: Duration) -> Duration:
        if not 0 < value.total_seconds() <= MAX_TIMEOUT:
            raise ValueError("more than zero and at most 10m")
        return value

    @field_validator("interval")
    @classmethod
    def _interval(cls, value: Duration) -> Duration:
        if value.total_seconds() < _MIN_INTERVAL:
            raise ValueError("at least 100ms")
        return value

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        loops = [name for name in ("rate", "steps", "concurrency") if getattr(self, name) is not None]
        if len(loops) != 1:
            raise ValueError(f"give one of rate, steps and concurrency, not {' and '.join(loops) or 'none'}")
        if self.targets is not None and self.targets_file is not None:
            raise ValueError("targets and targets_file exclude each other")
        if self.url is None and self.targets is None and self.targets_file is None:
            raise ValueError("there is nothing to request: give url, targets or targets_file")
        if self.processes > max(self.concurrency or self.processes, 1):
            raise ValueError("more processes than concurrency: each process needs a user")
        for name, value in self.every_header().items():
            Target("GET", "http://localhost/", ((name, value),))
        if self.targets is not None:
            self.parse_targets()
        return self

    def every_header(self) -> dict[str, str]:
        """Headers that every request gets, the secret ones in clear."""
        return self.headers | {name: value.get_secret_value() for name, value in self.secret_headers.items()}

    def parse_targets(self) -> list[Target]:
        """What is requested.

        Raises:
            TargetError: The targets cannot be read or are not valid; the message says where.
        """
        if self.targets_file is not None:
            found = parse(
                _read(self.targets_file), form=self.format, base=self.url, folder=self.targets_file.parent
            )
        elif self.targets is not None:
            found = parse(self.targets, form=self.format, base=self.url)
        else:
            found = [Target("GET", self.url or "")]
        headers = self.every_header()
        return [target.with_defaults(headers) for target in found]

    def origins(self) -> list[Origin]:
        """The hosts that are contacted, and no others."""
        return list(dict.fromkeys(origin_of(target.url) for target in self.parse_targets()))


def _read(path: Path) -> str:
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TEXT + 1)
        return content.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise TargetError(f"cannot read the targets of {path}: {reason}") from error
