"""Progress reports made from log lines (reference 1.13, 3.6)."""

import asyncio
import math
import re
import threading
from datetime import UTC, datetime
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from servo import context
from servo.logging import ProgressHandler, logger
from servo.logging.progress import WAITING_PER_SERVO

STARTED = datetime(2024, 1, 1, tzinfo=UTC)


class Recorder:
    def __init__(self):
        self.reports, self.errors, self.failures = [], [], []
        self.gate = asyncio.Event()
        self.gate.set()

    async def report(self, **fields):
        await self.gate.wait()
        self.reports.append(fields)

    def failed(self, report, error):
        self.failures.append((report, error))


@pytest.fixture
async def recorder():
    return Recorder()


@pytest.fixture
async def handler(recorder):
    handler = ProgressHandler(recorder.report, recorder.errors.append, recorder.failed)
    handler.install()
    yield handler
    await handler.shutdown()


@pytest.fixture
def event():
    return SimpleNamespace(operation=lambda: "MEASUREMENT", created_at=STARTED)


@pytest.fixture(autouse=True)
def at_work(event):
    servo, connector = SimpleNamespace(name="servo"), SimpleNamespace(name="web")
    tokens = [
        (variable, variable.set(value))
        for variable, value in (
            (context.servo_var, servo),
            (context.connector_var, connector),
            (context.event_var, event),
            (context.command_uid_var, "u2"),
        )
    ]
    yield SimpleNamespace(servo=servo, connector=connector)
    for variable, token in tokens:
        variable.set(token.old_value if token.old_value is not token.MISSING else None)


async def settle():
    for _ in range(10):
        await asyncio.sleep(0)


async def test_a_line_with_progress_is_reported_with_its_context(handler, recorder, event, at_work):
    logger.info("measuring", progress=25)
    await settle()
    (report,) = recorder.reports
    message = report.pop("message")
    assert report == {
        "servo": at_work.servo,
        "connector": at_work.connector,
        "event_context": event,
        "operation": "MEASUREMENT",
        "progress": 25.0,
        "started_at": STARTED,
        "command_uid": "u2",
    }
    assert re.fullmatch(
        r"[\d-]{10} [\d:.]{12} \| INFO     \| [\w.]+:test_a_line\w+:\d+ - measuring\n", message
    )


async def test_extras_of_the_call_outrank_the_context(handler, recorder):
    other = SimpleNamespace(name="other")
    logger.info("x", progress=1, servo=other, connector="c", operation="ADJUSTMENT", started_at=STARTED)
    await settle()
    assert (recorder.reports[0]["servo"], recorder.reports[0]["operation"]) == (other, "ADJUSTMENT")


@pytest.mark.parametrize("progress", [0, 0.0, None, 100, 100.0, 100.9, float("nan"), float("inf"), "0"])
async def test_zero_and_complete_are_not_reported(handler, recorder, progress):
    logger.info("x", progress=progress)
    await settle()
    assert recorder.reports == recorder.errors == []


@pytest.mark.parametrize("progress", [0.4, 99.99])
async def test_what_lies_between_is_reported(handler, recorder, progress):
    logger.info("x", progress=progress)
    await settle()
    assert [report["progress"] for report in recorder.reports] == [progress]


@pytest.mark.parametrize(
    ("variable", "missing"),
    [(context.servo_var, "servo"), (context.connector_var, "connector"), (context.event_var, "operation")],
)
async def test_a_report_without_its_context_is_declined_with_a_warning(handler, recorder, variable, missing):
    with context.set_for(variable, None):
        logger.info("x", progress=50)
    await settle()
    assert recorder.reports == []
    assert recorder.errors == [
        f"declining request to report progress of a log message: no {missing} is known"
    ]


async def test_a_progress_that_is_no_number_is_declined(handler, recorder):
    logger.info("x", progress="half")
    await settle()
    assert recorder.errors == [
        "declining request to report progress of a log message: its progress is not a number"
    ]


async def test_the_warning_goes_to_the_log_where_nobody_else_takes_it():
    lines = []
    number = logger.add(lines.append, format="{level} {message}")
    handler = ProgressHandler(Recorder().report)
    handler.install()
    with context.set_for(context.servo_var, None):
        logger.info("x", progress=50)
    await settle()
    await handler.shutdown()
    logger.remove(number)
    assert "WARNING declining request to report progress of a log message: no servo is known\n" in lines


async def test_reports_of_a_servo_keep_their_order(handler, recorder):
    for progress in (10, 20, 30):
        logger.info("x", progress=progress)
    await settle()
    await settle()
    assert [report["progress"] for report in recorder.reports] == [10, 20, 30]


