"""Look through one inspection: its documents, what its report says it has, and what it has."""

import re
from collections.abc import Iterator
from typing import Any

from trimtab.store.documents import decode
from trimtab.store.errors import DocumentError, NotFoundError, TooLargeError
from trimtab.store.finding import Finding
from trimtab.store.inspection import InspectionStore

__all__ = ["check_inspection"]

DOCUMENT = re.compile(r"report|build/specification|results/\d+/(hwinfo|result)")
BLOB = re.compile(r"build/([Dd]ockerfile|log)|results/\d+/log")
RESULT = re.compile(r"results/(\d+)/result")
ITEM = re.compile(r"results/(\d+)/")


def check_inspection(inspection: InspectionStore, *, active: bool = False) -> Iterator[Finding]:
    """Look through one inspection.

    Args:
        inspection: Which.
        active: Whether it is being worked at; what it lacks is then no finding.

    Raises:
        UnavailableError: The store cannot be read.
    """
    yield from _Check(inspection).findings(active=active)


class _Check:
    def __init__(self, inspection: InspectionStore) -> None:
        self.inspection = inspection
        self.id = inspection.inspection_id
        skipped = len(inspection.prefix) + 1
        self.sizes = {each.key[skipped:]: each.size for each in inspection.store.list(inspection.prefix)}
        self.documents: dict[str, dict[str, Any]] = {}

    def findings(self, *, active: bool) -> Iterator[Finding]:
        if not self.sizes:
            yield from self._single()
            return
        yield from self._torn()
        yield from self._foreign()
        if "build/specification" in self.sizes:
            yield from self._missing()
            yield from self._unfinished_runs()
        elif not active:
            yield self._unconcluded()

    def _finding(self, kind: Any, name: str, problem: str, remedy: str) -> Finding:
        return Finding(kind, f"{self.inspection.prefix}/{name}".rstrip("/"), problem, remedy)

    def _single(self) -> Iterator[Finding]:
        """The one document that inspections of before 2020 are."""
        try:
            self.inspection.retrieve_specification()
        except DocumentError as error:
            yield self._finding("torn", "", str(error), "restore it from a backup, or delete it")
        except NotFoundError as error:
            yield self._finding(
                "orphaned", "", f"it is no inspection: {error}", "move it elsewhere, or delete it"
            )

    def _torn(self) -> Iterator[Finding]:
        store = self.inspection.store
        for name in filter(DOCUMENT.fullmatch, self.sizes):
            key = f"{self.inspection.prefix}/{name}"
            try:
                document = decode(store.get(key), key)
            except (DocumentError, TooLargeError) as error:
                yield self._finding("torn", name, str(error), self._remedy(name))
            except NotFoundError:  # deleted since it was listed
                continue
            else:
                self.documents[name] = document if name == "report" else {}

    def _remedy(self, name: str) -> str:
        if name.endswith("/hwinfo"):
            return "restore it from a backup, or delete it: the run's result has a copy"
        if name.endswith("/result"):
            return f"restore it from a backup; or delete its folder, and the run counts as missing, or retry: {self._retry}"
        if name == "report":
            return "restore it from a backup; or delete it, and the state is told from the results"
        return f"restore it from a backup, or submit it again and delete this one: trimtab inspections delete {self.id}"

    @property
    def _retry(self) -> str:
        return f"trimtab inspections retry {self.id}"

    def _foreign(self) -> Iterator[Finding]:
        for name in self.sizes:
            if not DOCUMENT.fullmatch(name) and not BLOB.fullmatch(name):
                yield self._finding(
                    "orphaned", name, "it is no part of an inspection", "move it elsewhere, or delete it"
                )

    def _missing(self) -> Iterator[Finding]:
        if "report" not in self.sizes:
            yield from self._missing_of_original()
            return
        for name, size in self._reported().items():
            if name not in self.sizes:
                yield self._finding(
                    "missing",
                    name,
                    "it was stored, and is gone",
                    f"restore it from a backup, or retry: {self._retry}",
                )
            elif self.sizes[name] != size and name not in self._torn_names():
                problem = f"it has {self.sizes[name]} bytes, and had {size} when it was stored"
                yield self._finding(
                    "torn", name, problem, f"restore it from a backup, or retry: {self._retry}"
                )

    def _torn_names(self) -> set[str]:
        return {name for name in self.sizes if DOCUMENT.fullmatch(name)} - set(self.documents)

    def _reported(self) -> dict[str, int]:
        """What was stored before the report, as it says."""
        found = self.documents.get("report", {}).get("objects")
        return {str(name): size for name, size in found.items()} if isinstance(found, dict) else {}

    def _missing_of_original(self) -> Iterator[Finding]:
        """The original wrote no report: its conventions have to do."""
        for names in (("build/log",), ("build/Dockerfile", "build/dockerfile")):
            if not any(name in self.sizes for name in names):
                yield self._finding(
                    "missing", names[0], "it is not there", "restore it from a backup, or do without it"
                )
        items = {int(found[1]) for name in self.sizes if (found := RESULT.fullmatch(name))}
        for item in sorted(set(range(max(items, default=-1))) - items):
            problem = "later runs have results, this one has none: it produced nothing, or was lost"
            yield self._finding(
                "missing", f"results/{item}/result", problem, f"retry, if it matters: {self._retry}"
            )

    def _unfinished_runs(self) -> Iterator[Finding]:
        reported = self._reported()
        for item in sorted({int(found[1]) for name in self.sizes if (found := ITEM.match(name))}):
            name = f"results/{item}/result"
            if name not in self.sizes and name not in reported and not self._known_lost(item):
                problem = "a run without a result: it was lost, or its writer was killed"
                yield self._finding(
                    "orphaned", f"results/{item}", problem, "delete the folder, or keep it for its log"
                )

    def _known_lost(self, item: int) -> bool:
        runs = self.documents.get("report", {}).get("runs")
        return isinstance(runs, list) and any(
            isinstance(each, dict) and each.get("item") == item for each in runs
        )

    def _unconcluded(self) -> Finding:
        if "report" in self.sizes:
            problem = "it is over, but its writer was killed before it made it visible"
            remedy = f"trimtab inspections resume {self.id}; if nothing is left of its work: trimtab inspections delete {self.id}"
            return self._finding("missing", "build/specification", problem, remedy)
        problem = "it was begun, and nobody is working at it"
        remedy = f"trimtab inspections resume {self.id}; if nothing is left of its work: trimtab inspections delete {self.id}"
        return self._finding("orphaned", "", problem, remedy)
