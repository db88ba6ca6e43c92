"""Builds: submissions, their analyses, and what is remembered of them."""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.builds.observation_frames import frame, observation_rows
    from trimtab.builds.questions import QuestionError, UnknownError, ask
    from trimtab.builds.recording import record_analysis, record_build

_HOMES = {
    "observation_frames": ("frame", "observation_rows"),
    "questions": ("QuestionError", "UnknownError", "ask"),
    "recording": ("record_analysis", "record_build"),
}

__all__ = [
    "QuestionError",
    "UnknownError",
    "ask",
    "frame",
    "observation_rows",
    "record_analysis",
    "record_build",
]

__getattr__ = lazily(__name__, _HOMES)
