"""Inspections are listed, found and counted, in either order, on either database."""

import itertools

import pytest
import sqlalchemy as sa
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from trimtab.catalog import Wanted, hardware_digest, inspection_filter
from trimtab.catalog import inspections as catalog
from trimtab.catalog.inspection_filter import EVERYTHING

from .conftest import EPYC, XEON


@pytest.fixture
def five(fill):
    """Five inspections, whose ids are in another order than their times."""
    fill("inspection-np-matmul-3", "numpy==1.26.4", created=1, owner="me")
    fill("inspection-np-conv2d-1", "numpy==2.0.0", "six==1.0", created=2, owner="me", base="debian:12")
    fill("inspection-tf-matmul-2", "tensorflow==2.2.0", "numpy==1.26.4", created=3, state="failed")
    fill("inspection-tf-conv2d-5", created=4, hwinfo=EPYC)
    fill("inspection-B-4", created=4, state="build_failed")


@pytest.fixture
def ids(any_database):
    def ids_(wanted=EVERYTHING, **arguments):
        with any_database.read() as connection:
            found = catalog.ids(connection, wanted, **arguments)
            rows = catalog.listed(connection, wanted, **({"order": "id"} | arguments))
            assert [each["id"] for each in rows] == found
            if not arguments:
                assert catalog.count(connection, wanted) == len(found)
                assert sum(catalog.states(connection, wanted).values()) == len(found)
        return [each.removeprefix("inspection-") for each in found]

    return ids_


@pytest.mark.usefixtures("five")
def test_ids_are_in_the_order_of_an_object_store(ids):
    """By bytes: capital letters come first, whatever the language of the database."""
    assert ids() == ["B-4", "np-conv2d-1", "np-matmul-3", "tf-conv2d-5", "tf-matmul-2"]


@pytest.mark.usefixtures("five")
def test_the_newest_are_first_and_ids_part_those_of_one_moment(ids):
    newest = ["tf-conv2d-5", "B-4", "tf-matmul-2", "np-conv2d-1", "np-matmul-3"]
    assert ids(order="newest") == newest


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize("order", ["newest", "id"])
@pytest.mark.parametrize("limit", [1, 2, 3, 5, 9])
def test_pages_have_everything_once_by_offset_and_by_going_on(any_database, ids, order, limit):
    whole = ids(order=order)
    pages = [ids(order=order, limit=limit, offset=offset) for offset in range(0, 5, limit)]
    assert list(itertools.chain.from_iterable(pages)) == whole
    seen, after = [], None
    with any_database.read() as connection:
        while rows := catalog.listed(connection, order=order, limit=limit, after=after):
            seen += [each["id"].removeprefix("inspection-") for each in rows]
            after = (rows[-1]["created_at"], rows[-1]["id"])
    assert seen == whole


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (Wanted(state="succeeded"), ["np-conv2d-1", "np-matmul-3", "tf-conv2d-5"]),
        (Wanted(base="debian:12"), ["np-conv2d-1"]),
        (Wanted(owner="me"), ["np-conv2d-1", "np-matmul-3"]),
        (Wanted(words="matmul"), ["np-matmul-3", "tf-matmul-2"]),
        (Wanted(words="np-matmul"), ["np-matmul-3"]),
        (Wanted(words="MATMUL np"), ["np-matmul-3"]),
        (Wanted(words="np conv2d 1"), ["np-conv2d-1"]),
        (Wanted(words="np tf"), []),
        (Wanted(words="conv"), ["np-conv2d-1", "tf-conv2d-5"]),
        (Wanted(words="onv2d"), []),
        (Wanted(words="inspection"), ["B-4", "np-conv2d-1", "np-matmul-3", "tf-conv2d-5", "tf-matmul-2"]),
        (Wanted(words="%"), ["B-4", "np-conv2d-1", "np-matmul-3", "tf-conv2d-5", "tf-matmul-2"]),
        (Wanted(package="numpy"), ["np-conv2d-1", "np-matmul-3", "tf-matmul-2"]),
        (Wanted(package="NumPy==1.26.4"), ["np-matmul-3", "tf-matmul-2"]),
        (Wanted(package="numpy==3"), []),
        (Wanted(package=""), []),
        (Wanted(hardware="epyc"), ["tf-conv2d-5"]),
        (Wanted(hardware="gold 6140"), ["B-4", "np-conv2d-1", "np-matmul-3", "tf-matmul-2"]),
        (Wanted(hardware=hardware_digest(EPYC)), ["tf-conv2d-5"]),
        (Wanted(hardware=hardware_digest(XEON)[:12]), ["B-4", "np-conv2d-1", "np-matmul-3", "tf-matmul-2"]),
        (Wanted(hardware="%"), []),
        (Wanted(hardware="________"), []),
        (
            Wanted(
                words="np", package="numpy", hardware="xeon", state="succeeded", base="fedora:40", owner="me"
            ),
            ["np-matmul-3"],
        ),
    ],
)
@pytest.mark.parametrize("bounds", [(2000, 40_000), (0, 40_000), (0, 0), (1, 2)])
def test_what_is_wanted_is_found(ids, wanted, expected, bounds, monkeypatch):
    """Whether it is looked up because it is rare, compared, or met on a walk because it is common."""
    monkeypatch.setattr(inspection_filter, "RARE", bounds[0])
    monkeypatch.setattr(inspection_filter, "COMMON", bounds[1])
    assert ids(wanted) == expected


