"""The report's page: one HTML file with everything in it, and nothing that could run."""

from functools import cache

from trimtab.inspection.report import words
from trimtab.inspection.report.model import Report
from trimtab.inspection.report.plots import plots
from trimtab.pages import Page

__all__ = ["render"]

MAX_RUNS = 500
MAX_PACKAGES = 500
PLOTS = ("course", "spread", "cpu", "memory")


def render(report: Report) -> str:
    """The page. What comes from outside is escaped."""
    return _page().render(
        plots(report),
        report=report,
        runs=report.runs[:MAX_RUNS],
        locked=report.locked[:MAX_PACKAGES],
        installed=report.installed[:MAX_PACKAGES],
    )


@cache
def _page() -> Page:
    return Page("trimtab.inspection.report", PLOTS, {"words": words})
