"""Agents and servers that are killed, start anew, or are many: the session goes on as if nothing had been."""

import json
from concurrent.futures import ThreadPoolExecutor
from itertools import cycle

from trimtab.optimizer.session_machine import MAX_ATTEMPTS, MAX_ISSUES, State
from trimtab.optimizer.sessions import Sessions

BASELINE = {"web.cpu": 2.0, "web.workers": 2}


def test_a_killed_server_goes_on_with_the_same_command(sessions, session, agent, database, clock, trials):
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
    assert [each["number"] for each in trials(session)] == list(range(6))


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


def test_a_restarted_agent_describes_and_begins_the_trial_again_with_its_adjustment(
    sessions, session, agent, trials
):
    agent.until("MEASURE")
    point = sessions.get(session.id).trial.point
    agent.uid = "agent-2"
    agent.settings = dict(BASELINE)
    agent.hello()
    assert agent.step()["cmd"] == "DESCRIBE"
    assert agent.step()["cmd"] == "ADJUST"
    assert agent.settings == point
    agent.step()
    (trial,) = trials(session)
    assert (trial["attempts"], trial["status"]) == (2, "ok")


def test_a_trial_that_takes_the_agent_down_each_time_is_given_up(sessions, session, agent, trials):
    agent.hello()
    for _ in range(MAX_ATTEMPTS):
        agent.until("MEASURE")
        agent.hello()
    (trial,) = trials(session)
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


def test_a_trial_whose_command_the_agent_gives_up_each_time_is_given_up(sessions, session, agent, trials):
    for _ in range(MAX_ATTEMPTS):
        agent.refuse(agent.until("MEASURE"), "cancelled")
    assert trials(session)[0]["reason"] == "agent-lost"


def test_a_hello_that_is_repeated_counts_once(sessions, session, agent, trials):
    agent.hello()
    agent.until("MEASURE")
    for _ in range(5):
        agent.hello()
    assert trials(session)[0]["attempts"] == 2


def test_an_application_described_otherwise_after_a_restart_ends_the_session(
    sessions, session, agent, trials
):
    agent.until("MEASURE")
    agent.hello()
    agent.descriptor = json.loads(json.dumps(agent.descriptor))
    agent.descriptor["application"]["components"]["web"]["settings"]["cpu"]["max"] = 8.0
    agent.step()
    now = sessions.get(session.id)
    assert now.state is State.failed
    assert "web.cpu has another range" in now.message
    assert trials(session)[0]["status"] == "lost"


def test_a_command_that_is_never_answered_fails_in_the_end(sessions, session, agent, trials):
    command = agent.until("MEASURE")
    for _ in range(MAX_ISSUES - 1):
        assert agent.next() == command
    assert agent.next()["cmd"] == "ADJUST"
    assert trials(session)[0]["reason"] == "no-answer"


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


def test_courses_that_are_over_need_no_replay(sessions, session, agent, database, clock, monkeypatch):
    agent.run()
    monkeypatch.setattr("trimtab.optimizer.session_record.Search", None)
    agent.handle = Sessions(database, clock=clock).handle
    assert agent.next()["cmd"] == "SLEEP"
    agent.hello()
    assert sessions.export(session.id)["baseline"] == BASELINE
