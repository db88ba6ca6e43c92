"""Nothing is left running, whoever is killed, whenever."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import psutil
import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(120)]

AGENT = Path(__file__).with_name("agent.py")


@pytest.fixture
def run_agent(make_config):
    """Starts an agent in a process of its own; returns it and the ids of application, supervisor and watcher."""
    agents: list[subprocess.Popen] = []

    def run(then: str = "family", **values):
        config = make_config(drain={"grace": "300ms"}, **values)
        document = json.dumps(config.plain())
        agent = subprocess.Popen([sys.executable, AGENT, document, then], stdout=subprocess.PIPE, text=True)
        agents.append(agent)
        return agent, json.loads(agent.stdout.readline())

    yield run
    for agent in agents:
        agent.kill()
        agent.wait()
        agent.stdout.close()


def test_the_agent(run_agent, alive, wait_until_gone):
    agent, (_, supervisor, watcher) = run_agent()
    assert len(alive()) >= 4
    agent.kill()
    assert wait_until_gone() == []
    assert _gone(supervisor, watcher)


def test_the_agent_while_another_instance_is_coming_up(run_agent, wait_until_gone):
    """In the middle of an adjustment: the new instance is not ready yet."""
    agent, _ = run_agent("silent")
    time.sleep(0.8)
    agent.kill()
    assert wait_until_gone() == []


def test_the_agent_by_ctrl_c(run_agent, wait_until_gone):
    agent, _ = run_agent()
    agent.send_signal(signal.SIGINT)
    assert wait_until_gone() == []


def test_the_agent_and_the_supervisor_at_once(run_agent, alive, wait_until_gone):
    """The kernel ends the application, the watcher finds the rest."""
    agent, (_, supervisor, watcher) = run_agent()
    assert len(alive()) >= 4
    os.kill(supervisor, signal.SIGSTOP)  # it must not notice that the agent is gone
    agent.kill()
    os.kill(supervisor, signal.SIGKILL)
    assert wait_until_gone() == []
    assert _gone(watcher)


def test_the_watcher_is_replaced_and_does_its_work(run_agent, wait_until_gone):
    agent, (_, supervisor, watcher) = run_agent()
    os.kill(watcher, signal.SIGKILL)
    time.sleep(1.0)
    os.kill(supervisor, signal.SIGSTOP)
    agent.kill()
    os.kill(supervisor, signal.SIGKILL)
    assert wait_until_gone() == []


def test_the_agent_though_a_child_of_it_holds_its_pipes(run_agent, wait_until_gone):
    """A forked child keeps the supervisor's input open; that its parent has changed tells it all the same."""
    agent, (_, supervisor, _) = run_agent()
    descriptors = [f"/proc/{supervisor}/fd/0"]
    with open(descriptors[0], "wb", buffering=0):  # noqa: PTH123 - a pipe, opened for writing: its end never comes
        agent.kill()
        assert wait_until_gone() == []


@pytest.mark.parametrize("delay", [0.0, 0.02, 0.05, 0.1, 0.2, 0.4])
def test_the_agent_at_any_time_after_its_start(make_config, wait_until_gone, delay):
    config = make_config(drain={"grace": "300ms"})
    agent = subprocess.Popen(
        [sys.executable, AGENT, json.dumps(config.plain()), "other"], stdout=subprocess.PIPE
    )
    deadline = time.monotonic() + 30
    while not config.lock_file().exists() and time.monotonic() < deadline:
        time.sleep(0.005)
    time.sleep(delay)
    agent.kill()
    agent.wait()
    agent.stdout.close()
    time.sleep(0.5)
    assert wait_until_gone() == []


def _gone(*pids: int) -> bool:
    deadline = time.monotonic() + 10
    while time.monotonic() < deadline:
        if all(not psutil.pid_exists(p) or psutil.Process(p).status() == psutil.STATUS_ZOMBIE for p in pids):
            return True
        time.sleep(0.05)
    return False
