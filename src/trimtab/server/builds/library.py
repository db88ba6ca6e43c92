"""What a caller may read of analyses: how they stand from the catalog, documents from the store."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from starlette.exceptions import HTTPException

from trimtab.builds import Kind, kind_of
from trimtab.catalog import AnalysisKind, AnalysisState, analyses, submitted_builds
from trimtab.server.caller import Caller
from trimtab.store import (
    AnalysisByDigest,
    AnalysisResultsStore,
    BuildLogsParsedResultsStore,
    BuildLogsStore,
    InvalidKeyError,
    NotFoundError,
)
from trimtab.workflows import Place

__all__ = ["Found", "Library", "Standing"]

STORES = {Kind.IMAGE: AnalysisResultsStore, Kind.LOG: BuildLogsParsedResultsStore}
PENDING, RUNNING = AnalysisState.PENDING, AnalysisState.RUNNING
SUCCEEDED, FAILED, CANCELLED = AnalysisState.SUCCEEDED, AnalysisState.FAILED, AnalysisState.CANCELLED


@dataclass(frozen=True, slots=True)
class Standing:
    """How an analysis, or all those of a build, stand.

    Attributes:
        state: In which state.
        reason: Why, where there is something to say.
        started: When it was begun, in seconds since 1970.
        ended: When it ended.
    """

    state: AnalysisState
    reason: str | None = None
    started: float | None = None
    ended: float | None = None

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self.state in analyses.ENDED

    def told(self) -> dict[str, Any]:
        """In the words of the original."""
        return {
            "state": self.state.value,
            "reason": self.reason,
            "started_at": _moment(self.started),
            "finished_at": _moment(self.ended),
        }


@dataclass(frozen=True, slots=True)
class Found:
    """One analysis, or one build.

    Attributes:
        id: Its id.
        kind: What it is.
        standing: How it stands.
        row: What the catalog has of it; None of what is in the store alone, as the analyses of the original are.
        parts: Of a build, the rows of its analyses, by id.
    """

    id: str
    kind: Kind
    standing: Standing
    row: analyses.Row | None = None
    parts: Mapping[str, analyses.Row] | None = None


class Library:
    """The analyses of a place, as a caller may see them.

    Args:
        place: Where they are.
    """

    def __init__(self, place: Place) -> None:
        self._place = place

    def find(self, caller: Caller, analysis_id: str) -> Found:
        """An analysis or a build that this caller may see.

        Raises:
            HTTPException: There is none such (404), or it is somebody else's, which is answered in the same way.
        """
        kind = kind_of(analysis_id)
        found = None
        if kind is Kind.BUILD:
            found = self._build(caller, analysis_id)
        elif kind is not None:
            found = self._analysis(caller, analysis_id, kind)
        if found is None:
            raise HTTPException(404, f"Requested result for analysis {analysis_id[:200]!r} was not found")
        return found

    def by_digest(self, caller: Caller, digest: str) -> Found:
        """The newest analysis of an image.

        Raises:
            HTTPException: There is none such.
        """
        with self._place.database.read() as connection:
            row = analyses.latest(
                connection, self._place.deployment, AnalysisKind.IMAGE, digest, caller.owner
            )
        name = row["id"] if row is not None else self._stored_by_digest(caller, digest)
        if name is None:
            raise HTTPException(404, f"No analysis of the image {digest[:200]!r} was found")
        return self.find(caller, name)

    def document(self, found: Found) -> dict[str, Any]:
        """What an analysis found.

        Raises:
            NotFoundError: Its document is not there any more.
        """
        return STORES[found.kind](*self._where).retrieve_document(found.id)

    def log(self, found: Found) -> str | None:
        """What happened to an analysis, a line each; of a build, to all of its analyses."""
        if found.parts is not None:
            lines = [
                f"{name}: {line}" for name, row in found.parts.items() for line in row["log"].splitlines()
            ]
            return "".join(f"{each}\n" for each in lines)
        return None if found.row is None else found.row["log"]

    def sent_log(self, caller: Caller, document_id: str) -> dict[str, Any]:
        """A build's log, as it was sent.

        Raises:
            HTTPException: There is none such, or nobody may see it but somebody else.
        """
        with self._place.database.read() as connection:
            row = analyses.latest(
                connection, self._place.deployment, AnalysisKind.LOG, document_id, caller.owner
            )
        try:
            if row is not None or caller.owner is None:
                return BuildLogsStore(*self._where).retrieve_document(document_id)
        except NotFoundError:
            pass
        raise HTTPException(404, f"Build log {document_id[:200]!r} was not found")

    def builds(self, caller: Caller, before: str | None, limit: int) -> list[Found]:
        """The newest builds that this caller may see, each with its analyses.

        Args:
            caller: Who asks.
            before: Those alone that come after this one in the list.
            limit: How many at most.
        """
        with self._place.database.read() as connection:
            rows = submitted_builds.listed(
                connection, self._place.deployment, caller.owner, before=before, limit=limit
            )
            parts = submitted_builds.parts(connection, *rows)
        return [_found(each, parts) for each in rows]

    def standing_of(self, part: Mapping[str, Any], rows: Mapping[str, analyses.Row]) -> dict[str, Any]:
        """A part of a build as it was answered, with how it stands."""
        if "error" in part:
            return dict(part)
        row = rows.get(part["analysis_id"])
        standing = Standing(SUCCEEDED) if row is None else _of_row(row)
        return {**part, **standing.told()}

    def _analysis(self, caller: Caller, analysis_id: str, kind: Kind) -> Found | None:
        with self._place.database.read() as connection:
            row = analyses.by_id(connection, analysis_id)
        if row is not None:
            own = row["deployment"] == self._place.deployment and caller.sees(row["owner"])
            return Found(analysis_id, kind, _of_row(row), row) if own else None
        if caller.owner is not None:
            return None
        try:
            store = STORES[kind](*self._where)
            if store.document_exists(analysis_id):
                return Found(analysis_id, kind, Standing(SUCCEEDED))
            if store.request_exists(analysis_id):
                return Found(analysis_id, kind, Standing(PENDING))
        except InvalidKeyError:
            pass
        return None

    def _build(self, caller: Caller, build_id: str) -> Found | None:
        with self._place.database.read() as connection:
            row = submitted_builds.by_id(connection, build_id)
            parts = {} if row is None else submitted_builds.parts(connection, row)
        if row is None or row["deployment"] != self._place.deployment or not caller.sees(row["owner"]):
            return None
        return _found(row, parts)

    def _stored_by_digest(self, caller: Caller, digest: str) -> str | None:
        if caller.owner is not None:
            return None
        try:
            name = AnalysisByDigest(*self._where).retrieve_document(digest).get("analysis_id")
        except NotFoundError:
            return None
        return name if isinstance(name, str) else None

    @property
    def _where(self) -> tuple[Any, str]:
        return self._place.inspections.store, self._place.deployment


def _of_row(row: analyses.Row) -> Standing:
    return Standing(AnalysisState(row["state"]), row["reason"], row["started_at"], row["ended_at"])


def _found(row: analyses.Row, known: Mapping[str, analyses.Row]) -> Found:
    """A build, of whose analyses all are known."""
    ids = (row[each] for each in submitted_builds.PARTS)
    parts = {each: known[each] for each in ids if each in known}
    return Found(row["id"], Kind.BUILD, _of_build(row, parts), row, parts)


def _of_build(row: analyses.Row, parts: Mapping[str, analyses.Row]) -> Standing:
    """All of it together: over when all of it is; failed if anything of it is, or else cancelled."""
    standings = [_of_row(each) for each in parts.values()]
    started = min((each.started for each in standings if each.started), default=row["recorded_at"])
    if row["recorded_at"] is None:
        return Standing(PENDING, started=started)
    if any(not each.over for each in standings):
        return Standing(RUNNING, started=started)
    ended = max([row["recorded_at"], *(each.ended for each in standings if each.ended)])
    bad = {each["id"]: each for each in parts.values() if each["state"] != SUCCEEDED}
    reasons = [f"{name}: {each['reason']}" for name, each in bad.items()]
    states = {each["state"] for each in bad.values()}
    state = FAILED if FAILED in states else CANCELLED if states else SUCCEEDED
    return Standing(state, "; ".join(reasons) or None, started, ended)


def _moment(seconds: float | None) -> str | None:
    return None if seconds is None else datetime.fromtimestamp(seconds, UTC).replace(tzinfo=None).isoformat()
