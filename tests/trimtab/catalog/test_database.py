"""The database: opened by many, migrated by one, written in whole transactions."""

import os
import stat
import subprocess
import sys
import threading

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from trimtab.catalog import Database, DatabaseURLError, MigrationError, UnavailableError
from trimtab.catalog import sessions as catalog
from trimtab.catalog.migrate import HEAD
from trimtab.catalog.schema import metadata, sessions

ROW = {
    "application": "example.com/shop",
    "active": True,
    "state": "waiting",
    "version": 0,
    "spec": {},
    "machine": {},
    "created_at": 1.0,
    "updated_at": 1.0,
}


def test_the_tables_of_the_migrations_are_those_of_the_schema(database_url, open_database):
    """The schema that queries are written against, and the one that migrations build, are one."""
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    database = open_database(database_url)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, metadata) == []


def test_the_head_that_is_written_down_is_that_of_the_migrations(repository):
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    config.set_main_option("script_location", str(repository / "src/trimtab/catalog/migrations"))
    assert ScriptDirectory.from_config(config).get_heads() == [HEAD]


def test_an_open_database_is_ready(database_url, open_database):
    database = open_database(database_url)
    assert database.is_ready()
    assert open_database(database_url).is_ready()


def test_sqlite_is_in_wal_mode_and_checks_foreign_keys(database):
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar() == "wal"
        assert connection.exec_driver_sql("PRAGMA foreign_keys").scalar() == 1


def test_a_home_that_is_made_is_for_its_owner_alone(tmp_path, open_database):
    open_database(f"sqlite:///{tmp_path / 'home' / 'trimtab.sqlite'}")
    assert stat.S_IMODE((tmp_path / "home").stat().st_mode) == 0o700


def test_many_that_open_an_empty_database_at_once_migrate_it_once(database_url):
    """Each in a thread with an engine of its own; a second migration would fail, for the tables are there."""
    problems = []

    def open_():
        try:
            Database(database_url).close()
        except Exception as error:  # noqa: BLE001 # whatever it is, the test names it
            problems.append(error)

    threads = [threading.Thread(target=open_) for _ in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert problems == []


@pytest.mark.integration
def test_processes_that_open_an_empty_database_at_once_migrate_it_once(tmp_path):
    program = f"from trimtab.catalog import Database; Database('sqlite:///{tmp_path}/x.sqlite')"
    started = [subprocess.Popen([sys.executable, "-c", program]) for _ in range(3)]
    assert [each.wait() for each in started] == [0, 0, 0]


def test_a_database_of_a_newer_version_is_refused(database_url, open_database):
    database = open_database(database_url)
    with database.write() as connection:
        connection.execute(sa.text("UPDATE alembic_version SET version_num = 'of the future'"))
    assert not database.is_ready()
    with pytest.raises(MigrationError, match=r"of the future.*newer"):
        open_database(database_url)


@pytest.mark.parametrize(
    "url",
    [
        "nonsense",
        "mysql://user:geheim@host/name",
        "sqlite://",
        "sqlite:///:memory:",
        "postgresql+asyncpg://user:geheim@host/name",
        "postgresql://user:geheim@host:port/name",
    ],
)
def test_a_url_of_another_kind_is_refused_without_its_password(url):
    with pytest.raises(DatabaseURLError) as caught:
        Database(url)
    assert "geheim" not in str(caught.value)


def test_a_database_out_of_reach_is_said_to_be_so_without_its_password():
    with pytest.raises(UnavailableError) as caught:
        Database("postgresql://user:geheim@127.0.0.1:1/name")
    assert "127.0.0.1" in str(caught.value)
    assert "geheim" not in str(caught.value)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
def test_a_home_that_cannot_be_made_names_the_remedy(tmp_path):
    tmp_path.chmod(0o500)
    with pytest.raises(UnavailableError, match="set TRIMTAB_HOME"):
        Database(f"sqlite:///{tmp_path / 'home' / 'trimtab.sqlite'}")


def test_a_home_that_is_a_file_names_the_remedy(tmp_path):
    (tmp_path / "home").write_text("")
    with pytest.raises(UnavailableError, match="set TRIMTAB_HOME"):
        Database(f"sqlite:///{tmp_path / 'home' / 'trimtab.sqlite'}")


def test_a_file_that_is_no_database_is_said_to_be_none(tmp_path):
    (tmp_path / "x.sqlite").write_text("I am a diary, and long enough to be looked at. " * 50)
    with pytest.raises(UnavailableError, match="not a database"):
        Database(f"sqlite:///{tmp_path / 'x.sqlite'}")


def test_a_transaction_that_fails_leaves_no_trace(database_url, open_database):
    database = open_database(database_url)

    def fail():
        with database.write() as connection:
            catalog.insert(connection, {"id": "a", **ROW})
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    with database.read() as connection:
        assert catalog.by_id(connection, "a") is None


def test_an_application_has_one_active_session_in_any_database(database_url, open_database):
    database = open_database(database_url)
    with database.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})
        catalog.insert(connection, {"id": "b", **ROW, "active": False})
        catalog.insert(connection, {"id": "c", **ROW, "application": "example.com/other"})
    with pytest.raises(IntegrityError), database.write() as connection:
        catalog.insert(connection, {"id": "d", **ROW})


