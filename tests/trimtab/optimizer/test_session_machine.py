"""The state machine: by itself, and against a model of what an agent may see, on a real database."""

import json

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, settings
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from trimtab.catalog import Database
from trimtab.optimizer.session_errors import FencedError
from trimtab.optimizer.session_machine import MAX_ATTEMPTS, MAX_FAILURES, Ending, Machine, State, Step
from trimtab.optimizer.session_spec import SessionSpec
from trimtab.optimizer.sessions import Sessions

BASELINE = {"web.cpu": 2.0, "web.workers": 2}
BUDGET = 4


def advance(machine: Machine, *, ok: bool = True) -> Step | None:
    """Issue the next command, and answer it."""
    step = machine.next()
    if step is Step.adjust and machine.trial is None:
        machine.begin(machine.issued)
    if step is not None:
        machine.issue(step, {}, 0.0)
        machine.answer(ok=ok)
    if step is Step.measure:
        machine.conclude(restore=not ok)
    return step


def test_the_steps_of_a_course_without_trouble():
    machine = Machine()
    steps = [advance(machine) for _ in range(5)]
    assert steps == [Step.describe, Step.adjust, Step.measure, Step.adjust, Step.measure]
    machine.end(Ending.completed)
    assert machine.state is State.finishing
    assert advance(machine) is Step.finish
    assert machine.next() is None
    assert machine.state is State.finished


def test_a_session_waits_until_its_first_command_is_given():
    machine = Machine()
    assert machine.state is State.waiting
    advance(machine)
    assert machine.state is State.running


@pytest.mark.parametrize("step", [Step.describe, Step.restore, Step.finish])
def test_what_fails_three_times_in_a_row_ends_the_session(step):
    machine = Machine()
    if step is not Step.describe:
        advance(machine)
        advance(machine)
        machine.conclude(restore=True)
    if step is Step.finish:
        machine.end(Ending.completed)
    assert [advance(machine, ok=False) for _ in range(MAX_FAILURES)] == [step] * MAX_FAILURES
    assert machine.state is State.failed
    assert machine.message


def test_a_success_forgets_the_failures_before():
    machine = Machine()
    for _ in range(3):
        machine.described = False
        advance(machine, ok=False)
        advance(machine, ok=False)
        advance(machine, ok=True)
    assert machine.state is State.running


def test_an_end_before_anything_was_changed_is_at_once():
    machine = Machine()
    machine.issue(Step.describe, {}, 0.0)
    machine.end(Ending.cancelled)
    assert machine.over
    assert machine.abandoned == [1]


def test_abandoned_commands_are_remembered_but_not_without_end():
    machine = Machine()
    for _ in range(100):
        machine.issue(Step.describe, {}, 0.0)
        machine.hello()
    assert machine.abandoned == list(range(37, 101))


@pytest.mark.parametrize("command", [True, False])
def test_a_machine_is_the_same_after_json(command):
    machine = Machine()
    advance(machine)
    advance(machine)
    if command:
        machine.issue(Step.measure, {"metrics": ["a"]}, 5.0)
    machine.end(Ending.completed, "why")
    again = Machine.from_dict(json.loads(json.dumps(machine.to_dict())))
    assert again == machine


