"""One application's course: the state machine joined to the search it serves, fed with the messages of its agent.

A course is what a row of `sessions` and its trials are in memory. `handle` changes it and notes what is to be
written; the caller writes that in one transaction, and throws the course away if it could not. Whatever is asked of
the study is decided by what is written, so a course read again after a kill goes on as the old one would have.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass, field
from typing import Any

from trimtab.catalog.sessions import Writes
from trimtab.optimizer import session_messages as messages
from trimtab.optimizer.errors import OptimizerError
from trimtab.optimizer.session_description import Description
from trimtab.optimizer.session_errors import FencedError
from trimtab.optimizer.session_journal import Journal
from trimtab.optimizer.session_machine import Command, Ending, Machine, Step
from trimtab.optimizer.session_messages import Message, Reply
from trimtab.optimizer.session_results import is_ok, read_failure, read_measurement
from trimtab.optimizer.session_search import Prior, Search
from trimtab.optimizer.session_spec import ControlSpec, SessionSpec
from trimtab.optimizer.space import Point
from trimtab.optimizer.trial import Outcome

__all__ = ["Agent", "Course", "allowance"]

PATIENCE = 3.0
GRACE = 300.0
GRACE_TO_ADJUST = 3600.0  # an application may be long in coming up


@dataclass
class Agent:
    """Who decides over the application's settings now: the last one that said HELLO.

    Args:
        known: Whether one has ever posted.
        servo_uid: As it is configured with; None is a uid like any other.
        name: Its user agent.
        hello_at: When it started.
        goodbye: Why it has left; None while it has not.
    """

    known: bool = False
    servo_uid: str | None = None
    name: str = ""
    hello_at: float | None = None
    goodbye: str | None = None


@dataclass
class Course:
    """See the module.

    Args:
        id: Of the session.
        spec: What it was created from.
        machine: Where it stands.
        agent: Whom it serves.
        search: None until the application is described.
        result: What was found; None until the search has ended.
        best: See `Search.standing`.
        begun_at: When the current attempt of the trial was begun.
        journal: What is to be written beside the session's row.
        changed: Whether the state is another than the one written.
        begun: Whether the search is newer than what is written.
        heard: Whether the agent was heard of since.
        progress: What it last reported of the command in flight.
        load_prior: Reads the history of the application's earlier sessions.
        nap: Seconds of a SLEEP.
    """

    id: str
    spec: SessionSpec
    machine: Machine = field(default_factory=Machine)
    agent: Agent = field(default_factory=Agent)
    search: Search | None = None
    result: dict[str, Any] | None = None
    best: dict[str, Any] | None = None
    begun_at: float | None = None
    journal: Journal = field(default_factory=Journal)
    load_prior: Callable[[], Prior] = list
    nap: float = 60.0
    changed: bool = False
    begun: bool = False
    heard: bool = False
    progress: dict[str, Any] | None = None

    @property
    def now(self) -> float:
        """Seconds since 1970, at the post at hand."""
        return self.journal.now

    # What is posted

    def handle(self, message: Message, now: float) -> Reply:
        """Answer a post.

        Raises:
            FencedError: Another agent has taken over.
        """
        self.journal.now = now
        if message.event == "HELLO":
            return self._hello(message)
        self._recognise(message)
        self.heard = True
        if message.event == "WHATS_NEXT":
            return self._next()
        if message.event == "GOODBYE":
            return self._goodbye(message)
        return self._post(message)

    def cancel(self, now: float) -> None:
        """End the course: the baseline is put back, then it is over. What is ending already stays as it is."""
        self.journal.now = now
        if self.machine.ending is None:
            self._end(Ending.cancelled, "cancelled")

    def _hello(self, message: Message) -> Reply:
        if message.empty:  # a check of the connection, not a start
            return messages.ok()
        self.heard = True
        machine, name = self.machine, message.text("agent") or ""
        if (
            machine.described
            or machine.command
            or self.agent.servo_uid != message.servo_uid
            or not machine.met
        ):
            self.journal.event("hello", agent=name, servo_uid=message.servo_uid)
        self.agent = Agent(True, message.servo_uid, name, self.now)
        self.journal.closed(
            self.machine.command, "lost", "agent-restarted", "the agent started anew before it answered"
        )
        self._begin_again(given_up=machine.hello())
        self._change()
        return messages.ok()

    def _begin_again(self, *, given_up: bool) -> None:
        """The trial in flight, if there is one, is begun once more, or was so too often."""
        if given_up:
            self._conclude(
                Outcome("lost", reason="agent-lost", message="the agent was lost each time it was begun")
            )
        elif self.machine.trial is not None:
            self.journal.begun_again(self.machine.trial, self.machine.attempt)

    def _recognise(self, message: Message) -> None:
        """Refuse whoever is not the agent that said HELLO last; the first of all need not have said it."""
        if not self.agent.known:
            self.agent = Agent(True, message.servo_uid)
            self.changed = True
        if message.servo_uid != self.agent.servo_uid:
            raise FencedError
        if self.agent.goodbye is not None and message.event != "GOODBYE":
            self.agent.goodbye = None
            self.changed = True

    def _goodbye(self, message: Message) -> Reply:
        if self.agent.goodbye is None:
            self.agent.goodbye = message.text("reason") or "unknown"
            self.journal.event("goodbye", reason=self.agent.goodbye)
            self.changed = True
        return messages.ok()

    # Commands

    def _next(self) -> Reply:
        machine = self.machine
        if machine.command is not None and (again := self._again(machine.command)):
            return again
        if pause := machine.take_pause():
            self.changed = True
            return messages.sleep(pause, "the last command failed; it is tried again")
        step = machine.next()
        if step is Step.adjust and machine.trial is None:
            step = self._ask()
        if step is None:
            return messages.sleep(self.nap, f"the session is {machine.state}")
        return self._issue(step)

    def _again(self, command: Command) -> Reply | None:
        """The command in flight once more, as the agent asks and so is not at work on it; None if it is closed."""
        self.changed = True
        if self.machine.ending is Ending.cancelled and command.step.of_trial:
            self.journal.closed(self.machine.command, "lost", "cancelled", "the session was cancelled")
            self.machine.abandon()
            self._conclude(Outcome("lost", reason="cancelled", message="the session was cancelled"))
            return None
        if self.machine.reissue():
            command.issued_at = self.now
            return self._command(command)
        self._answer(
            Message("GOODBYE", {"status": "failed", "reason": "no-answer", "message": "never answered"})
        )
        return None

    def _ask(self) -> Step | None:
        """Begin the next trial, or end the search."""
        assert self.search is not None
        trial = self.search.study.ask()
        if trial is None:
            self._end(Ending.completed)
            return self.machine.next()
        self.machine.begin(trial.number)
        self.journal.begun(trial)
        return Step.adjust

    def _issue(self, step: Step) -> Reply:
        machine = self.machine
        command = machine.issue(step, self._param(step), self.now)
        if step is Step.adjust:
            self.begun_at = self.now
        self.journal.issued(command, machine)
        self._change()
        return self._command(command)

    def _command(self, command: Command) -> Reply:
        return messages.command(command.step.cmd, f"{self.id}.{command.number}", command.param)

    def _param(self, step: Step) -> dict[str, Any]:
        if step is Step.describe:
            return {"control": {}}
        assert self.search is not None
        if step is Step.measure:
            return self.search.measure_param()
        return self.search.adjust_param(self._target(step, self.search))

    def _target(self, step: Step, search: Search) -> Point:
        """The point an ADJUST sets."""
        if step is Step.adjust:
            trial = search.study.ask()  # the pending one
            assert trial is not None
            return trial.point
        if self.machine.failures:  # what was wanted has been refused; what the application came with is safer
            return search.study.baseline
        return search.study.incumbent() if step is Step.restore else self._final(search)

    def _final(self, search: Search) -> Point:
        """The settings that shall stay."""
        found = (self.result or {}).get("recommendation", {})
        accepted = (
            self.machine.ending is Ending.completed and self.spec.apply and found.get("verdict") == "improved"
        )
        point: Point = found["point"] if accepted else search.study.baseline
        return point

    # Results

    def _post(self, message: Message) -> Reply:
        """A result or progress. The order of these questions is the table in docs/optimizer-protocol.md."""
        number, command = self._number(message.cmd_uid), self.machine.command
        if number is None or number in self.machine.abandoned:
            return messages.invalid()
        if command is None or number != command.number:
            return messages.ok("this command is already answered")
        if message.event != command.step.event:
            return messages.status("unexpected-event", message=f"{command.step.event} is expected")
        if message.is_progress:
            return self._take_progress(message, command)
        self._answer(message)
        return messages.ok()

    def _number(self, uid: str | None) -> int | None:
        """Which command of this session a `cmd_uid` names; None if none that was issued."""
        prefix, _, digits = (uid or "").rpartition(".")
        if prefix != self.id or not digits.isascii() or not digits.isdigit():
            return None
        number = int(digits)
        return number if str(number) == digits and 0 < number <= self.machine.issued else None

    def _take_progress(self, message: Message, command: Command) -> Reply:
        percent = message.number("progress")
        self.progress = {
            "percent": None if percent is None else min(max(percent, 0.0), 100.0),
            "message": (message.text("message") or "").strip(),
        }
        if self.machine.ending is Ending.cancelled and command.step.of_trial:
            return messages.status("cancel", reason="the session was cancelled")
        if self._overdue(command):
            return messages.status("cancel", reason="it takes far longer than planned")
        return messages.ok()

    def _overdue(self, command: Command) -> bool:
        return self.now - command.issued_at > allowance(command.step, self.spec.control)

    def _answer(self, message: Message) -> None:
        """Take the result of the command in flight."""
        command = self.machine.command
        assert command is not None
        ok = is_ok(message)
        self.journal.closed(
            self.machine.command,
            message.text("status") or "unknown",
            message.text("reason"),
            message.text("message"),
        )
        if self._is_withdrawn(message, command):
            self._begin_again(given_up=self.machine.withdraw())
            self._change()
            return
        if command.step is Step.describe and ok and not self._describe(message):
            return
        outcome = self._outcome(command, message)
        self.machine.answer(ok=ok)
        if outcome is not None:
            self._conclude(outcome)
        self._settle()

    def _is_withdrawn(self, message: Message, command: Command) -> bool:
        """Whether the agent gave up what nobody wanted it to: it is being stopped, and says nothing of the settings."""
        wanted = self.machine.ending is Ending.cancelled or self._overdue(command)
        return message.param.get("status") == "cancelled" and not wanted

    def _settle(self) -> None:
        """Leave nothing open if that was the last step."""
        if self.machine.over:
            if self.machine.trial is not None:
                self._conclude(Outcome("lost", reason="session-over", message=self.machine.message))
            self.journal.event("over", state=str(self.machine.state), message=self.machine.message)
        self._change()

    def _outcome(self, command: Command, message: Message) -> Outcome | None:
        """What came of the trial; None if the result is of another step, or the trial goes on."""
        if not command.step.of_trial or self.search is None:
            return None
        seconds = max(0.0, self.now - (self.begun_at or self.now))
        if is_ok(message):
            wanted = self.search.wanted
            return (
                read_measurement(message, wanted, seconds=seconds) if command.step is Step.measure else None
            )
        outcome = read_failure(message, seconds=seconds)
        if outcome.status == "lost" and self.machine.ending is None:  # we had it cancelled
            return Outcome("failed", reason="overdue", message=outcome.message, seconds=seconds)
        return outcome

    def _conclude(self, outcome: Outcome) -> None:
        """Tell the study what came of the trial; exactly once for each."""
        search, number = self.search, self.machine.trial
        assert search is not None
        assert number is not None
        search.study.tell(number, outcome)
        self.machine.conclude(restore=search.is_to_be_reverted(number))
        self.best = search.standing()
        self.journal.concluded(number, outcome)

    def _describe(self, message: Message) -> bool:
        """Take a description: the first begins the search, a later one must be of the same settings."""
        try:
            described = Description.parse(message.param.get("descriptor"))
            if self.search is None:
                prior = self.load_prior() if self.spec.warm_start else ()
                self.search = Search(self.spec, described, prior=prior)
                self.begun = True
            elif self.machine.ending is None:
                self.search.check(described)
        except OptimizerError as error:
            self.machine.fail(str(error))
            self._settle()
            return False
        return True

    def _end(self, ending: Ending, text: str = "") -> None:
        if self.search is not None:
            self.result = self.search.conclusion()
        self.machine.end(ending, text)
        self.journal.event("ending", why=str(ending))
        if self.machine.over:
            self._settle()
        self._change()

    # What is written

    def __post_init__(self) -> None:
        self.was_over = self.machine.over

    def written(self) -> None:
        """All is written that was to be."""
        self.journal.writes = Writes()
        self.changed = self.begun = self.heard = False
        self.was_over = self.machine.over

    def _change(self) -> None:
        self.progress = None
        self.changed = True

    def to_values(self) -> dict[str, Any]:
        """The columns of the session's row that hold this course."""
        machine = self.machine
        values = {
            "active": not machine.over,
            "state": str(machine.state),
            "machine": {
                "machine": machine.to_dict(),
                "agent": asdict(self.agent),
                "begun_at": self.begun_at,
                "seen": self.journal.seen,
            },
            "best": self.best,
            "result": self.result,
        }
        if self.begun and self.search is not None:
            values["description"] = self.search.described.to_dict()
            values["prior"] = [[point, outcome.to_dict()] for point, outcome in self.search.prior]
        return values


def allowance(step: Step, control: ControlSpec) -> float:
    """Seconds after which a command is cancelled: its planned time, several times over, and a grace."""
    if step is Step.measure:
        return PATIENCE * (control.duration + control.warmup) + GRACE
    return PATIENCE * control.settlement + GRACE_TO_ADJUST
