"""The `process` section of servo.yaml."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.connectors.guard import GuardConfiguration
from servo.connectors.process.rendering import placeholders
from servo.connectors.process.settings import SettingConfiguration
from servo.types.core import Duration

_COMPONENT = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_-]{0,127}")
_ADDRESS = re.compile(r"(?:\[(?P<v6>[0-9a-fA-F:]+)\]|(?P<host>[^\s:/\[\]]+)):(?P<port>[0-9]{1,5}|\$\{port\})")
_MAX_SECONDS = 3600.0
_MAX_PATTERN = 1000


class TemplateConfiguration(AbstractBaseConfiguration):
    """A file of the application that is made of a template before each start."""

    source: Path = Field(
        description="The template; `${name}` stands for a setting's value, `$$` for a dollar sign."
    )
    target: Path = Field(description="The file that is written.")


class ReadinessConfiguration(AbstractBaseConfiguration):
    """How it is seen that the application is up: by one of `http`, `tcp` and `log`, else by its not ending."""

    http: str | None = Field(
        default=None, max_length=2048, description="URL that answers with a status below 400."
    )
    tcp: str | None = Field(default=None, max_length=300, description="host:port that accepts connections.")
    log: str | None = Field(
        default=None,
        max_length=_MAX_PATTERN,
        description="Regular expression that a line of its output matches.",
    )
    timeout: Duration = Field(default=Duration("30s"), description="Time it may take.")
    interval: Duration = Field(default=Duration("100ms"), description="Time between two looks.")

    @field_validator("http")
    @classmethod
    def _check_http(cls, value: str | None) -> str | None:
        if value is not None:
            parts = urlsplit(value.replace("${port}", "1"))
            if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username is not None:
                raise ValueError(f"{value!r} is not an http:// or https:// URL with a host")
            if parts.port == 0:
                raise ValueError(f"{value!r} has port 0")
        return value

    @field_validator("tcp")
    @classmethod
    def _check_tcp(cls, value: str | None) -> str | None:
        if value is not None and not _ADDRESS.fullmatch(value):
            raise ValueError(f"{value!r} is not host:port")
        return value

    @field_validator("log")
    @classmethod
    def _check_log(cls, value: str | None) -> str | None:
        try:
            re.compile(value or "")
        except re.error as error:
            raise ValueError(f"{value!r} is no regular expression: {error}") from error
        return value

    @field_validator("timeout", "interval")
    @classmethod
    def _bound(cls, value: Duration) -> Duration:
        return bounded(value)

    @model_validator(mode="after")
    def _one(self) -> Self:
        given = [name for name in ("http", "tcp", "log") if getattr(self, name) is not None]
        if len(given) > 1:
            raise ValueError(f"give one of http, tcp and log, not {' and '.join(given)}")
        return self

    def address(self, port: int | None) -> tuple[str, int] | None:
        """Host and port that are asked, if any are."""
        if self.http is not None:
            parts = urlsplit(self.http.replace("${port}", str(port)))
            return parts.hostname or "", parts.port or (443 if parts.scheme == "https" else 80)
        if self.tcp is not None and (match := _ADDRESS.fullmatch(self.tcp)):
            return match["v6"] or match["host"], int(match["port"].replace("${port}", str(port)))
        return None


class DrainConfiguration(AbstractBaseConfiguration):
    """How the application is ended."""

    signal: Literal["TERM", "INT", "QUIT"] = Field(default="TERM", description="Signal that asks it to end.")
    grace: Duration = Field(default=Duration("10s"), description="Time until what is left of it is killed.")

    @field_validator("grace")
    @classmethod
    def _bound(cls, value: Duration) -> Duration:
        return bounded(value, zero=True)


class ProcessConfiguration(BaseConfiguration):
    """An application that runs as a child of the agent, and what of it can be adjusted."""

    command: list[str] = Field(
        min_length=1,
        max_length=1000,
        description="Program and arguments, without a shell; `${port}` and `${name}` of a setting are replaced.",
        examples=[["python", "app.py", "--port", "${port}"]],
    )
    directory: Path = Field(default=Path(), description="Working directory of the application.")
    component: str = Field(default="app", description="Name of the component that has the settings.")
    settings: list[SettingConfiguration] = Field(
        default_factory=list, max_length=200, description="What can be adjusted."
    )
    environment: dict[str, str] = Field(default_factory=dict, description="Variables of the application.")
    secret_environment: dict[str, SecretStr] = Field(
        default_factory=dict, description="The same for values that no output may show."
    )
    inherit_environment: bool = Field(
        default=True, description="Pass on the agent's variables too, its own credentials excepted."
    )
    template: TemplateConfiguration | None = Field(default=None, description="A file made before each start.")
    port: int | None = Field(
        default=None,
        ge=1,
        le=65535,
        description="Port of the application: PORT and `${port}`; it must be free before a start.",
    )
    readiness: ReadinessConfiguration = Field(
        default_factory=ReadinessConfiguration, description="How it is seen that the application is up."
    )
    drain: DrainConfiguration = Field(
        default_factory=DrainConfiguration, description="How the application is ended."
    )
    settlement: Duration = Field(
        default=Duration("1s"),
        description="Time it must stay up after that; an adjustment may ask for another.",
    )
    sample_interval: Duration = Field(
        default=Duration("500ms"), description="Time between two looks at its memory."
    )
    fast_fail: GuardConfiguration = Field(
        default_factory=GuardConfiguration,
        description="How objectives are watched while it is measured.",
    )
    state_directory: Path = Field(
        default=Path(".servo"),
        description="Where its log and its last good settings are kept, from the working directory.",
    )
    log_limit: int = Field(
        default=10 * 1024 * 1024, ge=1024, le=1024**3, description="Bytes of its output that are kept."
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample: a program with one setting."""
        return super().generate(**_SAMPLE | values)

    @field_validator("command")
    @classmethod
    def _check_command(cls, value: list[str]) -> list[str]:
        if not value[0] or any("\0" in part for part in value):
            raise ValueError("the program has no name, or an argument has a NUL character")
        return value

    @field_validator("component")
    @classmethod
    def _check_component(cls, value: str) -> str:
        if not _COMPONENT.fullmatch(value):
            raise ValueError("a component's name has letters, digits, `_` and `-`")
        return value

    @field_validator("settlement", "sample_interval")
    @classmethod
    def _bound(cls, value: Duration) -> Duration:
        return bounded(value, zero=True)

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        names = [setting.name for setting in self.settings]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"setting {twice[0]!r} is there twice")
        if "port" in names:
            raise ValueError("a setting cannot be named port: `${port}` is the port of the application")
        variables = [setting.environment for setting in self.settings if setting.environment]
        taken = set(self.environment) | set(self.secret_environment) | ({"PORT"} if self.port else set())
        for variable in variables:
            if variable in taken or variables.count(variable) > 1:
                raise ValueError(f"the variable {variable} is given twice")
        self._check_uses()
        return self

    def _check_uses(self) -> None:
        used = {name for part in self.command for name in placeholders(part)}
        known = {setting.name for setting in self.settings} | {"port"}
        if unknown := sorted(used - known):
            raise ValueError(f"the command has ${{{unknown[0]}}}, and there is no such setting")
        asked = (self.readiness.http or "") + (self.readiness.tcp or "")
        if self.port is None and ("port" in used or "${port}" in asked):
            raise ValueError("${port} is used, and no port is given")
        for setting in self.settings:
            goes = (setting.environment, setting.argument, getattr(setting, "arguments", None), self.template)
            if not any(goes) and setting.name not in used:
                raise ValueError(
                    f"setting {setting.name!r} goes nowhere: give it an environment variable or an argument, "
                    "or use it in the command or a template"
                )

    def state_file(self) -> Path:
        """Where the last good settings are kept."""
        return self.directory / self.state_directory / f"{self.component}.json"

    def log_file(self) -> Path:
        """Where the application's output is kept."""
        return self.directory / self.state_directory / f"{self.component}.log"

    def lock_file(self) -> Path:
        """What is locked while an agent runs the application."""
        return self.directory / self.state_directory / f"{self.component}.lock"


def bounded(value: Duration, *, zero: bool = False) -> Duration:
    """A duration that is sensible.

    Raises:
        ValueError: It is not.
    """
    seconds = value.total_seconds()
    if seconds > _MAX_SECONDS or seconds < 0 or (seconds == 0 and not zero):
        raise ValueError(f"{value} is not {'between zero' if zero else 'more than zero'} and at most 1h")
    return value


_SAMPLE: dict[str, object] = {
    "command": ["python", "app.py", "--port", "${port}"],
    "component": "web",
    "port": 8000,
    "readiness": {"tcp": "127.0.0.1:${port}"},
    "settings": [
        {
            "name": "workers",
            "type": "range",
            "min": 1,
            "max": 8,
            "step": 1,
            "default": 2,
            "environment": "WORKERS",
        }
    ],
}
