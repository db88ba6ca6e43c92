"""What a package index answers: the simple repository API, as JSON (PEP 691, 700) and as HTML (PEP 503, 592, 658)."""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from html.parser import HTMLParser
from typing import Any
from urllib.parse import unquote, urljoin, urlsplit

from packaging.utils import (
    InvalidSdistFilename,
    canonicalize_name,
    parse_sdist_filename,
)
from packaging.version import InvalidVersion, Version

from trimtab.stacks.release import File

__all__ = ["ACCEPT", "identity", "read_page"]

ACCEPT = "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, text/html;q=0.1"
_COUNT = 200_000
_PARTS = {5, 6}  # with a build number


def read_page(content: bytes, kind: str, url: str) -> tuple[File, ...]:
    """The files of a page.

    Args:
        content: Of the page.
        kind: Its content type.
        url: Where it was read: links are relative to it.

    Raises:
        ValueError: It is no such page.
    """
    files = (
        _of_json(content, url) if kind.partition(";")[0].strip().endswith("json") else _of_html(content, url)
    )
    return tuple(each for _, each in zip(range(_COUNT), files, strict=False))


def identity(filename: str) -> tuple[str, Version] | None:
    """Canonical name and version of a wheel or source distribution; None if it is neither.

    A wheel's name is split here: the library also expands the tags, which takes ten times as long.
    """
    try:
        if not filename.endswith(".whl"):
            return parse_sdist_filename(filename)
        parts = filename[:-4].split("-")
        if len(parts) not in _PARTS:
            return None
        return canonicalize_name(parts[0]), Version(parts[1])
    except (InvalidSdistFilename, InvalidVersion):
        return None


def _of_json(content: bytes, url: str) -> Iterator[File]:
    document = json.loads(content)
    files = document.get("files") if isinstance(document, dict) else None
    if not isinstance(files, list):
        raise ValueError("it has no array 'files'")  # noqa: TRY004 - what is wrong is the page
    for each in files:
        if (
            isinstance(each, dict)
            and isinstance(each.get("url"), str)
            and isinstance(each.get("filename"), str)
        ):
            yield File(
                each["filename"],
                urljoin(url, each["url"]),
                _text(each.get("requires-python")),
                _yanked(each.get("yanked")),
                _time(each.get("upload-time")),
                bool(each.get("core-metadata") or each.get("dist-info-metadata")),
            )


def _of_html(content: bytes, url: str) -> Iterator[File]:
    parser = _Anchors()
    parser.feed(content.decode(errors="replace"))
    base = urljoin(url, parser.base) if parser.base else url
    for each in parser.found:
        address = urljoin(base, each["href"] or "")
        metadata = each.get("data-core-metadata", each.get("data-dist-info-metadata", "false"))
        yield File(
            unquote(urlsplit(address).path.rpartition("/")[2]),
            address,
            _text(each.get("data-requires-python")),
            (each["data-yanked"] or "") if "data-yanked" in each else None,
            None,
            metadata != "false",
        )


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.base: str | None = None
        self.found: list[Mapping[str, str | None]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = dict(attrs)
        if tag == "base" and self.base is None:
            self.base = attributes.get("href")
        elif tag == "a" and attributes.get("href"):
            self.found.append(attributes)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _yanked(value: Any) -> str | None:
    if value is True:
        return ""
    return value if isinstance(value, str) else None


def _time(value: Any) -> datetime | None:
    try:
        found = datetime.fromisoformat(value)
    except (TypeError, ValueError):
        return None
    return found if found.tzinfo else found.replace(tzinfo=UTC)
