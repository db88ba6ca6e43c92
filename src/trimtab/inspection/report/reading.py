"""A report from an inspection's documents, whoever wrote them: what they do not say is left out."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from trimtab.catalog.inspection_rows import inspection_values
from trimtab.catalog.stacks import packages_of
from trimtab.catalog.values import at, integer, standard
from trimtab.inspection.attempts import attempts
from trimtab.inspection.failure.classes import lines_of
from trimtab.inspection.report import asking
from trimtab.inspection.report.failing import failures
from trimtab.inspection.report.hardware import machine
from trimtab.inspection.report.model import Fact, Machine, Report
from trimtab.inspection.report.running import runs
from trimtab.inspection.statistics import BatchStatistics
from trimtab.inspection.statistics.batch import describe_readings
from trimtab.inspection.statistics.hardware import Hardware
from trimtab.inspection.statistics.runs import Reading, readings
from trimtab.store import InspectionStore, NotFoundError

__all__ = ["read"]

MAX_INSTALLED = 2000
LOG_BYTES = 64 << 10
LOG_LINES = 60
# What statistics and the tables read of a result; output may be large, and is in the store.
_READ = frozenset(
    {
        "exit_code",
        "signal",
        "timed_out",
        "error",
        "duration",
        "datetime",
        "start_datetime",
        "end_datetime",
        "usage",
        "cgroup",
        "pressure",
        "runtime_environment",
        "interpreter",
        "packages",
        "notes",
        "lost",
    }
)
_END = 16 << 10


def read(inspection: InspectionStore) -> Report:
    """Read an inspection that is over.

    Raises:
        NotFoundError: It is not there, or not over.
        DocumentError: One of its documents was torn.
        UnavailableError: The store cannot be read.
    """
    specification = inspection.retrieve_specification()
    report = _report(inspection)
    kinds: dict[str | None, Mapping[str, Any]] = {}
    stored = inspection.results.each(inspection.results.retrieve_result)
    results = {item: _slim(inspection, item, result, kinds) for item, result in stored}
    taken = readings(dict.fromkeys(attempts(report)) | results)
    values = inspection_values(inspection.inspection_id, specification, report, list(results.values()))
    statistics = describe_readings(taken) if taken else None
    log = _log(inspection)
    found = runs(results, report, taken, statistics.primary if statistics else None)
    return Report(
        id=inspection.inspection_id,
        identifier=values["identifier"] or "",
        state=values["state"],
        base=values["base"],
        batch=values["batch_size"],
        asked=tuple(asking.asked(specification)),
        script=asking.script(specification),
        built=tuple(asking.built(report)),
        left_out=asking.texts(at(report, "build", "left_out")),
        containerfile=_containerfile(inspection),
        log=log,
        engine=tuple(asking.engine(report)),
        warnings=asking.texts(at(report, "engine", "warnings")),
        runs=found,
        statistics=statistics,
        failures=failures(values["state"], report, results, log),
        machines=_machines(results, taken),
        locked=packages_of(specification),
        installed=_installed(results),
        started=_time(values["started_at"]),
        ended=_time(values["ended_at"]),
        document=_document(inspection.inspection_id, values["state"], specification, report, statistics),
    )


def _report(inspection: InspectionStore) -> Mapping[str, Any]:
    try:
        return inspection.retrieve_report()
    except NotFoundError:
        return {}


def _slim(
    inspection: InspectionStore,
    item: int,
    result: Mapping[str, Any],
    kinds: dict[str | None, Mapping[str, Any]],
) -> dict[str, Any]:
    """A result without what is large; runs on one kind of machine share its document."""
    slim = {name: value for name, value in result.items() if name in _READ}
    stdout = result.get("stdout")
    slim["stdout"] = stdout if isinstance(stdout, Mapping) else {}
    slim["stderr"] = str(result.get("stderr") or "")[-_END:]
    slim["hwinfo"] = _hwinfo(inspection, item, result, kinds)
    return slim


def _hwinfo(
    inspection: InspectionStore,
    item: int,
    result: Mapping[str, Any],
    kinds: dict[str | None, Mapping[str, Any]],
) -> Mapping[str, Any]:
    found = result.get("hwinfo")
    if not isinstance(found, Mapping):
        try:
            found = inspection.results.retrieve_hwinfo(item)
        except NotFoundError:
            return {}
    return kinds.setdefault(Hardware.of({"hwinfo": found}).digest, found)


def _machines(results: Mapping[int, Mapping[str, Any]], taken: Sequence[Reading]) -> tuple[Machine, ...]:
    hardware = {each.item: each.hardware for each in taken}
    kinds: dict[Hardware, list[Mapping[str, Any]]] = {}
    for item, each in results.items():
        kinds.setdefault(hardware[item], []).append(each)
    return tuple(machine(kind, found) for kind, found in kinds.items() if kind.is_known)


def _installed(results: Mapping[int, Mapping[str, Any]]) -> tuple[Fact, ...]:
    """What the first run that tells found."""
    for each in results.values():
        packages = each.get("packages")
        if isinstance(packages, list) and packages:
            return tuple(_packages(packages[:MAX_INSTALLED]))
    return ()


def _packages(packages: list[Any]) -> Iterator[Fact]:
    for each in packages:
        if isinstance(name := at(each, "name"), str):
            yield Fact(name, str(at(each, "version") or ""))


def _containerfile(inspection: InspectionStore) -> str:
    try:
        return inspection.build.retrieve_dockerfile()[:LOG_BYTES]
    except NotFoundError:
        return ""


def _log(inspection: InspectionStore) -> tuple[str, ...]:
    """The last lines of the build's log."""
    key = inspection.build.key("log")
    try:
        start = max(0, inspection.store.entry(key).size - LOG_BYTES)
        text = b"".join(inspection.build.stream_log(start)).decode(errors="replace")
    except NotFoundError:
        try:
            text = inspection.build.retrieve_log()
        except NotFoundError:
            return ()
    return tuple(lines_of(text)[-LOG_LINES:])


def _time(seconds: float | None) -> datetime | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC)


def _document(
    inspection_id: str,
    state: str,
    specification: Mapping[str, Any],
    report: Mapping[str, Any],
    statistics: BatchStatistics | None,
) -> dict[str, Any]:
    found = {
        "inspection_id": inspection_id,
        "state": state,
        "specification": specification,
        "report": report or None,
        "statistics": statistics.to_dict() if statistics else None,
        "batch_size": integer(specification.get("batch_size")),
    }
    document: dict[str, Any] = standard(found)
    return document
