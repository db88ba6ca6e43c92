"""Observations once more, from the documents of the store."""

from collections.abc import Iterator
from typing import Any

import sqlalchemy as sa

from trimtab.catalog.database import Database
from trimtab.catalog.observation_schema import sources
from trimtab.catalog.observations.recording import NamelessError, forget, record_analysis, record_build
from trimtab.catalog.rebuild import Rebuilt
from trimtab.catalog.values import at
from trimtab.store import DocumentError, DocumentStore, InvalidKeyError, NotFoundError, Store, TooLargeError
from trimtab.store.keys import join

__all__ = ["PREFIXES", "replay"]

PREFIXES = ("analysis", "buildlogs-parsed", "builds")
"""Folders of the documents that tell something."""
LONGEST_ID = 200


def replay(database: Database, store: Store, deployment: str | None) -> Iterator[Rebuilt]:
    """Record all documents of the store once more, and forget those that are gone.

    Each is a transaction of its own: one that cannot be read stops nothing, and a rebuild that is broken off can be done again.

    Args:
        database: The catalog.
        store: Where the documents are.
        deployment: Whose; None if they are right in the store.

    Yields:
        What was done, document by document.

    Raises:
        trimtab.store.UnavailableError: The store cannot be read.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    seen: set[str] = set()
    for prefix in PREFIXES:
        documents = DocumentStore(store, join(deployment, prefix))
        for name in documents.get_document_listing():
            if not name.endswith(".request"):  # what was asked for, not what was found
                yield _replay(database, documents, prefix, name, seen)
    for document_id in sorted(_known(database) - seen):
        with database.write() as connection:
            forget(connection, document_id)
        yield Rebuilt(document_id, "removed")


def _replay(database: Database, documents: DocumentStore, prefix: str, name: str, seen: set[str]) -> Rebuilt:
    try:
        document = documents.retrieve_document(name)
        found = _id_of(document, prefix) or name.removesuffix(".json")
        seen.add(found[:LONGEST_ID])
        _record(database, document, prefix, found)
    except (DocumentError, TooLargeError, InvalidKeyError, NotFoundError, NamelessError) as error:
        return Rebuilt(name, "refused", str(error))
    return Rebuilt(found, "written")


def _id_of(document: dict[str, Any], prefix: str) -> str:
    told = document.get("analysis_id") if prefix == "builds" else at(document, "metadata", "document_id")
    return told if isinstance(told, str) else ""


def _record(database: Database, document: dict[str, Any], prefix: str, document_id: str) -> None:
    if prefix != "builds" and not isinstance(document.get("result"), dict):
        raise DocumentError("it has no `result`, so it is no analysis")
    with database.write() as connection:
        (record_build if prefix == "builds" else record_analysis)(
            connection, document, document_id, again=True
        )


def _known(database: Database) -> set[str]:
    with database.read() as connection:
        return set(connection.execute(sa.select(sources.c.document_id)).scalars())
