"""The course of a session that meets no trouble, and what ends it before it has begun."""

import json
import threading

import pytest

from trimtab.catalog import sessions as catalog
from trimtab.optimizer.session_errors import (
    ActiveSessionError,
    UnknownApplicationError,
)
from trimtab.optimizer.session_machine import State

BASELINE = {"web.cpu": 2.0, "web.workers": 2}


def test_a_course_describes_then_adjusts_and_measures_each_trial_and_ends_with_an_adjustment(
    sessions, session, agent, trials
):
    agent.hello()
    done = agent.run()
    assert done[0] == "DESCRIBE"
    assert done[1:-1] == ["ADJUST", "MEASURE"] * 6
    assert done[-1] == "ADJUST"
    assert sessions.get(session.id).state is State.finished
    assert [each["status"] for each in trials(session)] == ["ok"] * 6


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


def test_a_later_session_is_warmed_by_the_earlier_ones(sessions, session, make_spec, agent, database, trials):
    agent.run()
    later = sessions.create(make_spec())
    agent.until("ADJUST")
    with database.read() as connection:
        prior = catalog.by_id(connection, later.id)["prior"]
    assert [point for point, _ in prior] == [each["point"] for each in trials(session)]


def test_a_session_without_warm_start_begins_from_nothing(sessions, session, make_spec, agent, database):
    agent.run()
    later = sessions.create(make_spec(warm_start=False))
    agent.until("ADJUST")
    with database.read() as connection:
        assert catalog.by_id(connection, later.id)["prior"] == []


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
