"""One inspection in the store: its keys, and in which order they are written.

    <deployment>/inspections/<id>/build/log            blob      ┐ after the build
    <deployment>/inspections/<id>/build/Dockerfile     blob      ┘
    <deployment>/inspections/<id>/results/<n>/log      blob      ┐
    <deployment>/inspections/<id>/results/<n>/hwinfo   document  │ after each run
    <deployment>/inspections/<id>/results/<n>/result   document  ┘ last: it makes the run visible
    <deployment>/inspections/<id>/report               document  ┐ at the end, once
    <deployment>/inspections/<id>/build/specification  document  ┘ last: it makes the inspection visible

A run that the infrastructure lost has no result; the report tells of it. A writer that was killed writes again from where
it was: until the last object of a step is there, nobody has relied on the others.
"""

from collections.abc import Iterator
from typing import Any, cast

from trimtab.store.default import default_store
from trimtab.store.documents import decode, encode
from trimtab.store.inspection_parts import InspectionBuildsStore, InspectionResultsStore
from trimtab.store.keys import check_name, join
from trimtab.store.old_inspections import OldInspection
from trimtab.store.report import Report
from trimtab.store.store import Store

__all__ = ["InspectionStore", "folder"]

INSPECTIONS = "inspections"


def folder(deployment: str | None) -> str:
    """Where the inspections of a deployment are; right in the store, if it is None, as in published data sets."""
    return "" if deployment is None else join(deployment, INSPECTIONS)


class InspectionStore:
    """One inspection, whether it is there or not.

    Args:
        inspection_id: Which.
        store: Where; by default the one that the settings name.
        deployment: Whose, if a store is given; None if the inspections are right in it.

    Attributes:
        build: What came of its build.
        results: What came of its runs.

    Raises:
        InvalidKeyError: No inspection may be called so.
    """

    def __init__(self, inspection_id: str, store: Store | None = None, deployment: str | None = None) -> None:
        if store is None:
            store, deployment = default_store()
        self.inspection_id = check_name(inspection_id)
        self.store = store
        self.prefix = join(folder(deployment), inspection_id)
        self.build = InspectionBuildsStore(store, self.prefix)
        self.results = InspectionResultsStore(store, self.prefix)

    def connect(self) -> None:
        """See whether the store answers; it was opened before. Kept for callers of the original.

        Raises:
            UnavailableError: It does not answer.
        """
        self.store.check_connection()

    def is_connected(self) -> bool:
        """True: there is no store before it is opened. Kept for callers of the original."""
        return self.build.is_connected()

    def check_connection(self) -> None:
        """See whether the store answers.

        Raises:
            UnavailableError: It does not.
        """
        self.store.check_connection()

    def exists(self) -> bool:
        """Whether it was concluded, and so may be read."""
        return self.build.document_exists("specification") or OldInspection(self.store, self.prefix).exists()

    def retrieve_specification(self) -> dict[str, Any]:
        """What was asked for.

        Raises:
            NotFoundError: The inspection is not there, or not concluded.
            DocumentError: It was torn.
        """
        return self.build.retrieve_specification()

    def retrieve_report(self) -> Report:
        """How it ended.

        Raises:
            NotFoundError: It is not over, or of a program that wrote none, as the original.
            DocumentError: It was torn.
        """
        key = f"{self.prefix}/report"
        return cast("Report", decode(self.store.get(key), f"{self.store.url} {key}"))

    def conclude(self, specification: dict[str, Any], report: Report) -> Report:
        """Write how it ended, and make it visible. That happens once: what is there already stays.

        Args:
            specification: What was asked for, with the defaults and the `@` keys.
            report: How it ended; what is stored is added to it.

        Returns:
            The report that is stored now: that of whoever was first.

        Raises:
            DocumentError: One of them is no document; nothing is written then.
        """
        asked = encode(specification)
        objects = {name: size for name, size in self._objects() if name != "report"}
        key = f"{self.prefix}/report"
        stored = self.store.put_once(key, encode({**report, "objects": objects}))
        self.store.put_if_absent(self.build.key("specification"), asked)
        return cast("Report", decode(stored, key))

    def delete(self) -> int:
        """Delete all of it, at first what makes it visible.

        Returns:
            How many objects were deleted.
        """
        visible = self.build.key("specification")
        keys = [each.key for each in self.store.list(self.prefix) if each.key != visible]
        whole = [key for key in (visible, self.prefix) if self.store.exists(key)]
        for key in (*whole, *keys):
            self.store.delete(key)
        return len(whole) + len(keys)

    def _objects(self) -> Iterator[tuple[str, int]]:
        for entry in self.store.list(self.prefix):
            yield entry.key[len(self.prefix) + 1 :], entry.size

    @classmethod
    def iter_inspections(cls, store: Store | None = None, deployment: str | None = None) -> Iterator[str]:
        """The ids of all inspections that may be read; see `Inspections`."""
        from trimtab.store.inspections import Inspections

        if store is None:
            store, deployment = default_store()
        return Inspections(store, deployment).iter_inspections()

    @classmethod
    def get_inspection_count(cls, store: Store | None = None, deployment: str | None = None) -> int:
        """How many inspections may be read; each is looked at."""
        return sum(1 for _ in cls.iter_inspections(store, deployment))
