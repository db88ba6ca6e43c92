"""The two folders of an inspection: what came of its build, and what of its runs."""

from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, TypeVar

from loguru import logger

from trimtab.store.adapter import DocumentStore
from trimtab.store.ahead import ahead
from trimtab.store.documents import decode, encode
from trimtab.store.errors import NotFoundError
from trimtab.store.old_inspections import OldInspection
from trimtab.store.store import Store

__all__ = ["InspectionBuildsStore", "InspectionResultsStore", "Log"]

T = TypeVar("T")
Log = bytes | Path | Iterable[bytes]
# The second is what the original's aggregation sometimes wrote (B16).
DOCKERFILES = ("Dockerfile", "dockerfile")


class InspectionBuildsStore(DocumentStore):
    """What came of an inspection's build.

    Args:
        store: Where.
        prefix: The inspection's folder.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store, f"{prefix}/build")
        self._old = OldInspection(store, prefix)

    def store_build(self, log: Log, dockerfile: str | bytes) -> None:
        """Store what a build leaves.

        Args:
            log: All that the builder printed.
            dockerfile: What it built.
        """
        self.store.put(self.key("log"), log)
        self.store_blob(dockerfile, "Dockerfile")

    def retrieve_dockerfile(self) -> str:
        """What was built.

        Raises:
            NotFoundError: It is not there.
        """
        for name in DOCKERFILES:
            if self.document_exists(name):
                return self.retrieve_text(name)
        raise NotFoundError(f"{self.store.url} has no {self.key('Dockerfile')}")

    def retrieve_log(self) -> str:
        """What the builder printed.

        Raises:
            NotFoundError: It is not there.
            TooLargeError: It is larger than 64 MiB; see `stream_log`.
        """
        try:
            return self.retrieve_text("log")
        except NotFoundError:
            return self._old.build_log()

    def stream_log(self, start: int = 0) -> Iterator[bytes]:
        """What the builder printed, from a byte on.

        Raises:
            NotFoundError: It is not there.
        """
        return self.store.stream(self.key("log"), start=start)

    def retrieve_specification(self) -> dict[str, Any]:
        """What was asked for.

        Raises:
            NotFoundError: The inspection is not there, or not concluded.
            DocumentError: It was torn.
        """
        try:
            return self.retrieve_document("specification")
        except NotFoundError:
            return self._old.specification()


class InspectionResultsStore(DocumentStore):
    """What came of an inspection's runs. Items are counted from 0.

    Args:
        store: Where.
        prefix: The inspection's folder.
    """

    def __init__(self, store: Store, prefix: str) -> None:
        super().__init__(store, f"{prefix}/results")
        self._old = OldInspection(store, prefix)

    def store_run(
        self,
        item: int,
        result: dict[str, Any] | bytes,
        *,
        hwinfo: dict[str, Any] | bytes | None = None,
        log: Log = b"",
    ) -> dict[str, Any]:
        """Store what a run leaves, unless its result is there: a run counts once, whoever else tries.

        Args:
            item: Which run.
            result: Its result document, or the bytes of one, which are kept as they are.
            hwinfo: What it ran on; if None, no such object is written.
            log: What it printed beside its result.

        Returns:
            The result that is stored now.

        Raises:
            DocumentError: The result or the hwinfo is no document; nothing is written then.
        """
        here = self.key(f"{item}/result")
        encoded = _document(result, here)
        hardware = None if hwinfo is None else _document(hwinfo, self.key(f"{item}/hwinfo"))
        if not self.store.exists(here):
            self.store.put(self.key(f"{item}/log"), log)
            if hardware is not None:
                self.store.put(self.key(f"{item}/hwinfo"), hardware)
        return decode(self.store.put_once(here, encoded), here)

    def __getitem__(self, item: int) -> dict[str, Any]:
        """The result of a run: `retrieve_result`, as one writes it in a notebook."""
        return self.retrieve_result(item)

    def __iter__(self) -> Iterator[dict[str, Any]]:
        """The results that there are, in order; a gap is no error, as it is to `iter_inspection_results`."""
        return (result for _, result in self.each(self.retrieve_result))

    def items(self) -> list[int]:
        """Which runs have a result, in order."""
        names = [each.split("/") for each in self.get_document_listing()]
        found = sorted(int(name[0]) for name in names if name[1:] == ["result"] and name[0].isdecimal())
        return found or ([0] if self._old.has_result() else [])

    def each(self, read: Callable[[int], T], items: Iterable[int] | None = None) -> Iterator[tuple[int, T]]:
        """What is read of each run, in order; on a server of several at the same time.

        Args:
            read: Reads what is wanted of a run; called in threads.
            items: Which runs; by default all that have a result.
        """
        return ahead(read, self.items() if items is None else items, self.store.at_once)

    def get_results_count(self) -> int:
        """The highest number of a run that has a result, and one; 0 if there is none."""
        items = self.items()
        count = items[-1] + 1 if items else 0
        if count != len(items):
            logger.warning("{} has {} results, but the last is number {}", self.prefix, len(items), count - 1)
        return count

    def retrieve_result(self, item: int) -> dict[str, Any]:
        """The result of a run.

        Raises:
            NotFoundError: It has none: it is not over, was lost, or there is no such run.
            DocumentError: It was torn.
        """
        try:
            return self.retrieve_document(f"{item}/result")
        except NotFoundError:
            return self._old.result(item)

    def retrieve_hwinfo(self, item: int) -> dict[str, Any]:
        """What a run ran on.

        Raises:
            NotFoundError: Nobody wrote it down, neither by itself nor in the result.
        """
        try:
            return self.retrieve_document(f"{item}/hwinfo")
        except NotFoundError:
            found = self.retrieve_result(item).get("hwinfo")
            if not isinstance(found, dict):
                raise
            return found

    def retrieve_log(self, item: int) -> str:
        """What a run printed beside its result; empty as a rule.

        Raises:
            NotFoundError: It is not there.
            TooLargeError: It is larger than 64 MiB; see `stream_log`.
        """
        return self.retrieve_text(f"{item}/log")

    def stream_log(self, item: int, start: int = 0) -> Iterator[bytes]:
        """What a run printed beside its result, from a byte on.

        Raises:
            NotFoundError: It is not there.
        """
        return self.store.stream(self.key(f"{item}/log"), start=start)

    def iter_inspection_results(self) -> Iterator[dict[str, Any]]:
        """The results in order.

        Raises:
            NotFoundError: One in the middle is missing; `items` says which there are.
        """
        for _, result in self.each(self.retrieve_result, range(self.get_results_count())):
            yield result


def _document(content: dict[str, Any] | bytes, where: str) -> bytes:
    if isinstance(content, bytes):
        decode(content, where)
        return content
    return encode(content)
