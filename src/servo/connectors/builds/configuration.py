"""The `builds` section of servo.yaml."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Literal, Self
from urllib.parse import urlsplit

from pydantic import Field, SecretStr, field_validator, model_validator

from servo.configuration import AbstractBaseConfiguration, BaseConfiguration
from servo.connectors.builds.credentials import DEFAULT_USER, Credentials
from servo.connectors.builds.redaction import MIN_VALUE
from servo.connectors.builds.references import Reference
from servo.types.core import Duration

__all__ = ["BuildsConfiguration"]

_API = "/api/v1"
_MIB = 1024 * 1024
_MAX_TOKEN = 16 * 1024


class BackendConfiguration(AbstractBaseConfiguration):
    """Where builds are sent to."""

    url: str = Field(
        description="The backend: its address, or a host alone for https; `/api/v1` is added if there is no path.",
        examples=["https://trimtab.example"],
    )
    token: SecretStr | None = Field(
        default=None, description="Token that it asks for, by default that of the variable `TRIMTAB_TOKEN`."
    )
    token_file: Path | None = Field(
        default=None, description="File with the token; read again for each request, so it may change."
    )
    verify_tls: bool = Field(default=True, description="Verify its certificate.")
    ca_file: Path | None = Field(default=None, description="Certificates to trust instead of the system's.")
    proxy: str | None = Field(
        default=None, description="Proxy to go through, or `environment` for that of the environment."
    )
    timeout: Duration = Field(default=Duration("60s"), description="Time of one request.")

    @field_validator("url")
    @classmethod
    def _check_url(cls, value: str) -> str:
        full = value if "://" in value else f"https://{value}"
        parts = urlsplit(full)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.query or parts.fragment:
            raise ValueError("an http:// or https:// address, or a host")
        if parts.username is not None:
            raise ValueError("credentials do not belong into a URL; give them as `token`")
        _ = parts.port
        return full.rstrip("/")

    def bearer(self) -> str | None:
        """Return the token, if there is one.

        Raises:
            OSError: Its file cannot be read.
        """
        if self.token is not None:
            return self.token.get_secret_value()
        if self.token_file is not None:
            return self.token_file.read_text("utf-8").strip()[:_MAX_TOKEN] or None
        return os.environ.get("TRIMTAB_TOKEN") or None

    @property
    def base(self) -> str:
        """Scheme, host and port."""
        parts = urlsplit(self.url)
        return f"{parts.scheme}://{parts.netloc}"

    @property
    def path(self) -> str:
        """Where its API begins."""
        return urlsplit(self.url).path or _API


class RegistryConfiguration(AbstractBaseConfiguration):
    """How a registry is reached, from here and from the backend."""

    user: str | None = Field(default=None, max_length=500, description="User.")
    password: SecretStr | None = Field(
        default=None, description="Password; it is never an argument of a program."
    )
    secret: str | None = Field(
        default=None,
        max_length=200,
        description="Name of a secret that the backend knows, sent instead of a password.",
    )
    verify_tls: bool = Field(default=True, description="Verify certificates.")

    def credentials(self) -> Credentials | None:
        """Return the credentials, if there are any."""
        if self.user is None and self.password is None and self.secret is None:
            return None
        password = self.password.get_secret_value() if self.password else ""
        return Credentials(self.user or DEFAULT_USER, password, self.secret)


class CopyConfiguration(AbstractBaseConfiguration):
    """The intermediate registry, to which images are copied for the backend."""

    registry: str = Field(description="Host and path, such as `registry.example/builds`.")
    naming: Literal["collision-free", "original"] = Field(
        default="collision-free",
        description="How copies are called; `original` finds old tags again, and may collide.",
    )
    keep: Duration | None = Field(
        default=Duration("7d"), description="How long copies are kept; then they are deleted. None for ever."
    )
    skopeo: str = Field(default="skopeo", description="The skopeo program.")
    timeout: Duration = Field(default=Duration("15m"), description="Time of one copy.")

    @field_validator("registry")
    @classmethod
    def _check_registry(cls, value: str) -> str:
        place = value.removeprefix("docker://").rstrip("/")
        try:
            Reference.parse(f"{place}/x" if "/" not in place else place)
        except ValueError as error:
            raise ValueError("host and path of a registry, such as registry.example/builds") from error
        return place


class RetryConfiguration(AbstractBaseConfiguration):
    """How what could not be sent is tried again: after a random time of at most `first`, doubled up to `longest`."""

    first: Duration = Field(default=Duration("1s"), description="Longest wait after the first failure.")
    longest: Duration = Field(default=Duration("5m"), description="Longest wait at all.")
    give_up: Duration = Field(
        default=Duration("3d"), description="After this time a build becomes a tombstone that says why."
    )

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        if not Duration(0) < self.first <= self.longest <= self.give_up:
            raise ValueError("more than zero, and `first` <= `longest` <= `give_up`")
        return self


class QueueConfiguration(AbstractBaseConfiguration):
    """How much may wait; all of it is on disk."""

    builds: int = Field(
        default=100_000,
        ge=1,
        le=10_000_000,
        description="Builds that may wait; then sources are not read on.",
    )
    logs: int = Field(
        default=2048 * _MIB,
        ge=0,
        description="Bytes of logs kept for builds that wait; beyond, a log is left at its source.",
    )
    retention: Duration = Field(
        default=Duration("90d"),
        description="How long it is remembered what was sent; what ended earlier is never sent.",
    )


class LogConfiguration(AbstractBaseConfiguration):
    """What of a log leaves this machine."""

    limit: int = Field(
        default=10 * _MIB, ge=1024, le=1024 * _MIB,
        description="Bytes of a log that are sent: a quarter from its beginning, the rest from its end.",
    )  # fmt: skip
    patterns: bool = Field(default=True, description="Take out what looks like a secret.")
    secret_environment: list[str] = Field(
        default_factory=list, max_length=200, description="Variables of the agent whose values are taken out."
    )
    secret_files: list[Path] = Field(
        default_factory=list, max_length=200, description="Files whose lines are taken out."
    )


class MetricsConfiguration(AbstractBaseConfiguration):
    """Where metrics may be scraped."""

    port: int = Field(
        ge=0, le=65535, description="Port of `/metrics` and `/healthz`; 0 for any that is free."
    )
    host: str = Field(default="127.0.0.1", description="Address to listen on.")


class EngineSource(AbstractBaseConfiguration):
    """Builds of a container engine of this machine, by its events."""

    type: Literal["podman", "docker"] = Field(description="Which engine.")
    program: str | None = Field(default=None, description="Its command, by default the engine's name.")
    host: str | None = Field(
        default=None, max_length=500, description="Address of its service, by default this user's own."
    )
    name: str | None = Field(default=None, description="What the source is called, by default its type.")


class DirectorySource(AbstractBaseConfiguration):
    """Logs that appear in a directory."""

    type: Literal["directory"] = Field(description="A directory.")
    path: Path = Field(description="The directory.")
    pattern: str = Field(default="*.log", max_length=200, description="Names of logs, as a shell's pattern.")
    settle: Duration = Field(
        default=Duration("30s"),
        description="A log without a description is over when it has not changed for so long.",
    )
    interval: Duration = Field(default=Duration("2s"), description="Time between two looks.")
    name: str | None = Field(
        default=None, description="What the source is called, by default its type and path."
    )


class PipeSource(AbstractBaseConfiguration):
    """Builds that programs write into a named pipe, a line of JSON each."""

    type: Literal["pipe"] = Field(description="A named pipe; it is made if it is not there.")
    path: Path = Field(description="The pipe.")
    name: str | None = Field(
        default=None, description="What the source is called, by default its type and path."
    )


class ClusterSource(AbstractBaseConfiguration):
    """Builds in a Kubernetes cluster, by the objects of one kind."""

    type: Literal[
        "openshift-builds", "tekton-taskruns", "tekton-pipelineruns", "shipwright-buildruns", "jobs", "pods"
    ] = Field(description="Which objects.")
    namespace: str | None = Field(
        default=None,
        max_length=253,
        description="Where; by default the agent's `namespace`, else that of the cluster's context; `*` for all.",
    )
    labels: str | None = Field(
        default=None,
        min_length=1,
        max_length=1000,
        description="Selector of labels: what it selects is a build. Jobs and pods need it.",
    )
    kubeconfig: Path | None = Field(
        default=None,
        description="How the cluster is reached, by default as kubectl does, or from within a pod.",
    )
    context: str | None = Field(default=None, max_length=500, description="Context of the kubeconfig.")
    hold: bool = Field(
        default=False,
        description="Keep builds by a finalizer until they are written down, whoever deletes them.",
    )
    hold_for: Duration = Field(
        default=Duration("1h"),
        description="How long at most after somebody wanted a build deleted; then it is lost, with an error and an event.",
    )
    follow: int = Field(
        default=50,
        ge=0,
        le=10_000,
        description="Logs that are read while they are written; others are read when their builds are over.",
    )
    name: str | None = Field(default=None, description="What the source is called, by default its type.")

    @model_validator(mode="after")
    def _told_apart(self) -> Self:
        if self.type in {"jobs", "pods"} and self.labels is None:
            raise ValueError(f"`labels` is needed: nothing else tells {self.type} that build from others")
        if self.hold_for <= Duration(0):
            raise ValueError("`hold_for` is more than zero")
        return self


SourceConfiguration = Annotated[
    EngineSource | DirectorySource | PipeSource | ClusterSource, Field(discriminator="type")
]


class BuildsConfiguration(BaseConfiguration):
    """Builds that are watched, and the backend that they are sent to."""

    backend: BackendConfiguration = Field(description="Where they are sent to.")
    sources: list[SourceConfiguration] = Field(
        default_factory=list,
        max_length=50,
        description="Where builds are seen.",
        examples=[[{"type": "podman"}]],
    )
    namespace: str | None = Field(
        default=None, max_length=253, description="Where builds belong to whose source does not say it."
    )
    source_registry: RegistryConfiguration = Field(
        default_factory=lambda: RegistryConfiguration.model_validate({}), description="The registry that images are copied from; base images are pulled with the same."
    )  # fmt: skip
    destination_registry: RegistryConfiguration = Field(
        default_factory=lambda: RegistryConfiguration.model_validate({}), description="The registry that images are copied to; output images and copies are pulled with the same."
    )  # fmt: skip
    pass_token: bool = Field(
        default=False,
        description="Use the token of the Kubernetes service account as password of registries.",
    )
    copy_to: CopyConfiguration | None = Field(
        default=None, description="The intermediate registry; none: nothing is copied."
    )
    base_image: bool = Field(default=True, description="Send base images.")
    output_image: bool = Field(default=True, description="Send output images.")
    build_log: bool = Field(default=True, description="Send logs.")
    analyze_existing: bool = Field(default=False, description="Send the images that are there already, once.")
    environment_type: Literal["runtime", "buildtime"] = Field(
        default="runtime", description="What the images are for: told to the backend."
    )
    origin: str | None = Field(
        default=None, max_length=500, description="Where the builds come from: told to the backend."
    )
    debug: bool = Field(default=False, description="Ask the backend to analyse verbosely.")
    force: bool = Field(default=False, description="Ask the backend to ignore its caches.")
    workers: int = Field(default=8, ge=1, le=256, description="Builds that are sent at the same time.")
    journal: Path = Field(
        default=Path(".servo/builds.sqlite"),
        description="The journal's file; logs that wait are in a directory beside it.",
    )
    log: LogConfiguration = Field(
        default_factory=lambda: LogConfiguration.model_validate({}),
        description="What of a log leaves this machine.",
    )
    queue: QueueConfiguration = Field(
        default_factory=lambda: QueueConfiguration.model_validate({}), description="How much may wait."
    )
    retry: RetryConfiguration = Field(
        default_factory=lambda: RetryConfiguration.model_validate({}), description="How it is tried again."
    )
    metrics: MetricsConfiguration | None = Field(
        default=None, description="Where metrics may be scraped; none: nowhere."
    )

    @classmethod
    def generate(cls, **values: object) -> Self:
        """A sample: podman's builds of this machine."""
        sample: dict[str, object] = {
            "backend": {"url": "https://trimtab.example"},
            "sources": [{"type": "podman"}],
        }
        return super().generate(**sample | values)

    @model_validator(mode="after")
    def _sensible(self) -> Self:
        if not (self.base_image or self.output_image or self.build_log):
            raise ValueError("neither base images nor output images nor logs: nothing would be sent")
        source = self.source_registry
        if (source.user or source.password) and self.copy_to is None:
            raise ValueError(
                "credentials of the source registry, and no registry to copy to; add `copy_to.registry`, or give them as `destination_registry`"
            )
        if self.pass_token and source.password is not None:
            raise ValueError("both `pass_token` and a password of the source registry; give one of them")
        names = [name_of(each) for each in self.sources]
        if twice := next((name for name in names if names.count(name) > 1), None):
            raise ValueError(f"two sources are called {twice}; give one a `name`")
        return self

    def registries(self, token: str | None) -> tuple[Credentials | None, Credentials | None]:
        """Return the credentials of source and destination by the original's rules; ``token`` is the service account's."""
        source, push = self.source_registry.credentials(), self.destination_registry.credentials()
        if not self.pass_token or token is None:
            return source, push
        source = Credentials(DEFAULT_USER, token)
        return source, push or source

    def secret_values(self) -> list[str]:
        """Return what is taken out of logs: named secrets, and this section's own.

        Raises:
            ValueError: A variable is not set or a file cannot be read; it would be sent with the log unnoticed.
        """
        values = [_variable(name) for name in self.log.secret_environment]
        values += [_file(path) for path in self.log.secret_files]
        own = (self.backend.token, self.source_registry.password, self.destination_registry.password)
        known = [each.get_secret_value() for each in own if each]
        return values + [each for each in known if len(each) >= MIN_VALUE]

    @property
    def spool(self) -> Path:
        """Where logs wait."""
        return self.journal.with_name(f"{self.journal.name}.logs")


def name_of(source: EngineSource | DirectorySource | PipeSource | ClusterSource) -> str:
    """Return what a source is called."""
    if source.name:
        return source.name
    return f"{source.type}:{source.path}" if isinstance(source, DirectorySource | PipeSource) else source.type


def _variable(name: str) -> str:
    value = os.environ.get(name)
    if not value:
        raise ValueError(f"the variable {name} of `log.secret_environment` is not set")
    return value


def _file(path: Path) -> str:
    try:
        return path.read_text("utf-8", "replace")[: 64 * 1024]
    except OSError as error:
        raise ValueError(f"{path} of `log.secret_files` cannot be read: {error.strerror}") from error
