"""The name of an image in a registry: `[host[:port]/]repository[:tag][@digest]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Self

from trimtab.images.blob import is_digest
from trimtab.images.errors import ImageReferenceError

__all__ = ["Reference", "is_host", "is_repository", "is_tag"]

COMPONENT = r"[a-z0-9]+(?:(?:\.|_|__|-+)[a-z0-9]+)*"
REPOSITORY = re.compile(rf"{COMPONENT}(?:/{COMPONENT})*")
TAG = re.compile(r"[A-Za-z0-9_][A-Za-z0-9._-]{0,127}")
HOST = re.compile(r"(?:[A-Za-z0-9](?:[A-Za-z0-9.-]*[A-Za-z0-9])?|\[[0-9a-fA-F:]+\])(?::[0-9]{1,5})?")
DEFAULT_HOST, DEFAULT_TAG = "docker.io", "latest"
LONGEST = 255


def is_host(text: str) -> bool:
    """Whether this is a registry's host, with or without a port."""
    return HOST.fullmatch(text) is not None


def is_repository(text: str) -> bool:
    """Whether this is a repository's path."""
    return len(text) <= LONGEST and REPOSITORY.fullmatch(text) is not None


def is_tag(text: str) -> bool:
    """Whether this is a tag."""
    return TAG.fullmatch(text) is not None


@dataclass(frozen=True, slots=True)
class Reference:
    """A name, taken apart; the grammar is that of the distribution specification.

    Parameters:
        host: The registry, with its port.
        repository: The repository in it.
        tag: The tag; None where only a digest is named.
        digest: The digest of the manifest, where one is named: it then decides.
    """

    host: str
    repository: str
    tag: str | None = None
    digest: str | None = None

    @classmethod
    def parse(cls, text: str) -> Self:
        """Take a name apart.

        Raises:
            ImageReferenceError: It is none; the message does not repeat what may be a password.
        """
        name, at, digest = text.removeprefix("docker://").partition("@")
        if at and not is_digest(digest):
            raise ImageReferenceError("no name of an image: what follows @ is no digest (sha256:…)")
        first, slash, rest = name.partition("/")
        has_host = slash and ("." in first or ":" in first or first == "localhost")
        host, path = (first, rest) if has_host else (DEFAULT_HOST, name)
        path, colon, tag = path.partition(":")
        if host == DEFAULT_HOST and "/" not in path:
            path = f"library/{path}"
        if not is_host(host) or not is_repository(path):
            raise ImageReferenceError(
                f"{text[:100]!r} is no name of an image, as [HOST/]REPOSITORY[:TAG][@DIGEST]"
            )
        if colon and not is_tag(tag):
            raise ImageReferenceError(f"{tag[:100]!r} is no tag of an image")
        return cls(host, path, (tag or None) if digest or tag else DEFAULT_TAG, digest or None)

    @property
    def version(self) -> str:
        """What a manifest is asked for by."""
        return self.digest or self.tag or DEFAULT_TAG

    def __str__(self) -> str:
        tag = f":{self.tag}" if self.tag else ""
        return f"{self.host}/{self.repository}{tag}{'@' + self.digest if self.digest else ''}"
