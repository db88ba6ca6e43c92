"""What is to be analysed, before it is accepted: an image or a log, under which terms, and whether it is known already."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from trimtab.builds import Named, Secret, image_key, log_key
from trimtab.catalog import AnalysisKind, analyses
from trimtab.store import (
    AnalysesCacheStore,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    NotFoundError,
    buildlog_id,
)
from trimtab.workflows.place import Place

__all__ = ["Accepted", "ImagePart", "LogPart", "Order", "Terms", "order"]


@dataclass(frozen=True, slots=True)
class ImagePart:
    """An image that is to be analysed.

    Attributes:
        image: As it was asked for.
        digest: Of its manifest; None: its registry could not tell, and will be asked again.
        verify_tls: Whether its registry's certificate is verified.
        secret: With which its registry is asked.
        parameters: What is answered as what was asked for.
    """

    image: str
    digest: str | None
    verify_tls: bool = True
    secret: Secret | None = None
    parameters: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class LogPart:
    """A log that is to be analysed.

    Attributes:
        document: As it was sent: an object with `log`.
    """

    document: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Terms:
    """Under which terms something is analysed.

    Attributes:
        owner: Whose the analysis will be; what others have of the same does not count.
        everything: Whether the owner sees what is nobody's, too: what the store alone has.
        force: Whether it is analysed though it was before.
        metadata: What the document will have of the request.
    """

    owner: str = ""
    everything: bool = False
    force: bool = False
    metadata: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Accepted:
    """An analysis that there is, or will be.

    Attributes:
        id: Its id.
        cached: Whether it was there, and nothing new is done.
    """

    id: str
    cached: bool

    def told(self) -> dict[str, Any]:
        """As it is answered."""
        return {"analysis_id": self.id, "cached": self.cached}


@dataclass(frozen=True, slots=True)
class Order:
    """A part with all that its row needs.

    Attributes:
        kind: What it is.
        key: By which it is known; None: by nothing.
        digest: Of the image; of a log, the name of its document.
        request: What the row keeps of what was asked for.
        secret: With which a registry is asked.
        stored: The analysis of the same that the store alone knows.
    """

    kind: AnalysisKind
    key: str | None
    digest: str | None
    request: Mapping[str, Any]
    secret: Secret | None = None
    stored: str | None = None

    @property
    def credentials(self) -> str | None:
        """What the row keeps of the secret."""
        if self.secret is None:
            return None
        return f"name:{self.secret.name}" if isinstance(self.secret, Named) else "body"


def order(place: Place, part: ImagePart | LogPart, terms: Terms) -> Order:
    """Look up what is known of a part. A log is stored: whoever analyses it reads it there.

    Raises:
        StoreError: The store cannot be used.
    """
    found = _of_log(place, part, terms) if isinstance(part, LogPart) else _of_image(part, terms)
    if found.key is None or terms.force or not terms.everything:
        return found
    return replace(found, stored=_stored(place, found))


def _of_image(part: ImagePart, terms: Terms) -> Order:
    request = {
        "image": part.image,
        "verify_tls": part.verify_tls,
        "parameters": dict(part.parameters),
        "metadata": dict(terms.metadata),
    }
    key = None if part.digest is None else image_key(part.digest, part.image)
    return Order(AnalysisKind.IMAGE, key, part.digest, request, part.secret)


def _of_log(place: Place, part: LogPart, terms: Terms) -> Order:
    key, name = log_key(part.document), buildlog_id(part.document)
    logs = BuildLogsStore(place.inspections.store, place.deployment)
    if not logs.document_exists(name):
        logs.store_document(part.document)
    told = {**terms.metadata, "buildlog_document_id": name}
    request = {"log": name, "key": key, "parameters": {"buildlog_document_id": name}, "metadata": told}
    return Order(AnalysisKind.LOG, key, name, request)


def _stored(place: Place, found: Order) -> str | None:
    """An analysis of the original, whose caches are in the store."""
    where = place.inspections.store, place.deployment
    cache = (AnalysesCacheStore if found.kind is AnalysisKind.IMAGE else BuildLogsAnalysesCacheStore)(*where)
    results = (AnalysisResultsStore if found.kind is AnalysisKind.IMAGE else BuildLogsParsedResultsStore)(
        *where
    )
    try:
        name = cache.retrieve_document_record(str(found.key)).get("analysis_id")
    except NotFoundError:
        return None
    if not isinstance(name, str) or not results.document_exists(name):
        return None
    with place.database.read() as connection:  # one of ours is told by its row, to whom it belongs
        return None if analyses.by_id(connection, name) is not None else name
