"""A servo: its connectors, its life, its schema."""

from __future__ import annotations

import asyncio
import gc
import weakref

import httpx2
import pytest

import servo
from servo.routes import default_routes
from servo.servo import Events

pytestmark = pytest.mark.looptime

heard: list[str] = []


@pytest.fixture(autouse=True)
def _empty():
    heard.clear()


class ServoProbeConfiguration(servo.BaseConfiguration):
    factor: int = 1


class ServoProbeConnector(servo.BaseConnector):
    config: ServoProbeConfiguration

    @servo.on_event()
    async def attach(self, servo_: servo.Servo) -> None:
        heard.append(f"{self.name} attach {servo_.name}")
        self.telemetry[f"{self.name}.version"] = "1"

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        heard.append(f"{self.name} detach")

    @servo.on_event()
    async def startup(self) -> None:
        heard.append(f"{self.name} startup")

    @servo.before_event("startup")
    async def never(self) -> None:
        heard.append("before startup")

    @servo.on_event()
    async def shutdown(self) -> None:
        heard.append(f"{self.name} shutdown")


class ServoStubbornConnector(servo.BaseConnector):
    config: servo.BaseConfiguration

    @servo.on_event()
    async def shutdown(self) -> None:
        raise RuntimeError("will not")


class ServoTickingConnector(servo.BaseConnector):
    """Repeats something, and looks at what it was made with."""

    config: servo.BaseConfiguration

    def __init__(self, **values):
        super().__init__(**values)
        heard.append(f"made for {self.optimizer.id if self.optimizer else None}")
        heard.append(f"made with {self._global_config and self._global_config.timeouts.read}")

    @servo.repeating.repeating("1s")
    async def tick(self) -> None:
        heard.append("tick")

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        heard.append(f"{self.name} detach")


class ServoWitnessConnector(servo.BaseConnector):
    """Notes which servo is the current one."""

    config: servo.BaseConfiguration

    @servo.on_event()
    async def attach(self, servo_: servo.Servo) -> None:
        heard.append(("attach", servo.current_servo()))

    @servo.on_event()
    async def startup(self) -> None:
        heard.append(("startup", servo.current_servo()))

    @servo.on_event()
    async def shutdown(self) -> None:
        heard.append(("shutdown", servo.current_servo()))

    @servo.on_event()
    async def detach(self, servo_: servo.Servo) -> None:
        heard.append(("detach", servo.current_servo()))


TWO = {"first": ServoProbeConnector, "second": ServoProbeConnector}


def probe():
    return ServoProbeConnector(config=ServoProbeConfiguration())


