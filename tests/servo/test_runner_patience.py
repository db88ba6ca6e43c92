"""A handler that hangs: signs of life while it does, and an end to it."""

from __future__ import annotations

import asyncio

import pytest

import servo
from servo.runner import ServoRunner, patience
from servo.runner import servo as runner_module

pytestmark = pytest.mark.looptime

CONTROL = servo.Control()
HOUR = 3600.0


class PatienceHangsConnector(servo.BaseConnector):
    """Measures for ever, and says nothing."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def describe(self, control: servo.Control = CONTROL) -> servo.Description:
        return servo.Description()

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        await asyncio.Event().wait()
        return servo.Measurement()

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL
    ) -> servo.Description:
        await asyncio.Event().wait()
        return servo.Description()


class PatiencePromptConnector(servo.BaseConnector):
    """Answers at once."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        return servo.Measurement()


class PatienceTellsConnector(PatienceHangsConnector):
    """Measures for ever, and reports progress once, after 90 seconds."""

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        await asyncio.sleep(90)
        servo.logger.info("measuring", progress=70.0)
        await asyncio.Event().wait()
        return servo.Measurement()


class PatienceDeafConnector(servo.BaseConnector):
    """Does not heed a cancellation, until it is released."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        while asyncio.get_running_loop().time() < 3 * HOUR:
            try:
                await asyncio.sleep(10)
            except asyncio.CancelledError:
                continue
        return servo.Measurement()


class PatienceVetoConnector(servo.BaseConnector):
    """Hangs before an adjustment."""

    config: servo.BaseConfiguration

    @servo.before_event()
    async def adjust(self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL) -> None:
        await asyncio.Event().wait()


HANGS = {"patience_hangs": PatienceHangsConnector}


class TestSignsOfLife:
    async def test_an_optimizer_hears_of_a_silent_command_every_minute(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(commands.measure("m", duration=300, warmup=100))
        async with running(make_servo(optimizer, HANGS)):
            await asyncio.sleep(3 * 60 + 1)
            reports = optimizer.progress("MEASUREMENT")
        assert [report["progress"] for report in reports] == pytest.approx([15, 30, 45], abs=0.1)
        assert {report["cmd_uid"] for report in reports} == {"m"}
        assert "still at it: MEASURE since 60 s" in reports[0]["message"]

    async def test_it_is_neither_0_nor_100_and_never_less_than_before(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(commands.measure("m", duration=600))
        async with running(make_servo(optimizer, {"patience_tells": PatienceTellsConnector})):
            await asyncio.sleep(1500)
            progress = [report["progress"] for report in optimizer.progress("MEASUREMENT")]
        assert progress[:3] == pytest.approx([10, 70, 70], abs=0.1)
        assert progress == sorted(progress)
        assert progress[-1] == patience.MOST
        assert all(0 < each < 100 for each in progress)

    async def test_a_command_that_says_no_duration_is_measured_by_what_it_may_take(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(commands.adjust())
        async with running(make_servo(optimizer, HANGS, settings={"command_timeout": "10m"})):
            await asyncio.sleep(121)
            progress = [report["progress"] for report in optimizer.progress("ADJUSTMENT")]
        assert progress == pytest.approx([10, 20], abs=0.1)

    async def test_connectors_that_report_are_not_talked_over(self, scripted, make_servo, running, commands):
        optimizer = scripted(commands.measure("m", duration=3600))
        async with running(make_servo(optimizer, {"patience_tells": PatienceTellsConnector})):
            await asyncio.sleep(155)
            messages = [report["message"] for report in optimizer.progress("MEASUREMENT")]
        assert ["still at it" in message for message in messages] == [True, False, True]

    async def test_a_silent_command_can_be_cancelled(self, scripted, make_servo, running, commands):
        """Reference 3.6: only reports are answered, so an optimizer had no say in a command that does not report."""
        optimizer = scripted(commands.measure("m", duration=7200), commands.describe())
        optimizer.replies["MEASUREMENT"] = lambda m: {
            "status": "cancel" if "progress" in m["param"] else "ok"
        }
        async with running(make_servo(optimizer, HANGS)):
            await asyncio.sleep(90)
        assert [each["status"] for each in optimizer.results("MEASUREMENT")] == ["cancelled"]
        assert optimizer.results("DESCRIPTION")[0]["status"] == "ok"

    async def test_there_is_none_after_the_result(self, scripted, make_servo, running, commands):
        optimizer = scripted(commands.measure("m", duration=1))
        async with running(make_servo(optimizer, {"patience_prompt": PatiencePromptConnector})):
            await asyncio.sleep(600)
        assert optimizer.progress("MEASUREMENT") == []


class TestTimeout:
    async def test_a_command_may_take_what_it_asks_for_and_an_hour(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(
            commands.measure("m", duration=120, warmup=30, delay=20, settlement=10), commands.describe()
        )
        async with running(make_servo(optimizer, HANGS)):
            await asyncio.sleep(HOUR + 179)
            assert optimizer.results("MEASUREMENT") == []
            await asyncio.sleep(2)
            (result,) = optimizer.results("MEASUREMENT")
        assert (result["status"], result["reason"], result["cmd_uid"]) == ("failed", "timed-out", "m")
        assert optimizer.results("DESCRIPTION")[0]["status"] == "ok", "and the loop goes on"

    async def test_the_status_names_who_had_not_answered(self, scripted, make_servo, running, commands):
        """Reference 3.7: a handler that hung held up its servo for ever, and no status was posted."""
        optimizer = scripted(commands.measure("m", duration=1))
        connectors = {
            "patience_prompt": PatiencePromptConnector,
            **HANGS,
            "patience_other": PatienceTellsConnector,
        }
        async with running(make_servo(optimizer, connectors, settings={"command_timeout": "9s"})):
            await asyncio.sleep(11)
            (result,) = optimizer.results("MEASUREMENT")
        assert result["message"].startswith(
            "MEASURE was broken off after 10s: patience_hangs and patience_other had not answered"
        )

    async def test_also_one_that_hangs_before_the_event(self, scripted, make_servo, running, commands):
        optimizer = scripted(commands.adjust())
        connectors = {**HANGS, "patience_veto": PatienceVetoConnector}
        async with running(make_servo(optimizer, connectors, settings={"command_timeout": "9s"})):
            await asyncio.sleep(11)
            (result,) = optimizer.results("ADJUSTMENT")
        assert ": patience_veto had not answered" in result["message"]

    async def test_whoever_heeds_no_cancellation_does_not_hold_up_the_loop(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(commands.measure("m", duration=1), commands.describe())
        connectors = {"patience_deaf": PatienceDeafConnector, **HANGS}
        lines = []
        sink = servo.logger.add(lines.append, level="ERROR", format="{message}")
        async with running(make_servo(optimizer, connectors, settings={"command_timeout": "9s"})):
            await asyncio.sleep(10 + runner_module.CANCEL_SECONDS + 2)
            assert optimizer.results("MEASUREMENT")[0]["reason"] == "timed-out"
            assert optimizer.results("DESCRIPTION")[0]["status"] == "ok"
        servo.logger.remove(sink)
        assert any("MEASURE did not end 20 s after it was cancelled" in line for line in lines)
        await asyncio.sleep(3 * HOUR)  # it ends at last; nobody listens any more
        assert len(optimizer.results("MEASUREMENT")) == 1

    async def test_a_nonsensical_control_is_no_reason_to_wait(self, scripted, make_servo, running):
        command = {"cmd": "DESCRIBE", "cmd_uid": "d", "param": {"control": {"duration": "soon"}}}
        optimizer = scripted(command)
        async with running(make_servo(optimizer, HANGS)):
            await asyncio.sleep(1)
        assert optimizer.results("DESCRIPTION")[0]["status"] == "failed"

    @pytest.mark.parametrize("value", ["0s", "-1s"])
    def test_it_is_more_than_zero(self, value):
        with pytest.raises(ValueError, match=r"command_timeout[\s\S]*(greater than zero|negative)"):
            servo.CommonConfiguration.model_validate({"command_timeout": value})


class TestShutdown:
    async def test_a_live_loop_is_ended(self, scripted, make_servo, commands):
        """Reference 3.7, 6.4: the condition was inverted, so that `shutdown` cancelled only loops that had ended."""
        optimizer = scripted(commands.measure("m", duration=7200))
        runner = ServoRunner(make_servo(optimizer, HANGS))
        task = asyncio.create_task(runner.run())
        await asyncio.sleep(5)
        assert runner.running
        await runner.shutdown()
        assert task.done()
        assert not runner.running
        assert optimizer.results("MEASUREMENT")[0]["reason"] == "shutdown"

    async def test_one_that_has_ended_is_left_alone(self, scripted, make_servo):
        """Reference 3.7, 6.4: the same."""
        runner = ServoRunner(make_servo(scripted(), HANGS))
        await runner.run(poll=False)
        await runner.shutdown()
        assert not runner.running


async def test_an_error_of_one_servos_progress_leaves_the_others_alone(
    scripted, make_servo, running, commands
):
    """Reference 6.2: progress errors were handled as if there was a single servo, whichever had failed."""
    cancels, goes_on = (scripted(commands.measure(uid, duration=300)) for uid in ("one", "two"))
    cancels.replies["MEASUREMENT"] = lambda m: {"status": "cancel" if "progress" in m["param"] else "ok"}
    servos = [make_servo(each, {"patience_tells": PatienceTellsConnector}) for each in (cancels, goes_on)]
    async with running(*servos):
        await asyncio.sleep(200)
        assert [each["status"] for each in cancels.results("MEASUREMENT")] == ["cancelled"]
        assert cancels.events().count("HELLO") == 2
        assert goes_on.events().count("HELLO") == 1
        assert goes_on.results("MEASUREMENT") == []
        assert len(goes_on.progress("MEASUREMENT")) >= 3
