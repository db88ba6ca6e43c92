"""Tables of inspections, ours and the original's."""

import json

import pyarrow as pa
import pytest

from trimtab.inspection import frame
from trimtab.inspection.frames import package_versions, summary
from trimtab.inspection.report import read, render
from trimtab.store import DocumentError, Inspections, Store

IDS = [f"inspection-a-21010100000{number}-0123456789abcdef" for number in range(4)]


@pytest.fixture
def inspections(tmp_path):
    return Inspections(Store.open(str(tmp_path / "store")), "test")


def lock(**versions):
    default = {name: {"version": f"=={version}"} for name, version in versions.items()}
    return {"python": {"requirements_locked": {"default": default}}}


def test_a_row_for_each_run_with_the_columns_of_the_original(inspections, keep_inspection, make_result):
    keep_inspection(
        inspections,
        IDS[0],
        {0: make_result(1.0), 1: make_result(2.0, 1)},
        {"identifier": "a"} | lock(numpy="1.26.4"),
    )
    rows = frame(inspections).to_pylist()
    assert [row["run"] for row in rows] == [0, 1]
    first = rows[0]
    assert first["inspection_document_id"] == IDS[0]
    assert (first["identifier"], first["batch_size"], first["run_state"]) == ("a", 2, "succeeded")
    assert first["stdout__@result__elapsed"] == 1.0
    assert first["hwinfo__cpu_type__ncpus"] == 4
    assert first["requirements_locked__default__numpy__version"] == "==1.26.4"
    assert (first["package__numpy"], first["installed__numpy"]) == ("1.26.4", "1.26.4")
    assert first["stack"] == rows[1]["stack"]
    assert first["flag__avx2"] is True
    assert first["start_datetime"].isoformat() == "2026-11-26T10:00:00+00:00"
    assert first["hardware_name"].startswith("Some CPU, 4 processors")


def test_a_table_becomes_a_frame_of_pandas_and_one_of_polars(inspections, keep_inspection, make_result):
    pandas, polars = pytest.importorskip("pandas"), pytest.importorskip("polars")
    keep_inspection(inspections, IDS[0], {0: make_result(1.0), 1: make_result(2.0)}, {"identifier": "a"})
    table = frame(inspections)
    for found in (table.to_pandas(), polars.from_arrow(table)):
        assert list(found.columns) == table.column_names
        assert found["stdout__@result__elapsed"].median() == 1.5
    assert isinstance(table.to_pandas(), pandas.DataFrame)


def test_a_run_that_was_lost_has_a_row_that_says_so(inspections, keep_inspection, make_result):
    keep_inspection(inspections, IDS[0], {0: make_result(), 1: None})
    rows = frame(inspections).to_pylist()
    assert [(row["run_state"], row["lost"]) for row in rows] == [("succeeded", None), ("lost", "gone")]


def test_an_inspection_has_the_medians_of_what_succeeded_and_what_is_constant(
    inspections, keep_inspection, make_result
):
    results = {item: make_result(value, item) for item, value in enumerate([1.0, 2.0, 4.0])}
    results[3] = make_result(90.0, 3, exit_code=1, stderr="no")
    keep_inspection(inspections, IDS[0], results)
    (row,) = frame(inspections, per="inspection").to_pylist()
    assert row["stdout__@result__elapsed"] == 2.0
    assert row["duration"] == 2.0
    assert (row["duration__q1"], row["duration__q3"], row["duration__max"]) == (1.5, 3.0, 4.0)
    assert row["stdout__component"] == "numpy"
    assert row["stdout__@parameters__reps"] == 3
    assert row.get("exit_code") is None
    assert row.get("run") is None
    assert (row["inspection_batch"], row["runs_succeeded"], row["runs_lost"]) == (4, 3, 0)
    assert row["inspection_duration"] == pytest.approx(3.9)
    assert row["flag__avx"] is True


def test_an_inspection_without_runs_has_a_row_of_its_own(inspections, keep_inspection):
    failure = {"kind": "stack", "reason": "no", "lines": []}
    keep_inspection(inspections, IDS[0], {}, state="build_failed", build=None, failure=failure)
    assert frame(inspections).num_rows == 0
    (row,) = frame(inspections, per="inspection").to_pylist()
    assert (row["inspection_state"], row["inspection_failure"], row["inspection_batch"]) == (
        "build_failed",
        "stack",
        0,
    )


def test_one_that_cannot_be_read_stops_no_other(inspections, keep_inspection, make_result):
    for name in IDS[:3]:
        keep_inspection(inspections, name, {0: make_result()})
    inspections.store.put(inspections[IDS[1]].results.key("0/result"), b"{")
    refused = {}
    table = frame(inspections, ids=[*IDS[:3], "inspection-nowhere"], refused=refused.__setitem__)
    assert table["inspection_document_id"].to_pylist() == [IDS[0], IDS[2]]
    assert list(refused) == [IDS[1], "inspection-nowhere"]
    assert isinstance(refused[IDS[1]], DocumentError)


