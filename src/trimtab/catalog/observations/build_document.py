"""What a build's own document tells: what the agent saw of it, and which analyses belong to it."""

from collections.abc import Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any

from trimtab.catalog.observations.fact import named
from trimtab.catalog.values import at, integer, moment, number, text

__all__ = ["BuildFacts", "ImagePart", "build_facts", "key_of"]

PHASES = frozenset({"complete", "failed", "cancelled", "timed_out", "error"})


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image of a build: as it was called, its digest, the id of its analysis; each may be empty."""

    reference: str = ""
    digest: str = ""
    analysis: str = ""


@dataclass(frozen=True, slots=True)
class BuildFacts:
    """Facts of one build.

    Args:
        key: The same for all documents of the same build.
        parts: How much it tells.
        name, namespace: Of the build.
        phase: How the agent saw it end: `complete`, `failed`, `cancelled`, `timed_out`, `error`, or empty.
        exit_code: That the agent saw.
        base, output: Its images.
        log_analysis: Id of the analysis of its log.
        at: When it ended, in seconds since 1970; or else when it was sent.
    """

    key: str
    parts: int
    name: str
    namespace: str
    phase: str
    exit_code: int | None
    base: ImagePart
    output: ImagePart
    log_analysis: str
    at: float


def build_facts(document: Mapping[str, Any]) -> BuildFacts:
    """The facts of a document; nothing of it is an error."""
    build = at(document, "build")
    base, output = (_image(at(document, part)) for part in ("base_image", "output_image"))
    log = text(at(document, "build_log", "analysis_id"), 200) or ""
    phase = text(at(build, "phase"), 16) or ""
    created = at(document, "created_at")
    times = (at(build, "finished_at"), created, at(build, "started_at"))
    seconds = (number(each) if moment(each) is None else moment(each) for each in times)
    return BuildFacts(
        key=_key(document),
        parts=sum(
            map(bool, (phase, log, base.analysis or base.reference, output.analysis or output.reference))
        ),
        name=text(at(build, "name"), 200) or "",
        namespace=text(at(build, "namespace"), 200) or "",
        phase=phase if phase in PHASES else "",
        exit_code=integer(at(build, "exit_code")),
        base=base,
        output=output,
        log_analysis=log,
        at=next((each for each in seconds if each is not None), 0.0),
    )


def key_of(*parts: str) -> str:
    """One text for what is known by several."""
    return sha256("\0".join(parts).encode("utf-8", "replace")).hexdigest()


def _key(document: Mapping[str, Any]) -> str:
    """Whoever saw it calls it by its identity; what has none is known by its log, which has times and is never the same twice."""
    identity = text(at(document, "build", "identity"), 1000)
    if identity:
        source, namespace = (text(at(document, "build", name), 200) or "" for name in ("source", "namespace"))
        return key_of("build", text(document.get("origin"), 500) or "", source, namespace, identity)
    log = text(at(document, "build_log", "document_id"), 200)
    return key_of("log", log) if log else key_of("document", text(document.get("analysis_id"), 200) or "")


def _image(part: Any) -> ImagePart:
    reference = text(at(part, "reference"), 500) or ""
    told = text(at(part, "digest"), 100) or reference.partition("@")[2]
    digest = told if told.startswith("sha256:") else ""
    return ImagePart(named(reference), text(digest, 100) or "", text(at(part, "analysis_id"), 200) or "")
