"""What is torn, missing or belongs to nobody is found, and nothing else."""

import json
import os
import time

import pytest

from trimtab.store import check

ID = "inspection-a-210101000000-0123456789abcdef"
TOP = f"test/inspections/{ID}"


@pytest.fixture
def findings(store):
    """What is found: kind, key below the inspection."""

    def found(**arguments):
        all_ = list(check(store, "test", **arguments))
        assert all(each.problem and each.remedy for each in all_)
        return sorted((each.kind, each.key.removeprefix(TOP).lstrip("/")) for each in all_)

    return found


def test_what_is_whole_has_no_findings(write, findings):
    assert findings() == []
    write(ID)
    write("inspection-b-1", runs=0)
    assert findings() == []


@pytest.mark.parametrize("name", ["report", "build/specification", "results/0/result", "results/1/hwinfo"])
@pytest.mark.parametrize("content", [b"", b'{"a": ', b"[]"])
def test_a_torn_document_is_found(write, store, findings, name, content):
    write(ID)
    store.put(f"{TOP}/{name}", content)
    assert findings() == [("torn", name)]


def test_a_blob_of_another_size_than_was_stored_is_torn(write, store, findings):
    write(ID)
    store.put(f"{TOP}/build/log", b"bui")
    assert findings() == [("torn", "build/log")]


@pytest.mark.parametrize(
    "name", ["build/log", "build/Dockerfile", "results/0/log", "results/0/hwinfo", "results/1/result"]
)
def test_what_the_report_knows_and_is_gone_is_missing(write, store, findings, name):
    write(ID)
    store.delete(f"{TOP}/{name}")
    assert findings() == [("missing", name)]


def test_a_run_that_was_lost_is_not_missing(inspections, findings):
    inspection = inspections[ID]
    inspection.build.store_build(b"", "")
    inspection.results.store_blob(b"lost", "0/log")
    inspection.conclude(
        {}, {"state": "failed", "runs": [{"item": 0, "state": "lost", "lost": "the node went away"}]}
    )
    assert findings() == []


def test_what_was_begun_and_left_belongs_to_nobody(inspections, findings):
    inspections[ID].build.store_build(b"", "")
    assert findings() == [("orphaned", "")]
    assert findings(active=lambda inspection_id: inspection_id == ID) == []


def test_what_is_over_and_not_visible_lacks_its_specification(write, store, findings):
    write(ID)
    store.delete(f"{TOP}/build/specification")
    assert findings() == [("missing", "build/specification")]


def test_a_run_that_nobody_knows_belongs_to_nobody(write, store, findings):
    write(ID)
    store.put(f"{TOP}/results/7/log", b"")
    assert findings() == [("orphaned", "results/7")]


def test_other_things_in_an_inspection_and_beside_it_are_found(write, store, findings):
    write(ID)
    store.put(f"{TOP}/notes", b"")
    store.put("test/inspections/README", b"")
    store.put("test/other-kind/a", b"")
    assert findings() == [("orphaned", "notes"), ("orphaned", "test/inspections/README")]


def test_without_a_report_the_original_conventions_hold(inspections, store, findings):
    inspection = inspections[ID]
    inspection.results.store_run(0, {}, hwinfo={})
    inspection.results.store_run(2, {}, hwinfo={})
    inspection.build.store_document({"base": "a"}, "specification")
    assert findings() == [
        ("missing", "build/Dockerfile"),
        ("missing", "build/log"),
        ("missing", "results/1/result"),
    ]
    store.put(f"{TOP}/build/dockerfile", b"")
    assert ("missing", "build/Dockerfile") not in findings()


def test_one_document_of_before_2020_may_be_torn(store, findings):
    store.put(TOP, b'{"specification": {}')
    assert findings() == [("torn", "")]
    store.put(TOP, json.dumps({"other": 1}).encode())
    assert findings() == [("orphaned", "")]


def test_what_a_killed_writer_left_half_written_is_found_in_a_directory(directory):
    place = directory.directory / TOP / "build"
    place.mkdir(parents=True)
    (place / "log#1").write_bytes(b"half")
    (place / "log#2").write_bytes(b"half, and still written")
    long_ago = time.time() - 7200
    os.utime(place / "log#1", (long_ago, long_ago))
    found = [each for each in check(directory, "test") if each.key.endswith("log#1")]
    assert [(each.kind, each.remedy) for each in found] == [
        ("orphaned", f"delete the file {place / 'log#1'}")
    ]
    assert not [each for each in check(directory, "test") if each.key.endswith("log#2")]


def test_a_report_that_is_forged_does_not_break_the_check(write, store, findings):
    write(ID)
    for report in ({"objects": 1, "runs": 1}, {"objects": {"a": "b"}, "runs": [1, {"item": []}]}):
        store.put(f"{TOP}/report", json.dumps(report).encode())
        assert isinstance(findings(), list)
