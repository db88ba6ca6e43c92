"""Inspections of before 2020: one document each, whose keys became folders later."""

from typing import Any

from trimtab.store.documents import decode
from trimtab.store.errors import NotFoundError
from trimtab.store.store import Store

__all__ = ["OldInspection"]


class OldInspection:
    """The single document that an inspection may be: an object where others have a folder.

    Its keys: `specification`, `created`, `build_log` (text), `job_log` (a result without times), `inspection_id`, `status`.

    Args:
        store: Where.
        key: Of the document.
    """

    def __init__(self, store: Store, key: str) -> None:
        self.store = store
        self.key = key

    def exists(self) -> bool:
        """Whether the inspection is such a document."""
        return self.store.exists(self.key)

    def specification(self) -> dict[str, Any]:
        """What was asked for; `@created` is taken from the document.

        Raises:
            NotFoundError: There is no such document, or it has none.
        """
        document = self._read()
        found = self._part(document, "specification", dict)
        return {"@created": document["created"], **found} if "created" in document else found

    def build_log(self) -> str:
        """What the builder printed.

        Raises:
            NotFoundError: There is no such document, or it has none.
        """
        found: str = self._part(self._read(), "build_log", str)
        return found

    def has_result(self) -> bool:
        """Whether there was a run."""
        try:
            self.result(0)
        except NotFoundError:
            return False
        return True

    def result(self, item: int) -> dict[str, Any]:
        """The result of its only run, which is number 0.

        Raises:
            NotFoundError: There is no such document, or it has none.
        """
        if item:
            raise NotFoundError(f"{self.store.url} has no {self.key}/results/{item}/result")
        found: dict[str, Any] = self._part(self._read(), "job_log", dict)
        return found

    def _read(self) -> dict[str, Any]:
        return decode(self.store.get(self.key), f"{self.store.url} {self.key}")

    def _part(self, document: dict[str, Any], name: str, kind: type) -> Any:
        if not isinstance(document.get(name), kind):
            raise NotFoundError(f"{self.store.url} {self.key} has no {name}")
        return document[name]
