"""What a process that makes inspections does beside that, all the time."""

import time
from collections.abc import Callable, Collection
from contextlib import suppress
from dataclasses import dataclass

from loguru import logger

from trimtab.catalog import TERMINAL, InspectionState, inspections, submissions
from trimtab.store import StoreError
from trimtab.workflows.ending import call_off
from trimtab.workflows.journal import BusyError, Journal
from trimtab.workflows.place import Place
from trimtab.workflows.submission import Submission

__all__ = ["Duties"]


@dataclass(frozen=True)
class Duties:
    """Each method blocks, and may be broken off and done again.

    Attributes:
        place: Where inspections are kept.
        engines: What it can make, by the names that submissions have for engines.
        longest_wait: Seconds that an inspection waits before it expires.
        submit: Puts one into the queue.
    """

    place: Place
    engines: Collection[str]
    longest_wait: float
    submit: Callable[[Submission], object]

    def call_off(self) -> None:
        """Conclude what waited too long, and what nobody wants any more and was not begun."""
        deployment, limit = self.place.deployment, time.time() - self.longest_wait
        with self.place.database.read() as connection:
            late = submissions.late(connection, deployment, limit)
        for each in late:
            with self.place.database.write() as connection:
                submissions.wish(connection, each, InspectionState.EXPIRED, queued=True)
        with self.place.database.read() as connection:
            ended = submissions.ended(connection, deployment)
        for row in ended:
            call_off(self.place, Submission.load(row["document"]), InspectionState(row["ending"]))
            with self.place.database.write() as connection:
                submissions.done(connection, row["inspection_id"])

    def adopt(self) -> None:
        """Take into the queue what command lines left that were killed."""
        for journal in (*Journal.left(self.place.work), *Journal.left(self.place.work, queued=True)):
            with suppress(BusyError, StoreError), journal.held():
                submission = journal.submission()
                if submission is not None and submission.engine in self.engines:
                    self._adopt(journal, submission)

    def _adopt(self, journal: Journal, submission: Submission) -> None:
        with self.place.database.read() as connection:
            row = inspections.by_id(connection, submission.id)
            known = submissions.by_id(connection, submission.id) is not None
        queued = journal.is_queued()
        if queued and not known and (row is None or row["state"] in TERMINAL):
            journal.remove()  # another machine made it, or it was deleted
            return
        if not known:
            logger.info("taking {} into the queue, which a command line left", submission.id)
            self.submit(submission)
        if not queued:
            journal.enqueue()
