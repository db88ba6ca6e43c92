"""Inspections: written in an order that shows nothing half, read by the names the original has."""

import itertools

import pytest

from trimtab.store import (
    DocumentError,
    Inspections,
    InspectionStore,
    InvalidKeyError,
    NotFoundError,
    Store,
    check,
)

ID = "inspection-a-210101000000-0123456789abcdef"


def test_the_keys_are_those_of_the_original_and_the_report(write, store):
    write(ID, runs=1)
    assert sorted(each.key for each in store.list()) == [
        f"test/inspections/{ID}/build/Dockerfile",
        f"test/inspections/{ID}/build/log",
        f"test/inspections/{ID}/build/specification",
        f"test/inspections/{ID}/report",
        f"test/inspections/{ID}/results/0/hwinfo",
        f"test/inspections/{ID}/results/0/log",
        f"test/inspections/{ID}/results/0/result",
    ]


def test_what_is_written_is_read(write, inspections):
    write(ID)
    found = inspections[ID]
    found.connect()
    found.check_connection()
    assert found.is_connected()
    assert found.exists()
    assert found.retrieve_specification() == found.build.retrieve_specification()
    assert found.retrieve_specification() == {"base": "scratch", "batch_size": 2}
    assert found.build.retrieve_dockerfile() == "FROM scratch\n"
    assert found.build.retrieve_log() == "built\n"
    assert b"".join(found.build.stream_log(2)) == b"ilt\n"
    assert found.results.items() == [0, 1]
    assert found.results.get_results_count() == 2
    assert found.results.retrieve_hwinfo(1) == {"cpu_info": {}}
    assert found.results.retrieve_log(1) == "log\n"
    assert b"".join(found.results.stream_log(1)) == b"log\n"
    assert [each["stdout"]["item"] for each in found.results.iter_inspection_results()] == [0, 1]
    assert found.retrieve_report()["state"] == "succeeded"


def test_the_report_tells_what_was_stored_before_it_and_how_large(write, store):
    inspection = write(ID, runs=1)
    sizes = {
        each.key.removeprefix(inspection.prefix + "/"): each.size for each in store.list(inspection.prefix)
    }
    del sizes["report"], sizes["build/specification"]
    assert inspection.retrieve_report()["objects"] == sizes
    assert len(sizes) == 5


def test_an_inspection_that_is_not_there_is_missing_part_by_part(inspections):
    found = inspections[ID]
    assert not found.exists()
    assert found.results.get_results_count() == 0
    assert found.delete() == 0
    reads = [
        found.retrieve_specification,
        found.retrieve_report,
        found.build.retrieve_dockerfile,
        found.build.retrieve_log,
        found.build.stream_log,
        lambda: found.results.retrieve_result(0),
        lambda: found.results.retrieve_hwinfo(0),
        lambda: found.results.retrieve_log(0),
    ]
    for read in reads:
        with pytest.raises(NotFoundError, match=ID):
            read()


@pytest.mark.parametrize("inspection_id", ["", "..", "a/b", "../../etc", "a b", "x" * 300])
def test_an_id_that_none_may_have_is_missing_too(inspections, inspection_id):
    with pytest.raises(InvalidKeyError) as caught:
        inspections[inspection_id]
    assert isinstance(caught.value, NotFoundError)


def test_a_run_counts_once(inspections):
    """Whoever writes second is told what the first wrote, and changes nothing of it."""
    results = inspections[ID].results
    first = results.store_run(0, {"exit_code": 0}, hwinfo={"node": 1}, log=b"first")
    second = results.store_run(0, {"exit_code": 1}, hwinfo={"node": 2}, log=b"second")
    assert first == second == {"exit_code": 0}
    assert (results.retrieve_log(0), results.retrieve_hwinfo(0)) == ("first", {"node": 1})


def test_an_inspection_ends_once(inspections):
    inspection = inspections[ID]
    first = inspection.conclude({"base": "a"}, {"state": "cancelled"})
    second = inspection.conclude({"base": "b"}, {"state": "succeeded"})
    assert first == second == inspection.retrieve_report()
    assert (first["state"], inspection.retrieve_specification()["base"]) == ("cancelled", "a")


def test_a_result_in_bytes_is_kept_as_it_is(inspections):
    content = b'{"stdout": {"loss": NaN}, "exit_code":0}\n'
    results = inspections[ID].results
    results.store_run(0, content)
    assert results.retrieve_blob("0/result") == content


@pytest.mark.parametrize("result", [b"", b"[]", b"torn", {"a": object()}])
def test_a_result_that_is_no_document_is_refused_and_nothing_is_written(inspections, store, result):
    with pytest.raises(DocumentError):
        inspections[ID].results.store_run(0, result, hwinfo={}, log=b"log")
    with pytest.raises(DocumentError):
        inspections[ID].conclude({"a": object()}, {"state": "succeeded"})
    assert list(store.list()) == []


def test_a_gap_is_seen_and_ends_the_iteration(inspections):
    results = inspections[ID].results
    for item in (0, 2):
        results.store_run(item, {"item": item})
    assert (results.items(), results.get_results_count()) == ([0, 2], 3)
    found = results.iter_inspection_results()
    assert next(found) == {"item": 0}
    with pytest.raises(NotFoundError, match="results/1/result"):
        next(found)


