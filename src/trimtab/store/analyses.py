"""Documents of builds: their logs, what was found in logs and images, and what is known already.

    <deployment>/buildlogs/buildlog-<sha256>           a build's log, as it was sent; named by its content
    <deployment>/buildlogs-parsed/buildlog-parser-…    what it says
    <deployment>/buildlogs-analysis-cache/<sha256>     which analysis has what it says
    <deployment>/analysis/package-extract-…            what is in an image; beside it `….request`, what was asked for
    <deployment>/analysis-cache/<digest>+<sha256>      which analysis has what is in it
    <deployment>/analysis-by-digest/<digest>           the newest analysis of an image
    <deployment>/builds/build-analysis-…               what was sent of a build, and which analyses are of it
    <deployment>/observations/…                        observations, one document each

The classes have the names and methods of the original's storage library; `builds/` is ours.
"""

import hashlib
import time
from typing import Any

from trimtab.store.adapter import DocumentStore
from trimtab.store.default import default_store
from trimtab.store.documents import decode, encode
from trimtab.store.errors import CacheMissError, NotFoundError
from trimtab.store.keys import check_name, join
from trimtab.store.results import ResultStore
from trimtab.store.store import Store

__all__ = [
    "AnalysesCacheStore",
    "AnalysisByDigest",
    "AnalysisResultsStore",
    "BuildLogsAnalysesCacheStore",
    "BuildLogsParsedResultsStore",
    "BuildLogsStore",
    "BuildsStore",
    "ObservationResultsStore",
    "buildlog_id",
]

FRESH = 4 * 3600.0  # seconds


def buildlog_id(document: dict[str, Any]) -> str:
    """The name of a log: `buildlog-` and the SHA-256 of its document as it is stored.

    Raises:
        DocumentError: It is no JSON.
    """
    return f"buildlog-{hashlib.sha256(encode(document)).hexdigest()}"


class _Kind(DocumentStore):
    """Documents of one kind of a deployment, of any shape.

    Args:
        store: Where; by default the one that the settings name.
        deployment: Whose, if a store is given.
    """

    RESULT_TYPE = ""

    def __init__(self, store: Store | None = None, deployment: str = "") -> None:
        if store is None:
            store, deployment = default_store()
        super().__init__(store, join(deployment, self.RESULT_TYPE))

    def put_once(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        """Store a document unless there is one, and say what is there now.

        Raises:
            DocumentError: It is no JSON, or what is there is no document.
        """
        key = self.key(check_name(name))
        return decode(self.store.put_once(key, encode(document)), f"{self.store.url} {key}")


class BuildLogsStore(_Kind):
    """Logs of builds as they were sent: an object with `log`, `apiversion`, `kind`, `metadata`."""

    RESULT_TYPE = "buildlogs"

    def store_document(self, document: dict[str, Any], name: str | None = None) -> str:  # type: ignore[override]  # the original names no document here: its digest does
        """Store a log, and return its name, which its content gives.

        Raises:
            DocumentError: It is no JSON.
            NotFoundError: It was given a name, and it is another.
        """
        found = buildlog_id(document)
        if name not in {None, found}:
            raise NotFoundError(f"a log is named by its content: this one is {found}")
        super().store_document(document, found)
        return found


class _Results(ResultStore):
    """Documents of an analyzer: each is written once."""

    def put_once(self, document: dict[str, Any], name: str) -> dict[str, Any]:
        """Store a document unless there is one, and say what is there now.

        Raises:
            DocumentError: It is no JSON, or what is there is no document.
        """
        key = self.key(check_name(name))
        return decode(self.store.put_once(key, encode(document)), f"{self.store.url} {key}")


class BuildLogsParsedResultsStore(_Results):
    """What logs say."""

    RESULT_TYPE = "buildlogs-parsed"


class AnalysisResultsStore(_Results):
    """What is in images."""

    RESULT_TYPE = "analysis"


class ObservationResultsStore(ResultStore):
    """Observations. The original had a place for them, and nothing wrote there."""

    RESULT_TYPE = "observations"


class AnalysisByDigest(_Kind):
    """By the digest of an image, an object with `analysis_id`: the newest analysis of it."""

    RESULT_TYPE = "analysis-by-digest"


class BuildsStore(_Kind):
    """What was sent of builds."""

    RESULT_TYPE = "builds"


class _Cache(_Kind):
    """Which analysis has the answer, by what was asked."""

    def store_document_record(self, key: str, document: dict[str, Any]) -> None:
        """Note what is known."""
        self.store_document(document, check_name(key))

    def retrieve_document_record(self, key: str) -> dict[str, Any]:
        """What is known.

        Raises:
            CacheMissError: Nothing.
        """
        try:
            return self.retrieve_document(check_name(key))
        except NotFoundError as error:
            raise CacheMissError(str(error)) from None

    def retrieve_document_ttl(self, key: str) -> int:
        """For how many seconds more it counts as fresh; less than 0: it does not any more. Nothing here asks for it.

        Raises:
            CacheMissError: Nothing is known.
        """
        try:
            written = self.store.entry(self.key(check_name(key))).modified.timestamp()
        except NotFoundError as error:
            raise CacheMissError(str(error)) from None
        return int(FRESH - (time.time() - written))


class BuildLogsAnalysesCacheStore(_Cache):
    """Analyses of logs, by the SHA-256 of the log's document with sorted keys."""

    RESULT_TYPE = "buildlogs-analysis-cache"


class AnalysesCacheStore(_Cache):
    """Analyses of images, by `<digest>+<digest of how it was asked for>`."""

    RESULT_TYPE = "analysis-cache"
