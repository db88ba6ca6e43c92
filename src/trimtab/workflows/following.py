"""What happens to an inspection, for whoever looks on: at once if this process makes it, else as its rows tell."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import contextmanager, suppress

from trimtab.catalog import TERMINAL, CatalogError, InspectionState, RunState, inspections
from trimtab.workflows.place import Place
from trimtab.workflows.watcher import Event

__all__ = ["Hub", "follow", "told"]

EVERY = 0.5  # seconds between two looks at the rows
BEHIND = 10_000  # events that wait for whoever does not fetch them


class Hub:
    """Passes on what is made in this process. A watcher, and used on one event loop."""

    def __init__(self) -> None:
        self._ears: dict[str, list[asyncio.Queue[Event]]] = {}

    def event(self, event: Event) -> None:
        """Something happened."""
        for ear in self._ears.get(event.inspection, ()):
            with suppress(asyncio.QueueFull):  # the rows tell of it, too
                ear.put_nowait(event)

    def output(self, item: int | None, data: bytes) -> None:
        """What is printed is in the logs; nobody is told at once."""

    @contextmanager
    def listen(self, inspection_id: str) -> Iterator[asyncio.Queue[Event]]:
        """Hear what happens to an inspection from now on."""
        ear: asyncio.Queue[Event] = asyncio.Queue(BEHIND)
        self._ears.setdefault(inspection_id, []).append(ear)
        try:
            yield ear
        finally:
            self._ears[inspection_id].remove(ear)
            if not self._ears[inspection_id]:
                del self._ears[inspection_id]


async def follow(place: Place, hub: Hub, inspection_id: str, every: float = EVERY) -> AsyncIterator[Event]:
    """What happened to an inspection and will, each once, up to its end.

    Args:
        place: Where it is kept.
        hub: Of this process.
        inspection_id: Which.
        every: Seconds between two looks at the rows.

    Yields:
        The last one is of kind `over`, and its text the state.

    Raises:
        LookupError: There is no such inspection.
        CatalogError: The catalog could not be used when it was asked first.
    """
    seen: set[tuple[object, ...]] = set()
    known = False
    with hub.listen(inspection_id) as ear:
        while True:
            try:
                events = await asyncio.to_thread(_look, place, inspection_id)
            except CatalogError:
                if not known:
                    raise
                events = []
            if events is None:
                if not known:
                    raise LookupError(f"there is no inspection {inspection_id}")
                events = [Event(inspection_id, "over", text="deleted")]
            known = True
            heard = [] if events and events[-1].kind == "over" else await _heard(ear, every)
            for event in (*events, *heard):
                key = (event.kind, event.item, event.attempt, event.warmup)
                if key not in seen:
                    seen.add(key)
                    yield event
                if event.kind == "over":
                    return


def told(row: inspections.Row, runs: Sequence[inspections.Row]) -> list[Event]:
    """What the rows of an inspection tell of its way."""
    identifier, state = row["id"], InspectionState(row["state"])
    events = [Event(identifier, "accepted")]
    if state is not InspectionState.QUEUED and (row["engine"] or runs):
        events.append(Event(identifier, "building"))
    if state is InspectionState.BUILD_FAILED:
        events.append(Event(identifier, "built", text=row["failure_reason"] or ""))
    elif row["build"] or runs:
        events.append(Event(identifier, "built"))
    for run, after in zip(runs, [*runs, None][1:], strict=True):
        events += _told(identifier, run, again=after is not None and after["item"] == run["item"])
    if state in TERMINAL:
        events.append(Event(identifier, "over", text=state.value))
    return events


def _told(identifier: str, run: inspections.Row, *, again: bool) -> Iterator[Event]:
    item, attempt, reason = run["item"], run["attempt"], run["failure_reason"] or ""
    yield Event(identifier, "running", item, attempt=attempt)
    if again:
        yield Event(identifier, "retrying", item, text=reason, attempt=attempt + 1)
    elif run["state"] not in {RunState.RUNNING, RunState.LOST}:
        yield Event(identifier, "ran", item, text=reason, attempt=attempt)


def _look(place: Place, inspection_id: str) -> list[Event] | None:
    with place.database.read() as connection:
        row = inspections.by_id(connection, inspection_id)
        return None if row is None else told(row, inspections.runs_of(connection, inspection_id))


async def _heard(ear: asyncio.Queue[Event], seconds: float) -> list[Event]:
    """What comes meanwhile; at least one, if there is any."""
    found = []
    with suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            found.append(await ear.get())
    while not ear.empty():
        found.append(ear.get_nowait())
    return found
