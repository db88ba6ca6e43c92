"""The failures of a report, each once: what the documents say, or where they say nothing the end of what was printed."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from trimtab.catalog.values import at
from trimtab.inspection.attempts import attempts
from trimtab.inspection.failure.classes import LINES, lines_of
from trimtab.inspection.report.model import Failure

__all__ = ["failures"]

MAX_FAILURES = 20
NAMED = 8


def failures(
    state: str, report: Mapping[str, Any], results: Mapping[int, Mapping[str, Any]], log: Sequence[str]
) -> tuple[Failure, ...]:
    """Of the build, and of the runs: those that failed alike are one."""
    found = [*_of_build(state, report, log), *_of_runs(report, results)]
    return tuple(found[:MAX_FAILURES])


def _of_build(state: str, report: Mapping[str, Any], log: Sequence[str]) -> Iterator[Failure]:
    if state != "build_failed":
        return
    told = report.get("failure")
    if isinstance(told, Mapping):
        yield _failure("the build", told)
    else:
        yield Failure("the build", "", "nobody said why; the log ends so", tuple(log[-LINES:]))


def _of_runs(report: Mapping[str, Any], results: Mapping[int, Mapping[str, Any]]) -> Iterator[Failure]:
    alike: dict[Failure, list[str]] = {}
    for name, failure in _each(report, results):
        alike.setdefault(failure, []).append(name)
    for failure, names in alike.items():
        yield Failure(_together(names), failure.kind, failure.reason, failure.lines)


def _each(
    report: Mapping[str, Any], results: Mapping[int, Mapping[str, Any]]
) -> Iterator[tuple[str, Failure]]:
    told = attempts(report)
    for item in sorted({*told, *results}):
        for each in told.get(item, ()):
            if isinstance(failure := each.get("failure"), Mapping):
                yield _name(item, each, told[item]), _failure("", failure)
        if item not in told and (failure := _of_result(results[item])):
            yield str(item + 1), failure


def _name(item: int, one: Mapping[str, Any], attempts_: Sequence[Mapping[str, Any]]) -> str:
    return str(item + 1) if len(attempts_) == 1 else f"{item + 1} (attempt {one.get('attempt', 1)})"


def _of_result(result: Mapping[str, Any]) -> Failure | None:
    """Of a run of the original's: no document says why."""
    code = result.get("exit_code")
    if code == 0 and not result.get("timed_out"):
        return None
    how = f"signal {-code}" if isinstance(code, int) and code < 0 else f"exit code {code}"
    return Failure("", "", f"it ended with {how}", tuple(lines_of(result.get("stderr", ""))[-LINES:]))


def _failure(what: str, told: Mapping[str, Any]) -> Failure:
    lines = at(told, "lines")
    shown = tuple(str(each) for each in lines[:LINES]) if isinstance(lines, list) else ()
    return Failure(what, str(told.get("kind") or ""), str(told.get("reason") or ""), shown)


def _together(names: Sequence[str]) -> str:
    if len(names) == 1:
        return f"run {names[0]}"
    more = len(names) - NAMED
    if more > 0:
        return f"runs {', '.join(names[:NAMED])} and {more} more"
    return f"runs {', '.join(names[:-1])} and {names[-1]}"
