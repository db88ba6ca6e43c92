"""One analysis: what is read and written of it. Each method does the same when it is called again."""

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from loguru import logger

from trimtab.builds import (
    Kind,
    Named,
    Registries,
    Secret,
    image_key,
    image_request,
    kind_of,
    log_request,
    pinned,
    record_analysis,
)
from trimtab.catalog import AnalysisKind, UnavailableError, analyses
from trimtab.catalog.observations import forget
from trimtab.images import ImageError
from trimtab.store import (
    AnalysesCacheStore,
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    NotFoundError,
)
from trimtab.workflows.place import Place

if TYPE_CHECKING:
    from trimtab.store.adapter import DocumentStore

__all__ = ["Analysis", "Outcome", "discard"]

LOST = (
    "its credentials came with the request, are kept nowhere, and were lost when the server that had them ended; it was read "
    "without them. Submit it again, or name credentials that the server knows"
)
UNREMEMBERED = "what it found is in its document alone; `trimtab catalog rebuild` makes rows of it"


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of an attempt.

    Attributes:
        document: That is stored; None: there is none.
        reason: Why not; or under which circumstances.
        transient: Whether another attempt may do better.
        after: In how many seconds, if that was said.
    """

    document: Mapping[str, Any] | None = None
    reason: str | None = None
    transient: bool = False
    after: float | None = None


@dataclass(frozen=True)
class Analysis:
    """One analysis that was begun.

    Args:
        place: Where things are kept.
        row: What the catalog has of it.
        registries: How they are reached.
        secret: What came with the request to ask a registry with, if this process has it.
    """

    place: Place
    row: analyses.Row
    registries: Registries
    secret: Secret | None

    @property
    def id(self) -> str:
        """Its id."""
        return str(self.row["id"])

    @property
    def is_image(self) -> bool:
        """Whether it is of an image, and not of a log."""
        return bool(self.row["kind"] == AnalysisKind.IMAGE)

    @property
    def asked(self) -> Mapping[str, Any]:
        """What was asked for."""
        found: Mapping[str, Any] = self.row["request"]
        return found

    def announce(self) -> None:
        """Store what it will be of, where the original's programs look for that."""
        record = {"analysis_id": self.id}
        self._results().store_request(self.id, dict(self.asked["parameters"]))
        if not self.is_image:
            logs = BuildLogsAnalysesCacheStore(*self._where)
            logs.store_document_record(self.asked["key"], record)
        elif digest := self.row["digest"]:
            self._known(digest)

    def stored(self) -> dict[str, Any] | None:
        """Its document, if that is there already."""
        try:
            return self._results().retrieve_document(self.id)
        except NotFoundError:
            return None

    def request(self) -> dict[str, Any] | Outcome:
        """What is asked of the process that analyses; an outcome, if that cannot be."""
        names = {"document_id": self.id, "deployment": self.place.deployment}
        metadata = self.asked["metadata"]
        if not self.is_image:
            document = BuildLogsStore(*self._where).retrieve_document(self.asked["log"])
            return log_request(str(document["log"]), asked=self.asked["log"], metadata=metadata, **names)
        image = self.asked["image"]
        try:
            access = self.registries.access(image, self._secret, verify_tls=self.asked["verify_tls"])
        except ImageError as error:
            return self._with_loss(Outcome(reason=str(error)))
        read = pinned(image, self.row["digest"])
        return image_request(read, access, asked=image, metadata=metadata, **names)

    def failed(self, answer: Mapping[str, Any]) -> Outcome:
        """What came of it, if no document did."""
        outcome = Outcome(None, str(answer["error"]), bool(answer.get("transient")), answer.get("after"))
        return self._with_loss(outcome)

    def store(self, answer: Mapping[str, Any]) -> dict[str, Any]:
        """Store its document; what is stored, which another process may have done."""
        document = self._results().put_once(answer["document"], self.id)
        if self.is_image and self.row["digest"] is None and answer.get("digest"):
            with self.place.database.write() as connection:
                analyses.resolve(connection, self.id, answer["digest"])
            self._known(answer["digest"])
        return document

    def remember(self, document: dict[str, Any]) -> Outcome:
        """Write the rows of what it found. What cannot be written for a defect of ours is no fault of the document.

        Raises:
            UnavailableError: The database cannot be used.
        """
        try:
            record_analysis(self.place.database, document)
        except UnavailableError:
            raise
        except Exception:  # noqa: BLE001 # the document is there, and rows can be made of it again
            logger.exception("what {} found could not be remembered", self.id)
            return self._with_loss(Outcome(document, UNREMEMBERED))
        return self._with_loss(Outcome(document))

    def erase(self) -> None:
        """Delete all that the store has of it, and forget it."""
        discard(self.place, self.id)
        self._results().delete_request(self.id)
        for known, key in self._known_by():
            with suppress(NotFoundError):
                if known.retrieve_document(key).get("analysis_id") == self.id:  # and of no newer one
                    known.delete(key)

    def _known_by(self) -> "Iterator[tuple[DocumentStore, str]]":
        """Where it is told which analysis has what is in an image, or what a log says."""
        digest = self.row["digest"]
        if not self.is_image:
            yield BuildLogsAnalysesCacheStore(*self._where), self.asked["key"]
        elif digest:
            yield AnalysisByDigest(*self._where), digest
            yield AnalysesCacheStore(*self._where), image_key(digest, self.asked["image"])

    @property
    def _secret(self) -> Secret | None:
        kept = self.row["credentials"] or ""
        return Named(kept.removeprefix("name:")) if kept.startswith("name:") else self.secret

    def _with_loss(self, outcome: Outcome) -> Outcome:
        if self.row["credentials"] != "body" or self.secret is not None:
            return outcome
        reason = f"{outcome.reason}; {LOST}" if outcome.reason else LOST
        return Outcome(outcome.document, reason, outcome.transient, outcome.after)

    def _known(self, digest: str) -> None:
        record = {"analysis_id": self.id}
        AnalysisByDigest(*self._where).store_document(
            {**record, "parameters": dict(self.asked["parameters"])}, digest
        )
        AnalysesCacheStore(*self._where).store_document_record(image_key(digest, self.asked["image"]), record)

    @property
    def _where(self) -> tuple[Any, str]:
        return self.place.inspections.store, self.place.deployment

    def _results(self) -> AnalysisResultsStore | BuildLogsParsedResultsStore:
        return _results(self.place, self.id)


def discard(place: Place, analysis_id: str) -> None:
    """Delete what an analysis found, and forget it: nobody wants it any more."""
    _results(place, analysis_id).delete(analysis_id)
    with place.database.write() as connection:
        forget(connection, analysis_id)


def _results(place: Place, analysis_id: str) -> AnalysisResultsStore | BuildLogsParsedResultsStore:
    kind = BuildLogsParsedResultsStore if kind_of(analysis_id) is Kind.LOG else AnalysisResultsStore
    return kind(place.inspections.store, place.deployment)