def test_the_original_data_set_is_read_from_its_directory(originals):
    table = frame(originals / "amun-inspection")
    assert isinstance(table, pa.Table)
    assert table.num_rows == 3
    row = table.to_pylist()[0]
    assert row["inspection_document_id"] == "inspection-rhtf-conv2d-0f845f38"
    assert row["stdout__@result__elapsed"] == 12.65812711790204
    assert row["usage__ru_nivcsw"] == 58744
    assert row["runtime_environment__hardware__cpu_model"] == 85
    assert row["requirements_locked__default__tensorflow__version"].startswith("==")
    assert row["specification_base"] == "quay.io/thoth-station/s2i-thoth-ubi8-py36"
    assert row["datetime"].isoformat() == "2020-08-05T14:49:50.644642+00:00"
    (batch,) = frame(originals / "amun-inspection", per="inspection").to_pylist()
    assert batch["inspection_batch"] == 3
    elapsed = sorted(row["stdout__@result__elapsed"] for row in table.to_pylist())
    assert batch["stdout__@result__elapsed"] == elapsed[1]
    assert batch["stdout__@result__elapsed__min"] == elapsed[0]


def test_the_single_documents_of_before_2020_have_a_row_each(inspections):
    """One object an inspection, whose run has no times."""
    document = {
        "specification": {"base": "fedora:30", "script": "#!/bin/sh\n"},
        "created": "2019-03-01T12:00:00.000000",
        "build_log": "built",
        "job_log": {"exit_code": 0, "stdout": {"@result": {"elapsed": 2.0}}, "usage": {"ru_utime": 1.5}},
        "inspection_id": "inspection-0123abcd",
    }
    inspections.store.put("test/inspections/inspection-0123abcd", json.dumps(document).encode())
    (row,) = frame(inspections).to_pylist()
    assert (row["specification_base"], row["run"], row["run_state"]) == ("fedora:30", 0, "succeeded")
    assert row["stdout__@result__elapsed"] == 2.0
    (row,) = frame(inspections, per="inspection").to_pylist()
    assert row["usage__ru_utime"] == 1.5
    assert "The run succeeded" in render(read(inspections["inspection-0123abcd"]))


def test_columns_have_a_bound(inspections, keep_inspection, make_result):
    keep_inspection(inspections, IDS[0], {0: make_result()})
    assert frame(inspections, columns=7).num_columns == 7


def test_nothing_is_an_empty_table(inspections):
    assert frame(inspections).num_rows == 0


def test_versions_only_in_failures_are_found_and_those_of_the_infrastructure_do_not_count(
    inspections, keep_inspection, make_result
):
    """How it was found which versions of six and urllib3 break an import."""
    good, bad = {0: make_result()}, {0: make_result(exit_code=1)}
    keep_inspection(inspections, IDS[0], good, lock(six="1.9", urllib3="1.25"))
    keep_inspection(inspections, IDS[1], good, lock(six="1.10", urllib3="1.24"))
    keep_inspection(inspections, IDS[2], bad, lock(six="1.2", urllib3="1.25"), failure={"kind": "script"})
    infrastructure = {"kind": "infrastructure", "reason": "push"}
    keep_inspection(inspections, IDS[3], {}, lock(six="1.1"), state="build_failed", failure=infrastructure)
    for per in ("run", "inspection"):
        found = package_versions(frame(inspections, per=per))
        assert found["six"].succeeded == ("1.9", "1.10")
        assert found["six"].only_failed == ("1.2",)
        assert (found["urllib3"].only_failed, found["urllib3"].common) == ((), ("1.25",))


def test_a_summary_has_the_different_values_by_layer(inspections, keep_inspection, make_result):
    keep_inspection(inspections, IDS[0], {0: make_result()}, lock(six="1.9"))
    keep_inspection(inspections, IDS[1], {0: make_result(exit_code=3)}, lock(six="1.10"))
    found = summary(frame(inspections))
    assert found["stack"] == {"package__six": ["1.10", "1.9"]}
    assert found["outcome"]["exit_code"] == [0, 3]
    assert found["hardware"]["hwinfo__cpu_info__brand_raw"] == ["Some CPU"]
    assert found["indicator"]["stdout__@parameters__reps"] == [3]
    assert found["base"]["specification_base"] == ["registry.example/python:3.11"]


def test_a_run_whose_number_is_none_is_no_row(inspections, keep_inspection, make_result):
    """Found by a stranger's document: 64 bits are what a column has."""
    runs = [{"item": each, "state": "lost"} for each in (1 << 63, "x", None, True)]
    keep_inspection(inspections, IDS[0], {0: make_result()}, runs=runs)
    assert [row["run"] for row in frame(inspections).to_pylist()] == [0]
