"""Where the outcome of a request is counted."""

from servo.connectors.load.arrivals import Phase
from servo.connectors.load.recorder import Recorder


def recorder() -> Recorder:
    return Recorder([Phase(10, 2, measured=False), Phase(10, 4), Phase(20, 4)], batches=4)


def test_each_measured_phase_is_divided_and_the_warm_up_is_not():
    batches = recorder().batches
    assert [(b.start, b.end, b.phase, b.measured) for b in batches[:3]] == [
        (0, 2, 0, False),
        (2, 3, 1, True),
        (3, 4, 1, True),
    ]
    assert len(batches) == 9
    assert batches[-1].end == 10


def test_a_request_counts_where_it_was_meant_to_be_sent_however_late_its_answer():
    found = recorder()
    batch = found.released(2.5)
    found.succeeded(batch, latency=7.0, now=9.5, received=3)
    assert (batch.start, batch.requests, batch.succeeded, batch.latency_max) == (2, 1, 1, 7.0)
    assert batch.received == 3


def test_an_answer_counts_for_the_throughput_of_the_time_in_which_it_arrives():
    found = recorder()
    batch = found.released(2.5)
    found.succeeded(batch, latency=1.0, now=3.5, received=0)
    assert batch.completed == 0
    assert [b.completed for b in found.batches if b.start == 3] == [1]


def test_an_answer_after_the_end_is_no_throughput():
    found = recorder()
    found.succeeded(found.released(9.9), latency=1.0, now=10.9, received=0)
    assert sum(b.completed for b in found.batches) == 0
    assert sum(b.succeeded for b in found.batches) == 1


def test_what_is_given_up_counts_among_the_latencies_and_a_refusal_does_not():
    found = recorder()
    batch = found.released(2.5)
    found.failed(batch, "timeout", waited=10.0)
    found.failed(found.released(2.6), "connection-refused")
    assert batch.errors == {"timeout": 1, "connection-refused": 1}
    assert batch.recorded == 1
    assert batch.latency_max == 10.0


def test_the_warm_up_is_in_no_measured_batch():
    found = recorder()
    found.succeeded(found.released(1.9), latency=0.05, now=1.95, received=0)
    found.late(0.5, 1)
    assert all(b.requests == 0 for b in found.batches if b.measured)
    assert found.lag.get_total_count() == 0


def test_lateness_counts_once_for_each_request_of_a_burst():
    found = recorder()
    found.released(2.0)
    found.late(0.002, 5)
    assert found.lag.get_total_count() == 5
    assert 1900 < found.lag.get_value_at_percentile(50) < 2100


def test_live_reports_hold_what_was_completed_since_the_last_one():
    found = recorder()
    found.succeeded(found.released(2.1), 0.1, 2.2, 0)
    found.restart_live(2.5)
    found.succeeded(found.released(2.6), 0.2, 2.8, 0)
    found.failed(found.released(2.7), "status-500")
    live = found.flush(3.0)
    assert (live.start, live.end, live.completed, live.failed) == (2.5, 3.0, 1, 1)
    assert live.measured
    assert found.flush(4.0).completed == 0
