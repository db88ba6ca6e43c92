"""Services that tests of several folders use."""

import asyncio
import os
import secrets
import signal
from collections.abc import Callable, Iterator

import hypothesis
import pytest

# How long an example takes says more of what else the machine does than of the code.
hypothesis.settings.register_profile("trimtab", deadline=None)
hypothesis.settings.load_profile("trimtab")

# A shell's background job ignores Ctrl-C, and so would every process that a test starts and interrupts.
signal.signal(signal.SIGINT, signal.default_int_handler)


@pytest.fixture(scope="session", autouse=True)
def _no_event_loop_by_asking_for_one() -> None:
    """Tell the policy that there is none, before pytest-asyncio asks it.

    Never told, it makes one, up to Python 3.13, which nobody closes; the warning of that would fail the run.
    """
    asyncio.set_event_loop(None)


@pytest.fixture(scope="session")
def postgresql_url() -> str:
    """A PostgreSQL that tests may fill with databases of their own; scripts/with-services starts one."""
    url = os.environ.get("TRIMTAB_TEST_POSTGRESQL_URL")
    if not url:
        pytest.skip("no PostgreSQL: run by scripts/with-services, or set TRIMTAB_TEST_POSTGRESQL_URL")
    return url


@pytest.fixture
def new_postgresql(postgresql_url) -> Iterator[Callable[[], str]]:
    """Makes empty databases, and drops them at the end."""
    import sqlalchemy as sa

    server = sa.create_engine(
        sa.make_url(postgresql_url).set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT"
    )
    names: list[str] = []

    def make() -> str:
        name = f"test_{secrets.token_hex(8)}"
        names.append(name)
        with server.connect() as connection:
            connection.execute(sa.text(f'CREATE DATABASE "{name}"'))
        return server.url.set(database=name).render_as_string(hide_password=False)

    yield make
    with server.connect() as connection:
        for name in names:
            connection.execute(sa.text(f'DROP DATABASE "{name}" WITH (FORCE)'))
    server.dispose()