@given(*[st.none() | st.text(max_size=6)] * 6)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
def test_anything_may_be_asked_for(database, words, base, state, package, hardware, owner):
    """SQLite alone: what PostgreSQL is asked goes through the same parameters."""
    wanted = Wanted(words, base, state, package, hardware, owner)
    with database.read() as connection:
        assert catalog.ids(connection, wanted) == []


@pytest.mark.integration
def test_postgresql_may_be_asked_for_what_it_cannot_hold(new_postgresql, open_database):
    with open_database(new_postgresql()).read() as connection:
        for odd in ("a\0b", "\ud800"):
            assert catalog.ids(connection, Wanted(odd, odd, odd, odd, odd * 8, odd)) == []
            assert catalog.by_id(connection, odd) is None


@pytest.mark.parametrize(
    ("page", "limit", "expected"),
    [
        (None, None, (0, 100)),
        (1, 10, (0, 10)),
        (3, 10, (20, 10)),
        (0, 0, (0, 100)),
        (-5, -1, (0, 100)),
        (2, 101, (100, 100)),
        (2, 100, (100, 100)),
    ],
)
def test_b10_a_page_begins_where_the_one_before_ends(page, limit, expected):
    assert catalog.bounds(page, limit) == expected


def test_a_page_beyond_all_is_empty(ids):
    offset, limit = catalog.bounds(10**30, 100)
    assert ids(offset=offset, limit=limit) == []


def test_counts_of_nothing(any_database):
    with any_database.read() as connection:
        assert catalog.count(connection) == 0
        assert catalog.states(connection) == {}
        assert catalog.by_id(connection, "x") is None
        assert catalog.specification(connection, "x") is None
        assert catalog.runs_of(connection, "x") == catalog.stack(connection, "x") == []


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("wanted", "index"),
    [
        (Wanted(), "ix_inspections_created_at_id"),
        (Wanted(state="failed"), "ix_inspections_state_created_at_id"),
        (Wanted(base="debian:12"), "ix_inspections_base_created_at_id"),
        (Wanted(owner="me"), "ix_inspections_owner_created_at_id"),
    ],
)
def test_a_page_is_a_walk_along_an_index(database, wanted, index):
    """No sort, and no look at the whole table, however many inspections there are."""
    with database.read() as connection:
        query = catalog._ids(connection, wanted, "newest", 0, 100, None)
        compiled = query.compile(database.engine, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert len(plan) == 1
    assert f"USING COVERING INDEX {index}" in plan[0]


@pytest.mark.usefixtures("five")
@pytest.mark.parametrize(
    ("wanted", "reads"),
    [
        (
            Wanted(words="np matmul"),
            "ix_inspection_words_inspection_id_word (inspection_id=? AND word>? AND word<?)",
        ),
        (Wanted(hardware="xeon"), "ix_runs_hardware_digest_inspection_id (hardware_digest=?)"),
        (Wanted(package="numpy"), "ix_inspections_stack_id (stack_id=?)"),
    ],
)
def test_what_is_rare_is_looked_up(any_database, wanted, reads):
    """By its index, and never by a look at all inspections."""
    if not any_database.is_sqlite:
        pytest.skip("of five inspections PostgreSQL looks at all")
    with any_database.read() as connection:
        query = catalog._ids(connection, wanted, "newest", 0, 100, None)
        compiled = query.compile(any_database.engine, compile_kwargs={"literal_binds": True})
        plan = [row[3] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {compiled}")]
    assert any(reads in step for step in plan), plan
    assert not any(step.startswith("SCAN") for step in plan), plan


@pytest.mark.integration
def test_ids_are_compared_by_bytes_whatever_the_language_of_the_database(new_postgresql, open_database):
    database = open_database(new_postgresql())
    query = sa.text(
        "SELECT collation_name FROM information_schema.columns "
        "WHERE (table_name, column_name) IN (('inspections', 'id'), ('inspection_words', 'word'), ('runs', 'inspection_id'))"
    )
    with database.read() as connection:
        assert list(connection.execute(query).scalars()) == ["C", "C", "C"]
