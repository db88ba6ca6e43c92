"""Where the `builds` commands find builds and their analyses: in this machine's store and catalog, or at a server."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import TYPE_CHECKING, Any, Protocol

from trimtab.cli.connection import Connection, SourceError, here_or_there

if TYPE_CHECKING:
    from trimtab.settings import ClientSettings
    from trimtab.workflows import Place

__all__ = ["Source", "open_source"]

PAGE = 100


class Source(Protocol):
    """What can be done with builds and analyses, wherever they are. What fails is raised as SourceError."""

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest builds."""

    def show(self, name: str) -> dict[str, Any]:
        """Return how a build with all of its analyses stands, or an analysis."""

    def result(self, name: str) -> dict[str, Any]:
        """Return what an analysis found."""

    def log(self, name: str) -> str:
        """Return what happened to it."""

    def cancel(self, name: str) -> None:
        """End it early."""

    def delete(self, name: str) -> None:
        """Delete it with all that was found."""


def open_source(settings: "ClientSettings") -> AbstractContextManager[Source]:
    """The source that is asked for."""
    return here_or_there(settings, _local, Remote)


@contextmanager
def _local(settings: "ClientSettings") -> Iterator["Local"]:
    from starlette.exceptions import HTTPException

    from trimtab.catalog import CatalogError
    from trimtab.store import StoreError
    from trimtab.workflows import Place, WithdrawingError

    try:
        with Place.open(settings) as place:
            yield Local(place)
    except HTTPException as error:  # what a server answers to whom it shows everything is what is said here
        raise SourceError(error.detail) from error
    except (StoreError, CatalogError, WithdrawingError, LookupError) as error:
        raise SourceError(str(error)) from error


class Local:
    """The builds of this machine's store and catalog.

    Args:
        place: Where they are.
    """

    def __init__(self, place: "Place") -> None:
        from trimtab.server.builds import Library

        self._place, self._library = place, Library(place)

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest builds."""
        from trimtab.server.builds.beside import listed
        from trimtab.server.caller import ANYBODY

        return [listed(each) for each in self._library.builds(ANYBODY, None, limit)]

    def show(self, name: str) -> dict[str, Any]:
        """Return how a build with all of its analyses stands, or an analysis."""
        from trimtab.server.builds.beside import told

        found = self._find(name)
        if found.parts is not None:
            return {key: value for key, value in told(self._library, found).items() if key != "parameters"}
        return {"analysis_id": name, **found.standing.told()}

    def result(self, name: str) -> dict[str, Any]:
        """Return what an analysis found."""
        found = self._find(name)
        if found.parts is not None:
            raise SourceError(f"{name} is a build; each of its analyses has a result: `trimtab builds show`")
        if found.standing.state != "succeeded":
            raise SourceError(_without(name, found.standing.told()))
        return self._library.document(found)

    def log(self, name: str) -> str:
        """Return what happened to it."""
        return self._library.log(self._find(name)) or ""

    def cancel(self, name: str) -> None:
        """End it early, whoever makes it."""
        from trimtab.workflows import Withdrawing

        Withdrawing(self._place).cancel(self._find(name).id)

    def delete(self, name: str) -> None:
        """Delete it with all that was found."""
        from trimtab.workflows import Withdrawing

        Withdrawing(self._place).delete(self._find(name).id)

    def _find(self, name: str) -> Any:
        from trimtab.server.caller import ANYBODY

        return self._library.find(ANYBODY, name)


class Remote:
    """The builds of a server.

    Args:
        connection: To it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, limit: int) -> Sequence[Mapping[str, Any]]:
        """Return the newest builds."""
        found: list[Mapping[str, Any]] = []
        before: str | None = None
        while len(found) < limit:
            params = {"limit": min(limit - len(found), PAGE)} | ({"before": before} if before else {})
            page = self._connection.ask("GET", "/api/v1/build-analysis", params=params)
            found += page["builds"]
            before = page["next"]
            if before is None:
                break
        return found

    def show(self, name: str) -> dict[str, Any]:
        """Return how a build with all of its analyses stands, or an analysis."""
        path, is_build = _path(name)
        if is_build:
            found = self._connection.ask("GET", path)
            return {key: value for key, value in found.items() if key != "parameters"}
        status: dict[str, Any] = self._connection.ask("GET", f"{path}/status")["status"]
        return {"analysis_id": name, **status}

    def result(self, name: str) -> dict[str, Any]:
        """Return what an analysis found."""
        path, is_build = _path(name)
        if is_build:
            raise SourceError(f"{name} is a build; each of its analyses has a result: `trimtab builds show`")
        status = self._connection.ask("GET", f"{path}/status")["status"]
        if status["state"] != "succeeded":
            raise SourceError(_without(name, status))
        return self._connection.document(path)

    def log(self, name: str) -> str:
        """Return what happened to it."""
        return str(self._connection.ask("GET", f"{_path(name)[0]}/log")["log"] or "")

    def cancel(self, name: str) -> None:
        """End it early."""
        self._connection.ask("POST", f"{_path(name)[0]}/cancel")

    def delete(self, name: str) -> None:
        """Delete it with all that was found."""
        self._connection.ask("DELETE", _path(name)[0])


def _path(name: str) -> tuple[str, bool]:
    """Where it is; and whether it is a build."""
    from trimtab.builds import Kind, kind_of

    paths = {Kind.BUILD: "build-analysis", Kind.IMAGE: "analyze", Kind.LOG: "buildlog-analysis"}
    kind = kind_of(name)
    if kind is None:
        raise SourceError(f"{name[:80]!r} is no id of a build or of an analysis")
    return f"/api/v1/{paths[kind]}/{name}", kind is Kind.BUILD


def _without(name: str, status: Mapping[str, Any]) -> str:
    why = f": {status['reason']}" if status["reason"] else ""
    return f"{name} has no result; it is {status['state']}{why}"
