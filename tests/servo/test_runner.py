"""The main loop: whatever connectors and optimizer do, a status is posted and the loop goes on."""

from __future__ import annotations

import asyncio

import httpx2
import pytest

import servo
from servo.api import user_agent
from servo.assembly import Assembly
from servo.runner import AssemblyRunner, ServoRunner

pytestmark = pytest.mark.looptime

CONTROL = servo.Control()

log: list[str] = []


@pytest.fixture(autouse=True)
def _empty_log():
    log.clear()


class RunnerProbeConnector(servo.BaseConnector):
    """Does what its annotations on the class say; counts what happens to it."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def describe(self, control: servo.Control = CONTROL) -> servo.Description:
        return servo.Description(
            components=[servo.Component("web", [servo.CPU(value=2.0, min=1.0, max=4.0)])]
        )

    @servo.on_event()
    async def adjust(
        self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL
    ) -> servo.Description:
        log.append(f"adjust {adjustments[0]}")
        match adjustments[0].value:
            case "raise":
                raise RuntimeError("a defect")
            case "type":
                return 42  # type: ignore[return-value]  # what is tested
            case "odd":
                return servo.Description(components=[servo.Component("web", [OddSetting(min=1.0, max=4.0)])])
            case "exit":
                raise SystemExit(3)
            case "wait and exit":
                await asyncio.sleep(1)
                raise SystemExit(3)
        return await self.describe()

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        log.append("measure")
        servo.logger.info("measuring", progress=10.0)
        try:
            await asyncio.sleep(control.duration.total_seconds())
        except asyncio.CancelledError:
            log.append("measure cancelled")
            raise
        return servo.Measurement()

    @servo.on_event()
    async def startup(self) -> None:
        log.append("startup")

    @servo.on_event()
    async def shutdown(self) -> None:
        log.append("shutdown")

    @servo.on_event()
    async def attach(self, servo_: servo.Servo) -> None:
        log.append("attach")

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        log.append("detach")


class OddSetting(servo.CPU):
    """A setting whose wire form JSON does not know."""

    def __opsani_repr__(self):
        return {"cpu": {"value": object()}}


class RunnerVetoConnector(servo.BaseConnector):
    """Cancels adjustments before they begin."""

    config: servo.BaseConfiguration

    @servo.before_event()
    async def adjust(self, adjustments: list[servo.Adjustment], control: servo.Control = CONTROL) -> None:
        raise servo.EventCancelledError("not now")


class RunnerBrokenConnector(servo.BaseConnector):
    """Does not start."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def startup(self) -> None:
        log.append("broken startup")
        raise RuntimeError("no such device")


