"""The report of Dependency Monkey, as the original writes it; and reading those of the original."""

import json
import platform
import secrets
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimtab.stacks.errors import RequirementsError, without_secrets
from trimtab.stacks.monkey.search import Product
from trimtab.stacks.sources.text import read_text

__all__ = ["KIND", "MonkeyReport", "Response", "new_document_id", "read_report", "report_document"]

KIND = "dependency-monkey"
_LIMIT = 256 * 1024 * 1024


@dataclass(frozen=True)
class Response:
    """What came of a stack.

    Attributes:
        response: The id of the inspection; or the path that it was written to; or the stack's digest, where it was printed.
        product: What was handed on.
    """

    response: str
    product: Mapping[str, Any]


@dataclass
class MonkeyReport:
    """What was made.

    Attributes:
        responses: One for each stack that was handed on.
        skipped: How many could not be.
        errors: Why not, the first twenty.
    """

    responses: list[Response] = field(default_factory=list)
    skipped: int = 0
    errors: list[str] = field(default_factory=list)

    def took(self, product: Product, response: str) -> None:
        """A stack was handed on."""
        self.responses.append(Response(response, product_document(product)))

    def skip(self, reason: str) -> None:
        """A stack could not be handed on."""
        self.skipped += 1
        if len(self.errors) < 20:  # noqa: PLR2004 - enough to see what is wrong
            self.errors.append(reason)

    @property
    def ids(self) -> list[str]:
        """All responses, in their order."""
        return [each.response for each in self.responses]


def new_document_id() -> str:
    """The id of a new report."""
    return f"{KIND}-{datetime.now(UTC):%y%m%d%H%M%S}-{secrets.token_hex(8)}"


def product_document(product: Product) -> dict[str, Any]:
    """A stack as the original describes it."""
    return {
        "score": 0.0,
        "justification": [{"type": "INFO", "message": product.reason}],
        "advised_runtime_environment": None,
        "project": {**product.python, "constraints": [], "runtime_environment": None},
    }


def report_document(
    report: MonkeyReport | None,
    parameters: Mapping[str, Any],
    *,
    document_id: str,
    started: datetime,
    arguments: Mapping[str, Any] | None = None,
    error: str | None = None,
    deployment: str | None = None,
) -> dict[str, Any]:
    """The document.

    Args:
        report: What was made; None: nothing was.
        parameters: What was asked for.
        document_id: Of it.
        started: When it began.
        arguments: Of the command line.
        error: What went wrong; None: nothing did.
        deployment: Whose.
    """
    now = datetime.now(UTC)
    told = None if error is None else without_secrets(error)
    body = None if report is None else _body(report)
    if told is not None:
        # What was handed on before is under way: whoever reads this has to find it.
        body = {"ERROR": told, **(body if body and report and report.responses else {})}
    return {
        "metadata": {
            "analyzer": "trimtab",
            "analyzer_version": _version(),
            "arguments": {KIND: dict(arguments or parameters)},
            "datetime": started.replace(tzinfo=None).isoformat(),
            "document_id": document_id,
            "duration": int((now - started).total_seconds()),
            "timestamp": int(started.timestamp()),
            "hostname": platform.node() or None,
            "distribution": _distribution(),
            "os_release": _release(),
            "python": _python(),
            "thoth_deployment_name": deployment or None,
        },
        "result": {
            "error": told is not None,
            "error_msg": told,
            "parameters": dict(parameters),
            "report": body,
        },
    }


def read_report(path: Path) -> MonkeyReport:
    """Read a report, also one of the original.

    Raises:
        RequirementsError: It is none, or that of a run that failed.
    """
    try:
        document = json.loads(read_text(path, _LIMIT))
    except (ValueError, RecursionError) as error:
        raise RequirementsError(f"{path} is no JSON: {error}") from None
    result = document.get("result") if isinstance(document, dict) else None
    body = result.get("report") if isinstance(result, dict) else None
    responses = body.get("responses") if isinstance(body, dict) else None
    if not isinstance(body, dict) or not isinstance(responses, list):
        failed = result.get("error_msg") if isinstance(result, dict) else None
        reason = f"of a run that failed: {str(failed)[:300]}" if failed else "no report of Dependency Monkey"
        raise RequirementsError(f"{path} is {reason}")
    return MonkeyReport(_responses(responses), int(body.get("skipped") or 0), list(body.get("errors") or ()))


def _responses(entries: Sequence[Any]) -> list[Response]:
    return [
        Response(str(each.get("response")), each.get("product") or {})
        for each in entries
        if isinstance(each, dict) and each.get("response")
    ]


def _body(report: MonkeyReport) -> dict[str, Any]:
    found: dict[str, Any] = {
        "skipped": report.skipped,
        "responses": [{"response": each.response, "product": each.product} for each in report.responses],
    }
    return {**found, "errors": report.errors} if report.errors else found


def _version() -> str:
    from importlib.metadata import version

    return version("trimtab")


def _release() -> dict[str, str]:
    try:
        return {key.lower(): value for key, value in platform.freedesktop_os_release().items()}
    except OSError:
        return {}


def _distribution() -> dict[str, Any]:
    release = _release()
    version = release.get("version_id", "")
    major, _, minor = version.partition(".")
    return {
        "id": release.get("id", ""),
        "version": version,
        "version_parts": {"major": major, "minor": minor, "build_number": ""},
        "like": release.get("id_like", ""),
        "codename": release.get("version_codename", ""),
    }


def _python() -> dict[str, Any]:
    found = sys.version_info
    return {
        "major": found.major,
        "minor": found.minor,
        "micro": found.micro,
        "releaselevel": found.releaselevel,
        "serial": found.serial,
        "api_version": sys.api_version,
        "implementation_name": sys.implementation.name,
    }
