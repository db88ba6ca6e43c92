"""Rows are written as an inspection goes on, once however often, and end once."""

import threading

import pytest
import sqlalchemy as sa

from trimtab.catalog import (
    Documents,
    InspectionState,
    RunDocuments,
    Wanted,
    accept,
    advance,
    record,
    record_run,
)
from trimtab.catalog import inspections as catalog
from trimtab.catalog.schema import environments, hardware, inspection_words, metadata, packages, runs, stacks

from .conftest import EPYC, RESULT, XEON, specification

ID = "inspection-np-matmul-210203040506-0123456789abcdef"


def counts(database):
    with database.read() as connection:
        return {
            table.name: connection.execute(sa.select(sa.func.count()).select_from(table)).scalar()
            for table in metadata.sorted_tables
        }


def test_an_accepted_inspection_is_queued_and_has_its_specification(any_database):
    asked = specification("numpy==1.26.4", identifier="np-matmul")
    with any_database.write() as connection:
        assert accept(connection, ID, asked, created_at=5.0, owner="me") == ID
    with any_database.read() as connection:
        row = catalog.by_id(connection, ID)
        assert catalog.specification(connection, ID) == asked
        assert [dict(each) for each in catalog.stack(connection, ID)] == [
            {"name": "numpy", "version": "1.26.4", "source": "pypi"}
        ]
    assert (row["state"], row["owner"], row["created_at"], row["batch_size"]) == ("queued", "me", 5.0, 2)


def test_what_strangers_put_into_a_specification_comes_back(any_database):
    asked = {
        "base": "a\0b" * 300,
        "script": "\0\ud800\U0001f600",
        "identifier": "\0",
        "x": [1e300, None, {"": ""}],
    }
    with any_database.write() as connection:
        accept(connection, ID, asked, created_at=0.0, owner="\0o", idempotency="\0k")
    with any_database.read() as connection:
        assert catalog.specification(connection, ID) == asked
        assert catalog.by_id(connection, ID)["base"].startswith("abab")


def test_whoever_asks_twice_with_the_same_key_asks_once(any_database):
    with any_database.write() as connection:
        first = accept(connection, ID, specification(), created_at=1.0, owner="me", idempotency="key")
        again = accept(connection, ID + "2", specification(), created_at=2.0, owner="me", idempotency="key")
        other = accept(connection, ID + "3", specification(), created_at=3.0, owner="you", idempotency="key")
        none = accept(connection, ID + "4", specification(), created_at=4.0, owner="me")
    assert (first, again, other, none) == (ID, ID, ID + "3", ID + "4")
    with any_database.read() as connection:
        assert catalog.by_id(connection, ID + "2") is None


def test_asked_twice_without_a_key_an_id_is_its_own(any_database):
    """Others of the same owner, who gave no key either, are not taken for it."""
    with any_database.write() as connection:
        ids = [ID, ID + "2", ID + "3"]
        for _ in range(2):
            assert [accept(connection, each, specification(), created_at=1.0) for each in ids] == ids


def test_an_id_is_accepted_once(any_database):
    with any_database.write() as connection:
        accept(connection, ID, specification("a==1"), created_at=1.0)
        assert accept(connection, ID, specification("b==1"), created_at=2.0) == ID
    with any_database.read() as connection:
        assert [each["name"] for each in catalog.stack(connection, ID)] == ["a"]


def test_of_many_that_ask_at_once_with_the_same_key_one_is_accepted(any_database):
    answers = []

    def ask(number):
        with any_database.write() as connection:
            asked = specification("numpy==1", f"other-{number}==1")
            answers.append(accept(connection, f"{ID}-{number}", asked, created_at=1.0, idempotency="key"))

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert len(answers) == 6
    assert len(set(answers)) == 1
    assert counts(any_database)["inspections"] == 1


