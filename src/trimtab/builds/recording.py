"""Remember what a document tells, when it is in the store: its observations become rows of the catalog.

Each call is one transaction. Called again with the same document it changes nothing, and in which order documents come makes no difference.
"""

from collections.abc import Mapping
from typing import Any

from trimtab.catalog import Database
from trimtab.catalog import observations as catalog

__all__ = ["record_analysis", "record_build"]


def record_build(database: Database, build: Mapping[str, Any]) -> None:
    """Remember a build: which images and which log belong to it, and how it ended.

    Args:
        database: The catalog.
        build: Its document, with `analysis_id`, `base_image`, `output_image`, `build_log`, `build`.

    Raises:
        trimtab.catalog.observations.NamelessError: It has no id.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    with database.write() as connection:
        catalog.record_build(connection, build)


def record_analysis(database: Database, document: Mapping[str, Any], document_id: str | None = None) -> None:
    """Remember what an analysis found, of an image or of a build's log.

    Args:
        database: The catalog.
        document: With `metadata` and `result`; ours, or the original's.
        document_id: Its id, if `metadata.document_id` does not have it.

    Raises:
        trimtab.catalog.observations.NamelessError: It has no id.
        trimtab.catalog.UnavailableError: The database cannot be used.
    """
    with database.write() as connection:
        catalog.record_analysis(connection, document, document_id)
