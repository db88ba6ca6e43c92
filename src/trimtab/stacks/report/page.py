"""The report's page: one HTML file with everything in it, and nothing that could run."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

from trimtab.pages import Page
from trimtab.stacks.answers.document import Answers
from trimtab.stacks.locking import LockFile
from trimtab.stacks.report import words
from trimtab.stacks.report.plots import plots

__all__ = ["Heading", "render"]

MAX_CAUSES = 10
MAX_IDS = 10
PLOTS = ("course", "ranking", "front", "importance")


@dataclass(frozen=True)
class Heading:
    """What was asked.

    Attributes:
        title: Name of the campaign.
        question: In a line: which requirements, which plan.
        facts: Further lines, by what they are.
        ended: Why it came to an end.
    """

    title: str
    question: str = ""
    facts: Mapping[str, str] = field(default_factory=dict)
    ended: str = ""


def render(answers: Answers, heading: Heading, lock: LockFile | None = None) -> str:
    """The page. What comes from outside is escaped."""
    baseline = next(
        (each.stack.pins for each in answers.evidence if each.stack.digest == answers.baseline), None
    )
    return _page().render(
        plots(answers),
        answers=answers,
        heading=heading,
        lock=lock,
        baseline=baseline,
        metric=answers.objective.metric,
        most=MAX_CAUSES,
        ids=MAX_IDS,
    )


@cache
def _page() -> Page:
    return Page("trimtab.stacks.report", PLOTS, {"words": words})
