"""What can be set from outside: an option of a command wins over the environment, and that over the default."""

import os
from functools import cached_property
from ipaddress import ip_network
from pathlib import Path
from typing import Annotated, Literal

from platformdirs import user_data_path
from pydantic import AfterValidator, BeforeValidator, Field, SecretStr
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

__all__ = ["ClientSettings", "ServerSettings", "Settings"]


def _split(value: object) -> object:
    """Entries of a text with commas between them."""
    if isinstance(value, str):
        return tuple(each for each in (part.strip() for part in value.split(",")) if each)
    return value


def _check_networks(value: tuple[str, ...]) -> tuple[str, ...]:
    for each in value:
        if "/" in each:
            ip_network(each)
    return value


def _check_token(value: SecretStr) -> SecretStr:
    """A header can carry it: what cannot is refused unseen, before a client's error shows it."""
    token = value.get_secret_value()
    if not (token.isascii() and token.isprintable()):
        raise ValueError("a token is one line of printable ASCII characters; `trimtab token` makes one")
    return value


Token = Annotated[SecretStr, AfterValidator(_check_token)]
Entries = Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)]
LOOPBACK = frozenset({"127.0.0.1", "::1", "localhost"})


class Settings(BaseSettings):
    """Where Trimtab keeps what it knows. Each field is read from `TRIMTAB_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="TRIMTAB_", env_ignore_empty=True, extra="ignore", hide_input_in_errors=True
    )

    home: Annotated[Path, Field(description="Directory of the embedded state")] = Field(
        default_factory=lambda: user_data_path("trimtab")
    )
    database_url: Annotated[
        SecretStr | None,
        Field(description="PostgreSQL or SQLite database; unset: trimtab.sqlite in the home directory"),
    ] = None
    store_url: Annotated[
        str | None,
        Field(
            description="Directory, or s3://bucket/prefix, of the documents; unset: `store` in the home directory"
        ),
    ] = None
    deployment: Annotated[
        str,
        Field(
            pattern="^[A-Za-z0-9@_+=,:.~-]{1,200}$",
            description="Whose documents: the first folder of the store",
        ),
    ] = Field(default_factory=lambda: os.environ.get("THOTH_DEPLOYMENT_NAME") or "local")
    stale_after: Annotated[
        float, Field(gt=0, description="Seconds of silence after which an agent is shown as stale")
    ] = 180.0
    sleep: Annotated[
        float,
        Field(ge=0.1, le=3600, description="Seconds an agent is told to sleep while there is nothing to do"),
    ] = 60.0

    @cached_property
    def url(self) -> str:
        """URL of the database, as SQLAlchemy reads it. It may hold a password: never log it."""
        if self.database_url is not None:
            return self.database_url.get_secret_value()
        return f"sqlite:///{self.home.expanduser().absolute() / 'trimtab.sqlite'}"

    @cached_property
    def store(self) -> str:
        """Where the documents are; the original's THOTH_CEPH_BUCKET is heeded, too."""
        if self.store_url is not None:
            return self.store_url
        if bucket := os.environ.get("THOTH_CEPH_BUCKET"):
            prefix = os.environ.get("THOTH_CEPH_BUCKET_PREFIX", "").strip("/")
            return f"s3://{bucket}/{prefix}"
        return str(self.home.expanduser().absolute() / "store")


class ClientSettings(Settings):
    """Whose things a command speaks of: those of a server, or those of this machine."""

    server: Annotated[
        str | None, Field(description="URL of a server, instead of this machine's database and store")
    ] = None
    token: Annotated[Token | None, Field(description="Token for the server")] = None


class ServerSettings(Settings):
    """How the server is reached, and what it does."""

    host: Annotated[str, Field(description="Address to listen on; beyond loopback a token is required")] = (
        "127.0.0.1"
    )
    port: Annotated[int, Field(ge=0, le=65535, description="Port to listen on; 0 takes a free one")] = 8080
    token: Annotated[Token | None, Field(description="Token that every request must carry")] = None
    token_file: Annotated[
        Path | None,
        Field(description="File with one token a line, in clear or as sha256:<hex>"),
    ] = None
    cors_origins: Annotated[
        Entries, Field(description="Origins of web pages that may use the server, with commas; * for all")
    ] = ()
    engine: Annotated[
        Literal["auto", "container", "podman", "docker", "kubernetes", "process"],
        Field(description="Engine that makes inspections"),
    ] = "auto"
    allow_process_engine: Annotated[
        bool,
        Field(
            description="Whether scripts of callers may run as processes of this machine: it is no sandbox"
        ),
    ] = False
    worker: Annotated[
        bool, Field(description="Whether this server makes inspections, and not only accepts them")
    ] = True
    builds: Annotated[int, Field(ge=1, le=1000, description="Builds that are made at once")] = 1
    runs: Annotated[
        int | None, Field(ge=1, le=10_000, description="Runs that are made at once; unset: as many as fit")
    ] = None
    everywhere: Annotated[
        int | None,
        Field(
            ge=1,
            le=1_000_000,
            description="Inspections under way at once, of all servers that share the database; unset: no limit",
        ),
    ] = None
    longest_wait: Annotated[
        float, Field(gt=0, description="Seconds that an inspection waits in the queue before it expires")
    ] = 7 * 86400.0
    script_hosts: Annotated[
        Entries,
        AfterValidator(_check_networks),
        Field(
            description="Hosts and networks, with commas, that scripts are fetched from though they are not public"
        ),
    ] = ()
    analyses: Annotated[
        int, Field(ge=1, le=1000, description="Images, and as many logs, that are analysed at once")
    ] = 1
    analysis_seconds: Annotated[
        float, Field(gt=0, le=7 * 86400.0, description="Seconds that an analysis may take")
    ] = 3000.0
    registry_hosts: Annotated[
        Entries,
        Field(
            description="Registries, with commas, that images may be read from; * stands for anything; unset: all"
        ),
    ] = ()
    registry_secrets: Annotated[
        Path | None,
        Field(
            description="Directory of credentials that callers may name: <name>.json, as podman login writes it"
        ),
    ] = None
    registry_ca: Annotated[
        Path | None,
        Field(description="File of certificates that registries are trusted by, beside the system's"),
    ] = None
    search_ui_url: Annotated[
        str | None,
        Field(
            pattern=r"^https?://[\x21-\x7e]{1,1000}$",
            description="Page where people look for results, of which clients of the original tell; unset: that of this server",
        ),
    ] = None
    max_body: Annotated[
        int, Field(ge=1024, le=1 << 30, description="Bytes that the body of one request may have")
    ] = 8 * 1024 * 1024
    log_level: Annotated[
        str, Field(pattern="^(TRACE|DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged")
    ] = "INFO"

    @property
    def loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return self.host in LOOPBACK

    @property
    def open_to_all(self) -> bool:
        """Whether whoever reaches the server may do everything: it has no tokens."""
        return self.token is None and self.token_file is None
