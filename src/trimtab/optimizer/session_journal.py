"""What is written of a course beside its own row: trials, commands, and events for the timeline."""

from dataclasses import dataclass, field
from typing import Any

from trimtab.catalog.schema import commands, events, trials
from trimtab.catalog.sessions import Writes
from trimtab.optimizer.session_machine import Command, Machine
from trimtab.optimizer.session_search import to_json
from trimtab.optimizer.trial import Outcome, Trial

__all__ = ["Journal"]

MAX_EVENTS = 10_000
MAX_STATUS = 16  # characters, as the column has


@dataclass
class Journal:
    """Notes what is to be written, until it is.

    Args:
        seen: How many events were ever noted.
        now: Seconds since 1970.
        writes: What is to be written.
    """

    seen: int = 0
    now: float = 0.0
    writes: Writes = field(default_factory=Writes)

    def event(self, kind: str, **data: Any) -> None:
        """Something for the timeline; an agent that starts in a loop must not fill the disk."""
        if self.seen < MAX_EVENTS:
            self.seen += 1
            self.writes.insert(events, self.seen, at=self.now, kind=kind, data=data)

    def issued(self, command: Command, machine: Machine) -> None:
        """A command was given."""
        of_trial = command.step.of_trial
        self.writes.insert(
            commands,
            command.number,
            cmd=command.step.cmd,
            step=str(command.step),
            trial=machine.trial if of_trial else None,
            attempt=machine.attempt if of_trial else None,
            param=command.param,
            issued_at=self.now,
        )

    def closed(self, command: Command | None, status: str, reason: str | None, text: str | None) -> None:
        """The command in flight, if there is one, was answered or given up."""
        if command is not None:
            values = {"status": status[:MAX_STATUS], "reason": reason, "message": text}
            self.writes.update(commands, command.number, answered_at=self.now, **values)

    def begun(self, trial: Trial) -> None:
        """A trial was begun."""
        self.writes.insert(
            trials,
            trial.number,
            purpose=str(trial.purpose),
            point=dict(trial.point),
            strategy=trial.strategy,
            why=trial.reason,
            predicted=to_json(trial.to_dict()["predicted"]),
            attempts=1,
            started_at=self.now,
        )

    def begun_again(self, number: int, attempts: int) -> None:
        """A trial was begun once more."""
        self.writes.update(trials, number, attempts=attempts)

    def concluded(self, number: int, outcome: Outcome) -> None:
        """A trial has its outcome."""
        self.writes.update(trials, number, finished_at=self.now, **outcome.to_dict())
