"""Locked requirements: exact versions with the hashes of their files, in the form that uv and pip install from."""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

__all__ = ["COUNT_LIMIT", "LockError", "Pin", "Pins", "hashes_of", "marker_of", "name_of", "version_of"]

COUNT_LIMIT = 20_000
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9._-]{0,198}[A-Za-z0-9])?")
_HASH = re.compile(r"(sha256):[0-9a-f]{64}|(sha384):[0-9a-f]{96}|(sha512):[0-9a-f]{128}")
_URL = re.compile(r"https?://[^\s$#;]+")
_TEXT_LIMIT = 4096


class LockError(ValueError):
    """A lock that cannot be read; the message says which file, where and what to do."""


@dataclass(frozen=True, slots=True, order=True)
class Pin:
    """One package, exactly.

    Attributes:
        name: Canonical.
        version: Exact; empty, where a URL stands for it.
        extras: Canonical names.
        marker: Where it is wanted, as PEP 508 writes it; empty: everywhere.
        hashes: `algorithm:digest` of each file that may be installed.
        url: Where the one file is; empty: in an index.
    """

    name: str
    version: str
    extras: tuple[str, ...] = ()
    marker: str = ""
    hashes: tuple[str, ...] = ()
    url: str = ""

    def __str__(self) -> str:
        extras = f"[{','.join(self.extras)}]" if self.extras else ""
        what = f"{self.name}{extras} @ {self.url}" if self.url else f"{self.name}{extras}=={self.version}"
        marker = f" ; {self.marker}" if self.marker else ""
        return f"{what}{marker}" + "".join(f" --hash={digest}" for digest in self.hashes)


@dataclass(frozen=True, slots=True)
class Pins:
    """A lock.

    Attributes:
        pins: What is installed.
        sources: URLs of the indexes it names.
        insecure: Those among them whose certificate is not verified.
        refused: What cannot be installed, and why; each a sentence.
    """

    pins: tuple[Pin, ...]
    sources: tuple[str, ...] = ()
    insecure: tuple[str, ...] = ()
    refused: tuple[str, ...] = field(default=())

    def text(self) -> str:
        """As a file of requirements. The same pins give the same text."""
        return "".join(f"{pin}\n" for pin in sorted(set(self.pins)))


def name_of(text: object) -> str:
    """A package's canonical name.

    Raises:
        ValueError: It is none.
    """
    if not isinstance(text, str) or not _NAME.fullmatch(text):
        raise ValueError(f"{str(text)[:100]!r} is no name of a package")
    return canonicalize_name(text)


def version_of(text: object) -> str:
    """An exact version.

    Raises:
        ValueError: It is none.
    """
    if isinstance(text, str) and len(text) < _TEXT_LIMIT:
        try:
            return str(Version(text))
        except InvalidVersion:
            pass
    raise ValueError(f"{str(text)[:100]!r} is no exact version")


def marker_of(texts: Iterable[str]) -> str:
    """Markers, all of which have to hold, as one.

    Raises:
        ValueError: One is none.
    """
    found = []
    for text in texts:
        if len(text) > _TEXT_LIMIT:
            raise ValueError("a marker has more than 4096 characters")
        try:
            found.append(str(Marker(text)))
        except (InvalidMarker, RecursionError):
            raise ValueError(f"{text[:100]!r} is no marker") from None
    found = list(dict.fromkeys(found))
    return found[0] if len(found) == 1 else " and ".join(f"({text})" for text in found)


def hashes_of(texts: object) -> tuple[str, ...]:
    """Those hashes among some that prove something, in order.

    Args:
        texts: A list of `algorithm:digest`, or a mapping of algorithm to digest.

    Raises:
        ValueError: There is none.
    """
    if isinstance(texts, Mapping):
        texts = [f"{name}:{digest}" for name, digest in texts.items()]
    listed = texts if isinstance(texts, list | tuple) else []
    found = {str(text).lower() for text in listed if _HASH.fullmatch(str(text).lower())}
    if not found:
        raise ValueError("has no SHA-256 or longer hash, so nobody knows what would be installed")
    return tuple(sorted(found))


def url_of(text: object) -> str:
    """The URL of a file or an index, without a fragment.

    Raises:
        ValueError: It is none that can be fetched.
    """
    text = text.partition("#")[0] if isinstance(text, str) else text
    if not isinstance(text, str) or len(text) > _TEXT_LIMIT or not _URL.fullmatch(text):
        raise ValueError(f"{str(text)[:100]!r} is no http(s) URL")
    return text
