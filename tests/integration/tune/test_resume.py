"""`trimtab tune` killed at different points of a session: `--resume` continues it to its end, each trial counted once."""

import json
import shutil
import signal
import sqlite3
import time

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(240)]

TRIALS = 8
SHORT = ("--objective", "minimize latency_mean", "--duration", "300ms", "--strategy", "random")
PATIENCE = 60.0
ATTEMPTS = 5


def in_flight(home) -> tuple[str, str]:
    """The step of the command that the session's agent is at, and the purpose of the trial it is of."""
    query = """
        SELECT commands.step, coalesce(trials.purpose, '') FROM commands
        LEFT JOIN trials ON trials.number = commands.trial AND trials.session_id = commands.session_id
        WHERE commands.answered_at IS NULL
    """
    with sqlite3.connect(f"file:{home / 'trimtab.sqlite'}?mode=ro", uri=True) as connection:
        return next(iter(connection.execute(query)), ("", ""))


def until(tuning, process, wanted: tuple[str, str]) -> bool:
    """Wait until the session is at a command of this step, of a trial of this purpose; False: it ended unseen at it."""
    deadline = time.monotonic() + PATIENCE
    while time.monotonic() < deadline and process.poll() is None:
        try:
            if in_flight(tuning.folder / "home") == wanted:
                return True
        except sqlite3.OperationalError:  # there is no database yet
            pass
        time.sleep(0.005)
    assert process.poll() is not None, f"the session never came to {wanted}"
    return False


def killed_at(tuning, point) -> None:
    """Kill a session at this point. Some are short: on a busy machine it may take several sessions to see one at it."""
    for _ in range(ATTEMPTS):
        process = tuning.start(*SHORT, "--trials", str(TRIALS))
        seen = until(tuning, process, point)
        process.send_signal(signal.SIGKILL)
        ended = tuning.finish(process)
        if seen and ended.returncode == -signal.SIGKILL:
            return
        assert ended.returncode == 0, ended.stderr
        for each in ("home", ".servo"):  # the next one begins where this one did
            shutil.rmtree(tuning.folder / each)
    pytest.fail(f"none of {ATTEMPTS} sessions was seen at {point}")


@pytest.mark.parametrize(
    "point",
    [("adjust", "baseline"), ("measure", "search"), ("measure", "verify"), ("finish", "")],
    ids=[
        "during-the-first-adjustment",
        "during-a-measurement",
        "during-verification",
        "after-the-last-trial",
    ],
)
def test_killed_at_any_point_it_is_continued_to_its_end(tuning, point):
    it = tuning()
    killed_at(it, point)

    done = it.run("--resume", "--output", "json")
    assert done.returncode == 0, done.stderr
    found, document = json.loads(done.stdout), it.document
    assert document["session"]["state"] == "finished"
    trials = document["trials"]
    assert [each["number"] for each in trials] == list(range(found["trials"]))
    assert 0 < len(trials) <= TRIALS
    told = [
        each["trial"] for each in document["commands"] if (each["step"], each["status"]) == ("measure", "ok")
    ]
    assert told == [each["number"] for each in trials if each["status"] == "ok"]
    # What stays is the baseline, or what was shown to be better.
    assert it.saved["knob"] in {1, found["settings"]["app.knob"]}
    assert found["verdict"] == "improved" or it.saved == {"knob": 1}
    assert it.running() == []
