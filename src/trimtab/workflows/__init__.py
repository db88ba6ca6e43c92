"""The durable steps of an inspection: accepted, built, run, concluded, whatever dies in between.

Names are imported when they are first used: a listing needs none of them.
"""

from typing import TYPE_CHECKING

from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.workflows.course import Course
    from trimtab.workflows.journal import BusyError, Journal
    from trimtab.workflows.patience import Patience
    from trimtab.workflows.place import Place
    from trimtab.workflows.submission import Submission
    from trimtab.workflows.watcher import Event, Watcher

_HOMES = {
    "course": ("Course",),
    "journal": ("BusyError", "Journal"),
    "patience": ("Patience",),
    "place": ("Place",),
    "submission": ("Submission",),
    "watcher": ("Event", "Watcher"),
}

__all__ = ["BusyError", "Course", "Event", "Journal", "Patience", "Place", "Submission", "Watcher"]

__getattr__ = lazily(__name__, _HOMES)
