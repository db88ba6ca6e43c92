"""The log of a build or a run, piece by piece, also while it grows.

Of what is over it is in the store. Before that it is a file beside the journal, on the machine that makes it: whoever asks on
another one is told when it is stored.
"""

import codecs
from dataclasses import dataclass
from pathlib import Path

from trimtab.catalog import TERMINAL, RunState, inspections
from trimtab.store import NotFoundError
from trimtab.workflows.journal import Journal
from trimtab.workflows.place import Place

__all__ = ["Piece", "piece"]

LENGTH = 256 << 10  # bytes of a piece


@dataclass(frozen=True, slots=True)
class Piece:
    """Some of a log.

    Attributes:
        text: Of it; what is no UTF-8 is replaced.
        start: The byte of the log at which it begins.
        end: That at which the next piece begins.
        over: Nothing comes after it.
    """

    text: str
    start: int
    end: int
    over: bool


def piece(
    place: Place, inspection_id: str, item: int | None = None, *, start: int = 0, attempt: int | None = None
) -> Piece:
    """What there is of a log from a byte on, at most 256 KiB.

    Args:
        place: Where the inspection is.
        inspection_id: Which.
        item: The run whose log is wanted; None: the build's.
        start: The byte; where the log is shorter, for it was begun anew, it is told from the beginning.
        attempt: Of the run, while it goes on; None: the last.

    Raises:
        NotFoundError: It is over, and has no such log.
        StoreError, CatalogError: Store or catalog cannot be used.
    """
    here = _here(place, inspection_id, item, attempt)
    ended = _ended(place, inspection_id, item, attempt)
    stored = place.inspections[inspection_id]
    key = stored.build.key("log") if item is None else stored.results.key(f"{item}/log")
    try:
        data, size = stored.store.part(key, start, LENGTH)
    except NotFoundError:
        if (found := _read(here, start)) is None:
            if ended:
                raise
            return Piece("", start, start, over=False)
        data, size = found
        whole = ended
    else:  # of a run it is put before the result
        whole = ended or item is None or stored.results.document_exists(f"{item}/result")
    if start > size:
        return piece(place, inspection_id, item, attempt=attempt)
    return _piece(data, start, size, whole=whole)


def _piece(data: bytes, start: int, size: int, *, whole: bool) -> Piece:
    """A piece that ends between two characters."""
    over = whole and start + len(data) >= size
    decoder = codecs.getincrementaldecoder("utf-8")("replace")
    text = decoder.decode(data, over)
    return Piece(text, start, start + len(data) - len(decoder.getstate()[0]), over)


def _here(place: Place, inspection_id: str, item: int | None, attempt: int | None) -> Path | None:
    """The file of a log that grows on this machine."""
    journal = Journal(place.work / inspection_id)
    if item is None:
        return journal.context.with_name(journal.context.name + ".log")
    if attempt is not None:
        return journal.directory / f"{journal.run(item, attempt)}.log"
    runs = (journal.directory / journal.run(item, 1)).parent
    found = {int(each.name.split(".")[1]): each for each in runs.glob(f"{item}.*.log")}
    return found[max(found)] if found else None


def _ended(place: Place, inspection_id: str, item: int | None, attempt: int | None) -> bool:
    """Whether nothing is added any more."""
    with place.database.read() as connection:
        row = inspections.by_id(connection, inspection_id)
        if row is None or row["state"] in TERMINAL:
            return True
        if item is None:
            return False
        made = [each for each in inspections.runs_of(connection, inspection_id) if each["item"] == item]
    wanted = [each for each in made if attempt in {None, each["attempt"]}]
    return bool(wanted) and wanted[-1]["state"] != RunState.RUNNING


def _read(path: Path | None, start: int) -> tuple[bytes, int] | None:
    """Some bytes of a file, and how many it has; None: there is none."""
    if path is None:
        return None
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(min(start, size))
            return file.read(LENGTH), size
    except FileNotFoundError:
        return None