class TestConnectors:
    async def test_connectors_share_what_is_the_servos(self, scripted, make_servo):
        agent = make_servo(scripted(), TWO, settings={"timeouts": 3})
        first, second, last = agent.all_connectors
        assert (first.name, second.name, last) == ("first", "second", agent)
        assert first.telemetry is second.telemetry is agent.telemetry
        assert first.__connectors__ is agent.__connectors__
        assert first.optimizer is agent.optimizer is agent.config.optimizer
        assert first.config is agent.config.first
        assert first._global_config is agent.config.settings

    async def test_connectors_are_found_by_name(self, scripted, make_servo):
        agent = make_servo(scripted(), TWO)
        assert agent.get_connector("second").name == "second"
        assert agent.get_connector("nothing") is None
        assert agent.get_connector(agent.name) is agent
        assert [each.name for each in agent.get_connector(["second", "first", "nothing"])] == [
            "first",
            "second",
        ]

    async def test_a_connector_joins_and_leaves(self, scripted, make_servo):
        agent = make_servo(scripted())
        third = probe()
        await agent.add_connector("third", third)
        assert heard == [f"third attach {agent.name}"]
        assert agent.config.third is third.config
        assert third in agent.__connectors__
        with pytest.raises(ValueError, match="a connector named 'third' already exists"):
            await agent.add_connector("third", probe())
        await agent.remove_connector(third)
        assert heard[1:] == ["third detach"]
        assert third not in agent.__connectors__
        with pytest.raises(ValueError, match="no connector named 'third' is active"):
            await agent.remove_connector("third")

    async def test_one_that_joins_a_running_servo_starts_and_stops(self, scripted, make_servo):
        agent = make_servo(scripted(), {"first": ServoProbeConnector})
        await agent.startup()
        await agent.add_connector("third", probe())
        await agent.remove_connector("third")
        assert heard == [
            "first startup",
            f"third attach {agent.name}",
            "third startup",
            "third shutdown",
            "third detach",
        ]

    async def test_who_joins_and_leaves_hears_it_with_the_servo_as_the_current_one(
        self, scripted, make_servo
    ):
        agent = make_servo(scripted())
        await agent.startup()
        witness = ServoWitnessConnector(config=servo.BaseConfiguration())
        await agent.add_connector("witness", witness)
        await agent.remove_connector(witness)
        assert heard == [(event, agent) for event in ("attach", "startup", "shutdown", "detach")]
        assert servo.current_servo() is None

    @pytest.mark.parametrize("way", ["removed", "shut down", "detached"])
    async def test_who_has_left_neither_addresses_nor_keeps_its_peers(self, scripted, make_servo, way):
        agent = make_servo(scripted(), TWO)
        first, second = agent.connectors
        match way:
            case "removed":
                await agent.remove_connector(first)
            case "shut down":
                await agent.startup()
                await agent.shutdown()
            case "detached":
                await agent.detach_connectors()
        heard.clear()
        await first.dispatch_event(Events.startup, _prepositions=servo.Preposition.on)
        assert heard == ["first startup"]
        peers = weakref.ref(second), weakref.ref(agent)
        del second, agent
        # The loop keeps the context of a timer until its time, also of one that was cancelled.
        await asyncio.sleep(60)
        gc.collect()
        assert [peer() for peer in peers] == [None, None]

    async def test_a_connector_knows_what_it_is_made_for_from_the_first(self, scripted, make_servo):
        make_servo(scripted(), {"servo_ticking": ServoTickingConnector}, settings={"timeouts": 3})
        assert heard == ["made for example.com/app", "made with 3s"]

    async def test_there_is_nothing_to_load_without_routes(self, scripted, make_servo):
        with pytest.raises(RuntimeError, match="without routes"):
            make_servo(scripted()).load_connectors()


