"""The report's page: one HTML file with everything in it, and nothing that could run."""

from functools import cache
from typing import Any

from trimtab.optimizer.report import words
from trimtab.optimizer.report.model import Change, Report, Trial, named, same
from trimtab.optimizer.report.plots import plots
from trimtab.pages import Page

__all__ = ["render"]

MAX_TRIALS_SHOWN = 500
MAX_METRICS = 5
PLOTS = ("course", "confidence", "importance", "settings")


def render(report: Report) -> str:
    """The page. What comes from outside is escaped."""
    return _page().render(
        plots(report),
        report=report,
        trials=report.trials[:MAX_TRIALS_SHOWN],
        metrics=_metrics(report),
        broken=list(words.broken(report)),
        violations=[(trial, each) for trial in report.trials for each in trial.violations],
    )


@cache
def _page() -> Page:
    called = {"words": words, "differences": _differences, "where": _where, "same": same}
    return Page("trimtab.optimizer.report", PLOTS, called)


def _differences(report: Report, trial: Trial) -> list[tuple[str, Any]]:
    """The settings of a trial that differ from the baseline; their component is left out if there is but one."""
    alone = len({name.partition(".")[0] for name in report.baseline}) == 1
    return [
        (name.partition(".")[2] if alone else name, each)
        for name, each in trial.point.items()
        if report.baseline.get(name) != each
    ]


def _where(change: Change) -> tuple[float, float] | None:
    """Where the values before and after lie in their range, in percent."""
    low, high = change.least, change.most
    if low is None or high is None or high <= low:
        return None
    places = [
        round(100 * (float(each) - low) / (high - low), 1)
        for each in (change.before, change.after)
        if isinstance(each, int | float)
    ]
    return (places[0], places[1]) if len(places) == 2 else None  # noqa: PLR2004  before and after


def _metrics(report: Report) -> list[str]:
    """The metrics worth a column: those of the objective and the SLOs, as far as they were measured."""
    known = {name for trial in report.trials for name in trial.metrics}
    return named([report.goal.expression, *report.goal.slos], known)[:MAX_METRICS]
