"""Builds: what is sent of them, their analyses, and what is remembered of them.

Names are imported when they are first used.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.builds.access import CredentialsError, Named, Registries, Secret
    from trimtab.builds.analysing import analyse, image_request, log_request
    from trimtab.builds.cache import image_key, log_key
    from trimtab.builds.identity import Kind, kind_of, new_id
    from trimtab.builds.observation_frames import frame, observation_row, observation_rows
    from trimtab.builds.questions import QuestionError, UnknownError, ask
    from trimtab.builds.recording import record_analysis, record_build
    from trimtab.builds.registry import Known, answer_of, look, pinned
    from trimtab.builds.submission import Build, BuildSubmission, Login, Logins, Missing

_HOMES = {
    "access": ("CredentialsError", "Named", "Registries", "Secret"),
    "analysing": ("analyse", "image_request", "log_request"),
    "cache": ("image_key", "log_key"),
    "identity": ("Kind", "kind_of", "new_id"),
    "observation_frames": ("frame", "observation_row", "observation_rows"),
    "questions": ("QuestionError", "UnknownError", "ask"),
    "recording": ("record_analysis", "record_build"),
    "registry": ("Known", "answer_of", "look", "pinned"),
    "submission": ("Build", "BuildSubmission", "Login", "Logins", "Missing"),
}

__all__ = [
    "Build",
    "BuildSubmission",
    "CredentialsError",
    "Kind",
    "Known",
    "Login",
    "Logins",
    "Missing",
    "Named",
    "QuestionError",
    "Registries",
    "Secret",
    "UnknownError",
    "analyse",
    "answer_of",
    "ask",
    "frame",
    "image_key",
    "image_request",
    "kind_of",
    "log_key",
    "log_request",
    "look",
    "new_id",
    "observation_row",
    "observation_rows",
    "pinned",
    "record_analysis",
    "record_build",
]

__getattr__ = lazily(__name__, _HOMES)
