"""What a session does when a trial goes wrong, breaks an SLO, or the session is cancelled: it puts settings back."""

import pytest

from trimtab.optimizer.session_machine import State
from trimtab.optimizer.sessions import Sessions

BASELINE = {"web.cpu": 2.0, "web.workers": 2}


@pytest.mark.parametrize("status", ["rejected", "failed", "aborted"])
def test_after_a_trial_that_went_wrong_the_last_known_good_is_put_back(
    sessions, session, agent, status, trials
):
    agent.until("MEASURE")
    agent.answer(agent.next())
    agent.answer(agent.next())
    agent.answer(agent.next())
    command = agent.until("ADJUST")
    agent.settings["web.cpu"] = 99.0  # half applied, before it was refused
    agent.refuse(command, status, reason="unschedulable")
    restore = agent.next()
    agent.answer(restore)
    assert restore["cmd"] == "ADJUST"
    assert agent.settings == BASELINE
    assert trials(session)[2]["status"] == status
    assert trials(session)[2]["reason"] == "unschedulable"


def test_an_slo_broken_in_the_middle_is_an_aborted_trial_and_is_reverted(sessions, session, agent, trials):
    command = agent.until("MEASURE")
    agent.refuse(command, "aborted", reason="slo-violation")
    (trial,) = trials(session)
    assert (trial["status"], trial["reason"]) == ("aborted", "slo-violation")
    assert sessions.get(session.id).command is None
    assert agent.next()["cmd"] == "ADJUST"
    assert sessions.get(session.id).command.step == "restore"


def test_settings_that_cannot_be_put_back_end_the_session_in_failure(sessions, session, agent):
    agent.refuse(agent.until("ADJUST"))
    for _ in range(3):
        agent.refuse(agent.until("ADJUST") if (command := agent.next())["cmd"] == "SLEEP" else command)
    now = sessions.get(session.id)
    assert now.state is State.failed
    assert "last known good settings" in now.message
    assert agent.next()["cmd"] == "SLEEP"


def test_what_is_refused_as_final_falls_back_on_the_baseline(sessions, make_spec, agent):
    session = sessions.create(make_spec(budget={"trials": 12}))
    while (command := agent.next())["cmd"] != "ADJUST" or sessions.get(session.id).command.step != "finish":
        agent.answer(command)
    agent.refuse(command, "rejected")
    assert agent.next()["cmd"] == "SLEEP"
    agent.answer(agent.next())
    assert agent.settings == BASELINE
    assert sessions.get(session.id).state is State.finished


def test_a_cancelled_session_tells_the_agent_puts_the_baseline_back_and_is_over(
    sessions, session, agent, trials
):
    command = agent.until("MEASURE")
    assert sessions.cancel(session.id).state is State.finishing
    progress = {"progress": 10.0, "runtime": 1.0, "cmd_uid": command["cmd_uid"], "message": "…"}
    assert agent.post("MEASUREMENT", progress)["status"] == "cancel"
    agent.refuse(command, "cancelled")
    assert agent.step()["cmd"] == "ADJUST"
    assert agent.settings == BASELINE
    assert sessions.get(session.id).state is State.cancelled
    assert trials(session)[0]["status"] == "lost"


def test_a_cancelled_session_whose_agent_asks_anew_gives_the_trial_up(sessions, session, agent):
    command = agent.until("MEASURE")
    sessions.cancel(session.id)
    agent.step()
    assert sessions.get(session.id).state is State.cancelled
    assert agent.answer(command)["status"] == "invalid"


def test_a_session_that_never_began_is_cancelled_at_once(sessions, session):
    assert sessions.cancel(session.id).state is State.cancelled


def test_cancelling_twice_or_after_the_end_changes_nothing(sessions, session, agent):
    agent.run()
    assert sessions.cancel(session.id).state is State.finished


def test_a_measurement_far_beyond_its_time_is_cancelled_and_counts_as_failed(
    sessions, session, agent, clock, trials
):
    command = agent.until("MEASURE")
    progress = {"progress": 10.0, "runtime": 1.0, "cmd_uid": command["cmd_uid"], "message": None}
    clock.now += 300
    assert agent.post("MEASUREMENT", progress)["status"] == "ok"
    clock.now += 100
    assert agent.post("MEASUREMENT", progress)["status"] == "cancel"
    agent.refuse(command, "cancelled")
    (trial,) = trials(session)
    assert (trial["status"], trial["reason"]) == ("failed", "overdue")


SLOW = {"throughput": {"value": 500.0}, "latency": {"value": 300.0}}


def to_the_second_point(agent, sessions, session):
    """Answer up to the measurement of the first point that is not the baseline."""
    while (command := agent.until("MEASURE")) and sessions.get(session.id).trial.point == BASELINE:
        agent.answer(command)
    return command


def test_a_trial_measured_to_its_end_that_broke_an_slo_is_put_back_before_the_next(
    sessions, session, agent, trials
):
    agent.answer(to_the_second_point(agent, sessions, session), metrics=SLOW)
    assert trials(session)[-1]["feasible"] is False
    assert agent.settings != BASELINE
    assert agent.step()["cmd"] == "ADJUST"
    assert agent.settings == BASELINE
    assert sessions.export(session.id)["commands"][-1]["step"] == "restore"


def test_the_best_trial_that_kept_its_slos_is_what_is_put_back(sessions, make_spec, agent, trials):
    session = sessions.create(make_spec(budget={"trials": 12}))
    good = to_the_second_point(agent, sessions, session)
    agent.answer(good, metrics={"throughput": {"value": 400.0}, "latency": {"value": 50.0}})
    kept = dict(agent.settings)
    agent.answer(agent.until("MEASURE"), metrics=SLOW)
    agent.step()
    assert agent.settings == kept != BASELINE


def test_a_trial_that_broke_an_slo_is_put_back_by_whatever_server_is_there(
    sessions, session, agent, database, clock
):
    agent.answer(to_the_second_point(agent, sessions, session), metrics=SLOW)
    agent.handle = Sessions(database, clock=clock).handle
    agent.step()
    assert agent.settings == BASELINE


def test_after_the_last_trial_it_is_put_back_first_too(sessions, make_spec, agent):
    """What shall stay may be long in coming up, or be refused."""
    session = sessions.create(make_spec(budget={"trials": 2}))
    agent.answer(agent.until("MEASURE"))
    agent.answer(to_the_second_point(agent, sessions, session), metrics=SLOW)
    agent.run()
    steps = [each["step"] for each in sessions.export(session.id)["commands"]]
    assert steps[-3:] == ["measure", "restore", "finish"]


def test_a_baseline_that_breaks_an_slo_is_in_place_already(sessions, session, agent):
    agent.answer(agent.until("MEASURE"), metrics=SLOW)
    agent.step()
    assert [each["step"] for each in sessions.export(session.id)["commands"]][-2:] == ["measure", "adjust"]
