"""What a report shows."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from trimtab.catalog.stacks import Package
from trimtab.inspection.statistics import BatchStatistics

__all__ = ["Fact", "Failure", "Machine", "Report", "Run"]


@dataclass(frozen=True, slots=True)
class Fact:
    """Something with a name."""

    name: str
    text: str


@dataclass(frozen=True, slots=True)
class Failure:
    """Why something failed.

    Args:
        what: `the build`, `run 2`, `runs 1, 2 and 3`.
        kind: Whose failure it is: `stack`, `script` or `infrastructure`; empty where nobody said.
        reason: In a sentence.
        lines: Those of the log that matter.
    """

    what: str
    kind: str
    reason: str
    lines: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Run:
    """One attempt of one run. Seconds, bytes.

    Args:
        item: Which, counted from 0.
        attempt: From 1.
        state: `succeeded`, `failed` or `lost`.
        ending: How it ended, in a few words.
        seconds: How long the script took.
        cpu: Seconds of all processors, of the script and what it waited for.
        system: Of those, the kernel's.
        memory: The most that was used at a time.
        value: Of the primary measure; None if it is not counted.
        machine: The kind of machine, as `Machine.name` has it.
        notes: What was not as asked.
    """

    item: int
    attempt: int
    state: str
    ending: str = ""
    seconds: float | None = None
    cpu: float | None = None
    system: float | None = None
    memory: float | None = None
    value: float | None = None
    machine: str = ""
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Machine:
    """A kind of machine that runs were on."""

    name: str
    runs: int
    facts: tuple[Fact, ...]


@dataclass(frozen=True, slots=True)
class Report:
    """All that is shown of an inspection.

    Args:
        id: Its id.
        identifier: What whoever asked calls it.
        state: How it ended.
        base: The image that was asked for.
        batch: Runs that were asked for.
        asked: What else was.
        script: The program that was run.
        built: What was built.
        left_out: What the engine went on without.
        containerfile: What was built, as text.
        log: The end of the build's log.
        engine: What made it, and what that enforced.
        warnings: What a user has to know of the engine.
        runs: All attempts of all runs, in order.
        statistics: Of those that count; None if there is none.
        failures: Of the build and the runs.
        machines: What the runs were on.
        locked: The packages that the stack locks.
        installed: Name and version of what was found installed.
        started: When.
        ended: When.
        document: The same for programs.
    """

    id: str
    identifier: str
    state: str
    base: str
    batch: int
    asked: tuple[Fact, ...]
    script: str
    built: tuple[Fact, ...]
    left_out: tuple[str, ...]
    containerfile: str
    log: tuple[str, ...]
    engine: tuple[Fact, ...]
    warnings: tuple[str, ...]
    runs: tuple[Run, ...]
    statistics: BatchStatistics | None
    failures: tuple[Failure, ...]
    machines: tuple[Machine, ...]
    locked: tuple[Package, ...]
    installed: tuple[Fact, ...]
    started: datetime | None
    ended: datetime | None
    document: Mapping[str, Any]

    @property
    def seconds(self) -> float | None:
        """How long all of it took."""
        if self.started is None or self.ended is None:
            return None
        return max(0.0, (self.ended - self.started).total_seconds())

    @property
    def last(self) -> tuple[Run, ...]:
        """The last attempt of each run: the one that counts."""
        return tuple({each.item: each for each in self.runs}.values())

    @property
    def primary(self) -> str | None:
        """The measure that warnings and plots are about."""
        return self.statistics.primary if self.statistics else None
