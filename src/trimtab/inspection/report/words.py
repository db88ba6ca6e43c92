"""What came of an inspection, in plain words."""

from collections import Counter
from collections.abc import Iterator
from urllib.parse import urlsplit

from trimtab.inspection.report.model import Report
from trimtab.inspection.statistics import BatchStatistics, HardwareGroup, MeasureStatistics
from trimtab.pages.numbers import duration, percent, quantity

__all__ = ["headline", "kind", "measure", "more", "shown", "source", "spent", "summary", "unit", "verdict"]

_STATES = {
    "succeeded": "Built",
    "build_failed": "The build failed",
    "cancelled": "Cancelled",
    "expired": "It waited too long",
}
_KINDS = {
    "stack": "It is the stack's: its packages, the base image, or how they fit together.",
    "script": "It is the script's.",
    "infrastructure": "It is the infrastructure's, and says nothing of stack or script.",
}
_UNITS = {
    "duration": "s",
    "elapsed": "s",
    "seconds": "s",
    "ru_utime": "s",
    "ru_stime": "s",
    "ru_maxrss": "KiB",
    "peak": "bytes",
}
MEASURES = 14
_FIRST = (
    "duration",
    "usage__ru_utime",
    "usage__ru_stime",
    "usage__ru_maxrss",
    "cgroup__memory__peak",
    "cgroup__cpu__throttled_seconds",
)


def verdict(report: Report) -> str:
    """How it is coloured: `yes`, `no` or `none`."""
    return {"succeeded": "yes", "cancelled": "no", "expired": "no"}.get(report.state, "none")


def headline(report: Report) -> str:
    """How it ended, in half a line."""
    last = report.last
    if report.state == "succeeded" and last:
        return "The run succeeded" if len(last) == 1 else f"All {len(last)} runs succeeded"
    if report.state == "failed" and last:
        bad = [each for each in last if each.state != "succeeded"]
        word = "lost" if all(each.state == "lost" for each in bad) else "failed"
        return f"The run {word}" if len(last) == 1 and word == "failed" else _of(len(bad), len(last), word)
    return _STATES.get(report.state, report.state.replace("_", " ").capitalize())


def _of(bad: int, all_: int, word: str) -> str:
    verb = "was" if bad == 1 else "were"
    return f"{bad} of {all_} runs {f'{verb} lost' if word == 'lost' else word}"


def summary(report: Report) -> Iterator[str]:
    """What was measured and what failed, in a sentence each."""
    if report.statistics and report.primary:
        yield from (
            _measured(report.statistics, group, report.primary) for group in report.statistics.groups[:3]
        )
    if report.failures:
        first = report.failures[0]
        yield f"{first.what[0].upper()}{first.what[1:]}: {first.reason.rstrip('.')}. {kind(first.kind)}".strip()
    if report.state == "succeeded" and not report.runs:
        yield "Nothing was run: there is no script." if not report.script else "Nothing was run."


def _measured(statistics: BatchStatistics, group: HardwareGroup, name: str) -> str:
    found = group.measures[name].summary
    where = f" on {group.hardware}" if len(statistics.groups) > 1 else ""
    text = f"{measure(name)}{where}: {quantity(found.median, unit(name))} in the median of {_count(found.n, 'run')}"
    if found.interval is None:
        return f"{text}."
    low, high, sure = found.interval.low, found.interval.high, found.interval.attained
    between = f"between {quantity(low, unit(name))} and {quantity(high, unit(name))}"
    return f"{text}, {between} with {percent(min(sure, found.interval.confidence))} confidence."


def spent(report: Report) -> str:
    """Runs and time."""
    counts = Counter(each.state for each in report.runs)
    told = ", ".join(f"{count} {state}" for state, count in counts.items())
    took = f" in {duration(report.seconds)}" if report.seconds is not None else ""
    attempts = f" ({told})" if len(counts) > 1 or len(report.runs) > len(report.last) else ""
    return f"{len(report.last)} of {_count(report.batch, 'run')}{attempts}{took}."


def kind(name: str) -> str:
    """Whose failure it is, in a sentence."""
    return _KINDS.get(name, "")


def more(found: MeasureStatistics) -> str:
    """How many more runs would settle a measure."""
    if found.more_runs is None:
        return "unknown"
    return "none" if found.more_runs == 0 else str(found.more_runs)


def measure(name: str) -> str:
    """A measure as people call it."""
    known = {
        "duration": "Duration",
        "stdout__@result__elapsed": "Elapsed time, as the script says",
        "usage__ru_utime": "CPU time",
    }
    return known.get(name, name)


def unit(name: str) -> str:
    """Of a measure, by the last word of its name; empty where it is not known."""
    return _UNITS.get(name.rpartition("__")[2], "")


def source(text: str) -> str:
    """Where a package is from: an index by its name, or by its host alone, for a URL may hold a password."""
    return (urlsplit(text).hostname or "elsewhere") if "://" in text else text


def shown(group: HardwareGroup, primary: str | None) -> list[str]:
    """The measures worth a line: the primary one, the script's own, time, memory; those that are always 0 are not."""
    own = [name for name in group.measures if name.startswith("stdout__")]
    names = dict.fromkeys([*filter(None, [primary]), *own, *_FIRST])
    return [name for name in names if name in group.measures and group.measures[name].summary.max][:MEASURES]


def _count(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
