"""Many inspections at once, and copies of them."""

import json

import pytest

from trimtab.store import (
    DependencyMonkeyReportsStore,
    Inspections,
    NotFoundError,
    Store,
    check,
    copy_inspection,
    load_inspections,
)

ID = "inspection-rhtf-conv2d-0f845f38"


@pytest.fixture
def published(originals) -> Inspections:
    return Inspections(Store.open(str(originals / "amun-inspection")), None)


@pytest.fixture
def copies(tmp_path) -> Inspections:
    return Inspections(Store.open(str(tmp_path / "copies")), None)


def test_a_published_inspection_is_loaded_with_what_belongs_to_it(published, originals):
    found = dict(load_inspections(published))
    files = originals / "amun-inspection" / ID
    assert list(found) == [ID]
    loaded = found[ID]
    assert sorted(loaded) == ["build_logs", "results", "specification"]
    assert loaded["build_logs"] == (files / "build" / "log").read_text()
    assert [sorted(each) for each in loaded["results"]] == [["hwinfo", "requirements", "result"]] * 3
    stored = json.loads((files / "results" / "2" / "result").read_text())
    result = loaded["results"][2]["result"]
    assert {name: result[name] for name in stored} == stored
    locked = result.pop("requirements_locked")
    assert {name: result[name] for name in result.keys() - stored.keys()} == {
        "inspection_document_id": ID,
        "identifier": "rhtf-conv2d",
        "specification_base": "quay.io/thoth-station/s2i-thoth-ubi8-py36",
        "batch_size": 20,
        "run": 2,
    }
    assert locked["default"]["six"]["index"] == "pypi"
    assert locked["default"]["tensorflow"]["index"] == "aicoe"
    assert "index" not in loaded["specification"]["python"]["requirements_locked"]["default"]["six"]


@pytest.mark.parametrize(
    ("files", "parts"),
    [
        (["specification"], ["specification"]),
        (["build_logs"], ["build_logs"]),
        (["job_logs"], ["results"]),
        ([], []),
    ],
)
def test_what_is_not_wanted_is_not_loaded(published, files, parts):
    [(_, loaded)] = load_inspections(published, files=files)
    assert sorted(loaded) == parts
    assert all(each.keys() <= {"job_logs", "requirements"} for each in loaded.get("results", []))


@pytest.mark.parametrize(
    ("identifiers", "found"),
    [
        (["conv2d-a"], ["inspection-a-conv2d-1"]),
        (["onv2d"], ["inspection-a-conv2d-1", "inspection-b-conv2d-2"]),
        (["a-matmul", "b"], ["inspection-a-matmul-3", "inspection-b-conv2d-2"]),
        (["nothing"], []),
        ([], ["inspection-a-conv2d-1", "inspection-a-matmul-3", "inspection-b-conv2d-2"]),
    ],
)
def test_each_word_of_an_identifier_occurs_in_the_id(write, inspections, identifiers, found):
    for each in ("inspection-a-conv2d-1", "inspection-b-conv2d-2", "inspection-a-matmul-3"):
        write(each, runs=0)
    assert [each for each, _ in load_inspections(inspections, identifiers=identifiers)] == found
    assert len(list(load_inspections(inspections, identifiers=identifiers, limit=1))) == min(1, len(found))


def test_an_inspection_without_identifier_stack_or_runs_is_loaded_too(inspections):
    """Where the original's library raised."""
    inspections["inspection-1"].results.store_run(0, {"exit_code": 0})
    inspections["inspection-1"].conclude({"base": "scratch", "python": None}, {"state": "succeeded"})
    [(_, loaded)] = load_inspections(inspections)
    assert loaded["results"][0]["result"]["identifier"] is None
    assert loaded["results"][0].keys() == {"result"}
    assert "build_logs" not in loaded


def test_one_that_is_asked_for_by_its_id_has_to_be_there(inspections):
    with pytest.raises(NotFoundError, match="inspection-1"):
        list(load_inspections(inspections, ids=["inspection-1"]))


def test_a_copy_is_read_where_there_is_one(write, inspections, copies):
    inspection = write("inspection-a-1")
    first = dict(load_inspections(inspections, copies=copies, files=["results", "job_logs", "specification"]))
    inspection.results.store_document({"changed": True}, "0/result")
    again = dict(load_inspections(inspections, copies=copies, files=["results", "job_logs", "specification"]))
    assert again == first
    assert list(check(copies.store, None)) == []
    assert list(copies.iter_inspections()) == ["inspection-a-1"]


def test_a_copy_of_what_is_not_over_is_refused(inspections, copies):
    inspections["inspection-a-1"].build.store_build(b"", "")
    with pytest.raises(NotFoundError, match="has no inspection inspection-a-1"):
        copy_inspection(inspections["inspection-a-1"], copies)


def test_one_document_of_before_2020_is_copied(store, inspections, copies):
    document = {"specification": {"base": "a"}, "build_log": "", "job_log": {"exit_code": 0}}
    store.put("test/inspections/inspection-old-1", json.dumps(document).encode())
    copied = copy_inspection(inspections["inspection-old-1"], copies)
    assert copied.results.retrieve_result(0) == {"exit_code": 0}
    assert list(check(copies.store, None)) == []


def test_the_inspections_of_a_report_are_loaded(write, inspections, store):
    write("inspection-a-1", runs=1)
    reports = DependencyMonkeyReportsStore(store, "test")
    responses = [{"response": "inspection-a-1"}, {"response": None}, 1]
    reports.store_document({"metadata": {}, "result": {"report": {"responses": responses}}}, "report-1")
    found = dict(load_inspections(inspections, ids=list(reports.iterate_inspection_ids("report-1"))))
    assert list(found) == ["inspection-a-1"]
