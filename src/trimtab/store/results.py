"""Documents of one kind, and the requests they answer: what the original's analyzers store."""

import re
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

from trimtab.store.adapter import DocumentStore
from trimtab.store.default import default_store
from trimtab.store.errors import DocumentError
from trimtab.store.keys import check_name, join
from trimtab.store.store import Store

__all__ = ["DependencyMonkeyReportsStore", "DependencyMonkeyRequestsStore", "ResultStore"]

REQUEST = ".request"
# Ids are <kind>-<YYMMDDHHMMSS>-<hex>.
DAY = re.compile(r"-(\d{2})(\d{2})(\d{2})\d{6}-[0-9a-f]+")


class ResultStore(DocumentStore):
    """Documents of one kind of a deployment: `<deployment>/<kind>/<id>`, beside them `<id>.request`.

    Args:
        store: Where; by default the one that the settings name.
        deployment: Whose, if a store is given.
        kind: Of the documents; a class for one kind has it as `RESULT_TYPE`.
    """

    RESULT_TYPE = ""

    def __init__(self, store: Store | None = None, deployment: str = "", kind: str | None = None) -> None:
        if store is None:
            store, deployment = default_store()
        super().__init__(store, join(deployment, check_name(kind or self.RESULT_TYPE)))

    def store_document(self, document: dict[str, Any], name: str | None = None) -> str:  # type: ignore[override]
        """Store a document.

        Args:
            document: Of an analyzer: with `metadata` and `result`.
            name: Its id; by default `metadata.document_id`.

        Returns:
            Its id.

        Raises:
            DocumentError: It is no such document, or names no id.
        """
        metadata = document.get("metadata")
        if not isinstance(metadata, dict) or "result" not in document:
            raise DocumentError("the document of an analyzer needs metadata, an object, and result")
        found = name or metadata.get("document_id")
        if not isinstance(found, str):
            raise DocumentError("the document has no metadata.document_id, and no other id was given")
        super().store_document(document, check_name(found))
        return found

    def get_document_listing(
        self,
        prefix_addition: str = "",
        *,
        start_date: date | None = None,
        end_date: date | None = None,
        include_end_date: bool = False,
        only_requests: bool = False,
    ) -> Iterator[str]:
        """Ids of the documents.

        Args:
            prefix_addition: Folder below that of the kind.
            start_date: The first day wanted; as the id has it, in UTC.
            end_date: The day before which it ends.
            include_end_date: Whether that day is wanted, too.
            only_requests: Whether requests are wanted, by their ids, and not the documents.
        """
        last = end_date if include_end_date or end_date is None else end_date - timedelta(days=1)
        for name in super().get_document_listing(prefix_addition):
            if name.endswith(REQUEST) is not only_requests:
                continue
            found = name.removesuffix(REQUEST)
            if _within(found, start_date, last):
                yield found

    def get_document_count(self, **dates: Any) -> int:
        """How many there are; the arguments are those of `get_document_listing`."""
        return sum(1 for _ in self.get_document_listing(**dates))

    def iterate_results(
        self, prefix_addition: str = "", **dates: Any
    ) -> Iterator[tuple[str, dict[str, Any]]]:
        """The documents with their ids; the arguments are those of `get_document_listing`.

        Raises:
            DocumentError: One of the objects is no document.
        """
        for name in self.get_document_listing(prefix_addition, **dates):
            yield name, self.retrieve_document(name)

    def store_request(self, name: str, request: dict[str, Any]) -> None:
        """Store what a document will answer."""
        super().store_document(request, check_name(name + REQUEST))

    def retrieve_request(self, name: str) -> dict[str, Any]:
        """What a document answers.

        Raises:
            NotFoundError: There is no such request.
        """
        return self.retrieve_document(name + REQUEST)

    def delete_request(self, name: str) -> None:
        """Delete it, if it is there."""
        self.delete(check_name(name + REQUEST))

    def request_exists(self, name: str) -> bool:
        """Whether there is such a request."""
        return self.document_exists(name + REQUEST)


class DependencyMonkeyRequestsStore(ResultStore):
    """Requests to find and inspect stacks."""

    RESULT_TYPE = "dependency-monkey-requests"


class DependencyMonkeyReportsStore(ResultStore):
    """What became of those requests."""

    RESULT_TYPE = "dependency-monkey-reports"

    def iterate_inspection_ids(self, name: str) -> Iterator[str]:
        """The inspections that a report tells of.

        Raises:
            NotFoundError: There is no such report.
        """
        result = self.retrieve_document(name).get("result")
        report = result.get("report") if isinstance(result, dict) else None
        responses = report.get("responses") if isinstance(report, dict) else None
        for each in responses if isinstance(responses, list) else ():
            if isinstance(each, dict) and isinstance(each.get("response"), str):
                yield each["response"]


def _within(name: str, first: date | None, last: date | None) -> bool:
    if first is None and last is None:
        return True
    found = DAY.search(name)
    try:
        day = date(2000 + int(found[1]), int(found[2]), int(found[3])) if found else None
    except ValueError:
        return False
    return day is not None and (first is None or first <= day) and (last is None or day <= last)
