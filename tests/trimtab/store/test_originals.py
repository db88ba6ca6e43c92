"""What the original stored is read, the layouts of all its ages."""

import json

import pytest

from trimtab.store import (
    DependencyMonkeyReportsStore,
    Inspections,
    InspectionStore,
    NotFoundError,
    Store,
    check,
)

ID = "inspection-rhtf-conv2d-0f845f38"


@pytest.fixture
def published(originals) -> Inspections:
    """A data set as it was published: inspections right in a directory."""
    return Inspections(Store.open(str(originals / "amun-inspection")), None)


def test_a_published_inspection_is_read(published, originals):
    found = published[ID]
    files = originals / "amun-inspection" / ID
    assert list(published.iter_inspections()) == [ID]
    assert found.retrieve_specification() == json.loads((files / "build" / "specification").read_text())
    assert found.build.retrieve_dockerfile() == (files / "build" / "Dockerfile").read_text()
    assert found.build.retrieve_log() == (files / "build" / "log").read_text()
    assert found.results.get_results_count() == 3
    for item, result in enumerate(found.results.iter_inspection_results()):
        assert result == json.loads((files / "results" / str(item) / "result").read_text())
        assert found.results.retrieve_hwinfo(item) == result["hwinfo"]
        assert found.results.retrieve_log(item) == ""
    with pytest.raises(NotFoundError):
        found.retrieve_report()


def test_a_published_inspection_has_nothing_to_mend(published):
    assert list(check(published.store, None)) == []


def test_a_published_inspection_round_trips_through_our_store(published, inspections):
    old, new = published[ID], inspections[ID]
    new.build.store_build(old.build.stream_log(), old.build.retrieve_dockerfile())
    for item in old.results.items():
        result = old.results.retrieve_blob(f"{item}/result")
        new.results.store_run(item, result, hwinfo=old.results.retrieve_hwinfo(item))
    new.conclude(old.retrieve_specification(), {"state": "succeeded"})
    assert new.retrieve_specification() == old.retrieve_specification()
    assert new.build.retrieve_log() == old.build.retrieve_log()
    assert list(new.results.iter_inspection_results()) == list(old.results.iter_inspection_results())
    assert list(check(inspections.store, "test")) == []


SINGLE = {
    "inspection_id": "inspection-old-1",
    "created": "2019-05-01T10:00:00.000001",
    "specification": {"base": "fedora:29", "batch_size": "1"},
    "build_log": "Step 1/2\n",
    "job_log": {"exit_code": 0, "stdout": {}, "hwinfo": {"cpu_info": {}}},
    "status": {"build": {}, "job": {}},
}


@pytest.fixture
def single(store, inspections) -> InspectionStore:
    """An inspection of before 2020: one document."""
    store.put("test/inspections/inspection-old-1", json.dumps(SINGLE).encode())
    return inspections["inspection-old-1"]


def test_an_inspection_in_one_document_is_read_part_by_part(single, inspections):
    assert list(inspections.iter_inspections()) == ["inspection-old-1"]
    assert single.exists()
    assert single.retrieve_specification() == {
        "@created": "2019-05-01T10:00:00.000001",
        "base": "fedora:29",
        "batch_size": "1",
    }
    assert single.build.retrieve_log() == "Step 1/2\n"
    assert single.results.items() == [0]
    assert single.results.retrieve_result(0) == SINGLE["job_log"]
    assert single.results.retrieve_hwinfo(0) == {"cpu_info": {}}
    assert list(single.results.iter_inspection_results()) == [SINGLE["job_log"]]
    for read in (
        single.build.retrieve_dockerfile,
        lambda: single.results.retrieve_result(1),
        single.retrieve_report,
    ):
        with pytest.raises(NotFoundError):
            read()


def test_an_inspection_in_one_document_has_nothing_to_mend_and_can_be_deleted(single, store):
    assert list(check(store, "test")) == []
    assert single.delete() == 1
    assert not single.exists()


def test_one_document_without_a_run_has_no_results(store, inspections):
    store.put("test/inspections/inspection-old-2", json.dumps(SINGLE | {"job_log": None}).encode())
    assert inspections["inspection-old-2"].results.get_results_count() == 0


def test_the_inspections_of_a_dependency_monkeys_report_are_found(originals, store):
    """Its responses have the ids; the original's own reader looked for a key that is not there."""
    folder = originals / "dependency-monkey" / "tensorflow-inspection-2020-09-07"
    reports = DependencyMonkeyReportsStore(store, "test")
    document = json.loads((folder / "dependency_monkey_report.first2.json").read_text())
    name = reports.store_document(document, "dependency-monkey-200907104341-0123456789abcdef")
    found = list(reports.iterate_inspection_ids(name))
    assert found == [each["response"] for each in document["result"]["report"]["responses"]]
    assert len(found) == 2
    assert reports.retrieve_document(name) == document
