"""`trimtab store check` and `trimtab catalog rebuild`."""

import json

import yaml

from trimtab.catalog import accept
from trimtab.settings import Settings
from trimtab.workflows import Journal, Place, Submission


def test_a_store_without_fault_is_well(command, make_inspection, make_result):
    make_inspection(1, {0: make_result()})
    assert command("store", "check").stdout == "All is well.\n"
    assert json.loads(command("store", "check", "-o", "json").stdout) == []


def test_what_is_torn_and_missing_is_found_with_its_remedy(command, make_inspection, make_result):
    torn, missing = (make_inspection(number, {0: make_result()}) for number in (1, 2))
    with Place.open(Settings()) as place:
        place.inspections.store.put(place.inspections[torn].results.key("0/result"), b"{")
        place.inspections[missing].build.delete("log")
    said = command("store", "check", code=1).stdout
    assert "torn" in said
    assert f"trimtab inspections retry {missing}" in said
    found = yaml.safe_load(command("store", "check", "-o", "yaml", code=1).stdout)
    assert [(each["kind"], each["key"].rpartition("/")[2]) for each in found] == [
        ("torn", "result"),
        ("missing", "log"),
    ]


def test_what_is_under_way_is_no_finding_and_what_nobody_works_at_is(command, home):
    """Whoever works at it, here or elsewhere, is seen: by the lock, and by the catalog."""
    with Place.open(Settings()) as place:
        here, elsewhere, left = ("inspection-here", "inspection-elsewhere", "inspection-left")
        for name in (here, elsewhere, left):
            place.inspections[name].build.store_build(b"", "FROM scratch\n")
        for name in (here, left):
            Journal(place.work / name).accept(Submission(name, {"base": "a"}, "process"))
        with place.database.write() as connection:
            accept(connection, elsewhere, {"base": "a"}, created_at=1.0)
        with Journal(place.work / here).held():
            found = json.loads(command("store", "check", "-o", "json", code=1).stdout)
    assert [each["key"] for each in found] == [f"local/inspections/{left}"]
    assert f"trimtab inspections resume {left}" in found[0]["remedy"]


def test_rows_are_written_once_more(command, make_inspection, make_result):
    name = make_inspection(1, {0: make_result()}, record=False)
    assert json.loads(command("inspections", "list", "-o", "json").stdout) == []
    assert command("catalog", "rebuild").stdout == "1 written, 0 removed, 0 refused\n"
    assert [each["id"] for each in json.loads(command("inspections", "list", "-o", "json").stdout)] == [name]


def test_rows_without_documents_go_and_what_cannot_be_read_is_refused(command, make_inspection, make_result):
    gone, torn = (make_inspection(number, {0: make_result()}) for number in (1, 2))
    with Place.open(Settings()) as place:
        place.inspections[gone].delete()
        place.inspections.store.put(place.inspections[torn].results.key("0/result"), b"{")
    done = json.loads(command("catalog", "rebuild", "-o", "json", code=1).stdout)
    assert (done["written"], done["removed"], done["refused"]) == (0, 1, 1)
    assert list(done["reasons"]) == [torn]
    assert "trimtab store check" in command("catalog", "rebuild", code=1).stderr


def test_a_store_that_cannot_be_used_is_said(command, monkeypatch):
    monkeypatch.setenv("TRIMTAB_STORE_URL", "ftp://somewhere")
    for name in (("store", "check"), ("catalog", "rebuild")):
        assert "not supported" in command(*name, code=1).stderr
