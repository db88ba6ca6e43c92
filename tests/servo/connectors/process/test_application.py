"""An application over its life: a real one, that serves HTTP."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import sys
import urllib.error
import urllib.request

import pytest

from servo.connectors.process import application as module
from servo.connectors.process import child as child_module
from servo.connectors.process.application import Application, UnfitError

pytestmark = pytest.mark.integration


def ask(config, path: str = "/") -> dict:
    with urllib.request.urlopen(f"http://127.0.0.1:{config.port}{path}", timeout=5) as answer:
        return json.load(answer)


@pytest.fixture
async def started(make_config, wait_until_gone):
    """An application that runs; at the end nothing of it is left."""
    application = Application(make_config())
    await application.start()
    yield application
    await application.stop()
    assert wait_until_gone(0) == []


async def test_it_runs_with_the_defaults_in_its_directory_as_leader_of_a_session(started, tmp_path):
    found = ask(started.config)
    assert found["argv"] == ["--size", "2"]
    assert found["environment"]["MODE"] == "plain"
    assert found["environment"]["PORT"] == str(started.config.port)
    assert found["directory"] == str(tmp_path)
    assert os.getsid(found["pid"]) == found["pid"] == started.child.pid


async def test_other_settings_restart_it_and_the_same_do_not(started):
    first = ask(started.config)["pid"]
    await started.apply({"mode": "other", "size": 5}, 0.0)
    second = ask(started.config)
    assert second["argv"] == ["--size", "5"]
    assert second["environment"]["MODE"] == "other"
    assert second["pid"] != first
    await started.apply({"mode": "other", "size": 5}, 0.0)
    assert ask(started.config)["pid"] == second["pid"]
    assert started.restarts == 0


async def test_what_does_not_come_up_is_rejected_with_its_last_lines_and_the_old_settings_restored(started):
    await started.apply({"mode": "other", "size": 3}, 0.0)
    with pytest.raises(UnfitError) as caught:
        await started.apply({"mode": "broken", "size": 3}, 0.0)
    assert caught.value.reason == "start-failed"
    assert "ended with exit code 3 before it was ready" in str(caught.value)
    assert "  | cannot work like this" in str(caught.value)
    assert "\x1b" not in str(caught.value)
    assert ask(started.config)["environment"]["MODE"] == "other"
    assert started.values == {"mode": "other", "size": 3}


async def test_what_ends_during_its_settlement_is_unstable(started):
    with pytest.raises(UnfitError, match="exit code 9 after it had come up") as caught:
        await started.apply({"mode": "brief", "size": 2}, 5.0)
    assert caught.value.reason == "unstable"
    assert ask(started.config)["environment"]["MODE"] == "plain"


async def test_what_is_never_ready_is_rejected_in_time(make_config, wait_until_gone):
    readiness = {"tcp": "127.0.0.1:${port}", "timeout": "700ms", "interval": "20ms"}
    application = Application(make_config(readiness=readiness))
    await application.start()
    with pytest.raises(
        UnfitError, match=r"not ready within 700ms.*accepts no connections[^$]*starting with silent"
    ):
        await application.apply({"mode": "silent", "size": 2}, 0.0)
    assert application.running
    await application.stop()
    assert wait_until_gone(0) == []


async def test_a_new_agent_starts_with_the_last_good_settings(make_config):
    config = make_config()
    first = Application(config)
    await first.start()
    await first.apply({"mode": "other", "size": 4}, 0.0)
    with pytest.raises(UnfitError):
        await first.apply({"mode": "broken", "size": 9}, 0.0)
    await first.stop()
    second = Application(config)
    await second.start()
    assert ask(config)["argv"] == ["--size", "4"]
    await second.stop()


async def test_good_settings_that_do_not_do_any_more_give_way_to_the_defaults(make_config):
    config = make_config()
    config.state_file().parent.mkdir()
    config.state_file().write_text(json.dumps({"settings": {"mode": "broken", "size": 5}}))
    application = Application(config)
    await application.start()
    assert application.values == {"mode": "plain", "size": 2}
    await application.stop()


async def test_a_crash_is_answered_by_another_start_and_counted(started, monkeypatch):
    monkeypatch.setattr(module, "BACKOFF", 0.05)
    with pytest.raises((urllib.error.URLError, ConnectionError)):
        await asyncio.to_thread(ask, started.config, "/crash")
    for _ in range(200):
        await asyncio.sleep(0.05)
        if started.restarts and started.running:
            break
    assert started.restarts == 1
    await _until_answered(started.config)


async def _until_answered(config) -> dict:
    for _ in range(200):
        try:
            return await asyncio.to_thread(ask, config)
        except (urllib.error.URLError, ConnectionError):
            await asyncio.sleep(0.05)
    raise AssertionError("it never answered")


async def test_what_ignores_the_request_to_end_is_killed_after_the_time_of_grace(
    make_config, wait_until_gone
):
    application = Application(make_config(drain={"grace": "300ms"}))
    await application.start()
    await application.apply({"mode": "stubborn", "size": 2}, 0.0)
    begun = asyncio.get_running_loop().time()
    await application.stop()
    assert 0.2 < asyncio.get_running_loop().time() - begun < 10
    assert wait_until_gone(0) == []


async def test_all_descendants_end_with_it(make_config, alive, wait_until_gone):
    """Also those in sessions of their own, that ignore SIGTERM, and daemons forked twice."""
    application = Application(make_config(drain={"grace": "300ms"}))
    await application.start()
    await application.apply({"mode": "family", "size": 2}, 0.5)
    assert len(alive()) >= 4
    await application.stop()
    assert wait_until_gone(0) == []


async def test_two_adjustments_at_once_happen_one_after_the_other(started):
    await asyncio.gather(
        started.apply({"mode": "other", "size": 3}, 0.0), started.apply({"mode": "plain", "size": 4}, 0.0)
    )
    assert ask(started.config)["argv"] == ["--size", "4"]


async def test_a_cancelled_adjustment_leaves_the_last_good_settings(started):
    task = asyncio.create_task(started.apply({"mode": "other", "size": 3}, 30.0))
    await asyncio.sleep(0.8)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert started.values == {"mode": "plain", "size": 2}
    assert (await _until_answered(started.config))["environment"]["MODE"] == "plain"


async def test_a_supervisor_that_hangs_is_ended_too(make_config, monkeypatch, wait_until_gone):
    monkeypatch.setattr(child_module, "_LATE", 0.3)
    application = Application(make_config(drain={"grace": "200ms"}))
    await application.start()
    os.kill(application.child.supervisor, signal.SIGSTOP)
    await application.stop()
    assert wait_until_gone() == []


async def test_a_pattern_that_takes_too_long_is_told(make_config, tmp_path):
    program = tmp_path / "slow.py"
    program.write_text("import time; print('a' * 60 + '!', flush=True); time.sleep(60)")
    config = make_config(
        command=[sys.executable, str(program)], readiness={"log": "(a+)+$", "interval": "20ms"}
    )
    with pytest.raises(UnfitError, match="took too long on a line"):
        await Application(config).start()


async def test_stopping_breaks_an_adjustment_off_and_does_not_wait_for_it(make_config, wait_until_gone):
    application = Application(make_config(readiness={"tcp": "127.0.0.1:${port}", "timeout": "60s"}))
    await application.start()
    task = asyncio.create_task(application.apply({"mode": "silent", "size": 3}, 0.0))
    await asyncio.sleep(0.3)
    begun = asyncio.get_running_loop().time()
    await application.stop()
    assert asyncio.get_running_loop().time() - begun < 15
    assert task.cancelled() or (await asyncio.gather(task, return_exceptions=True))
    assert wait_until_gone(0) == []
    assert not application.started


async def test_an_adjustment_cancelled_while_the_old_instance_drains_waits_for_its_end(
    make_config, wait_until_gone
):
    application = Application(make_config(drain={"grace": "1s"}))
    await application.start()
    await application.apply({"mode": "stubborn", "size": 2}, 0.0)
    old = application.child.pid
    task = asyncio.create_task(application.apply({"mode": "plain", "size": 3}, 0.0))
    await asyncio.sleep(0.2)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    found = {"pid": old}
    for _ in range(200):
        found = await _until_answered(application.config)
        if found["pid"] != old:
            break
        await asyncio.sleep(0.05)
    assert found["pid"] != old
    assert found["argv"] == ["--size", "2"]
    await application.stop()
    assert wait_until_gone(0) == []


async def test_stopping_in_the_middle_of_an_adjustment_leaves_nothing(make_config, wait_until_gone):
    application = Application(make_config())
    await application.start()
    task = asyncio.create_task(application.apply({"mode": "silent", "size": 3}, 0.0))
    await asyncio.sleep(0.3)
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    await application.stop()
    assert wait_until_gone(0) == []
    assert not application.started


async def test_a_taken_port_is_said_before_anything_starts(make_config, monkeypatch):
    monkeypatch.setattr(module, "_PORT_SECONDS", 0.0)
    config = make_config()
    other = await asyncio.start_server(lambda _, writer: writer.close(), "127.0.0.1", config.port)
    with pytest.raises(UnfitError, match="another process listens on 127"):
        await Application(config).start()
    other.close()


async def test_a_second_agent_is_told_so(started):
    with pytest.raises(UnfitError, match="another agent runs this application"):
        await Application(started.config).start()


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"command": ["/no/such/program"]}, "No such file or directory: /no/such/program"),
        ({"command": ["/etc/passwd"]}, "Permission denied: /etc/passwd"),
        ({"template": {"source": "missing.tmpl", "target": "out"}}, "cannot read the template"),
    ],
)
async def test_what_cannot_be_started_says_why(make_config, values, message):
    with pytest.raises(UnfitError, match=message):
        await Application(make_config(**values)).start()


async def test_a_template_is_rendered_before_each_start(make_config, tmp_path):
    (tmp_path / "app.conf.in").write_text("size=${size}\nprice=$$5\nother=${unknown}\nport=${port}\n")
    config = make_config(template={"source": "app.conf.in", "target": "conf/app.conf"})
    application = Application(config)
    await application.start()
    await application.apply({"mode": "plain", "size": 8}, 0.0)
    expected = f"size=8\nprice=$5\nother=${{unknown}}\nport={config.port}\n"
    assert (tmp_path / "conf" / "app.conf").read_text() == expected
    await application.stop()


async def test_a_line_of_its_output_can_say_that_it_is_ready(make_config):
    application = Application(make_config(readiness={"log": "^rea.y$", "interval": "20ms"}))
    await application.start()
    await _until_answered(application.config)
    await application.stop()


async def test_its_output_is_kept(started):
    assert "starting with plain --size 2\nready\n" in started.config.log_file().read_text()


async def test_cpu_is_counted_across_restarts_and_memory_is_that_of_what_runs(started):
    first = await started.sample()
    assert first.cpu > 0
    assert first.memory > 1024 * 1024
    await started.apply({"mode": "other", "size": 3}, 0.0)
    assert (await started.sample()).cpu > first.cpu
    await started.stop()
    stopped = await started.sample()
    assert stopped.memory == 0
    assert stopped.cpu > first.cpu


async def test_the_death_of_the_supervisor_takes_the_application_along_and_it_is_started_again(
    started, alive
):
    await started.apply({"mode": "family", "size": 2}, 0.3)
    before = {process.pid for process in alive()}
    os.kill(started.child.supervisor, signal.SIGKILL)
    now: set[int] = set()
    for _ in range(300):
        await asyncio.sleep(0.05)
        now = {process.pid for process in alive()}
        if started.restarts and len(now) >= 4 and before.isdisjoint(now):
            break
    assert len(now) >= 4
    assert before.isdisjoint(now)