class TestLife:
    async def test_it_starts_and_shuts_down_once(self, scripted, make_servo):
        optimizer = scripted()
        agent = make_servo(optimizer, {"first": ServoProbeConnector})
        with pytest.raises(RuntimeError, match="not running"):
            await agent.shutdown()
        await agent.startup()
        assert agent.is_running
        with pytest.raises(RuntimeError, match="already running"):
            await agent.startup()
        await agent.shutdown()
        assert not agent.is_running
        assert heard == ["first startup", "first shutdown", "first detach"]
        assert optimizer.events() == ["HELLO", "GOODBYE"]
        assert optimizer.messages[-1]["param"] == {"reason": "unknown"}

    async def test_hello_carries_the_telemetry_of_connectors(self, scripted, make_servo):
        optimizer = scripted()
        agent = make_servo(optimizer, {"first": ServoProbeConnector})
        await agent.attach()
        await agent.try_connect()
        telemetry = optimizer.messages[0]["param"]["telemetry"]
        assert telemetry["first.version"] == "1"
        assert telemetry["servox.version"] == servo.__version__

    async def test_a_restart_that_fails_leaves_nothing_behind(self, scripted, make_servo):
        optimizer = scripted()
        agent = make_servo(optimizer, {"servo_ticking": ServoTickingConnector}, settings={"timeouts": 3})
        await agent.startup()
        optimizer.replies["HELLO"] = httpx2.Response(401)
        for _ in range(3):
            with pytest.raises(httpx2.HTTPStatusError):
                await agent.restart()
        assert heard.count("servo_ticking detach") == 3
        del optimizer.replies["HELLO"]
        await agent.restart()
        heard.clear()
        await asyncio.sleep(3.5)
        assert heard == ["tick"] * 4, "of one connector, not of five"
        await agent.shutdown()
        heard.clear()
        await asyncio.sleep(3.5)
        assert heard == []

    async def test_what_was_made_without_a_loop_repeats_once_started(self, scripted, make_servo):
        connectors = {"servo_ticking": ServoTickingConnector}
        settings = {"timeouts": 3}
        agent = await asyncio.to_thread(make_servo, scripted(), connectors, settings=settings)
        made = await asyncio.to_thread(ServoTickingConnector, config=servo.BaseConfiguration())
        assert [each.repeating_tasks for each in (*agent.connectors, made)] == [{}, {}]
        await agent.startup()
        await agent.add_connector("second", made)
        assert [list(each.repeating_tasks) for each in agent.connectors] == [["tick"], ["tick"]]
        await agent.shutdown()

    async def test_one_that_will_not_shut_down_does_not_keep_the_others(self, scripted, make_servo):
        optimizer = scripted()
        connectors = {"stubborn": ServoStubbornConnector, "first": ServoProbeConnector}
        agent = make_servo(optimizer, connectors)
        await agent.startup()
        await agent.shutdown("SIGTERM")
        assert heard[-2:] == ["first shutdown", "first detach"]
        assert optimizer.messages[-1]["param"] == {"reason": "SIGTERM"}

    @pytest.mark.parametrize(
        ("config", "name"),
        [({"name": "mine"}, "mine"), ({}, "example.com/app")],
    )
    async def test_its_name_is_configured_or_that_of_the_optimizer(self, scripted, make_servo, config, name):
        assert make_servo(scripted(), **config).name == name

    async def test_an_appdynamics_optimizer_has_spaces_in_its_id(self, scripted, make_servo):
        optimizer = {"optimizer_id": "O", "tenant_id": "T", "base_url": "http://t", "token": "x"}
        assert make_servo(scripted(), optimizer=optimizer).name == "T - O"

    async def test_events_are_posted_and_answered(self, scripted, make_servo):
        agent = make_servo(scripted({"cmd": "SLEEP"}))
        assert (await agent.post_event("WHATS_NEXT")).command == "SLEEP"
        assert (await agent.post_event("DESCRIPTION", {"status": "ok"})).status == "ok"

    async def test_it_is_a_connector_that_no_document_mounts(self):
        assert servo.Servo.version_summary() == f'Servo v{servo.__version__} "{servo.__cryptonym__}"'
        assert servo.Servo.description == "Continuous Optimization Orchestrator"
        assert "servo" not in default_routes()
        assert set(Events) >= {"measure", "adjust", "describe"}


class TestSchema:
    async def test_definitions_are_those_of_active_connectors(self, scripted, make_servo):
        agent = make_servo(scripted(), {"first": ServoProbeConnector, "servo_probe": ServoProbeConnector})
        schema = agent.top_level_schema()
        assert schema["title"] == "Servo Schema"
        assert set(schema["$defs"]) == {"ServoProbeConfiguration", "ServoProbeConfiguration__first"}
        section = schema["$defs"]["ServoProbeConfiguration__first"]
        assert section["title"] == "ServoProbe Connector Settings (named first)"
        assert section["properties"]["factor"]["env_names"] == ["SERVO_FIRST_FACTOR"]
        assert "Servo Schema" in agent.top_level_schema_json(all=True)

    async def test_the_configuration_has_a_section_for_each_route(self, scripted, make_servo):
        schema = type(make_servo(scripted(), TWO).config).schema()
        assert schema["title"] == "Servo Configuration Schema"
        assert schema["description"].startswith(
            f"Schema for configuration of Servo v{servo.__version__} with "
        )
        assert {"optimizer", "first", "second"} <= set(schema["required"])
        assert schema["properties"]["first"]["env_names"] == ["SERVO_FIRST"]
