"""What can be wrong with a question put to the optimizer.

OptimizerError
├── ObjectiveError    the text of an objective or an SLO, with the place
├── EvaluationError   an objective has no value for these measurements
├── SpaceError        settings that cannot be searched, or a point outside them
└── StudyError        a course that is used out of order
"""

__all__ = ["EvaluationError", "ObjectiveError", "OptimizerError", "SpaceError", "StudyError"]


class OptimizerError(ValueError):
    """Anything the optimizer refuses."""


class ObjectiveError(OptimizerError):
    """A text that is no objective or SLO.

    Args:
        text: What was written.
        column: Where it went wrong, from 0.
        problem: What is wrong and what to do about it.
    """

    def __init__(self, text: str, column: int, problem: str) -> None:
        self.text = text
        self.column = column
        self.problem = problem
        super().__init__(f"column {column + 1}: {problem}\n  {_window(text, column)}")


class EvaluationError(OptimizerError):
    """An expression that has no finite value here: a metric is missing, or a division by zero."""


class SpaceError(OptimizerError):
    """Settings that cannot be searched, or a point that is not among them."""


class StudyError(OptimizerError):
    """A study told of a trial it did not ask for, or twice."""


def _window(text: str, column: int, width: int = 76) -> str:
    """The neighbourhood of a column on one line, and a caret under it."""
    start = max(0, min(column - width // 2, len(text) - width))
    line = "".join(c if c.isprintable() else " " for c in text[start : start + width])
    return f"{line}\n  {' ' * (column - start)}^"
