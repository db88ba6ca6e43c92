"""What a recogniser of one tool's lines is, and what it is given."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from typing import Any, ClassVar, Final, TypeVar

from trimtab.buildlogs.classes import FailureClass
from trimtab.buildlogs.findings import INSTALLER, Error, Findings, Install, Progress, Step
from trimtab.buildlogs.names import normalised, requirement

__all__ = ["AFTER", "BEFORE", "Channel", "Line", "Recogniser", "Sign", "sign"]

BEFORE: Final = 2
AFTER: Final = 9
_MESSAGE: Final = 500
_WAITING: Final = 50
_ASKED: Final = re.compile(r"/simple/([A-Za-z0-9][\w.-]*)/")
"""The package whose page of an index is asked for."""
_NOT_TO_BE_HAD: Final = frozenset({FailureClass.NO_VERSION, FailureClass.NO_PACKAGE})


@dataclass(frozen=True, slots=True)
class Sign:
    """A line that says why something failed.

    Attributes:
        failure: The class.
        triggers: Texts of which it holds at least one: those that hold none are not looked at.
        pattern: What it looks like; groups `package`, `version` and `requirement` are taken.
        level: What failed with it; None where that is for others to say.
        passing: Whether it is a warning that alone fails nothing, such as a retry.
    """

    failure: FailureClass
    triggers: tuple[str, ...]
    pattern: re.Pattern[str]
    level: int | None = INSTALLER
    passing: bool = False


def sign(
    failure: FailureClass,
    triggers: str | tuple[str, ...],
    pattern: str | None = None,
    *,
    level: int | None = INSTALLER,
    passing: bool = False,
) -> Sign:
    """A sign; without a pattern the trigger alone is it."""
    texts = (triggers,) if isinstance(triggers, str) else triggers
    return Sign(failure, texts, re.compile(pattern or "|".join(map(re.escape, texts))), level, passing)


@dataclass(slots=True)
class Line:
    """A line, as its recognisers see it: without its prefix, and without the blanks around it."""

    text: str
    number: int
    time: str = ""
    offset: float | None = None


@dataclass(slots=True)
class Channel:
    """One of several writers of a log, and how far it is.

    Attributes:
        name: What its lines were prefixed with.
        entry: The package that is being collected: its log gets the lines.
        pending: Packages collected and not yet installed, by normalised name.
        capture: Takes every line whole while it is set, and says whether it wants more.
        step: The step of the build it is in.
        installer: How far its installers came; builders and pushes are the whole log's.
        ended: Number of the line that ended the entry and still belongs to it.
    """

    name: str
    findings: Findings
    entry: Install | None = None
    pending: dict[str, Install] = field(default_factory=dict)
    capture: Callable[[str, int], bool] | None = None
    step: Step | None = None
    ended: int = 0
    package: tuple[str, str | None] | None = None
    tail: deque[str] = field(default_factory=lambda: deque(maxlen=BEFORE))
    waiting: list[Error] = field(default_factory=list)
    installer: Progress = field(default_factory=Progress)
    errors: list[Error] = field(default_factory=list)
    recognisers: dict[type, Any] = field(default_factory=dict)
    causes: set[str] = field(default_factory=set)

    def of(self, kind: "type[R]") -> "R":
        """The recogniser of that kind, made when it is first wanted."""
        found: R | None = self.recognisers.get(kind)
        if found is None:
            found = self.recognisers[kind] = kind(self)
        return found

    # -- packages ----------------------------------------------------------------------------------------------------

    def collect(self, name: str, version: str | None, number: int) -> Install:
        """A package is being installed from here on."""
        self.entry = self.findings.add(self.findings.installs, Install(name, version, number))
        if len(self.pending) < _WAITING * 100:
            self.pending[normalised(name)] = self.entry
        self.package = (name, version)
        self.installer.begun = number
        return self.entry

    def installed(self, name: str, version: str | None, number: int) -> None:
        """It is there now."""
        entry = self.pending.pop(normalised(name), None)
        if entry is None:
            entry = self.findings.add(self.findings.installs, Install(name, version, number))
        entry.version, entry.successful = version or entry.version, True

    def not_installed(self, name: str, version: str | None, number: int) -> None:
        """It could not be installed."""
        entry = self.pending.get(normalised(name))
        if entry is None:
            entry = self.pending[normalised(name)] = self.findings.add(
                self.findings.installs, Install(name, version, number)
            )
        entry.version, entry.successful = entry.version or version, False

    def succeeded(self, names: set[str], line: Line) -> None:
        """An installer is done: what was said of these before, and of nothing in particular, was not in the way."""
        self.installer.succeeded = line.number
        for error in self.open_errors():
            if error.passing or error.package is None or normalised(error.package) in names:
                error.recovered = True
        self.close(line)
        self.package = None

    def close(self, line: Line, *, inclusive: bool = True) -> None:
        """No package is being collected any more; the line belongs to it or not."""
        self.entry = None
        self.ended = line.number if inclusive else 0

    # -- errors ------------------------------------------------------------------------------------------------------

    def fail(
        self,
        failure: FailureClass,
        line: Line,
        *,
        package: str | None = None,
        version: str | None = None,
        passing: bool = False,
        message: str = "",
    ) -> None:
        """Note an error. Which package it is of is guessed from what is being worked on, if the line does not say."""
        if package is None and self.package is not None and failure is not FailureClass.CONFLICT:
            package, version = self.package
        elif package and version is None:
            version = self._version(package)
        error = Error(
            failure, package, version, (message or line.text)[:_MESSAGE], line.number,
            step=self.step.number if self.step else None, channel=self.name, passing=passing,
        )  # fmt: skip
        if not self.findings.error(error):
            return
        error.excerpt = [*(each[:_MESSAGE] for each in self.tail), line.text[:_MESSAGE]]
        self.errors.append(error)
        if package and failure not in _NOT_TO_BE_HAD:
            self.causes.add(normalised(package))
        if len(self.waiting) < _WAITING:
            self.waiting.append(error)

    def _version(self, package: str) -> str | None:
        entry = self.pending.get(normalised(package))
        return entry.version if entry else None

    def open_errors(self) -> list[Error]:
        """What nothing recovered from so far."""
        self.errors = [each for each in self.errors if not each.recovered]
        return self.errors

    def recover(self) -> None:
        """What failed so far was not in the way of going on."""
        for error in self.open_errors():
            error.recovered = True

    def follow(self, text: str, number: int) -> None:
        """A line goes into the excerpts of the errors before it."""
        full = False
        for error in self.waiting:
            if error.line != number:
                error.excerpt.append(text[:_MESSAGE])
                full = full or len(error.excerpt) > BEFORE + AFTER
        if full:
            self.waiting = [each for each in self.waiting if len(each.excerpt) <= BEFORE + AFTER]

    def sign(self, found: Sign, line: Line, levels: AbstractSet[int | None]) -> None:
        """A sign was seen; these failed with it."""
        match = found.pattern.search(line.text)
        if not match:
            return
        groups = match.groupdict()
        package, version = groups.get("package"), groups.get("version")
        if wanted := groups.get("requirement"):
            package, _, version = requirement(wanted)
        if not package and found.passing and (asked := _ASKED.search(line.text)):
            package = asked[1]
        if not self._consequence(found.failure, package):
            self.fail(found.failure, line, package=package or None, version=version, passing=found.passing)
        if not found.passing:
            for level in levels:
                self._failed(level, found, package, version, line)

    def _failed(
        self, level: int | None, found: Sign, package: str | None, version: str | None, line: Line
    ) -> None:
        if level is None:
            return
        progress = self.installer if level == INSTALLER else self.findings.progress[level]
        progress.failed = line.number
        if level == INSTALLER and found.failure is not FailureClass.SYSTEM_PACKAGE:
            self._not_installed(package, version, found.failure, line)

    def _consequence(self, failure: FailureClass, package: str | None) -> bool:
        """Whether that there is no such package or version is only what an installer makes of an error before.

        One that could not be built, or asked for, is not to be had, and that is all that pip then says of it.
        """
        if failure not in _NOT_TO_BE_HAD or not package:
            return False
        name = normalised(package)
        if name not in self.causes:
            return False
        found = any(
            not each.recovered
            and each.package
            and each.failure not in _NOT_TO_BE_HAD
            and normalised(each.package) == name
            for each in self.errors
        )
        if not found:
            self.causes.discard(name)
        return found

    def _not_installed(
        self, package: str | None, version: str | None, failure: FailureClass, line: Line
    ) -> None:
        if package:
            self.not_installed(package, version, line.number)
        elif (
            self.package
            and failure is not FailureClass.CONFLICT
            and normalised(self.package[0]) in self.pending
        ):
            self.not_installed(*self.package, line.number)


R = TypeVar("R", bound="Recogniser")


class Recogniser:
    """Recognises the lines of one tool in one channel: a small state machine.

    `starts` names the method for lines that begin so (up to a whole word at least), `marks` by one character, `finds` for lines that hold such a
    text, `signs` are the failures it knows.
    A method gets the line; what it finds it puts into the findings.
    """

    tool: ClassVar[str] = ""
    starts: ClassVar[Mapping[str, str]] = {}
    marks: ClassVar[Mapping[str, str]] = {}
    finds: ClassVar[Mapping[str, str]] = {}
    signs: ClassVar[tuple[Sign, ...]] = ()

    def __init__(self, channel: Channel) -> None:
        self.channel = channel
        self.findings = channel.findings
