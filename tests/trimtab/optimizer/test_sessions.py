"""The course of a session, and what of it outlives the process."""

import json
import threading
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

import pytest

from trimtab.catalog import sessions as catalog
from trimtab.optimizer.session_errors import (
    ActiveSessionError,
    UnknownApplicationError,
    UnknownSessionError,
)
from trimtab.optimizer.session_machine import MAX_ATTEMPTS, MAX_ISSUES, State
from trimtab.optimizer.sessions import Sessions

BASELINE = {"web.cpu": 2.0, "web.workers": 2}


@pytest.fixture
def session(sessions, make_spec):
    return sessions.create(make_spec())


def trials(sessions, session):
    return sessions.export(session.id)["trials"]


def test_a_course_describes_then_adjusts_and_measures_each_trial_and_ends_with_an_adjustment(
    sessions, session, agent
):
    agent.hello()
    done = agent.run()
    assert done[0] == "DESCRIBE"
    assert done[1:-1] == ["ADJUST", "MEASURE"] * 6
    assert done[-1] == "ADJUST"
    assert sessions.get(session.id).state is State.finished
    assert [each["status"] for each in trials(sessions, session)] == ["ok"] * 6


def test_at_the_end_the_application_has_what_is_recommended(sessions, make_spec, agent):
    session = sessions.create(make_spec(budget={"trials": 12}))
    agent.run()
    found = sessions.get(session.id).result.recommendation
    assert found["verdict"] == "improved"
    assert agent.settings == found["point"] != BASELINE


def test_without_apply_the_baseline_is_put_back_in_the_end(sessions, make_spec, agent):
    session = sessions.create(make_spec(budget={"trials": 12}, apply=False))
    agent.run()
    assert sessions.get(session.id).result.recommendation["verdict"] == "improved"
    assert agent.settings == BASELINE


def test_a_baseline_off_the_grid_is_put_back_as_it_was(sessions, make_spec, make_agent):
    """The grid is 1.0, 1.5, …; the application came with 1.7, and that is what it gets back."""
    agent = make_agent(settings={"web.cpu": 1.7, "web.workers": 2})
    agent.descriptor = json.loads(json.dumps(agent.descriptor))
    agent.descriptor["application"]["components"]["web"]["settings"]["cpu"]["value"] = 1.7
    sessions.create(make_spec(apply=False))
    agent.run()
    assert agent.settings["web.cpu"] == 1.7


def test_pinned_settings_are_never_sent(sessions, session, agent):
    agent.descriptor = json.loads(json.dumps(agent.descriptor))
    agent.descriptor["application"]["components"]["web"]["settings"]["cpu"]["pinned"] = True
    command = agent.until("ADJUST")
    assert list(command["param"]["state"]["application"]["components"]["web"]["settings"]) == ["workers"]


def test_measure_carries_metrics_durations_and_conditions_for_fast_fail(sessions, session, agent):
    param = agent.until("MEASURE")["param"]
    assert param["metrics"] == ["latency", "throughput"]
    control = param["control"]
    assert (control["duration"], control["warmup"], control["delay"]) == (10.0, 2.0, 0)
    (condition,) = control["userdata"]["slo"]["conditions"]
    assert condition["metric"] == "latency"
    assert float(condition["threshold"]) == 200


def test_adjust_carries_the_settlement(sessions, session, agent):
    assert agent.until("ADJUST")["param"]["control"] == {"settlement": 1.0}


def test_the_application_is_unknown_before_a_session_is_created(agent):
    with pytest.raises(UnknownApplicationError, match=r"example\.com/shop.*trimtab sessions create"):
        agent.hello()


def test_an_application_has_one_active_session_at_a_time(sessions, session, make_spec):
    with pytest.raises(ActiveSessionError, match=session.id):
        sessions.create(make_spec())


