"""What every step of an inspection's course needs."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from sqlalchemy import exc

from trimtab.catalog import UnavailableError as DatabaseUnavailableError
from trimtab.engines import Engine
from trimtab.inspection import Specification
from trimtab.store import InspectionStore
from trimtab.store import UnavailableError as StoreUnavailableError
from trimtab.workflows.journal import Journal
from trimtab.workflows.patience import Patience
from trimtab.workflows.place import Place
from trimtab.workflows.rooms import Rooms
from trimtab.workflows.submission import Submission
from trimtab.workflows.watcher import Event, Kind, Silent, Watcher

__all__ = ["Work", "lasting"]

T = TypeVar("T")
SENSELESS = exc.DataError, exc.ProgrammingError, exc.NotSupportedError
FIRST, LONGEST = 0.1, 5.0  # seconds between two attempts to reach the store or the catalog


async def lasting(call: Callable[..., T], /, *arguments: object) -> T:
    """Call in a thread what uses store and catalog, until they can be used.

    Raises:
        CatalogError: What was asked of the database makes no sense to it, and would not later.
    """
    pause = FIRST
    while True:
        try:
            return await asyncio.to_thread(call, *arguments)
        except (DatabaseUnavailableError, StoreUnavailableError) as error:
            if isinstance(error.__cause__, SENSELESS):
                raise
        await asyncio.sleep(pause)
        pause = min(2 * pause, LONGEST)


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
        rooms: How many builds and runs there are at the same time.
        lasting: Nobody looks on who could start it again: while store or catalog cannot be used, it waits for them.
    """

    place: Place
    engine: Engine
    journal: Journal
    submission: Submission
    watcher: Watcher = field(default_factory=Silent)
    patience: Patience = field(default_factory=Patience)
    rooms: Rooms = field(default_factory=Rooms)
    lasting: bool = False

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

    async def outside(self, call: Callable[..., T], /, *arguments: object) -> T:
        """Call, in a thread, what uses store and catalog, and does the same when it is called again.

        Raises:
            StoreError: The store cannot be used.
            CatalogError: The database cannot be used.
        """
        return await (lasting if self.lasting else asyncio.to_thread)(call, *arguments)

    def tell(
        self, kind: Kind, item: int | None = None, text: str = "", *, warmup: bool = False, attempt: int = 1
    ) -> None:
        """Tell who looks on."""
        self.watcher.event(Event(self.id, kind, item, warmup, text, attempt))
