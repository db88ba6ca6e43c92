"""What every step of an inspection's course needs."""

from dataclasses import dataclass, field

from trimtab.engines import Engine
from trimtab.inspection import Specification
from trimtab.store import InspectionStore
from trimtab.workflows.journal import Journal
from trimtab.workflows.patience import Patience
from trimtab.workflows.place import Place
from trimtab.workflows.submission import Submission
from trimtab.workflows.watcher import Event, Kind, Silent, Watcher

__all__ = ["Work"]


@dataclass(frozen=True)
class Work:
    """One inspection under way.

    Attributes:
        place: Where it is kept.
        engine: What builds and runs it.
        journal: How far it came.
        submission: What was accepted.
        watcher: Who looks on.
        patience: How often the infrastructure is tried.
    """

    place: Place
    engine: Engine
    journal: Journal
    submission: Submission
    watcher: Watcher = field(default_factory=Silent)
    patience: Patience = field(default_factory=Patience)

    @property
    def id(self) -> str:
        """The inspection's id."""
        return self.submission.id

    @property
    def specification(self) -> Specification:
        """What is asked for."""
        return Specification.load(self.submission.specification)

    @property
    def stored(self) -> InspectionStore:
        """Its documents."""
        return self.place.inspections[self.id]

    def tell(self, kind: Kind, item: int | None = None, text: str = "", *, warmup: bool = False) -> None:
        """Tell who looks on."""
        self.watcher.event(Event(self.id, kind, item, warmup, text))
