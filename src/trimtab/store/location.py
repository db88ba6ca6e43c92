"""Where a store is: a URL, read, and the variables that say the rest."""

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import SplitResult, unquote, urlsplit

from trimtab.store.errors import StoreURLError

__all__ = ["Bucket", "Directory", "read_url"]

HELP = "write it as /path/to/directory, file:///path/to/directory or s3://bucket/prefix"
BUCKET = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{1,253}[A-Za-z0-9]")
# What the original's services were given, and what S3 clients call it.
VARIABLES = {
    "access_key_id": ("AWS_ACCESS_KEY_ID", "THOTH_CEPH_KEY_ID"),
    "secret_access_key": ("AWS_SECRET_ACCESS_KEY", "THOTH_CEPH_SECRET_KEY"),
    "region": ("AWS_REGION", "AWS_DEFAULT_REGION", "THOTH_CEPH_REGION"),
    "endpoint": ("AWS_ENDPOINT_URL_S3", "AWS_ENDPOINT_URL", "THOTH_S3_ENDPOINT_URL"),
}
# Other ways to be somebody: a token of the cluster, or of the container.
IDENTITIES = (
    "AWS_WEB_IDENTITY_TOKEN_FILE",
    "AWS_CONTAINER_CREDENTIALS_RELATIVE_URI",
    "AWS_CONTAINER_CREDENTIALS_FULL_URI",
)


@dataclass(frozen=True, slots=True)
class Directory:
    """A directory of this machine."""

    path: Path

    @property
    def url(self) -> str:
        """For people and settings to read."""
        return self.path.as_uri()


@dataclass(frozen=True, slots=True)
class Bucket:
    """A bucket of an S3 server, and the prefix of its keys."""

    name: str
    prefix: str

    @property
    def url(self) -> str:
        """For people and settings to read. Never holds credentials."""
        return f"s3://{self.name}/{self.prefix}".rstrip("/")

    @staticmethod
    def settings(environment: Mapping[str, str] = os.environ) -> dict[str, str]:
        """Endpoint, region and credentials, as far as variables say them.

        Raises:
            StoreURLError: A server that is not Amazon's is named, without credentials for it. The library would
                ask the machine's metadata service for some, which no other server knows.
        """
        found = {name: first for name, names in VARIABLES.items() if (first := _first(environment, names))}
        if "endpoint" in found:
            known = "access_key_id" in found or _first(environment, (*IDENTITIES, "AWS_SKIP_SIGNATURE"))
            if not known:
                raise StoreURLError(
                    f"no credentials for {found['endpoint']}: set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
                )
            _check_endpoint(found["endpoint"])
        return found


def read_url(text: str) -> Directory | Bucket:
    """Where a store is.

    Args:
        text: A path, `file:///path` or `s3://bucket/prefix`.

    Raises:
        StoreURLError: It is none of these. A password in it is not repeated.
    """
    if not text or "\0" in unquote(text):
        raise StoreURLError(f"an empty URL of the store; {HELP}")
    if "://" not in text:
        return Directory(_path(text))
    parts = _split(text)
    if parts.scheme == "file" and parts.netloc in {"", "localhost"} and parts.path:
        return Directory(_path(unquote(parts.path)))
    if parts.scheme == "s3":
        return _bucket(parts.netloc, parts.path.strip("/"))
    raise StoreURLError(f"a store of kind {parts.scheme!r} is not supported; {HELP}")


def _path(text: str) -> Path:
    try:
        text.encode()
        return Path(text).expanduser().absolute()
    except UnicodeEncodeError:
        raise StoreURLError(f"the path of the store is no text; {HELP}") from None
    except RuntimeError as error:  # the home directory of a user that is not known
        raise StoreURLError(f"the path of the store cannot be read: {error}") from None


def _split(text: str) -> SplitResult:
    try:
        parts = urlsplit(text)
    except ValueError:
        raise StoreURLError(f"the URL of the store cannot be read; {HELP}") from None
    if "@" in parts.netloc:
        raise StoreURLError(
            "credentials do not belong into the URL of the store; set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY"
        )
    if parts.query or parts.fragment:
        raise StoreURLError(f"the URL of the store has a '?' or '#' in it; {HELP}")
    return parts


def _bucket(name: str, prefix: str) -> Bucket:
    from trimtab.store.keys import check_key

    if not BUCKET.fullmatch(name):
        raise StoreURLError(f"{name!r} is no name of a bucket; {HELP}")
    if prefix:
        try:
            check_key(prefix)
        except ValueError as error:
            raise StoreURLError(f"a prefix that no object may have: {error}") from None
    return Bucket(name, prefix)


def _check_endpoint(endpoint: str) -> None:
    parts = urlsplit(endpoint)
    if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
        raise StoreURLError("AWS_ENDPOINT_URL is no URL of a server; write it as https://host:port")


def _first(environment: Mapping[str, str], names: tuple[str, ...]) -> str | None:
    return next((found for name in names if (found := environment.get(name))), None)