class RunnerDeafConnector(servo.BaseConnector):
    """Does not heed a cancellation."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def measure(
        self, *, metrics: list[str] | None = None, control: servo.Control = CONTROL
    ) -> servo.Measurement:
        servo.logger.info("measuring", progress=10.0)
        while "released" not in log:
            try:
                await asyncio.sleep(1)
            except asyncio.CancelledError:
                log.append("ignored")
        return servo.Measurement()


class RunnerSecretiveConnector(servo.BaseConnector):
    """Does not let anybody be asked what there is."""

    config: servo.BaseConfiguration

    @servo.before_event()
    async def describe(self, control: servo.Control = CONTROL) -> None:
        raise servo.EventCancelledError("not now")


PROBE = {"probe": RunnerProbeConnector}
EXITED = (
    "the connector 'probe' failed with RuntimeError: "
    "a handler must not end the process, but it raised SystemExit(3)"
)


async def after(optimizer, commands, make_servo, running, connectors=None, seconds=30.0, **config):
    """Run a servo through commands and return the runner."""
    optimizer.commands = list(commands)
    async with running(make_servo(optimizer, connectors or PROBE, **config)) as runner:
        await asyncio.sleep(seconds)
    return runner


class TestStatuses:
    @pytest.mark.parametrize(
        ("value", "said"),
        [
            ("raise", "the connector 'probe' failed with RuntimeError: a defect"),
            ("exit", EXITED),
            ("wait and exit", EXITED),
            ("type", "the connector 'probe' answered adjust with int, not with Description"),
            ("odd", "PydanticSerializationError: Unable to serialize unknown type"),
        ],
    )
    async def test_whatever_a_connector_does_is_a_failed_status(
        self, scripted, make_servo, running, commands, value, said
    ):
        """Reference 6.1 #3: any error that was no EventError ended the process without status or GOODBYE."""
        optimizer = scripted()
        await after(optimizer, [commands.adjust("a", value), commands.adjust("b", 1.5)], make_servo, running)
        failed, ok = optimizer.results("ADJUSTMENT")
        assert (failed["status"], failed["reason"], failed["cmd_uid"]) == ("failed", None, "a")
        assert failed["message"].startswith(said)
        assert (ok["status"], ok["cmd_uid"]) == ("ok", "b")
        assert optimizer.events()[-1] == "GOODBYE"

    async def test_a_veto_is_a_cancelled_status(self, scripted, make_servo, running, commands):
        optimizer = scripted()
        connectors = {**PROBE, "veto": RunnerVetoConnector}
        await after(optimizer, [commands.adjust()], make_servo, running, connectors)
        assert optimizer.results("ADJUSTMENT")[0]["status"] == "cancelled"
        assert "adjust" not in " ".join(log)

    async def test_a_veto_of_a_description_is_no_empty_description(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted()
        connectors = {**PROBE, "secretive": RunnerSecretiveConnector}
        await after(optimizer, [commands.describe()], make_servo, running, connectors)
        assert optimizer.results("DESCRIPTION")[0]["status"] == "cancelled"

    async def test_a_command_that_nobody_answers_fails(self, scripted, make_servo, running, commands):
        optimizer = scripted()
        connectors = {"runner_veto": RunnerVetoConnector}
        await after(optimizer, [commands.measure(), commands.describe()], make_servo, running, connectors)
        assert optimizer.results("MEASUREMENT")[0]["message"] == "no connector answers measure"
        assert optimizer.results("DESCRIPTION")[0]["status"] == "ok"

    @pytest.mark.parametrize(
        ("command", "event", "said"),
        [
            ({"cmd": "MEASURE", "cmd_uid": "m", "param": {}}, "MEASUREMENT", "MEASURE is invalid: metrics"),
            ({"cmd": "MEASURE", "cmd_uid": "m", "param": None}, "MEASUREMENT", "MEASURE is invalid"),
            ({"cmd": "ADJUST", "cmd_uid": "m", "param": {}}, "ADJUSTMENT", "'application' must be an object"),
            ({"cmd": "ADJUST", "cmd_uid": "m"}, "ADJUSTMENT", "'application' must be an object"),
            (
                {"cmd": "DESCRIBE", "cmd_uid": "m", "param": {"control": {"duration": "soon"}}},
                "DESCRIPTION",
                "DESCRIBE is invalid: control.duration",
            ),
        ],
    )
    async def test_a_malformed_command_is_answered_as_far_as_it_is_clear(
        self, scripted, make_servo, running, command, event, said
    ):
        """Reference 6.1 #5: an invalid MEASURE was never answered."""
        optimizer = scripted()
        await after(optimizer, [command], make_servo, running)
        result = optimizer.results(event)[0]
        assert (result["status"], result["cmd_uid"]) == ("failed", "m")
        assert said in result["message"]

    @pytest.mark.parametrize("reply", [{"status": "ok"}, {"cmd": "DANCE"}, {}, {"cmd": None}])
    async def test_what_is_no_command_is_followed_by_a_pause(self, scripted, make_servo, running, reply):
        """Reference 6.1 #4: a reply that was no command crashed the process."""
        optimizer = scripted()
        await after(optimizer, [reply] * 1000, make_servo, running, seconds=60)
        assert 2 <= optimizer.events().count("WHATS_NEXT") <= 60

    async def test_describe_without_parameter_and_sleep_without_data_work(
        self, scripted, make_servo, running
    ):
        """Reference 6.1 #4: both crashed the process."""
        optimizer = scripted()
        await after(
            optimizer,
            [{"cmd": "DESCRIBE", "param": None}, {"cmd": "SLEEP"}],
            make_servo,
            running,
            seconds=119,
        )
        assert optimizer.results("DESCRIPTION")[0]["status"] == "ok"
        assert optimizer.results("DESCRIPTION")[0]["cmd_uid"] is None
        assert optimizer.events().count("WHATS_NEXT") == 2

    @pytest.mark.parametrize("reply", [{"status": "unexpected-event", "reason": "x"}, {"status": "what"}])
    async def test_an_odd_answer_to_a_result_is_only_logged(
        self, scripted, make_servo, running, commands, reply
    ):
        optimizer = scripted()
        optimizer.replies["DESCRIPTION"] = reply
        runner = await after(optimizer, [commands.describe()], make_servo, running)
        assert optimizer.events() == ["HELLO", "WHATS_NEXT", "DESCRIPTION", "WHATS_NEXT", "GOODBYE"]
        assert runner.exit_code == 0

    async def test_a_result_answered_without_a_status_is_posted_once(
        self, scripted, make_servo, running, commands
    ):
        """The answer's fault is not taken for the result's: no `failed` follows an `ok`."""
        optimizer = scripted()
        optimizer.replies["DESCRIPTION"] = {"detail": "thanks"}
        runner = await after(optimizer, [commands.describe()], make_servo, running)
        assert [each["status"] for each in optimizer.results("DESCRIPTION")] == ["ok"]
        assert optimizer.events().count("WHATS_NEXT") == 2
        assert runner.exit_code == 0


class TestProgress:
    async def test_log_lines_with_progress_are_reported_before_the_result(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted()
        await after(optimizer, [commands.measure("m", duration=5)], make_servo, running)
        progress = optimizer.progress("MEASUREMENT")[0]
        assert (progress["progress"], progress["cmd_uid"]) == (10.0, "m")
        assert progress["message"].endswith(" - measuring\n")
        assert optimizer.events()[2:4] == ["MEASUREMENT", "MEASUREMENT"]
        assert optimizer.messages[3]["param"]["status"] == "ok"

    @pytest.mark.parametrize(
        ("reply", "confirmed"),
        [
            ({"status": "cancel", "reason": "changed my mind"}, "changed my mind"),
            ({"status": "cancel"}, "Command cancelled"),
            ({"status": "unexpected-event"}, None),
            ({"status": "invalid", "reason": "unexpected cmd_uid"}, None),
            (httpx2.Response(410, json={"detail": "gone"}), None),
        ],
    )
    async def test_a_command_is_given_up_and_the_servo_starts_over(
        self, scripted, make_servo, running, commands, reply, confirmed
    ):
        """Reference 6.1 #2: these answers crashed the process instead of restarting the loop."""
        optimizer = scripted()
        optimizer.replies["MEASUREMENT"] = lambda m: reply if "progress" in m["param"] else {"status": "ok"}
        runner = await after(
            optimizer, [commands.measure("m", duration=3600), commands.describe()], make_servo, running
        )
        results = optimizer.results("MEASUREMENT")
        assert [each["message"] for each in results] == ([confirmed] if confirmed else [])
        assert all(each["status"] == "cancelled" and each["cmd_uid"] == "m" for each in results)
        goodbye = [each["param"]["reason"] for each in optimizer.messages if each["event"] == "GOODBYE"]
        assert goodbye == ["restarting", "SIGTERM"]
        assert optimizer.events().count("HELLO") == 2
        assert optimizer.results("DESCRIPTION")[0]["status"] == "ok"
        cycle = ["shutdown", "detach"]
        assert log == [
            *("startup", "measure", "measure cancelled"),
            *(*cycle, "attach", "startup"),
            *cycle,
        ]
        assert runner.exit_code == 0

    @pytest.mark.parametrize(
        "reply", [{"status": "invalid", "reason": "other"}, {"status": "?"}, httpx2.Response(500)]
    )
    async def test_other_answers_do_not_disturb_the_command(
        self, scripted, make_servo, running, commands, reply
    ):
        optimizer = scripted()
        optimizer.replies["MEASUREMENT"] = lambda m: reply if "progress" in m["param"] else {"status": "ok"}
        await after(optimizer, [commands.measure("m", duration=5)], make_servo, running)
        assert optimizer.results("MEASUREMENT")[0]["status"] == "ok"
        assert optimizer.events().count("HELLO") == 1

    async def test_a_handler_that_heeds_no_cancellation_is_left_behind(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted()
        optimizer.replies["MEASUREMENT"] = lambda m: {
            "status": "cancel" if "progress" in m["param"] else "ok"
        }
        connectors = {"runner_deaf": RunnerDeafConnector}
        await after(optimizer, [commands.measure("m")], make_servo, running, connectors, seconds=60)
        log.append("released")
        await asyncio.sleep(2)
        assert "ignored" in log
        assert optimizer.results("MEASUREMENT")[0]["status"] == "cancelled"
        assert optimizer.events().count("HELLO") == 2


class TestLine:
    @pytest.mark.parametrize(
        "reply",
        [
            httpx2.Response(401),
            httpx2.Response(400),
            httpx2.Response(429),
            httpx2.Response(200, content=b"garbage"),
            httpx2.Response(200, content=b""),
        ],
    )
    async def test_errors_that_are_not_retried_do_not_spin(self, scripted, make_servo, running, reply):
        """Reference 6.1 #6: a status that was not retried made the loop spin without delay."""
        optimizer = scripted()
        optimizer.replies["WHATS_NEXT"] = reply
        runner = await after(optimizer, [], make_servo, running, seconds=3600)
        pauses = [b - a for a, b in zip(optimizer.times[1:-2], optimizer.times[2:-1], strict=True)]
        assert min(pauses) > 0.99
        assert len(pauses) < 400, "pauses grow"
        assert runner.exit_code == 0
        assert optimizer.events()[-1] == "GOODBYE"

    async def test_sleeps_of_no_time_do_not_spin(self, scripted, make_servo, running):
        """Reference 6.1 #6, of another kind: the agent asked as often as it could."""
        optimizer = scripted()
        optimizer.replies["WHATS_NEXT"] = {"cmd": "SLEEP", "param": {"duration": 0}}
        await after(optimizer, [], make_servo, running, seconds=10)
        assert 10 <= optimizer.events().count("WHATS_NEXT") <= 101

    async def test_results_that_are_refused_again_and_again_do_not_spin(
        self, scripted, make_servo, running, commands
    ):
        """An optimizer out of step repeats its command and refuses every answer to it."""
        optimizer = scripted()
        optimizer.replies["WHATS_NEXT"] = commands.describe()
        optimizer.replies["DESCRIPTION"] = {"status": "unexpected-event"}
        await after(optimizer, [], make_servo, running, seconds=3600)
        assert 10 < optimizer.events().count("DESCRIPTION") < 400, "pauses grow"

    async def test_commands_that_are_cancelled_again_and_again_do_not_spin(
        self, scripted, make_servo, running, commands
    ):
        """Each is a restart in place; the first one follows at once, the next ones after a pause that grows."""
        optimizer = scripted()
        optimizer.replies["WHATS_NEXT"] = commands.measure("m", duration=60)
        optimizer.replies["MEASUREMENT"] = lambda m: {
            "status": "cancel" if "progress" in m["param"] else "ok"
        }
        await after(optimizer, [], make_servo, running, seconds=3600)
        assert 10 < optimizer.events().count("HELLO") < 400
        asked = [
            at for at, event in zip(optimizer.times, optimizer.events(), strict=True) if event == "HELLO"
        ]
        assert asked[1] - asked[0] < 1 <= asked[2] - asked[1]

    async def test_the_line_recovers(self, scripted, make_servo, running, commands):
        optimizer = scripted(httpx2.Response(500), httpx2.Response(401), commands.describe("d"))
        async with running(make_servo(optimizer, PROBE)):
            await asyncio.sleep(120)
        assert optimizer.results("DESCRIPTION")[0]["cmd_uid"] == "d"

    async def test_another_servo_in_our_place_is_left_alone_for_an_hour(self, scripted, make_servo, running):
        optimizer = scripted()
        optimizer.replies["HELLO"] = httpx2.Response(410, json={"detail": "unexpected servo_uid"})
        async with running(make_servo(optimizer, PROBE)) as runner:
            await asyncio.sleep(3599)
            assert optimizer.events() == ["HELLO"]
            del optimizer.replies["HELLO"]
            await asyncio.sleep(2)
        assert optimizer.events() == ["HELLO", "HELLO", "WHATS_NEXT", "GOODBYE"]
        assert runner.exit_code == 0

    async def test_the_same_holds_in_the_loop(self, scripted, make_servo, running):
        optimizer = scripted()
        optimizer.replies["WHATS_NEXT"] = httpx2.Response(410, json={"detail": "unexpected servo_uid"})
        await after(optimizer, [], make_servo, running, seconds=3700)
        assert optimizer.events().count("WHATS_NEXT") == 2

    async def test_a_check_does_not_wait_for_an_hour(self, scripted, make_servo):
        """Reference 6.1 #12: the check of connectivity slept for an hour on 410."""
        optimizer = scripted()
        optimizer.replies["HELLO"] = httpx2.Response(410, json={"detail": "unexpected servo_uid"})
        check = (await make_servo(optimizer).check())[0]
        assert (check.name, check.id) == ("Opsani API connectivity", "ffd7e219")
        assert (check.success, check.message) == (False, "Response status code: 410")
        assert asyncio.get_running_loop().time() == 0
        del optimizer.replies["HELLO"]
        check = (await make_servo(optimizer).check())[0]
        assert (check.success, check.message) == (True, "Response status code: 200")
        assert optimizer.messages[-1] == {"event": "HELLO", "param": None, "servo_uid": None}

    async def test_a_check_says_what_is_wrong_with_the_line(self, scripted, make_servo):
        def refuse(_message):
            raise httpx2.ConnectError("refused")

        optimizer = scripted()
        optimizer.replies["HELLO"] = refuse
        check = (await make_servo(optimizer).check())[0]
        assert check.message == "caught exception (ConnectError): api.opsani.com: refused"


class TestEnd:
    async def test_an_orderly_end_says_goodbye_with_the_reason_and_returns_zero(
        self, scripted, make_servo, running
    ):
        """Reference 6.1 #11: a graceful stop ended with exit code 1 and a traceback."""
        optimizer = scripted()
        async with running(make_servo(optimizer, PROBE, servo_uid="uid"), reason="SIGINT") as runner:
            await optimizer.asleep.wait()
        assert optimizer.messages[-1] == {
            "event": "GOODBYE",
            "param": {"reason": "SIGINT"},
            "servo_uid": "uid",
        }
        assert log == ["startup", "shutdown", "detach"]
        assert runner.exit_code == 0
        assert optimizer.messages[0]["param"]["agent"] == user_agent()

    async def test_a_command_under_way_is_cancelled_and_its_status_posted(
        self, scripted, make_servo, running, commands
    ):
        optimizer = scripted(commands.measure("m", duration=3600))
        async with running(make_servo(optimizer, PROBE)):
            await asyncio.sleep(5)
        assert log == ["startup", "measure", "measure cancelled", "shutdown", "detach"]
        assert optimizer.results("MEASUREMENT") == [
            {
                "status": "cancelled",
                "message": "The servo is shutting down",
                "reason": "shutdown",
                "cmd_uid": "m",
            }
        ]
        assert optimizer.events()[-1] == "GOODBYE"

    async def test_it_ends_in_time_when_the_optimizer_is_gone(self, scripted, make_servo, running, commands):
        optimizer = scripted(commands.measure("m", duration=3600))

        async def never(_message):
            await asyncio.sleep(1e6)

        async with running(make_servo(optimizer, PROBE)) as runner:
            await asyncio.sleep(5)
            optimizer.replies = {"MEASUREMENT": never, "GOODBYE": never}
            started = asyncio.get_running_loop().time()
        assert asyncio.get_running_loop().time() - started <= 15
        assert runner.exit_code == 0

    async def test_it_ends_while_it_cannot_reach_the_optimizer(self, scripted, make_servo, running):
        def refuse(_message):
            raise httpx2.ConnectError("refused")

        optimizer = scripted()
        optimizer.replies = {"HELLO": refuse}
        async with running(make_servo(optimizer, PROBE)) as runner:
            await asyncio.sleep(100)
        assert set(optimizer.events()) == {"HELLO"}
        assert runner.exit_code == 0

    async def test_without_polling_it_ends_when_all_have_started(self, scripted, make_servo):
        optimizer = scripted()
        assembly = Assembly(servos=[make_servo(optimizer, PROBE)])
        assert await AssemblyRunner(assembly, poll=False).run_async() == 0
        assert optimizer.events() == ["HELLO", "GOODBYE"]


class TestStartup:
    async def test_a_servo_that_does_not_start_restores_and_says_goodbye(self, scripted, make_servo):
        optimizer = scripted()
        assembly = Assembly(servos=[make_servo(optimizer, {**PROBE, "runner_broken": RunnerBrokenConnector})])
        assert await AssemblyRunner(assembly).run_async() == 1
        assert "broken startup" in log
        assert log[-2:] == ["shutdown", "detach"]
        assert optimizer.events() == ["HELLO", "GOODBYE"]
        assert optimizer.messages[-1]["param"]["reason"] == "startup failed"

    @pytest.mark.parametrize(
        ("error", "said", "traced"),
        [
            (servo.ConnectorError("plug the device in"), "plug the device in", False),
            (
                RuntimeError("no such device"),
                "the connector 'runner_broken' failed with RuntimeError: no such device",
                True,
            ),
        ],
        ids=["foreseen", "a defect"],
    )
    async def test_it_is_said_why_with_a_traceback_for_defects_alone(
        self, scripted, make_servo, monkeypatch, error, said, traced
    ):
        async def startup(_self):
            raise error

        handler = RunnerBrokenConnector.get_event_handlers("startup")[0]
        monkeypatch.setattr(handler, "handler", startup)
        lines = []
        sink = servo.logger.add(lines.append, level="ERROR")
        assembly = Assembly(servos=[make_servo(scripted(), {"runner_broken": RunnerBrokenConnector})])
        assert await AssemblyRunner(assembly).run_async() == 1
        servo.logger.remove(sink)
        assert f"the servo 'example.com/app' cannot be run: {said}" in lines[-1]
        assert ("Traceback" in lines[-1]) is traced

    async def test_the_others_go_on(self, scripted, make_servo, running, commands):
        broken, whole = scripted(), scripted(commands.describe())
        servos = [make_servo(broken, {"runner_broken": RunnerBrokenConnector}), make_servo(whole, PROBE)]
        async with running(*servos) as runner:
            await whole.asleep.wait()
            assert broken.events() == ["HELLO", "GOODBYE"]
        assert whole.results("DESCRIPTION")[0]["status"] == "ok"
        assert runner.exit_code == 0

    async def test_hello_is_given_up_after_the_time_for_retries(self, scripted, make_servo):
        optimizer = scripted()
        optimizer.replies["HELLO"] = httpx2.Response(401)
        assembly = Assembly(servos=[make_servo(optimizer, PROBE)])
        assert await AssemblyRunner(assembly).run_async() == 1
        assert 500 < asyncio.get_running_loop().time() < 700
        assert log == ["detach"], "nobody was started, so nobody is shut down"

    async def test_a_runner_runs_once_at_a_time(self, scripted, make_servo, running):
        async with running(make_servo(scripted(), PROBE)) as runner:
            with pytest.raises(RuntimeError, match="running already"):
                await runner.run_async()
            assert runner.running
            assert not runner.shutting_down
            await asyncio.sleep(1)
            assert [each.connected and each.running for each in runner.runners] == [True]
        assert not runner.running


class TestMembership:
    async def test_servos_join_and_leave_while_it_runs(self, scripted, make_servo, running):
        """Reference 1.9: adding and removing servos failed."""
        first, second = scripted(), scripted()
        async with running(make_servo(first, PROBE)) as runner:
            await first.asleep.wait()
            added = make_servo(second, PROBE)
            await runner.assembly.add_servo(added)
            await second.asleep.wait()
            assert len(runner.runners) == 2
            with pytest.raises(ValueError, match="is part of the assembly already"):
                await runner.assembly.add_servo(added)
            await runner.assembly.remove_servo(added, "no longer wanted")
            assert second.messages[-1]["param"] == {"reason": "no longer wanted"}
            assert len(runner.runners) == 1
            with pytest.raises(ValueError, match="is no part of the assembly"):
                await runner.assembly.remove_servo(added)
        assert first.events()[-1] == "GOODBYE"
        assert runner.exit_code == 0

    async def test_handlers_know_assembly_and_servo(self, scripted, make_servo, running, commands):
        """Reference 1.3: current_assembly was never set."""
        seen = []

        class RunnerContextConnector(servo.BaseConnector):
            config: servo.BaseConfiguration

            @servo.on_event()
            async def describe(self, control: servo.Control = CONTROL) -> servo.Description:
                seen.extend([servo.current_assembly(), servo.current_servo(), servo.current_command_uid()])
                return servo.Description()

        optimizer = scripted(commands.describe("d"))
        agent = make_servo(optimizer, {"context": RunnerContextConnector})
        async with running(agent) as runner:
            await optimizer.asleep.wait()
        assert seen == [runner.assembly, agent, "d"]


async def test_a_single_servo_runs_without_an_assembly(scripted, make_servo, commands):
    optimizer = scripted(commands.measure("m", duration=5))
    runner = ServoRunner(make_servo(optimizer, PROBE))
    task = asyncio.ensure_future(runner.run())
    await asyncio.sleep(10)
    await runner.shutdown()
    await task
    assert optimizer.progress("MEASUREMENT")[0]["progress"] == 10.0
    assert optimizer.results("MEASUREMENT")[0]["status"] == "ok"
    assert runner.connected, "it is for the caller to shut the servo down"
    assert not runner.running