def test_two_sessions_created_at_once_are_one(sessions, make_spec):
    """The index of the database decides, not the look before."""
    outcomes = []

    def create():
        try:
            outcomes.append(sessions.create(make_spec()).state)
        except ActiveSessionError:
            outcomes.append("refused")

    threads = [threading.Thread(target=create) for _ in range(4)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    assert sorted(outcomes) == ["refused"] * 3 + ["waiting"]


def test_the_agent_of_a_finished_session_goes_on_with_the_next_one(sessions, session, make_spec, agent):
    agent.hello()
    agent.run()
    assert agent.next()["cmd"] == "SLEEP"
    sessions.create(make_spec())
    assert agent.next()["cmd"] == "DESCRIBE"


def test_a_later_session_is_warmed_by_the_earlier_ones(sessions, session, make_spec, agent, database):
    agent.run()
    later = sessions.create(make_spec())
    agent.until("ADJUST")
    with database.read() as connection:
        prior = catalog.by_id(connection, later.id)["prior"]
    assert [point for point, _ in prior] == [each["point"] for each in trials(sessions, session)]


def test_a_session_without_warm_start_begins_from_nothing(sessions, session, make_spec, agent, database):
    agent.run()
    later = sessions.create(make_spec(warm_start=False))
    agent.until("ADJUST")
    with database.read() as connection:
        assert catalog.by_id(connection, later.id)["prior"] == []


@pytest.mark.parametrize("status", ["rejected", "failed", "aborted"])
def test_after_a_trial_that_went_wrong_the_last_known_good_is_put_back(sessions, session, agent, status):
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
    assert trials(sessions, session)[2]["status"] == status
    assert trials(sessions, session)[2]["reason"] == "unschedulable"


def test_an_slo_broken_in_the_middle_is_an_aborted_trial_and_is_reverted(sessions, session, agent):
    command = agent.until("MEASURE")
    agent.refuse(command, "aborted", reason="slo-violation")
    (trial,) = trials(sessions, session)
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


def test_an_agent_that_cannot_describe_is_asked_thrice_with_pauses(sessions, session, agent):
    pauses = []
    for _ in range(3):
        command = agent.next()
        if command["cmd"] == "SLEEP":
            pauses.append(command["param"]["duration"])
            command = agent.next()
        agent.refuse(command)
    assert pauses == [5.0, 10.0]
    assert sessions.get(session.id).state is State.failed


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        (lambda d: d.pop("application"), "no object at application"),
        (lambda d: d["measurement"]["metrics"].pop("throughput"), "needs the metric 'throughput'"),
        (lambda d: d["application"]["components"]["web"]["settings"]["cpu"].update(value=None), "web.cpu"),
        (
            lambda d: d["application"]["components"]["web"]["settings"]["cpu"].update(min="1"),
            "min is not a finite number",
        ),
        (lambda d: d["application"]["components"]["web"].update(settings={}), "nothing to search"),
        (lambda d: d["measurement"]["metrics"]["latency"].update(unit="rps"), "of another kind"),
    ],
)
def test_a_description_that_cannot_be_searched_ends_the_session_and_says_why(
    sessions, session, agent, change, problem
):
    agent.descriptor = json.loads(json.dumps(agent.descriptor))
    change(agent.descriptor)
    agent.step()
    now = sessions.get(session.id)
    assert now.state is State.failed
    assert problem in now.message


def test_a_killed_server_goes_on_with_the_same_command(sessions, session, agent, database, clock):
    """Nothing of a session is in memory alone: at each point another process continues it."""
    reference = []
    command = None
    for _ in range(40):
        agent.handle = Sessions(database, nap=7.0, clock=clock).handle
        command = agent.next()
        agent.handle = Sessions(database, nap=7.0, clock=clock).handle
        assert agent.next() == command
        if command["cmd"] == "SLEEP":
            break
        reference.append(command["cmd"])
        agent.answer(command)
    assert sessions.get(session.id).state is State.finished
    assert reference[-1] == "ADJUST"
    assert [each["number"] for each in trials(sessions, session)] == list(range(6))


