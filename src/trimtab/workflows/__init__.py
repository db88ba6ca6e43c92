"""Durable work: accepted, kept in a queue, made to its one end by whichever process is there, whatever dies in between.

Names are imported when they are first used: a listing needs none of them.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.workflows.course import Course
    from trimtab.workflows.inspecting import Inspecting
    from trimtab.workflows.journal import BusyError, EndedError, Journal
    from trimtab.workflows.patience import Patience
    from trimtab.workflows.place import Place
    from trimtab.workflows.submission import Submission
    from trimtab.workflows.watcher import Event, Watcher
    from trimtab.workflows.worker import Worker
    from trimtab.workflows.workflow import Line, Workflow

_HOMES = {
    "course": ("Course",),
    "inspecting": ("Inspecting",),
    "journal": ("BusyError", "EndedError", "Journal"),
    "patience": ("Patience",),
    "place": ("Place",),
    "submission": ("Submission",),
    "watcher": ("Event", "Watcher"),
    "worker": ("Worker",),
    "workflow": ("Line", "Workflow"),
}

__all__ = [
    "BusyError",
    "Course",
    "EndedError",
    "Event",
    "Inspecting",
    "Journal",
    "Line",
    "Patience",
    "Place",
    "Submission",
    "Watcher",
    "Worker",
    "Workflow",
]

__getattr__ = lazily(__name__, _HOMES)
