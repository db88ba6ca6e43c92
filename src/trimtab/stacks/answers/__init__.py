"""What trying stacks showed: which versions break, which stack is best, what matters. Pure functions of the evidence.

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.stacks.answers.breakage import Breaker, Breakers, Cause, Range, breakers
    from trimtab.stacks.answers.document import Answers, answer
    from trimtab.stacks.answers.effects import Effect, Importance, importance
    from trimtab.stacks.answers.excess import Outliers, outliers
    from trimtab.stacks.answers.front import Front, Point, pareto
    from trimtab.stacks.answers.objective import Objective
    from trimtab.stacks.answers.ranking import Against, Best, Ranked, best

_HOMES = {
    "breakage": ("Breaker", "Breakers", "Cause", "Range", "breakers"),
    "document": ("Answers", "answer"),
    "effects": ("Effect", "Importance", "importance"),
    "excess": ("Outliers", "outliers"),
    "front": ("Front", "Point", "pareto"),
    "objective": ("Objective",),
    "ranking": ("Against", "Best", "Ranked", "best"),
}

__all__ = [
    "Against",
    "Answers",
    "Best",
    "Breaker",
    "Breakers",
    "Cause",
    "Effect",
    "Front",
    "Importance",
    "Objective",
    "Outliers",
    "Point",
    "Range",
    "Ranked",
    "answer",
    "best",
    "breakers",
    "importance",
    "outliers",
    "pareto",
]

__getattr__ = lazily(__name__, _HOMES)