async def test_a_slow_optimizer_holds_up_only_its_own_reports(handler, recorder):
    recorder.gate.clear()
    logger.info("x", progress=1)
    await settle()
    recorder.report_other = []
    other = SimpleNamespace(name="other")
    original = recorder.report

    async def report(**fields):
        if fields["servo"] is other:
            recorder.report_other.append(fields["progress"])
        else:
            await original(**fields)

    handler._reporter = report
    logger.info("x", progress=2, servo=other)
    await settle()
    assert recorder.report_other == [2]
    assert recorder.reports == []


async def test_the_queue_of_a_dead_optimizer_is_bounded_and_keeps_the_newest(handler, recorder):
    recorder.gate.clear()
    for progress in range(1, 90):
        logger.info("x", progress=progress)
    await settle()
    recorder.gate.set()
    for _ in range(WAITING_PER_SERVO):
        await settle()
    assert len(recorder.reports) <= WAITING_PER_SERVO + 1
    assert recorder.reports[-1]["progress"] == 89


async def test_clearing_drops_what_waits_and_the_post_under_way(handler, recorder, at_work):
    recorder.gate.clear()
    logger.info("x", progress=1)
    await settle()
    logger.info("x", progress=2)
    handler.clear_progress_queue(at_work.servo)
    recorder.gate.set()
    await settle()
    assert recorder.reports == []


async def test_a_line_logged_right_before_clearing_is_dropped_as_well(handler, recorder):
    """A handler may log and return without the loop turning: nothing may arrive after the final result."""
    logger.info("x", progress=50)
    handler.clear_progress_queue()
    await settle()
    assert recorder.reports == []


async def test_clearing_one_servo_leaves_the_others(handler, recorder, at_work):
    other = SimpleNamespace(name="other")
    logger.info("x", progress=1)
    logger.info("x", progress=2, servo=other)
    handler.clear_progress_queue(at_work.servo)
    await settle()
    assert [report["progress"] for report in recorder.reports] == [2]


async def test_after_clearing_reports_go_on(handler, recorder):
    recorder.gate.clear()
    logger.info("x", progress=1)
    await settle()
    handler.clear_progress_queue()
    recorder.gate.set()
    await settle()
    logger.info("x", progress=2)
    await settle()
    assert [report["progress"] for report in recorder.reports] == [2]


@pytest.mark.parametrize("asynchronous", [False, True])
async def test_what_the_reporter_raises_goes_to_the_exception_handler(recorder, asynchronous):
    async def report(**_):
        raise ValueError("unknown status")

    async def failed(report, error):
        recorder.failed(report, error)

    handler = ProgressHandler(report, recorder.errors.append, failed if asynchronous else recorder.failed)
    handler.install()
    logger.info("x", progress=50)
    await settle()
    await handler.shutdown()
    ((fields, error),) = recorder.failures
    assert fields["progress"] == 50
    assert str(error) == "unknown status"


async def test_without_an_exception_handler_a_failure_is_told_to_the_error_reporter(recorder):
    async def report(**_):
        raise ValueError("unknown status")

    handler = ProgressHandler(report, recorder.errors.append)
    handler.install()
    logger.info("x", progress=50)
    await settle()
    await handler.shutdown()
    assert recorder.errors == ["failed to report progress of MEASUREMENT: unknown status"]


async def test_a_line_of_another_thread_is_reported_by_the_loop(handler, recorder, at_work, event):
    def work():
        logger.info(
            "x", progress=50, servo=at_work.servo, connector="c", operation="MEASUREMENT", started_at=STARTED
        )

    thread = threading.Thread(target=work)
    thread.start()
    await asyncio.to_thread(thread.join)
    await settle()
    assert [report["progress"] for report in recorder.reports] == [50]


async def test_shutdown_ends_the_tasks_and_leaves_the_log(handler, recorder):
    recorder.gate.clear()
    logger.info("x", progress=1)
    await settle()
    await handler.shutdown()
    logger.info("x", progress=2)
    await settle()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "servo progress reports"] == []


@given(st.floats(allow_nan=True) | st.integers() | st.text(max_size=5))
def test_only_finite_numbers_that_are_not_complete_are_ever_reported(progress):
    seen = []

    async def report(**fields):
        seen.append(fields["progress"])

    async def go():
        handler = ProgressHandler(report, lambda _: None)
        handler.install()
        logger.info("x", progress=progress, servo="s", connector="c", operation="o", started_at=STARTED)
        await settle()
        await handler.shutdown()

    asyncio.run(go())
    assert all(math.isfinite(value) and int(value) != 100 and value for value in seen)