class Conversation(RuleBasedStateMachine):
    """An agent and a server of which anything may die or be repeated at any time.

    The model knows what the application has, what was told of each trial, and which answers are owed. Two services on
    one database take the posts by turns, and forget all they know at will.
    """

    application = "example.com/shop"

    @initialize(data=st.integers(0, 3))
    def begin(self, data):
        import tempfile
        from pathlib import Path

        self.directory = tempfile.TemporaryDirectory()
        path = Path(self.directory.name) / "trimtab.sqlite"
        self.databases = [Database(f"sqlite:///{path}") for _ in range(2)]
        self.now = 1_800_000_000.0
        self.services = [Sessions(each, clock=lambda: self.now) for each in self.databases]
        self.spec = SessionSpec.model_validate(
            {
                "application": self.application,
                "goal": {"objective": "maximize throughput", "slos": ["latency <= 200ms"]},
                "budget": {"trials": BUDGET},
                "control": {"duration": 10},
                "strategy": "random",
                "seed": data,
            }
        )
        self.session = self.services[0].create(self.spec)
        self.turn = 0
        self.uid = 1
        self.has = dict(BASELINE)
        self.command = None
        self.answered = []
        self.abandoned = []
        self.outcomes = {}
        self.cancelled = False

    def teardown(self):
        if hasattr(self, "databases"):
            for each in self.databases:
                each.close()
            self.directory.cleanup()

    def post(self, event, param=None, uid=None):
        self.turn += 1
        self.now += 1.0
        message = {"event": event, "param": param, "servo_uid": f"agent-{uid or self.uid}"}
        return self.services[self.turn % 2].handle(self.application, message)

    def get(self):
        return self.services[0].get(self.session.id)

    def result(self, command, **changes):
        event = {"DESCRIBE": "DESCRIPTION", "ADJUST": "ADJUSTMENT", "MEASURE": "MEASUREMENT"}[command["cmd"]]
        param = {"status": "ok", "message": None, "reason": "success", "cmd_uid": command["cmd_uid"]}
        if command["cmd"] == "DESCRIBE":
            param["descriptor"] = descriptor(self.has)
        elif command["cmd"] == "MEASURE":
            value = 100 - self.has["web.cpu"] - self.has["web.workers"]
            param["metrics"] = {"throughput": {"value": value}, "latency": {"value": 50}}
        return self.post(event, param | changes)

    def apply(self, command):
        settings_ = command["param"]["state"]["application"]["components"]["web"]["settings"]
        self.has = {f"web.{name}": each["value"] for name, each in settings_.items()}

    @rule()
    def agent_restarts(self):
        if self.command is not None:
            self.abandoned.append(self.command)
        self.command = None
        self.uid += 1
        assert self.post("HELLO", {"agent": "x", "telemetry": {}}) == {"status": "ok"}

    @rule()
    def agent_asks(self):
        command = self.post("WHATS_NEXT")
        if command["cmd"] == "SLEEP":
            assert self.get().over or command["param"]["duration"] in {5.0, 10.0}
            return
        if self.command is not None and command["cmd_uid"] != self.command["cmd_uid"]:
            # Only a trial of a cancelled session, or a command never answered, is taken back.
            assert self.cancelled or self.asked >= 10
            self.abandoned.append(self.command)
        if self.command is None or command["cmd_uid"] != self.command["cmd_uid"]:
            self.asked = 0
        self.asked += 1
        self.command = command

    @precondition(lambda self: self.command is not None)
    @rule()
    def agent_succeeds(self):
        if self.command["cmd"] == "ADJUST":
            self.apply(self.command)
        assert self.result(self.command) == {"status": "ok"}
        self.done()

    @rule(steps=st.integers(1, 8))
    def agent_works(self, steps):
        """Without trouble for a while, so that sessions come to their end at all."""
        for _ in range(steps):
            if self.command is None:
                self.agent_asks()
            if self.command is not None:
                self.agent_succeeds()

    @precondition(lambda self: self.command is not None)
    @rule(status=st.sampled_from(["failed", "rejected", "aborted", "cancelled", "nonsense"]))
    def agent_fails(self, status):
        if self.command["cmd"] == "ADJUST":
            self.apply(self.command)  # as bad as it gets: in place, and reported as failed
        assert self.result(self.command, status=status) == {"status": "ok"}
        self.done()

    @precondition(lambda self: self.command is not None and self.command["cmd"] == "MEASURE")
    @rule(value=st.sampled_from([float("nan"), float("inf"), None, "5", 10**400, True]))
    def agent_measures_nonsense(self, value):
        metrics = {"throughput": {"value": value}, "latency": {"value": 50}}
        assert self.result(self.command, metrics=metrics) == {"status": "ok"}
        self.done()

    @precondition(lambda self: self.command is not None and self.command["cmd"] == "MEASURE")
    @rule()
    def agent_measures_a_breach(self):
        # So far beyond the SLO that no later reading of the same settings makes up for it.
        metrics = {"throughput": {"value": 120}, "latency": {"value": 9000}}
        assert self.result(self.command, metrics=metrics) == {"status": "ok"}
        self.done()

    def done(self):
        self.answered.append(self.command)
        self.command = None

    @precondition(lambda self: self.command is not None)
    @rule()
    def agent_reports_progress(self):
        event = {"DESCRIBE": "DESCRIPTION", "ADJUST": "ADJUSTMENT", "MEASURE": "MEASUREMENT"}[
            self.command["cmd"]
        ]
        reply = self.post(event, {"progress": 5.0, "runtime": 1.0, "cmd_uid": self.command["cmd_uid"]})
        step = self.get().command.step
        wanted = "cancel" if self.cancelled and step in {"adjust", "measure"} else "ok"
        assert reply["status"] == wanted

    @precondition(lambda self: self.answered)
    @rule(data=st.data())
    def a_result_is_replayed(self, data):
        command = data.draw(st.sampled_from(self.answered))
        assert self.result(command)["status"] == "ok"

    @precondition(lambda self: self.abandoned)
    @rule(data=st.data())
    def an_abandoned_result_comes_late(self, data):
        command = data.draw(st.sampled_from(self.abandoned))
        # One that was handed out too often counts as answered, by nobody.
        assert self.result(command)["status"] in {"invalid", "ok"}

    @precondition(lambda self: self.uid > 1)
    @rule(event=st.sampled_from(["WHATS_NEXT", "MEASUREMENT", "GOODBYE"]))
    def a_former_agent_posts(self, event):
        with pytest.raises(FencedError):
            self.post(event, {"status": "ok", "cmd_uid": "x"}, uid=self.uid - 1)

    @rule()
    def the_server_is_killed(self):
        self.services = [Sessions(each, clock=lambda: self.now) for each in self.databases]

    @precondition(lambda self: len(self.answered) > 6)
    @rule()
    def the_user_cancels(self):
        if not self.get().over and self.get().state is not State.finishing:
            self.cancelled = True
        self.services[0].cancel(self.session.id)
        if self.get().over:
            self.command = None

    @invariant()
    def the_session_is_sound(self):
        if not hasattr(self, "session"):
            return
        document = self.services[1].export(self.session.id)
        self.check_trials(document["trials"])
        now = self.get()
        self.check_reverted(document["trials"], document["commands"])
        if now.over:
            self.check_end(now)
        elif document["commands"]:
            self.check_restored(now, document["trials"], document["commands"][-1])

    def check_trials(self, trials):
        """Each is told once and for all, in order, within the budget; all but the last are told."""
        for trial in trials:
            if trial["status"] is not None:
                assert self.outcomes.setdefault(trial["number"], trial) == trial
            assert trial["attempts"] <= MAX_ATTEMPTS
        assert [each["number"] for each in trials] == list(range(len(trials)))
        assert len(trials) <= BUDGET
        assert all(each["status"] for each in trials[:-1])

    def check_end(self, now):
        """An end is final, leaves nothing open, and the settings are those that shall stay."""
        assert (now.trial, now.command) == (None, None)
        assert self.post("WHATS_NEXT")["cmd"] == "SLEEP"
        assert self.get().state is now.state
        if now.state is State.finished:
            assert self.has in (BASELINE, now.result.recommendation["point"])
        if now.state is State.cancelled:
            assert self.has == BASELINE
        self.command = None

    def check_reverted(self, trials, commands):
        """Between a trial that went wrong and the next one, what was good before was put back."""
        wrong = {each["number"]: each for each in trials if each["status"] and not is_accepted(each)}
        for number, trial in wrong.items():
            if trial["status"] == "ok" and trial["point"] == BASELINE:
                continue
            of_trial = [at for at, each in enumerate(commands) if each["trial"] == number]
            of_next = [at for at, each in enumerate(commands) if each["trial"] == number + 1]
            between = commands[of_trial[-1] + 1 : of_next[0]] if of_next else None
            assert between is None or any(
                each["step"] == "restore" and each["status"] == "ok" for each in between
            )

    def check_restored(self, now, trials, last):
        """After a trial that went wrong nothing is begun before the last known good is back."""
        if last["step"] == "restore" and last["status"] == "ok" and now.trial is None and now.command is None:
            accepted = [each["point"] for each in trials if is_accepted(each)]
            assert self.has in [BASELINE, *accepted]


def is_accepted(trial):
    return trial["status"] == "ok" and trial["feasible"]


def descriptor(has):
    return {
        "application": {
            "components": {
                "web": {
                    "settings": {
                        "cpu": {
                            "type": "range",
                            "min": 1.0,
                            "max": 4.0,
                            "step": 0.5,
                            "value": has["web.cpu"],
                        },
                        "workers": {
                            "type": "range",
                            "min": 1,
                            "max": 8,
                            "step": 1,
                            "value": has["web.workers"],
                        },
                    }
                }
            }
        },
        "measurement": {"metrics": {"throughput": {"unit": "rps"}, "latency": {"unit": "ms"}}},
    }


Conversation.TestCase.settings = settings(
    max_examples=20,
    stateful_step_count=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much],
)
TestConversation = Conversation.TestCase
TestConversation.pytestmark = [pytest.mark.timeout(180)]
