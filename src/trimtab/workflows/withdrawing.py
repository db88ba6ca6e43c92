"""Cancel and delete what was submitted of builds, whoever makes it.

To cancel is one transaction: from then on it is over, and who makes it sees that. To delete begins with what is told of it and ends
with its row: whoever is killed in the middle can do it again.
"""

from collections.abc import Sequence

import sqlalchemy as sa

from trimtab.builds import Kind, Registries, kind_of
from trimtab.catalog import AnalysisKind, AnalysisState, analyses, submitted_builds
from trimtab.catalog import observations as catalog
from trimtab.catalog.analyses import ENDED, Row
from trimtab.store import BuildLogsStore, BuildsStore
from trimtab.workflows.analysis import Analysis
from trimtab.workflows.place import Place

__all__ = ["Withdrawing", "WithdrawingError"]

REASON = "it was cancelled"


class WithdrawingError(RuntimeError):
    """It is in no state for that; the message says in which."""


class Withdrawing:
    """Cancels and deletes. Its methods block.

    Args:
        place: Where things are kept.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def cancel(self, name: str) -> None:
        """End an analysis early; or those of a build, but for what other builds have of them.

        Args:
            name: Id of the analysis or of the build.

        Raises:
            LookupError: There is none such.
            WithdrawingError: It is over, or all that is not is other builds', too.
            CatalogError: The database cannot be used.
        """
        with self._place.database.write() as connection:
            rows = [each for each in self._rows(connection, name) if each["state"] not in ENDED]
            if not rows:
                raise WithdrawingError(f"{name} is over")
            own = rows
            if kind_of(name) is Kind.BUILD:
                own = [each for each in rows if not self._others(connection, each["id"], name)]
            if not own:
                raise WithdrawingError(
                    f"what is under way of {name} is of other builds, too; cancel them first"
                )
            for each in own:
                analyses.finish(connection, each["id"], AnalysisState.CANCELLED, REASON)

    def delete(self, name: str) -> None:
        """Delete an analysis with all that was found; or a build with its analyses, but for what other builds have of them.

        Args:
            name: Id of the analysis or of the build.

        Raises:
            LookupError: There is none such.
            WithdrawingError: It is under way; or the analysis is of a build.
            CatalogError, StoreError: Database or store cannot be used.
        """
        build = name if kind_of(name) is Kind.BUILD else None
        with self._place.database.write() as connection:
            rows = self._rows(connection, name)
            if build is None and (builds := submitted_builds.having(connection, name)):
                raise WithdrawingError(f"{name} is of the build {builds[0]}; delete that")
            own = [each for each in rows if not self._others(connection, each["id"], build)]
            if any(each["state"] not in ENDED for each in own) or self._is_unrecorded(connection, build):
                raise WithdrawingError(f"{name} is under way; cancel it first")
            for each in own:
                analyses.hide(connection, each["id"])
        for each in own:
            self._erase(each)
        if build is not None:
            self._erase_build(build)

    def _rows(self, connection: sa.Connection, name: str) -> Sequence[Row]:
        """The analysis; or those of the build."""
        if kind_of(name) is Kind.BUILD:
            build = submitted_builds.by_id(connection, name)
            found = None if build is None else [*submitted_builds.parts(connection, build).values()]
        else:
            row = analyses.by_id(connection, name)
            found = None if row is None else [row]
        if found is None:
            raise LookupError(f"there is no {name}")
        # In the order in which builds are accepted: two that wait for each other would do so for ever.
        return sorted(found, key=lambda row: row["cache_key"] or "")

    @staticmethod
    def _others(connection: sa.Connection, analysis_id: str, build: str | None) -> bool:
        return bool({*submitted_builds.having(connection, analysis_id)} - {build})

    @staticmethod
    def _is_unrecorded(connection: sa.Connection, build: str | None) -> bool:
        row = None if build is None else submitted_builds.by_id(connection, build)
        return row is not None and row["recorded_at"] is None

    def _erase(self, row: Row) -> None:
        Analysis(self._place, row, Registries(), None).erase()
        where = self._place.inspections.store, self._place.deployment
        log = row["digest"] if row["kind"] == AnalysisKind.LOG else None
        with self._place.database.write() as connection:
            analyses.delete(connection, row["id"])
            kept = log is None or analyses.is_wanted(connection, self._place.deployment, log)
        if log is not None and not kept:
            BuildLogsStore(*where).delete(log)

    def _erase_build(self, build: str) -> None:
        BuildsStore(self._place.inspections.store, self._place.deployment).delete(build)
        with self._place.database.write() as connection:
            catalog.forget(connection, build)
            submitted_builds.delete(connection, build)
