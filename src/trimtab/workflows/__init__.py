"""Durable work: accepted, kept in a queue, made to its one end by whichever process is there, whatever dies in between.

Names are imported when they are first used: a listing needs none of them.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.workflows.accepting import Accepting
    from trimtab.workflows.analysing import Analysing
    from trimtab.workflows.course import Course
    from trimtab.workflows.inspecting import Inspecting
    from trimtab.workflows.journal import BusyError, EndedError, Journal
    from trimtab.workflows.monkey import MonkeyRuns
    from trimtab.workflows.parts import Accepted, ImagePart, LogPart, Terms
    from trimtab.workflows.patience import Patience
    from trimtab.workflows.place import Place
    from trimtab.workflows.recording import Recording
    from trimtab.workflows.submission import Submission
    from trimtab.workflows.watcher import Event, Watcher
    from trimtab.workflows.withdrawing import Withdrawing, WithdrawingError
    from trimtab.workflows.worker import Worker
    from trimtab.workflows.workflow import Line, Workflow

_HOMES = {
    "accepting": ("Accepting",),
    "analysing": ("Analysing",),
    "course": ("Course",),
    "inspecting": ("Inspecting",),
    "journal": ("BusyError", "EndedError", "Journal"),
    "monkey": ("MonkeyRuns",),
    "parts": ("Accepted", "ImagePart", "LogPart", "Terms"),
    "patience": ("Patience",),
    "place": ("Place",),
    "recording": ("Recording",),
    "submission": ("Submission",),
    "watcher": ("Event", "Watcher"),
    "withdrawing": ("Withdrawing", "WithdrawingError"),
    "worker": ("Worker",),
    "workflow": ("Line", "Workflow"),
}

__all__ = [
    "Accepted",
    "Accepting",
    "Analysing",
    "BusyError",
    "Course",
    "EndedError",
    "Event",
    "ImagePart",
    "Inspecting",
    "Journal",
    "Line",
    "LogPart",
    "MonkeyRuns",
    "Patience",
    "Place",
    "Recording",
    "Submission",
    "Terms",
    "Watcher",
    "Withdrawing",
    "WithdrawingError",
    "Worker",
    "Workflow",
]

__getattr__ = lazily(__name__, _HOMES)
