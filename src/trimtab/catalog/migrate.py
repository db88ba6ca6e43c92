"""Bring a database's tables up to date, once, however many processes start at the same time."""

import fcntl
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import sqlalchemy as sa

from trimtab.catalog.errors import MigrationError

__all__ = ["HEAD", "is_current", "migrate"]

# The newest migration. Stated here, so that a database that is up to date needs no import of Alembic (0.1 s).
HEAD = "0007"
LOCK = 0x7472696D746162  # "trimtab": the advisory lock of PostgreSQL


def is_current(connection: sa.Connection) -> bool:
    """Whether the tables are those of this version."""
    return _revision(connection) == HEAD


def migrate(engine: sa.Engine) -> None:
    """Run the migrations that the database lacks, under a lock that all processes share.

    Raises:
        MigrationError: The tables are of a newer Trimtab, or a migration failed.
    """
    with engine.connect() as connection:
        if is_current(connection):
            return
    with _locked(engine) as connection:
        if not is_current(connection):
            _upgrade(connection)


def _revision(connection: sa.Connection) -> str | None:
    if not sa.inspect(connection).has_table("alembic_version"):
        return None
    found: str | None = connection.execute(sa.text("SELECT version_num FROM alembic_version")).scalar()
    return found


def _upgrade(connection: sa.Connection, revision: str = HEAD) -> None:
    from alembic import command
    from alembic.config import Config
    from alembic.util.exc import CommandError

    config = Config()
    config.set_main_option("script_location", str(Path(__file__).parent / "migrations").replace("%", "%%"))
    config.attributes["connection"] = connection
    try:
        command.upgrade(config, revision)
    except CommandError as error:
        raise MigrationError(
            f"the tables are of a Trimtab that this one does not know ({_revision(connection)}); "
            f"install the newer one, or name another database"
        ) from error


@contextmanager
def _locked(engine: sa.Engine) -> Iterator[sa.Connection]:
    """A transaction that no other process migrates beside."""
    if engine.dialect.name == "sqlite":
        # A lock file, not BEGIN IMMEDIATE alone: a first start also changes the journal mode, which cannot wait.
        with _file_lock(Path(f"{engine.url.database}.lock")), _writing(engine) as connection:
            yield connection
    else:
        with engine.begin() as connection:
            connection.execute(sa.select(sa.func.pg_advisory_xact_lock(LOCK)))
            yield connection


@contextmanager
def _writing(engine: sa.Engine) -> Iterator[sa.Connection]:
    with engine.connect() as connection:
        connection.execution_options(trimtab_write=True)
        with connection.begin():
            yield connection


@contextmanager
def _file_lock(path: Path) -> Iterator[None]:
    with path.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield
