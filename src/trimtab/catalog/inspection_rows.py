"""Rows of an inspection and its runs, from its documents: ours and the original's of all ages."""

import hashlib
import json
import re
from collections.abc import Iterable, Mapping
from typing import Any

from trimtab.catalog.states import TERMINAL
from trimtab.catalog.values import at, integer, moment, number, standard, text

__all__ = [
    "environment_values",
    "identifier_of",
    "inspection_values",
    "run_values",
    "specification_digest",
    "words_of",
]

KIB = 1024  # the unit of ru_maxrss on Linux
# <kind>[-<identifier>]-<YYMMDDHHMMSS>-<hex>, and of before that: inspection-<identifier>-<8 hex>
ID = re.compile(r"inspection(?:-(?P<identifier>.+?))??(?:-(?P<time>\d{12}))?-[0-9a-f]{1,16}")


def specification_digest(specification: Mapping[str, Any]) -> str:
    """SHA-256, in hex, of what was asked for, without what the server added: the same for the same wish."""
    asked = {name: value for name, value in specification.items() if not name.startswith("@")}
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def identifier_of(inspection_id: str, specification: Mapping[str, Any]) -> str | None:
    """What whoever asked calls it: as the specification says, or else the id."""
    said = text(specification.get("identifier"), 200)
    if said:
        return said
    found = ID.fullmatch(inspection_id)
    return found["identifier"] if found else None


def words_of(inspection_id: str, identifier: str | None = None) -> set[str]:
    """The words by which an inspection is found: those of its id and its identifier, in small letters."""
    found = re.split(r"[^a-z0-9]+", f"{inspection_id} {identifier or ''}".lower())
    return {each[:200] for each in found} - {"", "inspection"}


def inspection_values(
    inspection_id: str,
    specification: Mapping[str, Any],
    report: Mapping[str, Any] | None = None,
    results: Iterable[Mapping[str, Any]] = (),
) -> dict[str, Any]:
    """The row of an inspection.

    Args:
        inspection_id: Which.
        specification: What was asked for.
        report: How it ended; None for the original's, whose state is told from the results.
        results: The results of its runs.
    """
    found = list(results)
    spans = [_span(each) for each in found]
    ends = [end for _, end in spans if end is not None]
    created = (
        moment(at(report, "created")) or moment(specification.get("@created")) or _moment_of(inspection_id)
    )
    starts = [start for start, _ in spans if start is not None]
    return {
        "id": inspection_id,
        "identifier": identifier_of(inspection_id, specification),
        "owner": text(at(report, "owner"), 200) or "",
        "state": _state(at(report, "state"), specification, found),
        "base": text(specification.get("base"), 500) or "",
        "batch_size": integer(specification.get("batch_size")) or 1,
        "specification_digest": specification_digest(specification),
        "engine": text(at(report, "engine", "name"), 64),
        "build": standard(at(report, "build")),
        "failure_class": text(at(report, "failure", "kind"), 32),
        "failure_reason": text(at(report, "failure", "reason"), 4000),
        "created_at": created or min([*starts, *ends], default=0.0),
        "started_at": moment(at(report, "started")) or min(starts, default=None),
        "ended_at": moment(at(report, "ended")) or max(ends, default=None),
    }