def test_items_are_in_the_order_of_numbers(inspections):
    results = inspections[ID].results
    for item in (10, 2, 1, 0):
        results.store_run(item, {})
    results.store_blob(b"running", "11/log")
    assert results.items() == [0, 1, 2, 10]


def test_hardware_that_was_not_written_down_is_that_of_the_result(inspections):
    results = inspections[ID].results
    results.store_run(0, {"hwinfo": {"cpu_info": {"count": 2}}})
    results.store_run(1, {})
    assert results.retrieve_hwinfo(0) == {"cpu_info": {"count": 2}}
    with pytest.raises(NotFoundError, match="results/1/hwinfo"):
        results.retrieve_hwinfo(1)


def test_b16_a_dockerfile_in_small_letters_is_found(inspections):
    build = inspections[ID].build
    build.store_blob("FROM old\n", "dockerfile")
    assert build.retrieve_dockerfile() == "FROM old\n"
    build.store_build(b"", "FROM new\n")
    assert build.retrieve_dockerfile() == "FROM new\n"


def test_a_log_that_is_no_text_is_read_all_the_same(inspections):
    build = inspections[ID].build
    build.store_build(b"caf\xe9\n", b"")
    assert build.retrieve_log() == "caf\ufffd\n"


def test_a_log_comes_from_a_file_or_in_pieces(inspections, tmp_path):
    (tmp_path / "log").write_bytes(b"x" * (9 << 20))
    inspection = inspections[ID]
    inspection.build.store_build(tmp_path / "log", "")
    inspection.results.store_run(0, {}, log=iter([b"a", b"b"]))
    assert sum(map(len, inspection.build.stream_log())) == 9 << 20
    assert inspection.results.retrieve_log(0) == "ab"


class Killed(BaseException):
    """What a signal does to a writer."""


class MortalStore(Store):
    """A store whose writer dies before one of its writes."""

    lives = 0

    def _live(self):
        self.lives -= 1
        if self.lives < 0:
            raise Killed

    def put(self, *args):
        self._live()
        super().put(*args)

    def put_if_absent(self, *args):
        self._live()
        return super().put_if_absent(*args)


def test_a_writer_killed_anywhere_shows_nothing_half_and_goes_on(store_url):
    """At each write the writer dies; what readers see is whole, and writing again ends as if nothing had been."""

    def write(inspections):
        inspection = inspections[ID]
        inspection.build.store_build(b"built\n", "FROM scratch\n")
        for item in range(2):
            inspection.results.store_run(item, {"item": item}, hwinfo={}, log=b"log\n")
        inspection.conclude({"base": "scratch"}, {"state": "succeeded"})

    store = MortalStore.open(store_url)
    for lives in itertools.count():
        inspections = Inspections(store, f"test-{lives}")
        store.lives = lives
        try:
            write(inspections)
        except Killed:
            pass
        else:
            break
        inspection = inspections[ID]
        assert not inspection.exists()
        assert list(inspections.iter_inspections()) == []
        for item in inspection.results.items():
            assert (inspection.results.retrieve_log(item), inspection.results.retrieve_hwinfo(item)) == (
                "log\n",
                {},
            )
        store.lives = 100
        write(inspections)
        assert inspection.exists()
        assert list(check(store, f"test-{lives}")) == []
    assert lives == 10


def test_deleting_takes_at_first_what_makes_it_visible(write, inspections, monkeypatch):
    inspection = write(ID)
    deleted = []
    delete = inspection.store.delete
    monkeypatch.setattr(inspection.store, "delete", lambda key: (deleted.append(key), delete(key)))
    assert inspection.delete() == len(deleted) == 10
    assert deleted[0].endswith("build/specification")
    assert not inspection.exists()
    assert inspections.begun() == []


def test_inspections_are_listed_in_order_and_only_when_they_may_be_read(write, inspections, store):
    for inspection_id in ("inspection-b-2", "inspection-a-1", "inspection-a-10"):
        write(inspection_id, runs=0)
    inspections["inspection-c-3"].build.store_build(b"", "")
    assert list(inspections.iter_inspections()) == ["inspection-a-1", "inspection-a-10", "inspection-b-2"]
    assert inspections.begun() == ["inspection-a-1", "inspection-a-10", "inspection-b-2", "inspection-c-3"]
    assert list(InspectionStore.iter_inspections(store, "test")) == list(inspections.iter_inspections())
    assert InspectionStore.get_inspection_count(store, "test") == 3
    assert list(InspectionStore.iter_inspections(store, "other")) == []


def test_a_notebook_says_only_which_inspection_it_wants(monkeypatch, tmp_path):
    monkeypatch.setenv("TRIMTAB_HOME", str(tmp_path))
    monkeypatch.setenv("TRIMTAB_DEPLOYMENT", "zoo")
    Inspections(Store.open(str(tmp_path / "store")), "zoo")[ID].conclude(
        {"base": "a"}, {"state": "succeeded"}
    )
    assert InspectionStore(ID).retrieve_specification() == {"base": "a"}
    assert list(InspectionStore.iter_inspections()) == [ID]
    assert InspectionStore.get_inspection_count() == 1