def test_what_is_asked_does_not_depend_on_how_often_the_server_was_killed(
    tmp_path, open_database, make_spec, make_agent, clock
):
    points = []
    for name, killed in (("calm", False), ("killed", True)):
        database = open_database(f"sqlite:///{tmp_path / name}")
        sessions = Sessions(database, clock=clock)
        session = sessions.create(make_spec(strategy="gaussian-process", budget={"trials": 9}))
        agent = make_agent(handle=sessions.handle)
        agent.hello()
        while agent.step()["cmd"] != "SLEEP":
            if killed:
                agent.handle = Sessions(database, clock=clock).handle
        document = sessions.export(session.id)
        points.append(([each["point"] for each in document["trials"]], document["session"]["result"]))
    assert points[0] == points[1]


def test_a_restarted_agent_describes_and_begins_the_trial_again_with_its_adjustment(sessions, session, agent):
    agent.until("MEASURE")
    point = sessions.get(session.id).trial.point
    agent.uid = "agent-2"
    agent.settings = dict(BASELINE)
    agent.hello()
    assert agent.step()["cmd"] == "DESCRIBE"
    assert agent.step()["cmd"] == "ADJUST"
    assert agent.settings == point
    agent.step()
    (trial,) = trials(sessions, session)
    assert (trial["attempts"], trial["status"]) == (2, "ok")


def test_a_trial_that_takes_the_agent_down_each_time_is_given_up(sessions, session, agent):
    agent.hello()
    for _ in range(MAX_ATTEMPTS):
        agent.until("MEASURE")
        agent.hello()
    (trial,) = trials(sessions, session)
    assert (trial["status"], trial["reason"]) == ("lost", "agent-lost")
    agent.step()
    agent.next()
    assert sessions.get(session.id).command.step == "restore"


def test_an_agent_that_is_stopped_while_it_restores_is_asked_again_for_the_same(sessions, session, agent):
    agent.answer(agent.until("MEASURE"))
    agent.refuse(agent.until("MEASURE"))
    agent.settings["web.cpu"] = 99.0
    agent.refuse(agent.until("ADJUST"), "cancelled")
    agent.step()
    assert agent.settings == BASELINE
    assert sessions.get(session.id).state is State.running


def test_a_trial_whose_command_the_agent_gives_up_each_time_is_given_up(sessions, session, agent):
    for _ in range(MAX_ATTEMPTS):
        agent.refuse(agent.until("MEASURE"), "cancelled")
    assert trials(sessions, session)[0]["reason"] == "agent-lost"


def test_a_hello_that_is_repeated_counts_once(sessions, session, agent):
    agent.hello()
    agent.until("MEASURE")
    for _ in range(5):
        agent.hello()
    assert trials(sessions, session)[0]["attempts"] == 2


def test_an_application_described_otherwise_after_a_restart_ends_the_session(sessions, session, agent):
    agent.until("MEASURE")
    agent.hello()
    agent.descriptor = json.loads(json.dumps(agent.descriptor))
    agent.descriptor["application"]["components"]["web"]["settings"]["cpu"]["max"] = 8.0
    agent.step()
    now = sessions.get(session.id)
    assert now.state is State.failed
    assert "web.cpu has another range" in now.message
    assert trials(sessions, session)[0]["status"] == "lost"


def test_a_command_that_is_never_answered_fails_in_the_end(sessions, session, agent):
    command = agent.until("MEASURE")
    for _ in range(MAX_ISSUES - 1):
        assert agent.next() == command
    assert agent.next()["cmd"] == "ADJUST"
    assert trials(sessions, session)[0]["reason"] == "no-answer"


def test_a_cancelled_session_tells_the_agent_puts_the_baseline_back_and_is_over(sessions, session, agent):
    command = agent.until("MEASURE")
    assert sessions.cancel(session.id).state is State.finishing
    progress = {"progress": 10.0, "runtime": 1.0, "cmd_uid": command["cmd_uid"], "message": "…"}
    assert agent.post("MEASUREMENT", progress)["status"] == "cancel"
    agent.refuse(command, "cancelled")
    assert agent.step()["cmd"] == "ADJUST"
    assert agent.settings == BASELINE
    assert sessions.get(session.id).state is State.cancelled
    assert trials(sessions, session)[0]["status"] == "lost"


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


