"""Many inspections at once, as the original's notebooks load them; and copies of them, to work on without a server."""

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import partial
from itertools import islice
from typing import Any, Literal, TypeAlias

from trimtab.store.errors import NotFoundError
from trimtab.store.inspection import InspectionStore
from trimtab.store.inspections import Inspections

__all__ = ["FileKind", "copy_inspection", "load_inspections"]

FileKind: TypeAlias = Literal["results", "specification", "hardware_info", "build_logs", "job_logs"]
USUAL: frozenset[FileKind] = frozenset({"results", "specification", "hardware_info", "build_logs"})


def load_inspections(
    inspections: Inspections,
    *,
    ids: Sequence[str] | None = None,
    identifiers: Sequence[str] = (),
    files: Collection[FileKind] = USUAL,
    limit: int | None = None,
    copies: Inspections | None = None,
) -> Iterator[tuple[str, dict[str, Any]]]:
    """Inspections with what belongs to them, one at a time; `dict(...)` of it is what the original's library returns.

    Args:
        inspections: Where they are.
        ids: Which; by default all that may be read.
        identifiers: Of those, the ones in whose id each word of one of these occurs; words are joined by dashes.
        files: What of them; logs of runs are mostly empty, and left out.
        limit: How many at most.
        copies: Where to keep a copy of each, and to read what was copied before.

    Yields:
        The id, and `results` (of each run `result`, `hwinfo`, `job_logs` and `requirements`), `specification` and
        `build_logs`; what is not wanted, or not there, is not in it. To each result is added what one needs to
        compare it with others: `inspection_document_id`, `identifier`, `specification_base`, `batch_size`, `run` and
        `requirements_locked`, in which each package has its index.

    Raises:
        NotFoundError: One of `ids` is not there.
        DocumentError: A document was torn.
        TooLargeError: A log has more than 64 MiB.
    """
    found = inspections.iter_inspections() if ids is None else iter(ids)
    for inspection_id in islice((each for each in found if _is_wanted(each, identifiers)), limit):
        inspection = inspections[inspection_id]
        if copies is not None:
            inspection = copy_inspection(inspection, copies)
        yield inspection_id, _load(inspection, files)


def copy_inspection(inspection: InspectionStore, target: Inspections) -> InspectionStore:
    """Copy an inspection, unless it is there: at last what makes it visible.

    Args:
        inspection: Which.
        target: Where to; `Inspections(Store.open(directory), None)` makes a data set as those that are published.

    Returns:
        The copy.

    Raises:
        NotFoundError: The inspection is not there, or not over.
    """
    copied = target[inspection.inspection_id]
    if copied.exists():
        return copied
    if not inspection.exists():
        raise NotFoundError(f"{inspection.store.url} has no inspection {inspection.inspection_id}")
    keys = [each.key for each in inspection.store.list(inspection.prefix)] or [inspection.prefix]
    for key in sorted(keys, key=lambda each: each == inspection.build.key("specification")):
        name = key[len(inspection.prefix) :]
        target.store.put(copied.prefix + name, inspection.store.stream(key))
    return copied


def _is_wanted(inspection_id: str, identifiers: Sequence[str]) -> bool:
    return not identifiers or any(
        all(word in inspection_id for word in identifier.split("-")) for identifier in identifiers
    )


def _load(inspection: InspectionStore, files: Collection[FileKind]) -> dict[str, Any]:
    specification = inspection.retrieve_specification()
    found: dict[str, Any] = {}
    if not {"results", "hardware_info", "job_logs"}.isdisjoint(files):
        read = partial(_run, inspection, specification, files)
        found["results"] = [run for _, run in inspection.results.each(read)]
    if "specification" in files:
        found["specification"] = specification
    if "build_logs" in files and (log := _there(inspection.build.retrieve_log)) is not None:
        found["build_logs"] = log
    return found


def _run(
    inspection: InspectionStore, specification: dict[str, Any], files: Collection[FileKind], item: int
) -> dict[str, Any]:
    results = inspection.results
    found: dict[str, Any] = {"requirements": _python(specification).get("requirements")}
    if "results" in files:
        found["result"] = results.retrieve_result(item) | _context(inspection, specification, item)
    if "hardware_info" in files:
        found["hwinfo"] = _there(lambda: results.retrieve_hwinfo(item))
    if "job_logs" in files:
        found["job_logs"] = _there(lambda: results.retrieve_log(item))
    return {name: value for name, value in found.items() if value is not None}


def _context(inspection: InspectionStore, specification: dict[str, Any], item: int) -> dict[str, Any]:
    return {
        "inspection_document_id": inspection.inspection_id,
        "identifier": specification.get("identifier"),
        "specification_base": specification.get("base"),
        "batch_size": specification.get("batch_size"),
        "run": item,
        "requirements_locked": _locked(_python(specification).get("requirements_locked")),
    }


def _locked(lock: Any) -> Any:
    """A Pipfile.lock in which each package has an index; that of one which names none is pypi."""
    packages = lock.get("default") if isinstance(lock, dict) else None
    if not isinstance(packages, dict):
        return lock
    indexed = {
        name: {"index": "pypi", **entry} if isinstance(entry, dict) else entry
        for name, entry in packages.items()
    }
    return {**lock, "default": indexed}


def _python(specification: dict[str, Any]) -> dict[str, Any]:
    found = specification.get("python")
    return found if isinstance(found, dict) else {}


def _there(read: Callable[[], Any]) -> Any:
    try:
        return read()
    except NotFoundError:
        return None
