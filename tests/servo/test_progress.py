import asyncio
import time

import pytest

from servo.types import BaseProgress, Duration, DurationProgress, EventProgress

pytestmark = pytest.mark.looptime


async def percentages(progress, every):
    return [round(float(update), 2) async for update in progress.every(every)]


@pytest.fixture(
    params=[lambda: DurationProgress("10s"), lambda: EventProgress("10s")], ids=["duration", "event"]
)
async def progress(request):
    return request.param()


class TestAnyProgress:
    def test_is_a_base_progress(self, progress):
        assert isinstance(progress, BaseProgress)

    async def test_before_the_start(self, progress):
        assert not progress.started
        assert not progress.finished
        assert progress.started_at is None
        assert progress.elapsed is None
        assert (progress.progress, int(progress), float(progress)) == (0.0, 0, 0.0)

    async def test_half_way(self, progress):
        progress.start()
        await asyncio.sleep(5)
        assert progress.started
        assert progress.started_at.tzinfo is not None
        assert not progress.finished
        assert progress.elapsed == "5s"
        assert (progress.progress, int(progress)) == (50.0, 50)

    async def test_progress_ends_at_100(self, progress):
        progress.start()
        await asyncio.sleep(50)
        assert progress.finished
        assert progress.progress == 100.0

    async def test_start_twice(self, progress):
        progress.start()
        with pytest.raises(
            RuntimeError, match="cannot start a progress object that has already been started"
        ):
            progress.start()

    async def test_every_starts_and_ends_exactly_at_the_end(self, progress, looptime):
        """Also when the time is no multiple of the interval: whoever waits by watching waits no longer than the time."""
        assert await percentages(progress, "4s") == [40.0, 80.0, 100.0]
        assert looptime == pytest.approx(10, abs=0.01)

    async def test_watch_calls_functions(self, progress):
        seen = []
        await progress.watch(lambda update: seen.append(int(update)), "5s")
        assert seen == [50, 100]

    async def test_watch_awaits_coroutine_functions(self, progress):
        seen = []

        async def notify(update):
            await asyncio.sleep(0)
            seen.append(update)

        await progress.watch(notify, "5s")
        assert seen == [progress, progress]

    async def test_watch_goes_on_when_already_started(self, progress, looptime):
        progress.start()
        await asyncio.sleep(7)
        assert await percentages(progress, "60s") == [100.0]
        assert looptime == pytest.approx(10, abs=0.01)

    @pytest.mark.parametrize("every", [0, "-5s"])
    async def test_an_interval_of_nothing_is_refused(self, progress, every):
        """It would spin."""
        with pytest.raises(ValueError, match="must be greater than zero"):
            await progress.watch(print, every)

    async def test_annotate(self, progress):
        assert progress.annotate("waiting") == "0.00% complete, 0 elapsed - waiting"
        progress.start()
        await asyncio.sleep(1.234)
        assert progress.annotate("waiting") == "12.34% complete, 1s elapsed - waiting"
        assert progress.annotate("waiting", prefix=False) == "waiting (12.34% complete, 1s elapsed)"

    async def test_context_manager_starts(self, progress):
        async with progress as entered:
            assert entered is progress
            assert progress.started
        async with progress:
            pass

    async def test_wait_starts(self, progress):
        if isinstance(progress, EventProgress):
            progress.trigger()
        await progress.wait()
        assert progress.finished


class TestDurationProgress:
    async def test_zero_is_done_once_started(self):
        progress = DurationProgress()
        assert not progress.finished
        progress.start()
        assert progress.finished

    async def test_zero_is_not_notified_of(self):
        assert await percentages(DurationProgress(0), "5s") == []

    async def test_duration_is_assigned_in_any_form(self):
        progress = DurationProgress()
        progress.duration = "5m"
        assert progress.duration == Duration(300)
        assert progress.remaining == "5m"

    async def test_reset_starts_anew(self):
        progress = DurationProgress("10s")
        progress.start()
        await asyncio.sleep(5)
        progress.reset()
        assert (progress.progress, progress.elapsed, progress.remaining) == (0.0, 0, "10s")
        await asyncio.sleep(5)
        assert progress.progress == 50.0

    async def test_wait(self, looptime):
        await DurationProgress("1h").wait()
        assert looptime == pytest.approx(3600, abs=0.01)

    async def test_default_interval_is_5_seconds(self):
        seen = []
        await DurationProgress("10s").watch(lambda update: seen.append(int(update)))
        assert seen == [50, 100]