def test_a_write_of_an_old_version_is_refused(database_url, open_database):
    database = open_database(database_url)
    with database.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})
    with database.write() as connection:
        assert catalog.save(connection, catalog.Key("a", 0), {"state": "running"}, changed=True)
        assert not catalog.save(connection, catalog.Key("a", 0), {"state": "failed"}, changed=True)
        assert catalog.save(connection, catalog.Key("a", 1), {"last_seen": 2.0}, changed=False)
    with database.read() as connection:
        row = catalog.by_id(connection, "a")
    assert (row["state"], row["version"], row["last_seen"]) == ("running", 1, 2.0)


def test_a_reader_sees_one_state_throughout(database_url, open_database):
    """What another commits in between is not seen half."""
    database = open_database(database_url)
    with database.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})
    with database.read() as reader:
        assert catalog.key_of(reader, "a").version == 0
        with database.write() as writer:
            catalog.save(writer, catalog.Key("a", 0), {}, changed=True)
        assert catalog.key_of(reader, "a").version == 0
    with database.read() as reader:
        assert catalog.key_of(reader, "a").version == 1


def test_many_writers_wait_for_each_other(database_url, open_database):
    database = open_database(database_url)
    with database.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})

    def count():
        for _ in range(20):
            written = False
            while not written:
                with database.read() as connection:
                    key = catalog.key_of(connection, "a")
                with database.write() as connection:
                    written = catalog.save(connection, key, {}, changed=True)

    threads = [threading.Thread(target=count) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    with database.read() as connection:
        assert catalog.key_of(connection, "a").version == 80


def test_what_is_deleted_takes_its_rows_along(database_url, open_database):
    from trimtab.catalog.schema import commands, events, trials

    database = open_database(database_url)
    writes = catalog.Writes()
    writes.insert(events, 1, at=1.0, kind="hello", data={})
    writes.insert(commands, 1, cmd="DESCRIBE", step="describe", param={}, issued_at=1.0)
    trial = {"purpose": "search", "point": {}, "strategy": "", "why": "", "attempts": 1, "started_at": 1.0}
    writes.insert(trials, 0, **trial)
    writes.update(trials, 0, status="ok")
    with database.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})
        writes.execute(connection, "a")
    with database.write() as connection:
        assert catalog.statuses(connection) == {"ok": 1}
        assert catalog.delete(connection, "a")
        assert not catalog.delete(connection, "a")
    with database.read() as connection:
        for table in (events, commands, trials, sessions):
            assert connection.execute(sa.select(sa.func.count()).select_from(table)).scalar() == 0


def test_sessions_of_before_there_were_inspections_are_kept(database_url, open_database, monkeypatch):
    """A database of the version before is brought up to date with what is in it."""
    from trimtab.catalog import migrate

    upgrade = migrate._upgrade
    with monkeypatch.context() as patch:
        patch.setattr(migrate, "_upgrade", lambda connection: upgrade(connection, "0001"))
        old = open_database(database_url)
    assert not old.is_ready()
    with old.write() as connection:
        catalog.insert(connection, {"id": "a", **ROW})
    old.close()
    database = open_database(database_url)
    assert database.is_ready()
    with database.read() as connection:
        assert catalog.by_id(connection, "a")["application"] == "example.com/shop"
        assert sa.inspect(connection).has_table("inspections")
