"""Credentials of registries, in a file that skopeo reads and nobody else can, for as long as it runs."""

from __future__ import annotations

import base64
import json
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

__all__ = ["DEFAULT_USER", "Credentials", "authfile", "token_file"]

DEFAULT_USER = "build-watcher"
PREFIX = "servo-builds-auth-"
TOKEN = Path("/var/run/secrets/kubernetes.io/serviceaccount/token")


@dataclass(frozen=True, slots=True)
class Credentials:
    """A user and a password, or the name of a secret that the backend knows."""

    user: str = DEFAULT_USER
    password: str = field(default="", repr=False)
    name: str | None = None

    def to_json(self) -> dict[str, str]:
        """Return them as the body of a submission has them."""
        return {"name": self.name} if self.name else {"user": self.user, "password": self.password}


@contextmanager
def authfile(credentials: Credentials | None, registry: str) -> Iterator[Path | None]:
    """Give a file with credentials of one registry, readable by us only, and remove it at the end."""
    if credentials is None or not credentials.password:
        yield None
        return
    directory = tempfile.mkdtemp(prefix=f"{PREFIX}{os.getpid()}-", dir=_memory())
    try:
        pair = base64.b64encode(f"{credentials.user}:{credentials.password}".encode()).decode()
        path = Path(directory, "auth.json")
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            json.dump({"auths": {registry: {"auth": pair}}}, file)
        yield path
    finally:
        shutil.rmtree(directory, ignore_errors=True)


def swept() -> int:
    """Remove what processes of ours that were killed have left; return how many."""
    left = [
        each for each in Path(_memory() or tempfile.gettempdir()).glob(f"{PREFIX}*") if _is_orphaned(each)
    ]
    for each in left:
        shutil.rmtree(each, ignore_errors=True)
    return len(left)


def _is_orphaned(directory: Path) -> bool:
    process = directory.name.removeprefix(PREFIX).partition("-")[0]
    with suppress(OSError):
        owned = directory.lstat().st_uid == os.getuid() and not directory.is_symlink()
        return owned and process.isdigit() and not Path("/proc", process).exists()
    return False


def token_file() -> Path:
    """Return where the token of a Kubernetes service account is."""
    return Path(os.environ.get("SERVO_BUILDS_TOKEN_FILE") or TOKEN)


def _memory() -> str | None:
    """A directory that is never on a disk, where there is one."""
    shared = Path("/dev/shm")  # noqa: S108 - the directory of 0700 in it is what holds the file
    return str(shared) if shared.is_dir() and os.access(shared, os.W_OK) else None
