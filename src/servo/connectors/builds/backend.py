"""The backend: takes submissions, tells what became of them. See `docs/builds-agent.md`."""

from __future__ import annotations

import json
import ssl
import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

from servo.connectors.builds.build import Missing, Part
from servo.connectors.builds.configuration import BackendConfiguration, BuildsConfiguration
from servo.connectors.builds.credentials import Credentials
from servo.connectors.builds.errors import BackendError, RefusedError, UnavailableError
from servo.connectors.builds.http import Answer, DirectTransport, ExchangeError, ProxiedTransport, Transport
from servo.connectors.builds.logs import Log, json_text
from servo.release import release

__all__ = ["Backend", "Submission"]

_KIND = {part: part.value.partition("_")[0] for part in Part}
_LOG = {"apiversion": None, "kind": "BuildLog", "metadata": None}
ACCEPTED = 202
TOO_LARGE = 413
LASTING = frozenset({400, 405, 409, 410, 411, 413, 414, 415, 422, 451, 501})
# What says something of the backend, or of our token, and not of this submission.
OURS = frozenset({401, 403, 404, 408, 425, 429, 502, 503, 504})
_LONGEST = 3600.0
_STREAMED = 512 * 1024
_SHOWN = 300


@dataclass(slots=True)
class Submission:
    """What is sent of a build.

    Attributes:
        identity: Of the build.
        described: What the backend is told of it.
        images: References by part.
        credentials: For them, by part.
        verify: Whether their registries' certificates have to be good, by part.
        log: Its log.
        missing: Parts that could not be had.
    """

    identity: str
    described: dict[str, Any]
    images: dict[Part, str] = field(default_factory=dict)
    credentials: dict[Part, Credentials] = field(default_factory=dict)
    verify: dict[Part, bool] = field(default_factory=dict)
    log: Log | None = None
    missing: list[Missing] = field(default_factory=list)

    @property
    def is_empty(self) -> bool:
        """Whether there is no part at all."""
        return not self.images and self.log is None

    def body(self) -> bytes:
        """Return the body as a whole."""
        values = self._values()
        if self.log is not None:
            values["build_log"] = {**_LOG, "log": b"".join(self.log.pieces()).decode("utf-8", "replace")}
        return json.dumps(values).encode()

    def pieces(self) -> Iterator[bytes]:
        """Yield the body in pieces: a log may be long."""
        if self.log is None:
            yield self.body()
            return
        values = self._values()
        del values["build_log"]
        yield (
            json.dumps(values)[:-1].encode()
            + b', "build_log": '
            + json.dumps(_LOG)[:-1].encode()
            + b', "log": '
        )
        yield from json_text(self.log.pieces())
        yield b"}}"

    def _values(self) -> dict[str, Any]:
        named = {_KIND[part]: each.to_json() for part, each in self.credentials.items()}
        return {
            "base_image": self.images.get(Part.base),
            "output_image": self.images.get(Part.output),
            "missing": [{"part": str(each.part), "reason": each.reason} for each in self.missing],
            "build": self.described,
            **({"credentials": named} if named else {}),
            "build_log": None,
        }