def test_many_that_write_the_same_stack_at_once_write_one(any_database):
    names = [f"package-{number}==1" for number in range(50)]
    problems = []

    def write(number):
        try:
            with any_database.write() as connection:
                asked = specification(*(names if number % 2 else reversed(names)))
                run = RunDocuments(0, RESULT, XEON)
                record(connection, Documents(f"{ID}-{number}", asked, {"state": "succeeded"}, (run,)))
        except Exception as error:  # noqa: BLE001 # whatever it is, the test names it
            problems.append(error)

    threads = [threading.Thread(target=write, args=(number,)) for number in range(6)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert problems == []
    found = counts(any_database)
    assert (found["stacks"], found["packages"], found["stack_packages"]) == (1, 50, 50)
    assert (found["inspections"], found["runs"], found["hardware"], found["environments"]) == (6, 6, 1, 1)


def test_an_inspection_goes_on_and_ends_once(any_database):
    with any_database.write() as connection:
        accept(connection, ID, specification(), created_at=1.0)
        assert advance(connection, ID, InspectionState.BUILDING, engine="podman", started_at=2.0)
        assert advance(connection, ID, "running", build={"digest": "sha256:1", "seconds": float("inf")})
        assert advance(connection, ID, "running")
        assert advance(
            connection, ID, "failed", failure_class="script", failure_reason="x\0" * 9000, ended_at=3.0
        )
        for state in InspectionState:
            assert not advance(connection, ID, state, ended_at=4.0)
        assert not advance(connection, "other", "running")
    with any_database.read() as connection:
        row = catalog.by_id(connection, ID)
    assert (row["state"], row["engine"], row["started_at"], row["ended_at"]) == ("failed", "podman", 2.0, 3.0)
    assert row["build"] == {"digest": "sha256:1", "seconds": None}
    assert len(row["failure_reason"]) == 2000


def test_a_state_that_is_none_is_refused(any_database):
    with any_database.write() as connection, pytest.raises(ValueError, match="flying"):
        advance(connection, ID, "flying")


def test_runs_are_written_as_they_end_and_again_are_the_same(any_database):
    lost = {"item": 1, "attempt": 1, "state": "lost", "lost": "the node went away"}
    with any_database.write() as connection:
        accept(connection, ID, specification(), created_at=1.0)
        for _ in range(2):
            record_run(connection, ID, RunDocuments(0, RESULT, XEON))
            record_run(connection, ID, RunDocuments(1, None, None, lost))
            record_run(connection, ID, RunDocuments(1, {"exit_code": 1}, EPYC, {"item": 1, "attempt": 2}))
    with any_database.read() as connection:
        found = catalog.runs_of(connection, ID)
        assert catalog.tallies(connection, [ID, "other"]) == {
            ID: {"succeeded": 1, "lost": 1, "failed": 1},
            "other": {},
        }
    assert [(each["item"], each["attempt"], each["state"]) for each in found] == [
        (0, 1, "succeeded"),
        (1, 1, "lost"),
        (1, 2, "failed"),
    ]
    first, second, third = found
    assert (first["brand"], first["ncpus"], first["os_name"], first["python_version"]) == (
        XEON["cpu_info"]["brand_raw"],
        36,
        "rhel",
        "3.11",
    )
    assert (first["duration"], first["utime"], first["max_rss"], first["usage"]) == (
        2.5,
        1.5,
        1024000,
        RESULT["usage"],
    )
    assert (first["indicator"], first["elapsed"], first["rate"], first["score"]) == (
        "PiMatmul",
        12.5,
        57,
        0.5,
    )
    assert (second["brand"], second["failure_reason"], third["family"]) == (None, "the node went away", 25)


def test_hardware_keeps_the_document_of_its_first_run(any_database):
    with any_database.write() as connection:
        accept(connection, ID, specification(), created_at=1.0)
        for item in range(2):
            record_run(
                connection, ID, RunDocuments(item, RESULT, XEON | {"platform": {"node": f"pod-{item}"}})
            )
    with any_database.read() as connection:
        digest = catalog.runs_of(connection, ID)[0]["hardware_digest"]
        row = catalog.machine(connection, digest)
        assert catalog.machine(connection, "other") is None
    assert row["document"]["platform"] == {"node": "pod-0"}
    assert counts(any_database)["hardware"] == 1


def test_recording_again_changes_nothing_but_what_changed(any_database):
    asked = specification("numpy==1", identifier="np")
    with any_database.write() as connection:
        accept(connection, ID, asked, created_at=1.0, owner="me", idempotency="key")
        record_run(connection, ID, RunDocuments(5, RESULT, XEON))
    report = {"state": "succeeded", "owner": "me", "created": "2021-01-01T00:00:00Z"}
    documents = Documents(ID, asked, report, (RunDocuments(0, RESULT, XEON), RunDocuments(1, RESULT, EPYC)))
    seen = []
    for _ in range(2):
        with any_database.write() as connection:
            record(connection, documents)
        with any_database.read() as connection:
            seen.append(
                (dict(catalog.by_id(connection, ID)), catalog.runs_of(connection, ID), counts(any_database))
            )
    assert seen[0] == seen[1]
    row, found, _ = seen[0]
    assert (row["state"], row["idempotency"], row["created_at"]) == ("succeeded", "key", 1609459200)
    assert [each["item"] for each in found] == [0, 1]


def test_the_original_names_no_owner_and_so_changes_none(any_database):
    with any_database.write() as connection:
        accept(connection, ID, specification(), created_at=1.0, owner="me")
        record(connection, Documents(ID, specification()))
    with any_database.read() as connection:
        assert catalog.by_id(connection, ID)["owner"] == "me"


def test_what_is_deleted_takes_what_is_its_alone(any_database):
    with any_database.write() as connection:
        for name in ("a", "b"):
            asked = specification("numpy==1", f"{name}==1")
            record(
                connection, Documents(f"inspection-{name}-1", asked, None, (RunDocuments(0, RESULT, XEON),))
            )
        assert catalog.delete(connection, "inspection-a-1")
        assert not catalog.delete(connection, "inspection-a-1")
        catalog.prune(connection)
    found = counts(any_database)
    assert (found["inspections"], found["specifications"], found["runs"], found["stacks"]) == (1, 1, 1, 1)
    assert (found["packages"], found["hardware"], found["environments"], found["inspection_words"]) == (
        2,
        1,
        1,
        2,
    )
    with any_database.write() as connection:
        catalog.delete(connection, "inspection-b-1")
        catalog.prune(connection)
    for table in (inspection_words, runs, stacks, packages, hardware, environments):
        assert counts(any_database)[table.name] == 0


def test_a_large_stack_is_written(any_database):
    asked = specification(*(f"package-{number}==1.{number}" for number in range(1500)))
    with any_database.write() as connection:
        accept(connection, ID, asked, created_at=1.0)
    with any_database.read() as connection:
        assert len(catalog.stack(connection, ID)) == 1500
        assert catalog.count(connection, Wanted(package="package-1499==1.1499")) == 1
