"""What vegeta requests, in its two forms, looked through before it is started."""

from __future__ import annotations

import base64
import binascii
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

__all__ = ["check_http", "check_json", "read_file"]

MAX_TEXT = 64 * 1024 * 1024
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "CONNECT", "TRACE")

_REQUEST = re.compile(rf"(?:{'|'.join(METHODS)})[ \t]+https?://\S+")
_HEADER = re.compile(r"[!#$%&'*+.^_`|~0-9A-Za-z-]+:.*")
_KEYS = frozenset({"method", "url", "header", "body"})
_SHOWN = 80


def read_file(path: Path) -> str:
    """The text of a file of targets.

    Raises:
        ValueError: It cannot be read, or is too large.
    """
    try:
        with path.open("rb") as file:
            content = file.read(MAX_TEXT + 1)
        text = content.decode()
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not UTF-8 text"
        raise ValueError(f"cannot read the targets of {path}: {reason}") from error
    if len(content) > MAX_TEXT:
        raise ValueError(f"the targets of {path} have more than {MAX_TEXT} bytes")
    return text


def check_http(text: str) -> str:
    """Return targets of the form ``http`` as they are.

    Raises:
        ValueError: A line is none of the form, with its number; or there is no target.
    """
    requests = 0
    for number, line in enumerate(map(str.strip, text.splitlines()), start=1):
        if not line or line.startswith("#"):
            continue
        if _REQUEST.fullmatch(line):
            requests += 1
        elif not requests:
            raise ValueError(f"line {number}: {_shown(line)} is no request such as `GET http://host/path`")
        elif not line.startswith("@") and not _HEADER.fullmatch(line):
            raise ValueError(
                f"line {number}: {_shown(line)} is no request (`GET http://host/path`), header (`Name: value`) "
                "or body (`@file`)"
            )
    if not requests:
        raise ValueError("there is no target: write one as `GET http://host/path`")
    return text


def check_json(text: str) -> str:
    """Return targets of the form ``json``, one a line, as vegeta reads them.

    Raises:
        ValueError: One is not of the form, with its number; or there is none.
    """
    documents = list(_documents(text))
    if not documents:
        raise ValueError('there is no target: write one as {"method": "GET", "url": "http://host/path"}')
    for number, document in enumerate(documents, start=1):
        if problem := _problem(document):
            raise ValueError(f"target {number}: {problem}")
    return "".join(json.dumps(document) + "\n" for document in documents)


def _documents(text: str) -> Iterator[Any]:
    """JSON values that follow each other, each on one line or on several."""
    decoder, position = json.JSONDecoder(), 0
    while rest := text[position:].lstrip():
        position = len(text) - len(rest)
        try:
            document, position = decoder.raw_decode(text, position)
        except (ValueError, RecursionError) as error:
            raise ValueError(f"the targets are no JSON: {error}") from error
        yield document


def _problem(document: Any) -> str | None:
    if not isinstance(document, dict):
        return "it is no JSON object"
    if unknown := sorted(document.keys() - _KEYS):
        return f"unknown key {_shown(unknown[0])}; there are {', '.join(sorted(_KEYS))}"
    url = document.get("url")
    if document.get("method") not in METHODS:
        return f"method has to be one of {', '.join(METHODS)}"
    if not isinstance(url, str) or not url.startswith(("http://", "https://")):
        return "url has to be an http:// or https:// URL"
    if not _is_header(document.get("header", {})):
        return "header has to be an object of names and lists of strings"
    return None if _is_base64(document.get("body", "")) else "body has to be base64"


def _is_header(value: Any) -> bool:
    return isinstance(value, dict) and all(
        isinstance(each, list) and all(isinstance(item, str) for item in each) for each in value.values()
    )


def _is_base64(value: Any) -> bool:
    try:
        base64.b64decode(value, validate=True)
    except (TypeError, ValueError, binascii.Error):
        return False
    return isinstance(value, str)


def _shown(text: str) -> str:
    return ascii(text if len(text) <= _SHOWN else text[: _SHOWN - 3] + "...")