def run_values(
    item: int, result: Mapping[str, Any] | None, report: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """The row of a run, without its hardware and environment.

    Args:
        item: Which.
        result: What came of it; None if it was lost.
        report: What the inspection's report says of it; None for the original's.
    """
    exit_code = integer(at(result, "exit_code"))
    if exit_code is None:
        exit_code = integer(at(report, "exit_code"))
    started, ended = _span(result)
    started, ended = started or moment(at(report, "started")), ended or moment(at(report, "ended"))
    return {
        "item": item,
        "attempt": integer(at(report, "attempt")) or 1,
        "state": text(at(report, "state"), 16) or ("succeeded" if exit_code == 0 else "failed"),
        "exit_code": exit_code,
        "signal": _signal(result, report, exit_code),
        "timed_out": bool(at(result, "timed_out") or at(report, "timed_out")),
        "oom_killed": bool(at(report, "oom_killed") or _kills(at(result, "cgroup"))),
        "started_at": started,
        "ended_at": ended,
        "duration": _duration(result, started, ended),
        "failure_class": text(at(report, "failure", "kind"), 32),
        "failure_reason": text(at(report, "failure", "reason") or at(report, "lost"), 4000),
        "script_sha256": text(at(result, "script_sha256"), 64),
        "memory_peak": integer(at(result, "cgroup", "memory", "peak"), big=True),
        **_usage(at(result, "usage")),
        **_indicator(at(result, "stdout")),
    }


def environment_values(result: Mapping[str, Any] | None) -> dict[str, str] | None:
    """The row of the environment that a run was in; None if its result tells nothing of it."""
    told = at(result, "runtime_environment")
    release = at(result, "os_release")
    found = {
        "os_name": text(at(told, "operating_system", "name") or at(release, "id"), 100) or "",
        "os_version": text(at(told, "operating_system", "version") or at(release, "version_id"), 100) or "",
        "python_version": text(at(told, "python_version"), 50) or "",
        "cuda_version": text(at(told, "cuda_version"), 50) or "",
    }
    return found if any(found.values()) else None


def _state(said: Any, specification: Mapping[str, Any], results: list[Mapping[str, Any]]) -> str:
    """How an inspection ended; the original wrote no state down."""
    if isinstance(said, str) and said in TERMINAL:
        return said
    if results:
        return "succeeded" if all(each.get("exit_code") == 0 for each in results) else "failed"
    return "build_failed" if specification.get("script") else "succeeded"


def _moment_of(inspection_id: str) -> float | None:
    found = ID.fullmatch(inspection_id)
    digits = found["time"] if found else None
    if not digits:
        return None
    pairs = [digits[at_ : at_ + 2] for at_ in range(0, 12, 2)]
    return moment("20{}-{}-{}T{}:{}:{}".format(*pairs))


def _span(result: Any) -> tuple[float | None, float | None]:
    """Start and end; documents before August 2020 have one time only, that of the end."""
    return moment(at(result, "start_datetime")), moment(at(result, "end_datetime") or at(result, "datetime"))


def _duration(result: Any, started: float | None, ended: float | None) -> float | None:
    said = number(at(result, "duration"))
    if said is not None or started is None or ended is None:
        return said
    return max(0.0, ended - started)


def _signal(result: Any, report: Any, exit_code: int | None) -> int | None:
    said = integer(at(result, "signal")) or integer(at(report, "signal"))
    if said is None and exit_code is not None and exit_code < 0:
        return -exit_code  # what the original's wrapper writes for it
    return said


def _kills(group: Any) -> bool:
    """Whether memory ran out in the run's control group; only if nobody else was in it, that was the run."""
    return at(group, "alone") is True and bool(integer(at(group, "memory", "oom_kills")))


def _usage(usage: Any) -> dict[str, Any]:
    kibibytes = integer(at(usage, "ru_maxrss"), big=True)
    return {
        "utime": number(at(usage, "ru_utime")),
        "stime": number(at(usage, "ru_stime")),
        "max_rss": None if kibibytes is None else integer(kibibytes * KIB, big=True),
        "usage": standard(usage) if isinstance(usage, Mapping) else None,
    }


def _indicator(stdout: Any) -> dict[str, Any]:
    """What a benchmark script says of itself and its result."""
    measured = at(stdout, "@result")
    return {
        "indicator": text(at(stdout, "name"), 100),
        "component": text(at(stdout, "component") or at(stdout, "framework"), 100),
        "elapsed": number(at(measured, "elapsed")),
        "rate": number(at(measured, "rate")),
        "score": number(at(stdout, "overall_score")),
    }
