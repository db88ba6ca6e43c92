"""The state machine of a session: which step comes next, and what an answer or a restart does to it.

It is pure: it knows neither study nor database nor clock, and all it holds is JSON.

::

          ┌──────────────────── HELLO (from anywhere) ────────────────────────┐
          ▼                                                                   │
      describe ──ok──▶ adjust ──ok──▶ measure ──ok──▶ adjust (the next trial) │
          │ failed thrice │ failed       │ failed                             │
          │               └──────┬───────┘ or broke an SLO                    │
          ▼                      ▼                                            │
        over ◀─failed thrice─ restore ──ok──▶ adjust (the next trial) ────────┘
          ▲
          └──ok, or failed thrice── finish ◀── no trial is left, or cancelled

`restore` puts the last known good settings back, `finish` those that shall stay. Both fall back on the baseline
when what they want is refused.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from typing import Any

__all__ = ["MAX_ATTEMPTS", "MAX_FAILURES", "MAX_ISSUES", "Command", "Ending", "Machine", "State", "Step"]

MAX_ATTEMPTS = 3
"""How often a trial is begun; a trial that takes the agent down with it each time is given up."""
MAX_FAILURES = 3
"""How often in a row describing or restoring may fail before the session does."""
MAX_ISSUES = 10
"""How often a command is handed out again without ever being answered."""
KEPT_ABANDONED = 64
RETRY_PAUSE = 5.0


class Step(StrEnum):
    """What a command is for."""

    describe = "describe"
    adjust = "adjust"
    measure = "measure"
    restore = "restore"
    finish = "finish"

    @property
    def cmd(self) -> str:
        """The command of the protocol."""
        return {"describe": "DESCRIBE", "measure": "MEASURE"}.get(self.value, "ADJUST")

    @property
    def event(self) -> str:
        """The event by which the agent answers it."""
        return {"describe": "DESCRIPTION", "measure": "MEASUREMENT"}.get(self.value, "ADJUSTMENT")

    @property
    def of_trial(self) -> bool:
        """Whether it is a part of a trial."""
        return self in {Step.adjust, Step.measure}


class Ending(StrEnum):
    """Why a session ends."""

    completed = "completed"
    cancelled = "cancelled"
    failed = "failed"


class State(StrEnum):
    """A session as people see it; the last three are final."""

    waiting = "waiting"
    running = "running"
    finishing = "finishing"
    finished = "finished"
    cancelled = "cancelled"
    failed = "failed"


FINAL = {Ending.completed: State.finished, Ending.cancelled: State.cancelled, Ending.failed: State.failed}


@dataclass
class Command:
    """A command that the agent has been given and not answered.

    Args:
        number: From 1, in the order issued; makes the `cmd_uid`.
        step: What it is for.
        param: As sent.
        issued_at: When first.
        issues: How often it has been handed out.
    """

    number: int
    step: Step
    param: dict[str, Any]
    issued_at: float
    issues: int = 1


@dataclass
class Machine:
    """Where a session stands.

    Args:
        met: Whether an agent has ever come.
        described: Whether the settings are known since the agent's last start.
        touched: Whether an ADJUST was ever issued, so that there may be something to put back.
        trial: The trial begun and not concluded.
        attempt: How often it was begun.
        adjusted: Whether its settings are in place.
        restoring: Whether the last known good settings are to be put back first.
        ending: Why there will be no further trial.
        over: Whether nothing is left to do.
        failures: Of describing or restoring, in a row.
        pause: Seconds the agent is to sleep before the next command.
        issued: Commands so far.
        command: The one in flight.
        abandoned: Numbers of the latest commands whose answer is no longer wanted.
        message: Why it failed or was cancelled.
    """

    met: bool = False
    described: bool = False
    touched: bool = False
    trial: int | None = None
    attempt: int = 0
    adjusted: bool = False
    restoring: bool = False
    ending: Ending | None = None
    over: bool = False
    failures: int = 0
    pause: float = 0.0
    issued: int = 0
    command: Command | None = None
    abandoned: list[int] = field(default_factory=list)
    message: str = ""

    @property
    def state(self) -> State:
        """As people see it."""
        if self.over:
            return FINAL[self.ending or Ending.failed]
        if self.ending:
            return State.finishing
        return State.running if self.met else State.waiting

    def next(self) -> Step | None:
        """The step that comes next; None when there is nothing to do any more."""
        if self.over:
            return None
        if not self.described:
            return Step.describe
        if self.ending:
            return Step.finish
        if self.restoring:
            return Step.restore
        return Step.measure if self.adjusted else Step.adjust

    def begin(self, trial: int) -> None:
        """A trial is to be measured."""
        self.trial, self.attempt, self.adjusted = trial, 1, False

    def issue(self, step: Step, param: dict[str, Any], now: float) -> Command:
        """The next command."""
        self.issued += 1
        self.met = True
        self.touched |= step.cmd == "ADJUST"
        self.command = Command(self.issued, step, param, now)
        return self.command

    def reissue(self) -> bool:
        """Hand the command in flight out again; False if that was done too often."""
        assert self.command is not None
        self.command.issues += 1
        return self.command.issues <= MAX_ISSUES

    def abandon(self) -> None:
        """Want no answer to the command in flight any more."""
        if self.command is not None:
            self.abandoned = [*self.abandoned, self.command.number][-KEPT_ABANDONED:]
            self.command = None

    def withdraw(self) -> bool:
        """The agent gave the command in flight up, for reasons of its own; the trial begins again.

        Returns:
            Whether the trial was begun too often, and must be given up.
        """
        assert self.command is not None
        step, self.command = self.command.step, None
        if not step.of_trial:
            return False
        self.adjusted = False
        self.attempt += 1
        return self.attempt > MAX_ATTEMPTS

    def hello(self) -> bool:
        """An agent has started: what the settings are is unknown, and the trial in flight begins again.

        A second HELLO with no command in between changes nothing, so that a HELLO may be repeated.

        Returns:
            Whether the trial was begun too often, and must be given up.
        """
        self.met = True
        begun = self.adjusted or (self.command is not None and self.command.step.of_trial)
        self.abandon()
        self.described = self.adjusted = False
        self.pause = 0.0
        self.attempt += begun
        return self.trial is not None and self.attempt > MAX_ATTEMPTS

    def answer(self, *, ok: bool) -> Step:
        """The command in flight is answered; a trial is concluded by `conclude`, not here.

        Returns:
            The step it was for.
        """
        assert self.command is not None
        step, self.command = self.command.step, None
        match step:
            case Step.describe:
                self.described = ok
                self._count(ok=ok, what="describe the application")
            case Step.adjust:
                self.adjusted = ok
            case Step.restore:
                self.restoring = not ok
                self._count(ok=ok, what="put the last known good settings back")
            case Step.finish:
                self.over = ok
                self._count(ok=ok, what="put the final settings in place")
            case Step.measure:
                pass
        return step

    def _count(self, *, ok: bool, what: str) -> None:
        self.failures = 0 if ok else self.failures + 1
        self.pause = 0.0 if ok else RETRY_PAUSE * self.failures
        if self.failures >= MAX_FAILURES:
            self.fail(f"the agent could not {what}, {MAX_FAILURES} times in a row")

    def conclude(self, *, restore: bool) -> None:
        """The trial has its outcome; `restore`: its settings are not to stay."""
        self.trial, self.attempt, self.adjusted = None, 0, False
        self.restoring = restore

    def end(self, ending: Ending, message: str = "") -> None:
        """There will be no further trial; what was changed is put in its final place first."""
        self.ending = ending
        self.message = self.message or message
        self.restoring = False
        self.failures = 0
        self.pause = 0.0
        if not self.touched:
            self.over = True
            self.abandon()

    def fail(self, message: str) -> None:
        """Nothing more can be done."""
        self.ending, self.over = Ending.failed, True
        self.message = message
        self.abandon()

    def take_pause(self) -> float:
        """Seconds to sleep before the next command, once."""
        pause, self.pause = self.pause, 0.0
        return pause

    def to_dict(self) -> dict[str, Any]:
        """As JSON values; `from_dict` reads them."""
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> "Machine":
        """What `to_dict` has written."""
        machine = cls(**values)
        if machine.command is not None:
            machine.command = Command(**values["command"])
            machine.command.step = Step(machine.command.step)
        machine.ending = Ending(machine.ending) if machine.ending else None
        return machine
