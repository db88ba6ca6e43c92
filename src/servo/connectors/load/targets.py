"""What is requested: targets, and the two forms in which they are written down.

`http`, for people: a request line, then headers, then `@path` of a file that is the body; `#` comments, and
an empty line or the next request line ends a target::

    GET /products?page=1
    Accept: application/json

    POST https://shop.example/orders
    Content-Type: application/json
    @order.json

`jsonl`, for programs: one JSON object a line with `method`, `url`, and optionally `header` (name to a list of
values), `body` (base64) or `text`, and `weight`.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from urllib.parse import urljoin, urlsplit

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
MAX_TARGETS = 100_000
MAX_BODY = 10 * 1024 * 1024
MAX_BODIES = 128 * 1024 * 1024
MAX_TEXT = 64 * 1024 * 1024
MAX_URL = 8192
MAX_WEIGHT = 1000
MAX_HEADERS = 100

_OURS = frozenset({"connection", "content-length", "transfer-encoding", "upgrade", "expect"})
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]{1,256}")
_HEADER_VALUE = re.compile(r"[\t\x20-\x7e\x80-\xff]{0,8192}")
_URL_CHARACTERS = re.compile(r"[\x21-\x7e]+")
_REQUEST_LINE = re.compile(r"([A-Z]{3,7})[ \t]+(\S+)")
_JSON_KEYS = frozenset({"method", "url", "header", "body", "text", "weight"})


class TargetError(ValueError):
    """A target that cannot be requested; the message says which and why."""

    def __init__(self, message: str, *, line: int | None = None) -> None:
        super().__init__(f"line {line}: {message}" if line is not None else message)


@dataclass(frozen=True, slots=True)
class Target:
    """One request to make, valid by construction.

    Attributes:
        method: HTTP method, upper case.
        url: Absolute `http` or `https` URL.
        headers: Names and values, in order; what frames the message is ours to set.
        body: Bytes to send.
        weight: How often it is requested relative to the others, 1 to 1000.
    """

    method: str
    url: str
    headers: tuple[tuple[str, str], ...] = ()
    body: bytes = field(default=b"", repr=False)
    weight: int = 1

    def __post_init__(self) -> None:
        if self.method not in METHODS:
            raise TargetError(
                f'unknown method "{_shown(self.method)}"; use one of {", ".join(sorted(METHODS))}'
            )
        _check_url(self.url)
        _check_headers(self.headers)
        if len(self.body) > MAX_BODY:
            raise TargetError(f"the body has {len(self.body)} bytes; at most {MAX_BODY} can be sent")
        if not 1 <= self.weight <= MAX_WEIGHT:
            raise TargetError(f"weight {self.weight} is not between 1 and {MAX_WEIGHT}")

    def with_defaults(self, headers: Mapping[str, str]) -> Target:
        """The same target with those of the headers that it does not set itself."""
        own = {name.lower() for name, _ in self.headers}
        added = tuple((name, value) for name, value in headers.items() if name.lower() not in own)
        return replace(self, headers=added + self.headers) if added else self


def parse(
    text: str, *, form: str = "http", base: str | None = None, folder: Path | None = None
) -> list[Target]:
    """Targets written in one of the two forms.

    Args:
        text: What was written.
        form: `http` or `jsonl`.
        base: URL against which relative ones are resolved.
        folder: Where body files are looked up; the working directory by default.

    Raises:
        TargetError: With the line and what is wrong there.
    """
    if len(text) > MAX_TEXT:
        raise TargetError(f"{len(text)} characters of targets; at most {MAX_TEXT} are read")
    reader = _read_jsonl(text, base) if form == "jsonl" else _read_http(text, base, folder or Path())
    targets: list[Target] = []
    size = 0
    for target in reader:
        targets.append(target)
        size += len(target.body)
        if len(targets) > MAX_TARGETS:
            raise TargetError(f"more than {MAX_TARGETS} targets")
        if size > MAX_BODIES:
            raise TargetError(f"more than {MAX_BODIES} bytes of bodies")
    if not targets:
        raise TargetError("there is no target; write one as `GET http://host/path`")
    return targets


def _read_http(text: str, base: str | None, folder: Path) -> Iterator[Target]:
    pending: _Draft | None = None
    for number, raw in enumerate(text.split("\n"), start=1):
        line = raw.strip(" \t\r")
        if line.startswith("#"):
            continue
        if match := _REQUEST_LINE.fullmatch(line):
            if pending:
                yield pending.target()
            pending = _Draft(match[1], _absolute(match[2], base, number), number)
        elif line:
            _extend(pending, line, folder, number)
        elif pending:
            yield pending.target()
            pending = None
    if pending:
        yield pending.target()


@dataclass(slots=True)
class _Draft:
    method: str
    url: str
    line: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""

    def target(self) -> Target:
        return _target(
            self.line, method=self.method, url=self.url, headers=tuple(self.headers), body=self.body
        )


def _extend(pending: _Draft | None, line: str, folder: Path, number: int) -> None:
    if pending is None:
        raise TargetError(
            f'"{_shown(line)}" is not a request line such as `GET http://host/path`', line=number
        )
    if line.startswith("@"):
        pending.body = _read_body(folder / line[1:].strip(), number)
        return
    name, colon, value = line.partition(":")
    if not colon:
        raise TargetError(
            f'"{_shown(line)}" is neither a header (`Name: value`) nor a body (`@file`)', line=number
        )
    pending.headers.append((name.strip(), value.strip()))


def _read_body(path: Path, number: int) -> bytes:
    try:
        with path.open("rb") as file:
            return file.read(MAX_BODY + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise TargetError(f'cannot read the body "{_shown(str(path))}": {reason}', line=number) from error


def _read_jsonl(text: str, base: str | None) -> Iterator[Target]:
    for number, line in enumerate(text.split("\n"), start=1):
        if line.strip() and not line.lstrip().startswith("#"):
            yield _from_document(_json(line, number), base, number)


def _json(line: str, number: int) -> dict[str, Any]:
    try:
        document = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise TargetError(f"not a JSON object: {error}", line=number) from error
    if not isinstance(document, dict):
        raise TargetError(f"a {type(document).__name__} where a JSON object is wanted", line=number)
    if unknown := sorted(set(document) - _JSON_KEYS):
        raise TargetError(
            f'unknown key "{_shown(unknown[0])}"; known: {", ".join(sorted(_JSON_KEYS))}', line=number
        )
    return document


def _from_document(document: dict[str, Any], base: str | None, number: int) -> Target:
    method, url = document.get("method", "GET"), document.get("url")
    weight = document.get("weight", 1)
    if not isinstance(method, str) or not isinstance(url, str):
        raise TargetError("`method` and `url` are wanted, both strings", line=number)
    if not isinstance(weight, int) or isinstance(weight, bool):
        raise TargetError("`weight` is not a whole number", line=number)
    return _target(
        number,
        method=method,
        url=_absolute(url, base, number),
        headers=tuple(_json_headers(document.get("header") or {}, number)),
        body=_json_body(document, number),
        weight=weight,
    )


def _json_headers(header: object, number: int) -> Iterator[tuple[str, str]]:
    if not isinstance(header, dict):
        raise TargetError("`header` is not an object of name to list of values", line=number)
    for name, values in header.items():
        for value in [values] if isinstance(values, str) else values if isinstance(values, list) else [None]:
            if not isinstance(value, str):
                raise TargetError(f'header "{_shown(name)}" is not a list of strings', line=number)
            yield name, value


def _json_body(document: dict[str, Any], number: int) -> bytes:
    body, text = document.get("body"), document.get("text")
    if body is not None and text is not None:
        raise TargetError("`body` and `text` exclude each other", line=number)
    if not isinstance(body, str | None) or not isinstance(text, str | None):
        raise TargetError("`body` (base64) and `text` are strings", line=number)
    try:
        return (text or "").encode() if body is None else base64.b64decode(body, validate=True)
    except (binascii.Error, ValueError) as error:
        raise TargetError(f"`body` is not base64: {error}", line=number) from error


def _target(line: int, **fields: Any) -> Target:
    try:
        return Target(**fields)
    except TargetError as error:
        raise TargetError(str(error), line=line) from None


def _absolute(url: str, base: str | None, number: int) -> str:
    if base is None and not url.startswith(("http://", "https://")):
        raise TargetError(f'"{_shown(url)}" is relative, and no `url` is configured', line=number)
    try:
        return urljoin(base or "", url)
    except ValueError as error:
        raise TargetError(f'"{_shown(url)}" is not a URL: {error}', line=number) from error


def _check_url(url: str) -> None:
    if len(url) > MAX_URL or not _URL_CHARACTERS.fullmatch(url):
        raise TargetError(
            f'"{_shown(url)}" is not a URL: percent-encode all but plain ASCII; at most {MAX_URL} long'
        )
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError as error:
        raise TargetError(f'"{_shown(url)}" is not a URL: {error}') from error
    if parts.scheme not in {"http", "https"} or not parts.hostname or port == 0:
        raise TargetError(f'"{_shown(url)}" is not an http:// or https:// URL with a host')
    if parts.username is not None:
        raise TargetError("a URL holds no user name or password; use `secret_headers` with Authorization")


def _check_headers(headers: tuple[tuple[str, str], ...]) -> None:
    if len(headers) > MAX_HEADERS:
        raise TargetError(f"{len(headers)} headers; at most {MAX_HEADERS} are sent")
    for name, value in headers:
        if not _HEADER_NAME.fullmatch(name):
            raise TargetError(f'"{_shown(name)}" is no name of a header')
        if name.lower() in _OURS:
            raise TargetError(f'the header "{name}" frames the message and is set by the load generator')
        if not _HEADER_VALUE.fullmatch(value):
            raise TargetError(f'the value of header "{name}" has a line break or another forbidden character')


def _shown(text: str) -> str:
    short = text if len(text) <= 80 else text[:77] + "..."  # noqa: PLR2004 - as much as fits in a message
    return short.encode("unicode_escape").decode("ascii")
