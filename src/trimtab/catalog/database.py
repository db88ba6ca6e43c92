"""A database, its connections and transactions."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import sqlalchemy as sa
from sqlalchemy import event, exc

from trimtab.catalog.errors import DatabaseURLError, UnavailableError
from trimtab.catalog.migrate import is_current, migrate

__all__ = ["Database"]

BUSY_TIMEOUT = 30.0  # seconds a SQLite writer waits for the other process
CONNECT_TIMEOUT = 10


class Database:
    """The catalog's database; its tables are brought up to date when it is opened.

    Args:
        url: `sqlite:///path` or `postgresql://user@host/name`, as SQLAlchemy reads it.

    Raises:
        DatabaseURLError: The URL is of another kind.
        UnavailableError: The database cannot be reached.
        MigrationError: Its tables are of a newer Trimtab.
    """

    def __init__(self, url: str) -> None:
        self.url = _read_url(url)
        self.engine = _sqlite(self.url) if self.is_sqlite else _postgresql(self.url)
        try:
            with self.reachable():
                migrate(self.engine)
        except BaseException:
            self.close()
            raise

    @property
    def is_sqlite(self) -> bool:
        """Whether it is a file of this machine."""
        return self.url.get_backend_name() == "sqlite"

    @contextmanager
    def read(self) -> Iterator[sa.Connection]:
        """A transaction that only reads, and sees one state throughout.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        with self.reachable(), self.engine.connect() as connection:
            if not self.is_sqlite:  # there each query would see what was committed just before it
                connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection

    @contextmanager
    def write(self) -> Iterator[sa.Connection]:
        """A transaction that is committed at its end, or leaves no trace if it ends by an exception.

        On SQLite it holds the write lock from its start (BEGIN IMMEDIATE): a transaction that first reads and
        then writes would be refused, not made to wait, if another wrote in between.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        with self.reachable(), self.engine.connect() as connection:
            connection.execution_options(trimtab_write=True)
            with connection.begin():
                yield connection

    @contextmanager
    def reachable(self) -> Iterator[None]:
        """What is wrong with the database is said in our words, whoever's statements they are.

        Raises:
            UnavailableError: The database cannot be reached.
        """
        try:
            yield
        except exc.IntegrityError:  # a matter of what is written
            raise
        except (exc.DatabaseError, exc.InterfaceError, exc.TimeoutError) as error:
            cause = str(getattr(error, "orig", None) or "timed out").strip().splitlines()[0]
            # The cause of psycopg names host, port and user, never the password.
            raise UnavailableError(f"the database {self.name} cannot be used: {cause}") from error

    @property
    def name(self) -> str:
        """The database for people to read, without the password."""
        return self.url.render_as_string(hide_password=True)

    def is_ready(self) -> bool:
        """Whether it answers, and its tables are those of this version."""
        try:
            with self.read() as connection:
                return is_current(connection)
        except UnavailableError:
            return False

    def close(self) -> None:
        """Close all connections."""
        self.engine.dispose()


def _read_url(text: str) -> sa.URL:
    try:
        url = sa.make_url(text)
    except (exc.ArgumentError, ValueError):  # its message holds the URL, and so perhaps a password
        raise DatabaseURLError(
            "the database URL cannot be read; write it as postgresql://user:password@host/name or sqlite:////path"
        ) from None
    if url.drivername in {"postgres", "postgresql"}:
        url = url.set(drivername="postgresql+psycopg")
    if url.drivername not in {"sqlite", "postgresql+psycopg"}:
        raise DatabaseURLError(
            f"a database of kind {url.drivername!r} is not supported; use postgresql or sqlite"
        )
    if url.get_backend_name() == "sqlite" and url.database in {None, "", ":memory:"}:
        raise DatabaseURLError("a SQLite database needs a file; write sqlite:////path/to/file")
    return url


def _sqlite(url: sa.URL) -> sa.Engine:
    path = Path(str(url.database))
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise UnavailableError(f"{path.parent} cannot be made: {error.strerror}; set TRIMTAB_HOME") from error
    engine = sa.create_engine(url, connect_args={"timeout": BUSY_TIMEOUT, "isolation_level": None})
    event.listen(engine, "connect", _set_pragmas)
    event.listen(engine, "begin", _begin)
    return engine


def _set_pragmas(connection: Any, _record: Any) -> None:
    # NORMAL in WAL mode survives a kill of the process; a power cut may lose the last commits, never consistency.
    for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "foreign_keys=ON"):
        connection.execute(f"PRAGMA {pragma}")


def _begin(connection: sa.Connection) -> None:
    write = connection.get_execution_options().get("trimtab_write", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if write else "BEGIN")


def _postgresql(url: sa.URL) -> sa.Engine:
    engine = sa.create_engine(
        url,
        pool_pre_ping=True,
        pool_size=10,
        max_overflow=30,
        connect_args={"connect_timeout": CONNECT_TIMEOUT, "application_name": "trimtab"},
    )
    event.listen(engine, "connect", _set_planner)
    return engine


def _set_planner(connection: Any, _record: Any) -> None:
    # The defaults are a spinning disk's, with which a look-up seems so dear that whole indexes are read instead; and a
    # query that takes some milliseconds is over before other processes have begun to help.
    with connection.cursor() as cursor:
        cursor.execute("SET random_page_cost = 1.1; SET max_parallel_workers_per_gather = 0")
    connection.commit()
