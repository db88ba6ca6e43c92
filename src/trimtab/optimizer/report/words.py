"""What was found, in plain words."""

from collections import Counter
from collections.abc import Iterator

from trimtab.optimizer.report.model import Report
from trimtab.pages.numbers import duration, number, percent, signed_percent

__all__ = ["certainty", "headline", "left_in_place", "spent", "summary"]

_BROKEN = {
    "rejected": "did not come up",
    "failed": "failed",
    "aborted": "cut short for a broken SLO",
    "lost": "lost to the infrastructure",
    "unfinished": "not finished",
}


def headline(report: Report) -> str:
    """The result in half a line."""
    found = report.finding
    if found.verdict == "improved" and found.improvement is not None:
        return f"{percent(found.improvement)} better"
    if found.verdict == "improved":
        return "Better settings were found"
    if found.verdict == "no improvement shown":
        return "No improvement shown"
    return "Nothing was measured"


def summary(report: Report) -> str:
    """The result in a sentence or two."""
    found, goal = report.finding, report.goal
    if found.verdict == "improved":
        return (
            f"{goal.expression} went from {number(found.baseline_value)} to {number(found.value)} "
            f"({'less' if goal.minimize else 'more'} is better)."
        )
    if found.verdict == "no improvement shown":
        return f"The settings stay as they were. {_why_not(report)}"
    return f"There is nothing to recommend. {_why_nothing(report)}"


def _why_not(report: Report) -> str:
    found = report.finding
    if found.interval is None:
        return "No candidate was better than the baseline in what was measured."
    low, high = found.interval
    return (
        f"The best candidate differs from the baseline by {signed_percent(low)} to {signed_percent(high)}, "
        "which may be chance: more or longer trials would tell."
    )


def _why_nothing(report: Report) -> str:
    if report.message:
        return f"{report.message[0].upper()}{report.message[1:]}."
    last = next((trial for trial in reversed(report.trials) if trial.message or trial.reason), None)
    if last is None:
        return "No trial ended with a reading of the objective."
    return f"The last trial {_BROKEN.get(last.status, last.status)}: {last.message or last.reason}"


def certainty(report: Report) -> str:
    """How sure the result is, and what it stands on."""
    found = report.finding
    if found.interval is None:
        return "It was not measured often enough to say how sure this is."
    low, high = found.interval
    parts = [
        f"Between {signed_percent(low)} and {signed_percent(high)}, with {percent(found.confidence)} confidence"
    ]
    if found.probability is not None:
        parts.append(f"the probability that it is better at all is {_probability(found.probability)}")
    base, best = found.n_baseline, found.n_candidate
    parts.append(
        f"from {_count(base, 'reading')} of the baseline and {best} of the candidate, taken in turns"
    )
    return "; ".join(parts) + "."


def _probability(share: float) -> str:
    if share > 0.999:  # noqa: PLR2004  more digits would claim more than a t distribution knows
        return "above 99.9 %"
    return f"{share * 100:.1f} %" if share > 0.9 else percent(share)  # noqa: PLR2004  a digit where it matters


def left_in_place(report: Report) -> str:
    """Which settings the application was left with."""
    improved = report.finding.verdict == "improved"
    if report.left_in_place == "ok":
        applied = improved and report.state == "finished" and report.finding.point != report.baseline
        return "unknown" if not report.baseline else _left(report, applied=applied)
    if report.left_in_place:
        return f"The last command to set them ended as “{report.left_in_place}”: check the application."
    if report.state in {"finished", "cancelled", "failed"}:
        return "No setting was changed."
    return "The session is not over: continue it with `trimtab tune --resume`."


def _left(report: Report, *, applied: bool) -> str:
    if applied and report.applied:
        return "The recommended settings are in place."
    return "The baseline was put back."


def spent(report: Report) -> str:
    """Trials and time."""
    counts = Counter(trial.purpose for trial in report.trials)
    parts = [f"{count} {purpose}" for purpose, count in counts.items()]
    budget = f" of {report.budget}" if report.budget else ""
    took = f" in {duration(report.seconds)}" if report.seconds is not None else ""
    detail = f" ({', '.join(parts)})" if parts else ""
    return f"{len(report.trials)}{budget} trials{took}{detail}"


def broken(report: Report) -> Iterator[str]:
    """What went wrong, by kind, for a list."""
    counts = Counter(trial.status for trial in report.trials if trial.status != "ok")
    for status, count in counts.items():
        yield f"{_count(count, 'trial')} {_BROKEN.get(status, status)}"


def _count(amount: int, noun: str) -> str:
    return f"{amount} {noun}" if amount == 1 else f"{amount} {noun}s"
