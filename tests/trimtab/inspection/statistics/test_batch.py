"""The statistics of an inspection: which runs count, by hardware, with warnings."""

import json

import pytest

from trimtab.inspection.result import RunResult
from trimtab.inspection.statistics import describe


def run(duration, **more):
    return {"exit_code": 0, "duration": duration, **more}


def machine(brand="EPYC", model=1):
    return {"cpu_info": {"brand_raw": brand, "family": 25, "model": model}, "cpu_type": {"ncpus": 8}}


def test_failed_lost_and_warm_up_runs_are_left_out_and_counted():
    found = describe(
        [
            run(9.0, warmup=True),
            run(1.0),
            run(50.0, exit_code=1),
            None,
            run(50.0, timed_out=True),
            run(50.0, exit_code=None),
            run(3.0),
        ]
    )
    assert found.counts == {"counted": 2, "failed": 3, "lost": 1, "warm-up": 1}
    [group] = found.groups
    assert group.items == (1, 6)
    assert group.measures["duration"].summary.median == 2


def test_runs_on_other_machines_are_figures_of_their_own():
    found = describe(
        [run(1.0, hwinfo=machine()), run(1.0, hwinfo=machine()), run(2.0, hwinfo=machine(model=2))]
    )
    assert [len(each.items) for each in found.groups] == [2, 1]
    assert found.groups[0].hardware.brand == "EPYC"
    assert found.groups[0].hardware.digest
    assert "2 kinds of machines" in found.warnings[0]


def test_runs_are_in_the_order_in_which_they_began():
    begun = ["10:00:03", "10:00:01", "10:00:02"]
    found = describe([run(1.0, start_datetime=f"2026-01-01T{each}.000000") for each in begun])
    assert found.groups[0].items == (1, 2, 0)


def test_warnings_are_about_the_primary_measure_only():
    rising = [{**run(1.0 + i), "stdout": {"@result": {"elapsed": 5.0}}} for i in range(6)]
    assert describe(rising).primary == "stdout__@result__elapsed"
    assert describe(rising).warnings == ()
    assert "duration rises" in describe(rising, primary="duration").warnings[0]


def test_nothing_to_count_is_no_error():
    found = describe([None, run(1.0, exit_code=-9)])
    assert (found.groups, found.primary) == ((), None)
    assert describe([]).counts["counted"] == 0


def test_results_may_come_by_item():
    assert describe({4: run(1.0), 2: run(2.0)}).groups[0].items == (2, 4)


def test_results_that_were_read_are_as_good_as_their_documents():
    documents = [run(1.0, hwinfo=machine()), run(2.0, exit_code=3)]
    assert describe(map(RunResult.load, documents)) == describe(documents)


@pytest.mark.parametrize("options", [{"half_width": 0.0}, {"confidence": 1.0}])
def test_what_cannot_be_asked_for_is_refused(options):
    with pytest.raises(ValueError, match=next(iter(options))):
        describe([], **options)


def test_a_result_that_is_no_document_is_refused_by_its_number():
    with pytest.raises(TypeError, match="run 1 is a str"):
        describe([run(1.0), "{}"])


def test_the_inspection_of_the_original_has_its_figures(originals):
    place = originals / "amun-inspection/inspection-rhtf-conv2d-0f845f38/results"
    if not place.is_dir():
        pytest.skip(f"no inspection of the original at {place}")
    found = describe(json.loads((place / str(item) / "result").read_text()) for item in range(3))
    assert found.counts["counted"] == 3
    [group] = found.groups
    assert str(group.hardware).startswith("Intel Xeon Processor (Skylake, IBRS), 64 processors")
    assert group.measures["stdout__@result__elapsed"].summary.median == pytest.approx(15.0569, abs=1e-4)
    assert group.measures["usage__ru_maxrss"].summary.n == 3
    json.dumps(found.to_dict(), allow_nan=False)
