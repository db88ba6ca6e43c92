"""One analysis: of an image in a registry, or of a log. Nothing of either is executed."""

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from trimtab.builds.access import strangers_access
from trimtab.images import Access, Credentials, contents, in_registry
from trimtab.images.documents import Circumstances, analysis, envelope

__all__ = ["LOG_ANALYZER", "analyse", "image_request", "log_request"]

LOG_ANALYZER = "trimtab-buildlog-parser"


def image_request(
    image: str, access: Access, *, asked: str, document_id: str, deployment: str, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """What is asked of the process that analyses, as JSON; there are secrets in it.

    Args:
        image: Which is read, by its digest if that is known.
        access: How it is reached.
        asked: The image, as it was asked for.
        document_id: Of the analysis.
        deployment: Whose it is.
        metadata: What came with the request.
    """
    credentials = access.credentials
    return {
        "kind": "image",
        "image": image,
        "credentials": credentials and [credentials.user, credentials.password, credentials.token],
        "verify_tls": access.verify_tls,
        "authority": access.authority and str(access.authority),
        "circumstances": _circumstances(asked, document_id, deployment, metadata),
    }


def log_request(
    text: str, *, asked: str, document_id: str, deployment: str, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    """The same, of a log.

    Args:
        text: The log.
        asked: Id of its document.
        document_id: Of the analysis.
        deployment: Whose it is.
        metadata: What came with the request.
    """
    return {
        "kind": "log",
        "log": text,
        "circumstances": _circumstances(asked, document_id, deployment, metadata),
    }


def analyse(request: Mapping[str, Any]) -> dict[str, Any]:
    """Do what was asked for.

    Returns:
        `document`; and `digest` of an image's manifest.

    Raises:
        ImageError: The image cannot be had, or is not what its digest says.
    """
    return _image(request) if request["kind"] == "image" else _log(request)


def _image(request: Mapping[str, Any]) -> dict[str, Any]:
    started, began = datetime.now(UTC), time.monotonic()
    credentials = request["credentials"]
    authority = request["authority"]
    access = strangers_access(
        credentials and Credentials(*credentials),
        authority and Path(authority),
        verify_tls=request["verify_tls"],
    )
    with in_registry(request["image"], access) as image:
        found = contents(image)
    circumstances = Circumstances(
        started=started,
        duration=int(time.monotonic() - began),
        verify_tls=request["verify_tls"],
        **request["circumstances"],
    )
    return {"document": analysis(found, circumstances), "digest": image.digest}


def _log(request: Mapping[str, Any]) -> dict[str, Any]:
    from trimtab.buildlogs import parse

    started, began = datetime.now(UTC), time.monotonic()
    # Half a surrogate pair is no text that any program writes.
    result = parse(request["log"].encode("utf-8", "replace")).document
    circumstances = Circumstances(
        started=started, duration=int(time.monotonic() - began), **request["circumstances"]
    )
    arguments = {
        "parse": {"input": circumstances.image},
        "thoth-buildlog-parser": {"verbose": False, "metadata": circumstances.metadata},
    }
    return {"document": {"metadata": envelope(LOG_ANALYZER, arguments, circumstances), "result": result}}


def _circumstances(
    asked: str, document_id: str, deployment: str, metadata: Mapping[str, Any]
) -> dict[str, Any]:
    return {"image": asked, "document_id": document_id, "deployment": deployment, "metadata": dict(metadata)}
