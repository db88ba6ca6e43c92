"""Credentials of registries, as `podman login` and `docker login` keep them. Helper programs are not started."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.images.errors import AccessError

__all__ = ["Credentials", "stored_credentials"]

DOCKER_HUB = ("docker.io", "index.docker.io", "https://index.docker.io/v1/")
LARGEST = 1 << 20


@dataclass(frozen=True, slots=True)
class Credentials:
    """Who asks. Its text holds no secret.

    Parameters:
        user: The name; empty with an identity token.
        password: The password, or the token.
        token: Whether it is an identity token (OAuth2's refresh token).
    """

    user: str
    password: str = field(repr=False)
    token: bool = False


def stored_credentials(host: str, repository: str, file: Path | None = None) -> Credentials | None:
    """The credentials of a repository: the most exact entry of the first file that has one.

    Raises:
        AccessError: The file that was named cannot be read.
    """
    for path in [file] if file else _files():
        document = _read(path, named=file is not None)
        for key in _keys(host, repository):
            entry = document.get(key)
            if isinstance(entry, Mapping) and (found := _credentials(entry)):
                return found
    return None


def _files() -> Iterator[Path]:
    if path := os.environ.get("REGISTRY_AUTH_FILE"):
        yield Path(path)
    runtime, home = os.environ.get("XDG_RUNTIME_DIR"), Path.home()
    if runtime:
        yield Path(runtime) / "containers" / "auth.json"
    yield Path(f"/run/containers/{os.getuid()}/auth.json")
    yield home / ".config" / "containers" / "auth.json"
    yield Path(os.environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"


def _read(path: Path, *, named: bool) -> Mapping[str, Any]:
    try:
        with path.open("rb") as file:
            auths = json.loads(file.read(LARGEST)).get("auths", {})
    except OSError as error:
        if named:
            raise AccessError(f"the file of credentials {path}: {error.strerror}") from None
        return {}
    except (ValueError, AttributeError, RecursionError):
        raise AccessError(f"the file of credentials {path} is not as `podman login` writes it") from None
    return auths if isinstance(auths, Mapping) else {}


def _keys(host: str, repository: str) -> Iterator[str]:
    """The repository and what it lies in, then the registry, in the forms that were written over the years."""
    path = f"{host}/{repository}"
    while path != host:
        yield path
        path = path.rpartition("/")[0]
    yield from (host, f"https://{host}", f"https://{host}/v1/", f"https://{host}/v2/")
    if host in DOCKER_HUB:
        yield from DOCKER_HUB


def _credentials(entry: Mapping[str, Any]) -> Credentials | None:
    if isinstance(token := entry.get("identitytoken"), str) and token:
        return Credentials("", token, token=True)
    try:
        user, colon, password = base64.b64decode(str(entry.get("auth", ""))).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return Credentials(user, password.rstrip("\0")) if colon else None
