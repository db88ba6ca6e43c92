"""Where the `sessions` commands find sessions: in this machine's database, or at a server."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Protocol
from urllib.parse import quote

from pydantic import SecretStr, ValidationError

from trimtab.cli.connection import Connection, SourceError, connect
from trimtab.optimizer.session_document import Session
from trimtab.optimizer.session_spec import SessionSpec

__all__ = ["Local", "Remote", "Source", "open_source"]


class Source(Protocol):
    """What can be done with sessions."""

    def list(self, *, application: str | None, active: bool | None, limit: int) -> Sequence[Session]:
        """Return the newest sessions."""
        ...

    def get(self, session_id: str) -> Session:
        """Return a session."""
        ...

    def create(self, spec: SessionSpec) -> Session:
        """Create a session."""
        ...

    def cancel(self, session_id: str) -> Session:
        """End a session early."""
        ...

    def export(self, session_id: str) -> dict[str, Any]:
        """Return all of a session."""
        ...

    def delete(self, session_id: str) -> None:
        """Delete a session."""
        ...


@contextmanager
def open_source(
    server: str | None, token: SecretStr | None, url: str, stale_after: float
) -> Iterator[Source]:
    """The source that is asked for; what fails in it is raised as SourceError.

    Args:
        server: URL of a server; None for this machine's database.
        token: For the server.
        url: Of the database.
        stale_after: See `Sessions`.
    """
    with remote(server, token) if server else local(url, stale_after) as source:
        yield source


@contextmanager
def local(url: str, stale_after: float) -> Iterator["Local"]:
    """This machine's database."""
    from trimtab.catalog import CatalogError, Database
    from trimtab.optimizer.errors import OptimizerError
    from trimtab.optimizer.sessions import Sessions

    try:
        database = Database(url)
        try:
            yield Local(Sessions(database, stale_after=stale_after))
        finally:
            database.close()
    except (CatalogError, OptimizerError) as error:
        raise SourceError(str(error)) from error


class Local:
    """The sessions of this machine's database.

    Args:
        sessions: The service over it.
    """

    def __init__(self, sessions: Any) -> None:
        self.list = sessions.list
        self.get = sessions.get
        self.create = sessions.create
        self.cancel = sessions.cancel
        self.export = sessions.export
        self.delete = sessions.delete


@contextmanager
def remote(server: str, token: SecretStr | None) -> Iterator["Remote"]:
    """A server's sessions."""
    with connect(server, token) as connection:
        yield Remote(connection)


class Remote:
    """The sessions of a server.

    Args:
        connection: To it.
    """

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def list(self, *, application: str | None, active: bool | None, limit: int) -> Sequence[Session]:
        """Return the newest sessions."""
        asked = {"application": application, "active": active, "limit": min(limit, 100)}
        params = {name: value for name, value in asked.items() if value is not None}
        return [_session(each) for each in self._ask("GET", "", params=params)["sessions"]]

    def get(self, session_id: str) -> Session:
        """Return a session."""
        return _session(self._ask("GET", f"/{quote(session_id, safe='')}")["session"])

    def create(self, spec: SessionSpec) -> Session:
        """Create a session."""
        return _session(self._ask("POST", "", json=spec.model_dump(mode="json"))["session"])

    def cancel(self, session_id: str) -> Session:
        """End a session early."""
        return _session(self._ask("POST", f"/{quote(session_id, safe='')}/cancel")["session"])

    def export(self, session_id: str) -> dict[str, Any]:
        """Return all of a session."""
        document: dict[str, Any] = self._ask("GET", f"/{quote(session_id, safe='')}/export")["document"]
        return document

    def delete(self, session_id: str) -> None:
        """Delete a session."""
        self._ask("DELETE", f"/{quote(session_id, safe='')}")

    def _ask(self, method: str, path: str, **options: Any) -> dict[str, Any]:
        return self._connection.ask(method, f"/api/v1/sessions{path}", **options)


def _session(values: Any) -> Session:
    try:
        return Session.model_validate(values)
    except ValidationError as error:
        raise SourceError(
            f"the server's answer cannot be read: {error.error_count()} fields are wrong"
        ) from error