def test_a_measurement_far_beyond_its_time_is_cancelled_and_counts_as_failed(sessions, session, agent, clock):
    command = agent.until("MEASURE")
    progress = {"progress": 10.0, "runtime": 1.0, "cmd_uid": command["cmd_uid"], "message": None}
    clock.now += 300
    assert agent.post("MEASUREMENT", progress)["status"] == "ok"
    clock.now += 100
    assert agent.post("MEASUREMENT", progress)["status"] == "cancel"
    agent.refuse(command, "cancelled")
    (trial,) = trials(sessions, session)
    assert (trial["status"], trial["reason"]) == ("failed", "overdue")


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


def test_seconds_of_a_trial_are_counted_from_its_last_beginning(sessions, session, agent, clock):
    agent.until("MEASURE")
    clock.now += 100
    agent.hello()
    agent.step()
    agent.step()
    clock.now += 5
    agent.step()
    assert trials(sessions, session)[0]["seconds"] == 5.0


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


def test_a_trial_that_broke_an_slo_is_shown_with_its_violation(sessions, session, agent):
    command = agent.until("MEASURE")
    slow = {"throughput": {"value": 90.0}, "latency": {"value": 300.0}}
    agent.answer(command, metrics=slow)
    (trial,) = trials(sessions, session)
    assert trial["feasible"] is False
    assert "latency is 300" in trial["violations"][0]


def test_many_processes_may_serve_one_agent(make_agent, database_url, open_database, make_spec, clock):
    """Each post goes to another process; the versions of the row keep them of one mind."""
    servers = [Sessions(open_database(database_url), clock=clock) for _ in range(3)]
    servers[0].create(make_spec(budget={"trials": 8}))
    turn = cycle(servers)

    def handle(application, body):
        return next(turn).handle(application, body)

    agent = make_agent(handle=handle)
    agent.hello()
    assert agent.run().count("MEASURE") == 8


def test_posts_at_once_at_many_processes_count_once(make_agent, database_url, open_database, make_spec):
    """A result sent to three processes at once is told to the study once."""
    servers = [Sessions(open_database(database_url)) for _ in range(3)]
    session = servers[0].create(make_spec(budget={"trials": 8}))
    agent = make_agent(handle=servers[0].handle)
    for _ in range(4):
        command = agent.until("MEASURE")
        message = {"event": "MEASUREMENT", "param": agent.result(command), "servo_uid": agent.uid}
        with ThreadPoolExecutor(3) as pool:
            replies = list(
                pool.map(lambda server, body: server.handle(agent.application, body), servers, [message] * 3)
            )
        assert [each["status"] for each in replies] == ["ok"] * 3
    done = [each for each in servers[1].export(session.id)["trials"] if each["status"]]
    assert [each["number"] for each in done] == [0, 1, 2, 3]
    assert servers[2].get(session.id).trials_done == 4


def test_text_that_no_database_takes_is_stored_all_the_same(
    make_agent, database_url, open_database, make_spec
):
    sessions = Sessions(open_database(database_url))
    session = sessions.create(make_spec())
    agent = make_agent(handle=sessions.handle, uid="a\x00b")
    agent.post("HELLO", {"agent": "x\x00\ud800y" * 5000})
    agent.refuse(agent.until("ADJUST"), message="\x00\udfff", reason="\x00")
    assert sessions.export(session.id)["trials"][0]["reason"] == "�"


def test_courses_that_are_over_need_no_replay(sessions, session, agent, database, clock, monkeypatch):
    agent.run()
    monkeypatch.setattr("trimtab.optimizer.session_record.Search", None)
    agent.handle = Sessions(database, clock=clock).handle
    assert agent.next()["cmd"] == "SLEEP"
    agent.hello()
    assert sessions.export(session.id)["baseline"] == BASELINE
