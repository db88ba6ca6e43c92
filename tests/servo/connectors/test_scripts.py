"""The user's commands on events."""

import time

import pytest
from loguru import logger
from pydantic import ValidationError

from servo.connectors.scripts import ScriptsConfiguration, ScriptsConnector
from servo.errors import AdjustmentFailedError, ConnectorError, MeasurementFailedError
from servo.types.api import Control, Description, Measurement


async def attached(**config) -> ScriptsConnector:
    found = ScriptsConnector(config=ScriptsConfiguration(**config))
    await found.dispatch_event("attach", None)
    return found


@pytest.fixture
def logged():
    """Lines of the log."""
    lines: list[str] = []
    sink = logger.add(lambda message: lines.append(message.record["message"]), level="DEBUG")
    yield lines
    logger.remove(sink)


async def test_commands_run_before_on_and_after_their_event_in_order(tmp_path):
    log = tmp_path / "log"
    found = await attached(
        before={"measure": [f"echo one >> {log}", f"echo two >> {log}"]},
        on={"measure": [f"echo three >> {log}"]},
        after={"measure": [f"echo four >> {log}"]},
    )
    await found.dispatch_event("measure", control=Control())
    assert log.read_text().split() == ["one", "two", "three", "four"]


async def test_a_command_on_an_event_with_a_result_contributes_an_empty_one():
    """Reference 4.7: handlers returned None and failed the signatures of typed events."""
    found = await attached(
        on={name: ["true"] for name in ("measure", "describe", "adjust", "metrics", "startup")}
    )
    results = {
        "measure": await found.dispatch_event("measure"),
        "describe": await found.dispatch_event("describe"),
        "adjust": await found.dispatch_event("adjust", []),
        "metrics": await found.dispatch_event("metrics"),
    }
    values = {name: [result.value for result in found] for name, found in results.items()}
    assert values == {
        "measure": [Measurement()],
        "describe": [Description()],
        "adjust": [Description()],
        "metrics": [[]],
    }


async def test_commands_of_one_instance_are_not_those_of_another(tmp_path):
    """Reference 4.7: handlers were added to the class, so that they leaked into every instance."""
    await attached(on={"promote": [f"touch {tmp_path}/leaked"]})
    other = await attached(on={"promote": ["true"]})
    await other.dispatch_event("promote")
    assert not (tmp_path / "leaked").exists()


async def test_attach_and_startup_together_register_once(tmp_path):
    found = await attached(on={"startup": [f"echo x >> {tmp_path}/log"]})
    await found.dispatch_event("startup")
    await found.dispatch_event("startup")
    assert (tmp_path / "log").read_text() == "x\nx\n"


async def test_a_connector_that_was_never_attached_registers_at_its_startup(tmp_path):
    found = ScriptsConnector(config=ScriptsConfiguration(on={"promote": [f"touch {tmp_path}/done"]}))
    await found.dispatch_event("startup")
    await found.dispatch_event("promote")
    assert (tmp_path / "done").exists()


async def test_output_and_exit_code_are_logged_without_escape_sequences(logged):
    """Reference 4.7: output and exit code were ignored."""
    found = await attached(before={"promote": [r"printf 'a \033[31mred\033[0m word\n'; exit 3"]})
    await found.dispatch_event("promote")
    text = "\n".join(logged)
    assert "  | a red word" in text
    assert "ended with exit code 3" in text
    assert "\x1b" not in text


async def test_a_failing_command_is_told_and_the_event_goes_on_unless_it_shall_not():
    await (await attached(before={"measure": ["exit 1"]})).dispatch_event("measure")
    for name, kind in (
        ("measure", MeasurementFailedError),
        ("adjust", AdjustmentFailedError),
        ("promote", ConnectorError),
    ):
        found = await attached(before={name: ["echo because >&2; exit 1"]}, fail=True)
        with pytest.raises(ExceptionGroup) as caught:
            await found.dispatch_event(name, *([[]] if name == "adjust" else []))
        (error,) = caught.value.exceptions
        assert type(error) is kind
        assert error.reason == "script-failed"
        assert "because" in str(error)


async def test_a_command_that_takes_too_long_is_ended_with_all_it_started(tmp_path):
    command = f"(sleep 2; touch {tmp_path}/late) & sleep 60"
    found = await attached(before={"promote": [command]}, timeout="300ms", fail=True)
    begun = time.monotonic()
    with pytest.raises(ExceptionGroup) as caught:
        await found.dispatch_event("promote")
    assert "took longer than 300ms" in str(caught.value.exceptions[0])
    assert time.monotonic() - begun < 20
    time.sleep(max(2.3 - (time.monotonic() - begun), 0))  # noqa: ASYNC251 - nothing else is to run
    assert not (tmp_path / "late").exists()


async def test_a_command_learns_which_event_it_is_run_for(logged):
    found = await attached(before={"promote": ["echo $SERVO_PREPOSITION $SERVO_EVENT"]})
    await found.dispatch_event("promote")
    assert "  | before promote" in "\n".join(logged)


@pytest.mark.parametrize(
    ("config", "message"),
    [
        ({"before": {"nonsense": ["true"]}}, "there is no event 'nonsense'"),
        ({"on": {"measure": [""]}}, "none empty"),
        ({"on": {"measure": ["a\0b"]}}, "NUL"),
        ({"on": {"measure": ["true"] * 101}}, "at most 100"),
        ({"timeout": "0s"}, "more than zero"),
        ({"during": {}}, "Extra inputs"),
    ],
)
def test_a_section_that_makes_no_sense_says_what_is_wrong(config, message):
    with pytest.raises(ValidationError, match=message):
        ScriptsConfiguration(**config)
