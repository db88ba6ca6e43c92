"""The durable steps of an inspection: accepted, built, run, concluded, whatever dies in between.

Names are imported when they are first used: a listing needs none of them.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.workflows.course import Course
    from trimtab.workflows.journal import BusyError, EndedError, Journal
    from trimtab.workflows.patience import Patience
    from trimtab.workflows.place import Place
    from trimtab.workflows.submission import Submission
    from trimtab.workflows.watcher import Event, Watcher
    from trimtab.workflows.worker import Worker

_HOMES = {
    "course": ("Course",),
    "journal": ("BusyError", "EndedError", "Journal"),
    "patience": ("Patience",),
    "place": ("Place",),
    "submission": ("Submission",),
    "watcher": ("Event", "Watcher"),
    "worker": ("Worker",),
}

__all__ = [
    "BusyError",
    "Course",
    "EndedError",
    "Event",
    "Journal",
    "Patience",
    "Place",
    "Submission",
    "Watcher",
    "Worker",
]

__getattr__ = lazily(__name__, _HOMES)
