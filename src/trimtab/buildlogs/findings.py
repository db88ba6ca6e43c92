"""What was found in a log so far, within bounds."""

from dataclasses import dataclass, field
from typing import Any, Final, TypeVar

from trimtab.buildlogs.classes import FailureClass
from trimtab.buildlogs.names import normalised

__all__ = [
    "BUILDER",
    "INSTALLER",
    "PUSH",
    "Error",
    "Findings",
    "Install",
    "Progress",
    "Requirement",
    "Step",
    "SystemPackage",
]

INSTALLER, BUILDER, PUSH = range(3)
T = TypeVar("T")
ERRORS: Final = 1000
ENTRIES: Final = 20_000
LOG_SIZE: Final = 64 * 1024
LOGS_SIZE: Final = 16 * 1024 * 1024


@dataclass(slots=True)
class Error:
    """One thing that went wrong.

    Attributes:
        failure: Its class.
        package: Of which package, as it was written; None if that is not known.
        version: Its version, if known.
        message: The line that says so.
        line: Its number, from one.
        excerpt: What stands around it.
        step: Number of the step it was in.
        recovered: Whether it went well later: it is not why the build failed.
    """

    failure: FailureClass
    package: str | None
    version: str | None
    message: str
    line: int
    excerpt: list[str] = field(default_factory=list)
    step: str | None = None
    recovered: bool = False
    channel: str = ""
    passing: bool = False


@dataclass(slots=True)
class Install:
    """One try to install one package: what 5.2 of the reference calls an entry of `installation`."""

    name: str
    version: str | None
    line: int
    artifact: str | None = None
    size: str | None = None
    wheel: bool | None = None
    successful: bool | None = None
    log: list[str] = field(default_factory=list)
    logged: int = 0


@dataclass(slots=True)
class Requirement:
    """What pip collected or found there, or pipenv locked, with what asked for it: what the old handlers told."""

    name: str
    specifier: str | None
    chain: list[tuple[str, str | None]] | None
    satisfied: str | None = None
    artifact: tuple[str, str | None] | None = None
    installed: str | None = None


@dataclass(slots=True)
class Step:
    """A step of a build. `seconds` is None where the log has no times."""

    number: str
    instruction: str
    builder: str
    line: int
    total: int | None = None
    stage: str | None = None
    state: str = "begun"
    seconds: float | None = None
    exit_code: int | None = None
    began: str = ""


@dataclass(slots=True)
class SystemPackage:
    """A package of the operating system or of conda."""

    manager: str
    name: str
    version: str | None
    arch: str | None = None
    repository: str | None = None
    size: str | None = None
    epoch: int | None = None
    dependency: bool = False
    upgrading: bool = False


@dataclass(slots=True)
class Progress:
    """How far something came: the number of the line of its last beginning, success and failure; 0 for never."""

    begun: int = 0
    succeeded: int = 0
    failed: int = 0

    @property
    def successful(self) -> bool | None:
        """Whether what was begun last went well; None if that is not told."""
        if self.failed > self.succeeded:
            return False
        return True if self.succeeded and self.succeeded >= self.begun else None


class Findings:
    """Everything found. Lists stop growing at their bounds, and `truncated` says so."""

    def __init__(self) -> None:
        self.info: dict[str, Any] = {
            "adviser_run": False, "provenance_check_run": False, "thamos_version": None,
            "s2i_builder_image": None, "push_destination": None, "push_successful": False,
        }  # fmt: skip
        self.pipfile_lock: Any = None
        self.thoth_config: Any = None
        self.installs: list[Install] = []
        self.requirements: list[Requirement] = []
        self.candidates: dict[str, Requirement] = {}  # of pipenv's lock, by normalised name
        self.packages: list[SystemPackage] = []
        self.steps: list[Step] = []
        self.errors: list[Error] = []
        self.tools: dict[str, str | None] = {}
        self.exit_code: int | None = None
        self.truncated = False
        self.progress = {BUILDER: Progress(), PUSH: Progress()}
        self.installers: list[Progress] = []
        self._logged = 0
        self._known: dict[tuple[Any, ...], Error] = {}

    def tool(self, name: str, version: str | None = None) -> None:
        """Something of this tool was recognised."""
        if version or name not in self.tools:
            self.tools[name] = version or self.tools.get(name)

    def add(self, entries: list[T], entry: T) -> T:
        """Add it, if there is room; it can be written to in either case."""
        if len(entries) < ENTRIES:
            entries.append(entry)
        else:
            self.truncated = True
        return entry

    def candidate(self, name: str) -> Requirement:
        """What a lock has, or shall have, of a package: its rounds say it again and again."""
        key = normalised(name)
        found = self.candidates.get(key) or Requirement(name, None, None)
        if key in self.candidates or len(self.candidates) < ENTRIES:
            self.candidates[key] = found
        else:
            self.truncated = True
        return found

    def error(self, error: Error) -> bool:
        """Note it, unless the same was said before and holds; whether it was noted."""
        key = _key(error)
        before = self._known.get(key)
        if before is not None and not before.recovered:
            before.version = before.version or error.version
            before.passing = before.passing and error.passing
            return False
        if len(self.errors) >= ERRORS:
            self.truncated = True
            return False
        self._known[key] = error
        self.errors.append(error)
        return True

    def log(self, entry: Install, text: str) -> None:
        """A line of an entry's log."""
        size = len(text) + 1
        if entry.logged + size > LOG_SIZE or self._logged + size > LOGS_SIZE:
            self.truncated = True
            return
        entry.logged += size
        self._logged += size
        entry.log.append(text)

    @property
    def installer(self) -> Progress:
        """How far the installers of all came together: as far as that of them which came the least."""
        known = [each for each in self.installers if each.begun or each.succeeded or each.failed]
        order = {False: 0, None: 1, True: 2}
        return min(known, key=lambda each: (order[each.successful], -each.succeeded), default=Progress())

    @property
    def recognised(self) -> bool:
        """Whether anything was."""
        return bool(self.tools or self.errors or self.steps or self.pipfile_lock is not None)


def _key(error: Error) -> tuple[Any, ...]:
    """What makes two errors the same: installers say the same of a package in several lines."""
    failure = FailureClass.NO_VERSION if error.failure is FailureClass.NO_PACKAGE else error.failure
    if error.package is None or error.passing:
        return (failure, error.package, error.channel, error.message)
    return (failure, normalised(error.package), error.channel)
