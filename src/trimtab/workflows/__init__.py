"""The durable steps of an inspection: accepted, built, run, concluded, whatever dies in between.

Names are imported when they are first used: a listing needs none of them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

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


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
