"""Where the `campaigns` commands find campaigns: in this machine's store and catalog, or at a server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol
from urllib.parse import quote

from trimtab.cli.connection import Connection, SourceError, here_or_there

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings
    from trimtab.stacks.question import Question
    from trimtab.workflows import Place

__all__ = ["Source", "open_source"]


class Source(Protocol):
    """What can be done with campaigns, wherever they are. What fails is raised as SourceError."""

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest campaigns."""

    def report(self, campaign_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""

    def question(self, campaign_id: str) -> "Question":
        """Return what was asked."""

    def lock(self, inspection_id: str) -> str:
        """Return the lock that an inspection of a campaign installed."""

    def delete(self, campaign_id: str) -> None:
        """Delete one that is over."""


def open_source(settings: "ClientSettings") -> AbstractContextManager[Source]:
    """The source that is asked for."""
    return here_or_there(settings, _local, Remote)


@contextmanager
def _local(settings: "ClientSettings") -> Iterator["Local"]:
    from trimtab.catalog import CatalogError
    from trimtab.store import StoreError
    from trimtab.workflows import Place
    from trimtab.workflows.campaigns import UnknownCampaignError

    try:
        with Place.open(settings) as place:
            yield Local(place)
    except (StoreError, CatalogError, UnknownCampaignError) as error:
        raise SourceError(str(error)) from error


class Local:
    """The campaigns of this machine's store and catalog.

    Args:
        place: Where they are.
    """

    def __init__(self, place: "Place") -> None:
        self._place = place

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest campaigns."""
        from trimtab.workflows.campaigns import listing

        return listing(self._place, limit=limit)

    def report(self, campaign_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""
        from trimtab.workflows.campaigns import standing

        return standing(self._place, campaign_id)

    def question(self, campaign_id: str) -> "Question":
        """Return what was asked."""
        from trimtab.workflows.campaigns import read

        return read(self._place, campaign_id).question

    def lock(self, inspection_id: str) -> str:
        """Return the lock that an inspection of a campaign installed."""
        return _lock_of(self._place.inspections[inspection_id].retrieve_specification())

    def delete(self, campaign_id: str) -> None:
        """Delete one that is over."""
        from trimtab.workflows.campaigns import delete

        delete(self._place, campaign_id)


class Remote:
    """The campaigns of a server.

    Args:
        connection: To it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest campaigns."""
        found: Sequence[Mapping[str, Any]] = self._connection.ask(
            "GET", "/api/v1/campaigns", params={"limit": limit}
        )["campaigns"]
        return found

    def report(self, campaign_id: str) -> dict[str, Any]:
        """Return how one ended, or how it stands."""
        return self._connection.ask("GET", _path(campaign_id))["report"]  # type: ignore[no-any-return] # it is of JSON

    def question(self, campaign_id: str) -> "Question":
        """Return what was asked."""
        from trimtab.stacks.question import Question

        found = self.report(campaign_id).get("question")
        if found is None:
            raise SourceError(
                f"the report of {campaign_id} is of an earlier release, and does not tell the question"
            )
        return Question.model_validate(found)

    def lock(self, inspection_id: str) -> str:
        """Return the lock that an inspection of a campaign installed."""
        path = f"/api/v1/inspect/{quote(inspection_id, safe='')}/specification"
        return _lock_of(self._connection.ask("GET", path)["specification"])

    def cancel(self, campaign_id: str) -> None:
        """End one; it is over a second or two later."""
        self._connection.ask("POST", f"{_path(campaign_id)}/cancel")

    def delete(self, campaign_id: str) -> None:
        """Delete one that is over."""
        self._connection.ask("DELETE", _path(campaign_id))


def _path(campaign_id: str) -> str:
    return f"/api/v1/campaigns/{quote(campaign_id, safe='')}"


def _lock_of(specification: Mapping[str, Any]) -> str:
    return str(specification["python"]["lock"]["requirements.txt"])
