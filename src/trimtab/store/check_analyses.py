"""Look through the documents of builds: whether each is one, is called what it should be, and has what it speaks of."""

import hashlib
from collections.abc import Iterator
from typing import Any

from trimtab.store.analyses import (
    AnalysesCacheStore,
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsAnalysesCacheStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    BuildsStore,
    ObservationResultsStore,
    buildlog_id,
)
from trimtab.store.documents import decode
from trimtab.store.errors import DocumentError, NotFoundError, TooLargeError
from trimtab.store.finding import Finding
from trimtab.store.store import Store

__all__ = ["check_analyses"]

AGAIN = "restore it from a backup; or delete it, and submit what it is of again"
KINDS = (
    (BuildLogsStore, AGAIN),
    (BuildLogsParsedResultsStore, AGAIN),
    (AnalysisResultsStore, AGAIN),
    (BuildsStore, "restore it from a backup, or delete it: what was analysed of the build stays"),
    (ObservationResultsStore, "restore it from a backup, or delete it"),
    (AnalysisByDigest, "delete it: it is written again when the image is submitted"),
    (AnalysesCacheStore, "delete it: it is written again when the image is submitted"),
    (BuildLogsAnalysesCacheStore, "delete it: it is written again when the log is submitted"),
)


def check_analyses(store: Store, deployment: str) -> Iterator[Finding]:
    """Look through the documents of the builds of a deployment. Every document is read.

    Raises:
        UnavailableError: The store cannot be read.
    """
    spoken: set[str] = set()
    logs = BuildLogsStore(store, deployment)
    for kind, remedy in KINDS:
        for entry in store.list(kind(store, deployment).prefix):
            try:
                content = store.get(entry.key)
                document = decode(content, entry.key)
            except NotFoundError:  # deleted since it was listed
                continue
            except (DocumentError, TooLargeError) as error:
                yield Finding("torn", entry.key, str(error), remedy)
                continue
            name = entry.key.rpartition("/")[2]
            if kind is BuildLogsStore and name not in _names(content, document):
                yield Finding("torn", entry.key, "its content is not what its name is the digest of", remedy)
            if kind is BuildsStore and (log := _log(document)):
                spoken.add(log)
    for name in sorted(spoken):
        if not logs.document_exists(name):
            problem = "a build has this log, and it is gone"
            yield Finding("missing", logs.key(name), problem, "restore it from a backup, or do without it")


def _names(content: bytes, document: dict[str, Any]) -> tuple[str, str]:
    """What a log may be called: by its bytes, however they were written, or as we would write it."""
    return f"buildlog-{hashlib.sha256(content).hexdigest()}", buildlog_id(document)


def _log(document: dict[str, Any]) -> str | None:
    log = document.get("build_log")
    name = log.get("document_id") if isinstance(log, dict) else None
    return name if isinstance(name, str) else None