class TestEventProgress:
    async def test_trigger_completes_without_settlement(self):
        progress = EventProgress("10s")
        progress.start()
        progress.trigger()
        assert progress.completed
        assert progress.finished
        assert not progress.settling
        assert progress.progress == 100.0

    async def test_time_out(self):
        progress = EventProgress("3s")
        progress.start()
        await asyncio.sleep(3)
        assert progress.timed_out
        assert progress.finished
        assert not progress.completed

    async def test_zero_times_out_at_once(self):
        assert EventProgress(0).timed_out
        assert EventProgress(0).finished

    async def test_completed_in_time_never_times_out(self):
        progress = EventProgress("3s")
        progress.start()
        progress.trigger()
        await asyncio.sleep(10)
        assert not progress.timed_out

    async def test_without_timeout_there_is_no_progress_until_the_event(self):
        progress = EventProgress()
        progress.start()
        await asyncio.sleep(10**6)
        assert not progress.timed_out
        assert progress.progress == 0.0

    async def test_wait_returns_when_triggered(self, looptime):
        progress = EventProgress("10s")
        asyncio.get_running_loop().call_later(4, progress.trigger)
        await progress.wait()
        assert looptime == pytest.approx(4, abs=0.01)

    async def test_wait_raises_when_timed_out(self, looptime):
        with pytest.raises(TimeoutError, match="timed out after 10s"):
            await EventProgress("10s").wait()
        assert looptime == pytest.approx(10, abs=0.01)

    async def test_settlement(self):
        """After the trigger, progress is that of the settlement."""
        progress = EventProgress("100s", settlement="10s")
        progress.start()
        await asyncio.sleep(20)
        assert progress.progress == 20.0
        assert progress.settlement_remaining is None
        progress.trigger()
        assert progress.settling
        assert progress.progress == 0.0
        await asyncio.sleep(2.5)
        assert progress.progress == 25.0
        assert progress.settlement_remaining == "7.5s"
        await progress.wait()
        assert progress.completed
        assert not progress.settling
        assert progress.elapsed.total_seconds() == pytest.approx(30, abs=0.01)

    async def test_a_second_trigger_does_not_settle_anew(self):
        progress = EventProgress(settlement="10s")
        progress.start()
        progress.trigger()
        await asyncio.sleep(9)
        progress.trigger()
        await asyncio.sleep(1)
        assert progress.completed

    async def test_reset_takes_the_event_back_while_it_settles(self):
        progress = EventProgress("100s", settlement="10s")
        progress.start()
        progress.trigger()
        await asyncio.sleep(9)
        progress.reset()
        assert not progress.settling
        await asyncio.sleep(11)
        assert not progress.completed, "the settlement does not end behind one's back"
        assert progress.progress == 20.0, "the timeout's clock goes on"

    async def test_reset_takes_a_completed_event_back(self):
        progress = EventProgress("100s")
        progress.start()
        progress.trigger()
        progress.reset()
        assert not progress.completed
        assert not progress.finished

    async def test_complete_ends_a_settlement(self):
        progress = EventProgress(settlement="10s")
        progress.start()
        progress.trigger()
        progress.complete()
        assert progress.completed
        assert not progress.settling

    async def test_leaving_the_context_stops_the_settlement(self):
        progress = EventProgress(settlement="10s")
        async with progress:
            progress.trigger()
        await asyncio.sleep(20)
        assert not progress.completed

    async def test_watch_wakes_early_and_notifies_once_more(self, looptime):
        progress = EventProgress("100s")
        asyncio.get_running_loop().call_later(4, progress.trigger)
        seen = []
        await progress.watch(lambda update: seen.append(int(update)))
        assert seen == [100]
        assert looptime == pytest.approx(4, abs=0.01)

    @pytest.mark.parametrize(("limit", "count"), [("30s", 1), ("3m", 3)])
    async def test_default_interval_is_the_timeout_but_at_most_a_minute(self, limit, count):
        seen = []
        await EventProgress(limit).watch(seen.append)
        assert len(seen) == count

    async def test_timeout_and_settlement_are_assigned_in_any_form(self):
        progress = EventProgress()
        progress.timeout, progress.settlement = "5m", 5
        assert (progress.timeout, progress.settlement) == (Duration(300), Duration(5))
        progress.timeout = progress.settlement = None
        assert (progress.timeout, progress.settlement) == (None, None)


@pytest.mark.looptime(False)
def test_time_passes_without_an_event_loop():
    progress = DurationProgress("1ms")
    progress.start()
    deadline = time.monotonic() + 10
    while not progress.finished and time.monotonic() < deadline:
        pass
    assert progress.finished
