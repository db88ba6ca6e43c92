"""What the rows say is what the documents say: they can be written once more."""

import json

import pytest
import sqlalchemy as sa

from trimtab.catalog import accept, advance
from trimtab.catalog import inspections as catalog
from trimtab.catalog.rebuild import documents_of, rebuild
from trimtab.catalog.schema import metadata
from trimtab.store import NotFoundError

from .conftest import EPYC, RESULT, XEON, specification

ID = "inspection-np-matmul-210203040506-0123456789abcdef"


def rows(database):
    """All rows of all tables, but for numbers that only tell rows apart."""
    found = {}
    with database.read() as connection:
        for table in metadata.sorted_tables:
            names = [
                each.name for each in table.columns if not each.name.endswith("_id") and each.name != "id"
            ]
            names += ["id"] if table.name == "inspections" else []
            query = sa.select(sa.literal(1), *(table.c[name] for name in names)).select_from(table)
            found[table.name] = sorted(map(repr, connection.execute(query)))
    return found


@pytest.fixture
def store_one(inspections):
    def store(inspection_id=ID, **more):
        inspection = inspections[inspection_id]
        inspection.build.store_build(b"", "")
        inspection.results.store_run(0, RESULT, hwinfo=XEON)
        inspection.results.store_run(2, {"exit_code": 1}, hwinfo=EPYC)
        report = {
            "state": "failed",
            "owner": "me",
            "engine": {"name": "podman"},
            "created": "2021-02-03T04:05:06Z",
            "runs": [
                {"item": 2, "attempt": 2, "state": "failed"},
                {"item": 2, "attempt": 1, "state": "lost", "lost": "no node"},
                {"item": 0, "attempt": 1, "state": "succeeded"},
                {"item": 1, "attempt": 1, "state": "lost", "lost": "no node"},
            ],
        }
        inspection.conclude(specification("numpy==1", "six==2"), report | more)
        return inspection

    return store


def done(database, inspections):
    return [(each.inspection_id, each.change) for each in rebuild(database, inspections)]


def test_rows_are_those_of_the_documents(any_database, inspections, store_one):
    store_one()
    assert done(any_database, inspections) == [(ID, "written")]
    with any_database.read() as connection:
        row = catalog.by_id(connection, ID)
        runs = catalog.runs_of(connection, ID)
    assert (row["state"], row["owner"], row["engine"], row["identifier"]) == (
        "failed",
        "me",
        "podman",
        "np-matmul",
    )
    assert [
        (each["item"], each["attempt"], each["state"], each["exit_code"], each["ncpus"]) for each in runs
    ] == [
        (0, 1, "succeeded", 0, 36),
        (1, 1, "lost", None, None),
        (2, 1, "lost", None, None),
        (2, 2, "failed", 1, 64),
    ]


def test_a_rebuild_of_an_empty_catalog_and_of_a_full_one_are_the_same(
    any_database, open_database, inspections, store_one, tmp_path
):
    for number in range(3):
        store_one(f"inspection-{number}-210203040506-0123456789abcdef")
    done(any_database, inspections)
    first = rows(any_database)
    done(any_database, inspections)
    assert rows(any_database) == first
    empty = open_database(f"sqlite:///{tmp_path / 'other.sqlite'}")
    done(empty, inspections)
    assert rows(empty) == first


def test_what_is_gone_from_the_store_is_removed_and_what_is_not_over_stays(
    any_database, inspections, store_one
):
    store_one("inspection-a-1")
    store_one("inspection-b-2")
    done(any_database, inspections)
    with any_database.write() as connection:
        accept(connection, "inspection-c-3", specification(), created_at=1.0)
        advance(connection, "inspection-c-3", "running")
    inspections["inspection-a-1"].delete()
    inspections["inspection-c-3"].build.store_build(b"", "")
    assert done(any_database, inspections) == [("inspection-b-2", "written"), ("inspection-a-1", "removed")]
    with any_database.read() as connection:
        assert catalog.states(connection) == {"failed": 1, "running": 1}


def test_one_that_was_concluded_before_the_catalog_knew_is_over(any_database, inspections, store_one):
    """Its writer was killed between the two."""
    with any_database.write() as connection:
        accept(connection, ID, specification(), created_at=1.0, idempotency="key")
    store_one()
    done(any_database, inspections)
    with any_database.read() as connection:
        row = catalog.by_id(connection, ID)
    assert (row["state"], row["idempotency"]) == ("failed", "key")


def test_one_that_cannot_be_read_stops_nothing(any_database, inspections, store_one):
    """Issue 1551 of storages: in the original one bad inspection aborted all."""
    store_one("inspection-a-1")
    store_one("inspection-b-2").results.store_blob(b"torn", "0/result")
    store_one("inspection-c-3")
    found = list(rebuild(any_database, inspections))
    assert [(each.inspection_id, each.change) for each in found] == [
        ("inspection-a-1", "written"),
        ("inspection-b-2", "refused"),
        ("inspection-c-3", "written"),
    ]
    assert "inspection-b-2/results/0/result is no JSON document" in found[1].reason


def test_the_originals_inspections_have_rows(any_database, originals):
    assert done(any_database, originals) == [("inspection-rhtf-conv2d-0f845f38", "written")]
    with any_database.read() as connection:
        runs = catalog.runs_of(connection, "inspection-rhtf-conv2d-0f845f38")
        assert len(catalog.stack(connection, "inspection-rhtf-conv2d-0f845f38")) == 36
        asked = catalog.specification(connection, "inspection-rhtf-conv2d-0f845f38")
    assert asked == originals["inspection-rhtf-conv2d-0f845f38"].retrieve_specification()
    assert [(each["item"], each["state"], each["family"], each["python_version"]) for each in runs] == [
        (0, "succeeded", 6, "3.6"),
        (1, "succeeded", 6, "3.6"),
        (2, "succeeded", 6, "3.6"),
    ]


def test_one_document_of_before_2020_has_rows(any_database, inspections):
    document = {
        "created": "2019-05-01T10:00:00",
        "specification": {"base": "fedora:29", "batch_size": "1", "script": "x"},
        "build_log": "",
        "job_log": {"exit_code": 1, "hwinfo": XEON},
    }
    inspections.store.put("test/inspections/inspection-old-1", json.dumps(document).encode())
    assert done(any_database, inspections) == [("inspection-old-1", "written")]
    with any_database.read() as connection:
        row = catalog.by_id(connection, "inspection-old-1")
        assert catalog.runs_of(connection, "inspection-old-1")[0]["ncpus"] == 36
    assert (row["state"], row["created_at"]) == ("failed", 1556704800)


def test_a_report_that_is_forged_breaks_nothing(any_database, inspections, store_one):
    for number, runs in enumerate([1, "x", [1, None, {"item": []}], {"a": 1}, [{"item": -5, "attempt": -1}]]):
        store_one(
            f"inspection-{number}", runs=runs, state=[], engine=1, build=[float(number)], failure="x", owner=1
        )
    assert {each.change for each in rebuild(any_database, inspections)} == {"written"}


def test_an_inspection_that_is_not_over_has_no_documents_yet(inspections):
    inspections[ID].build.store_build(b"", "")
    with pytest.raises(NotFoundError):
        documents_of(inspections[ID])
