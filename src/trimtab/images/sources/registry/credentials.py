"""Credentials of registries, as `podman login` and `docker login` keep them: in a file, or by a helper it names."""

from __future__ import annotations

import base64
import binascii
import json
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trimtab.images.errors import AccessError, IncompleteCredentialsError

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

    Raises:
        IncompleteCredentialsError: There is a user without a password, or a password without a user.
    """

    user: str
    password: str = field(repr=False)
    token: bool = False

    def __post_init__(self) -> None:
        if not self.password or not (self.user or self.token):
            missing = "password" if self.user else "user"
            raise IncompleteCredentialsError(
                f"credentials of a registry without a {missing}: both have to be given, or neither"
            )


def stored_credentials(host: str, repository: str, file: Path | None = None) -> Credentials | None:
    """The credentials of a repository: the most exact entry of the first file that has one.

    In a file a helper for the registry (`credHelpers`) comes first, then what the file holds itself (`auths`), then the
    helper for all others (`credsStore`).

    Raises:
        AccessError: The file that was named cannot be read, or a helper fails.
    """
    for path in [file] if file else _files():
        document = _read(path, named=file is not None)
        if found := _of_file(document, host, repository, str(path)):
            return found
    return None


def _of_file(document: Mapping[str, Any], host: str, repository: str, place: str) -> Credentials | None:
    keys = list(_keys(host, repository))
    helpers, auths = _table(document, "credHelpers"), _table(document, "auths")
    for key in keys:
        if isinstance(name := helpers.get(key), str) and name:
            return _helped(name, host, place)
    for key in keys:
        entry = auths.get(key)
        if isinstance(entry, Mapping) and (found := _credentials(entry)):
            return found
    store = document.get("credsStore")
    return _helped(store, host, place) if isinstance(store, str) and store else None


def _helped(name: str, host: str, place: str) -> Credentials | None:
    from trimtab.images.sources.registry.helpers import helper_credentials

    return helper_credentials(name, DOCKER_HUB[-1] if host in DOCKER_HUB else host, place)


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    found = document.get(name)
    return found if isinstance(found, Mapping) else {}


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
            document = json.loads(file.read(LARGEST))
    except OSError as error:
        if named:
            raise AccessError(f"the file of credentials {path}: {error.strerror}") from None
        return {}
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, Mapping):
        raise AccessError(f"the file of credentials {path} is not as `podman login` writes it")
    return document


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
    password = password.rstrip("\0")
    return Credentials(user, password) if colon and user and password else None
