"""The optimizer: objectives, the space of settings, strategies that search it, and the study that joins them.

Names are imported when they are first used: SciPy takes a second.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.optimizer.errors import (
        EvaluationError,
        ObjectiveError,
        OptimizerError,
        SpaceError,
        StudyError,
    )
    from trimtab.optimizer.objective import (
        SLO,
        Evaluation,
        Goal,
        Objective,
        Violation,
        parse_objective,
        parse_slo,
    )
    from trimtab.optimizer.space import Parameter, Point, Space
    from trimtab.optimizer.strategy import Context, Observation, Strategy, Suggestion
    from trimtab.optimizer.study import Study
    from trimtab.optimizer.trial import Budget, Outcome, Prediction, Purpose, Trial
    from trimtab.optimizer.verdict import Recommendation

_HOMES = {
    "errors": ("EvaluationError", "ObjectiveError", "OptimizerError", "SpaceError", "StudyError"),
    "objective": ("SLO", "Evaluation", "Goal", "Objective", "Violation", "parse_objective", "parse_slo"),
    "space": ("Parameter", "Point", "Space"),
    "strategy": ("Context", "Observation", "Strategy", "Suggestion"),
    "study": ("Study",),
    "trial": ("Budget", "Outcome", "Prediction", "Purpose", "Trial"),
    "verdict": ("Recommendation",),
}

__all__ = [
    "SLO",
    "Budget",
    "Context",
    "Evaluation",
    "EvaluationError",
    "Goal",
    "Objective",
    "ObjectiveError",
    "Observation",
    "OptimizerError",
    "Outcome",
    "Parameter",
    "Point",
    "Prediction",
    "Purpose",
    "Recommendation",
    "Space",
    "SpaceError",
    "Strategy",
    "Study",
    "StudyError",
    "Suggestion",
    "Trial",
    "Violation",
    "parse_objective",
    "parse_slo",
]

__getattr__ = lazily(__name__, _HOMES)