class Backend:
    """Talks to the backend of a configuration.

    Args:
        config: Which one, and what it is told with each submission.
        transport: Replaces the network.

    Raises:
        BackendError: Its certificates cannot be read.
    """

    def __init__(self, config: BuildsConfiguration, transport: Transport | None = None) -> None:
        self.config = config.backend
        self._transport = transport or _transport(self.config)
        self._agent = f"trimtab-build-watcher/{release()}"
        self._path = self.config.path
        common = {
            "environment_type": config.environment_type,
            "origin": config.origin,
            "debug": "true" if config.debug else None,
            "force": "true" if config.force else None,
        }
        self._query = urlencode({key: value for key, value in common.items() if value})

    async def submit(self, submission: Submission) -> dict[str, Any]:
        """Send a build, and return the answer.

        Raises:
            RefusedError: It will never be taken.
            UnavailableError: It may be taken later.
        """
        lax = [_KIND[part] for part, good in submission.verify.items() if not good]
        query = self._query + "".join(f"&{each}_registry_verify_tls=false" for each in lax)
        headers = {"Content-Type": "application/json", "Idempotency-Key": submission.identity}
        answer = await self._request("POST", f"/build-analysis?{query}", headers, _body(submission))
        document = answer.json()
        if answer.status == ACCEPTED and isinstance(document, dict):
            return document
        raise _refusal(answer, document)

    async def result(self, analysis: str) -> tuple[int, Any]:
        """Return the status and document of a build's analysis.

        Raises:
            UnavailableError: There was no answer.
        """
        answer = await self._request("GET", f"/build-analysis/{quote(analysis, safe='')}", {}, b"")
        return answer.status, answer.json()

    def link(self, answer: Mapping[str, Any]) -> str | None:
        """Return where a person or a program finds what becomes of a submission."""
        for key, path in (
            ("build_analysis", "build-analysis"),
            ("output_image_analysis", "analyze"),
            ("base_image_analysis", "analyze"),
        ):
            part = answer.get(key)
            if isinstance(part, dict) and isinstance(identity := part.get("analysis_id"), str):
                return f"{self.config.base}{self.config.path}/{path}/{quote(identity, safe='')}"
        return None

    async def check(self) -> str:
        """Return how it answers.

        Raises:
            UnavailableError: It does not, or it refuses our token.
        """
        answer = await self._request(
            "GET", "/build-analysis/build-analysis-000000000000-0000000000000000", {}, b""
        )
        if answer.status in {401, 403}:
            raise UnavailableError(f"it refuses the token ({answer.status})", answer.status)
        if answer.status >= 500:  # noqa: PLR2004 - the first that are its own fault
            raise UnavailableError(f"it answers with {answer.status}", answer.status)
        return f"{self.config.base} answers"

    async def aclose(self) -> None:
        """Close the connections."""
        await self._transport.aclose()

    async def _request(
        self, method: str, target: str, headers: dict[str, str], body: bytes | AsyncIterator[bytes]
    ) -> Answer:
        try:
            token = self.config.bearer()
        except (OSError, UnicodeDecodeError) as error:
            raise UnavailableError(f"the token's file cannot be read: {error}") from error
        headers = {"User-Agent": self._agent, **headers}
        if token is not None:
            headers["Authorization"] = f"Bearer {token}"
        try:
            return await self._transport.request(method, self._path + target, headers, body)
        except ExchangeError as error:
            raise UnavailableError(f"{self.config.base} does not answer: {error}") from error


def _transport(config: BackendConfiguration) -> Transport:
    context = _context(config) if config.url.startswith("https:") else None
    seconds = config.timeout.total_seconds()
    if config.proxy is not None:
        proxy = None if config.proxy == "environment" else config.proxy
        return ProxiedTransport(config.base, context, proxy=proxy, timeout=seconds)
    return DirectTransport(config.base, context, timeout=seconds)


def _context(config: BackendConfiguration) -> ssl.SSLContext:
    try:
        context = ssl.create_default_context(cafile=str(config.ca_file) if config.ca_file else None)
    except OSError as error:  # of which a file that has no certificates is one
        raise BackendError(
            f"the certificates {config.ca_file} of `backend.ca_file` cannot be read: {error.strerror or error}"
        ) from error
    if not config.verify_tls:
        context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


def _body(submission: Submission) -> bytes | AsyncIterator[bytes]:
    if submission.log is None or submission.log.kept <= _STREAMED:
        return submission.body()
    return _async(submission.pieces())


async def _async(pieces: Iterator[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _refusal(answer: Answer, document: Any) -> BackendError:
    told = document.get("error") or document.get("detail") if isinstance(document, dict) else None
    text = (
        f"{answer.status}: {_line(told) if told else _line(answer.body[:_SHOWN].decode('utf-8', 'replace'))}"
    )
    # Errors about the parts come with the parameters they are about; 401 and 403 without are about us.
    of_parts = isinstance(document, dict) and "parameters" in document
    if answer.status in LASTING or (of_parts and answer.status in {401, 403, 404}):
        return RefusedError(text, answer.status)
    alone = answer.status not in OURS
    return UnavailableError(text, answer.status, after=_retry_after(answer), alone=alone)


def _retry_after(answer: Answer) -> float | None:
    value = answer.headers.get("retry-after")
    if value is None:
        return None
    with suppress(ValueError):
        return min(_LONGEST, max(0.0, float(value)))
    with suppress(ValueError, TypeError):
        return min(_LONGEST, max(0.0, parsedate_to_datetime(value).timestamp() - time.time()))
    return None


def _line(value: Any) -> str:
    text = value if isinstance(value, str) else json.dumps(value)
    return "".join(each if each.isprintable() else " " for each in text)[:_SHOWN]
