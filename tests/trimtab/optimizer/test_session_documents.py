"""What is shown of a session: while it runs, and as one document."""

import json

import pytest

from trimtab.optimizer.session_errors import (
    UnknownApplicationError,
    UnknownSessionError,
)
from trimtab.optimizer.session_machine import State
from trimtab.optimizer.sessions import Sessions

BASELINE = {"web.cpu": 2.0, "web.workers": 2}


def test_the_snapshot_shows_the_command_its_progress_and_the_best(sessions, session, agent, clock):
    agent.until("MEASURE")
    agent.answer(agent.next())
    command = agent.until("MEASURE")
    clock.now += 3
    agent.post(
        "MEASUREMENT", {"progress": 25.0, "runtime": 3, "cmd_uid": command["cmd_uid"], "message": "half\n"}
    )
    now = sessions.snapshot(session.id)
    assert (now.state, now.trials_done, now.trial.number) == (State.running, 1, 1)
    assert (now.command.step, now.command.elapsed, now.command.planned) == ("measure", 3.0, 12.0)
    assert (now.command.progress.percent, now.command.progress.message) == (25.0, "half")
    assert now.best.value == now.best.baseline_value == 86.0


def test_progress_is_forgotten_with_its_command(sessions, session, agent):
    command = agent.until("MEASURE")
    agent.post("MEASUREMENT", {"progress": 25.0, "cmd_uid": command["cmd_uid"]})
    agent.answer(command)
    agent.next()
    assert sessions.get(session.id).command.progress is None


def test_an_agent_not_heard_of_for_long_is_stale(sessions, session, agent, clock):
    assert sessions.get(session.id).agent is None
    agent.hello()
    assert not sessions.get(session.id).agent.stale
    clock.now += 181
    assert sessions.get(session.id).agent.stale
    agent.next()
    assert not sessions.get(session.id).agent.stale


def test_goodbye_is_noted_until_the_agent_is_back(sessions, session, agent):
    agent.hello()
    agent.post("GOODBYE", {"reason": "SIGTERM"})
    assert sessions.get(session.id).agent.goodbye == "SIGTERM"
    agent.hello()
    assert sessions.get(session.id).agent.goodbye is None


def test_seconds_of_a_trial_are_counted_from_its_last_beginning(sessions, session, agent, clock, trials):
    agent.until("MEASURE")
    clock.now += 100
    agent.hello()
    agent.step()
    agent.step()
    clock.now += 5
    agent.step()
    assert trials(session)[0]["seconds"] == 5.0


def test_a_deleted_session_leaves_nothing_and_refuses_its_agent(sessions, session, agent):
    command = agent.until("MEASURE")
    sessions.delete(session.id)
    with pytest.raises(UnknownSessionError):
        sessions.get(session.id)
    with pytest.raises(UnknownSessionError):
        sessions.delete(session.id)
    with pytest.raises(UnknownApplicationError):
        agent.answer(command)


def test_sessions_are_listed_newest_first_by_application_and_activity(sessions, make_spec, clock, make_agent):
    first = sessions.create(make_spec())
    clock.now += 1
    second = sessions.create(make_spec(application="example.com/other"))
    sessions.cancel(second.id)
    assert [each.id for each in sessions.list()] == [second.id, first.id]
    assert [each.id for each in sessions.list(active=True)] == [first.id]
    assert [each.id for each in sessions.list(application="example.com/other")] == [second.id]
    assert [each.id for each in sessions.list(limit=1, offset=1)] == [first.id]


def test_the_export_is_json_and_holds_all_of_the_session(sessions, session, agent, clock, monkeypatch):
    monkeypatch.setattr(sessions, "clock", lambda: clock.__setattr__("now", clock.now + 1) or clock.now)
    agent.hello()
    agent.run()
    document = json.loads(json.dumps(sessions.export(session.id), allow_nan=False))
    assert document["format"] == "trimtab-session/1"
    assert document["baseline"] == BASELINE
    assert document["session"]["result"]["recommendation"]["verdict"]
    assert sum(document["session"]["result"]["importance"].values()) == pytest.approx(1)
    first = document["trials"][0]
    assert (first["purpose"], first["value"], first["feasible"]) == ("baseline", 86.0, True)
    assert [each["kind"] for each in document["timeline"]][:3] == ["hello", "command", "answer"]
    assert document["timeline"][-1]["kind"] == "over"
    assert len(document["commands"]) == 2 + 2 * 6


def test_a_trial_that_broke_an_slo_is_shown_with_its_violation(sessions, session, agent, trials):
    command = agent.until("MEASURE")
    slow = {"throughput": {"value": 90.0}, "latency": {"value": 300.0}}
    agent.answer(command, metrics=slow)
    (trial,) = trials(session)
    assert trial["feasible"] is False
    assert "latency is 300" in trial["violations"][0]


def test_text_that_no_database_takes_is_stored_all_the_same(
    make_agent, database_url, open_database, make_spec
):
    sessions = Sessions(open_database(database_url))
    session = sessions.create(make_spec())
    agent = make_agent(handle=sessions.handle, uid="a\x00b")
    agent.post("HELLO", {"agent": "x\x00\ud800y" * 5000})
    agent.refuse(agent.until("ADJUST"), message="\x00\udfff", reason="\x00")
    assert sessions.export(session.id)["trials"][0]["reason"] == "�"
