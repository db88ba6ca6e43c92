"""What an engine is asked for, and what it answers: values without I/O."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Literal, TypeAlias

__all__ = [
    "Build",
    "BuildRequest",
    "Installer",
    "Lock",
    "LockKind",
    "Resources",
    "Run",
    "RunRequest",
]

LockKind: TypeAlias = Literal["pipfile", "requirements", "pylock", "uv"]
Installer: TypeAlias = Literal["uv", "micropipenv", "pipenv"]


@dataclass(frozen=True, slots=True)
class Resources:
    """What a build or a run may use, and where it may be placed. Request and limit are the same.

    Attributes:
        cpu: Cores; 0.5 is half the time of one.
        memory: Bytes; there is no swap on top.
        hardware: The processor that is wanted, by the keys of the specification (`cpu_family`, `cpu_model`,
            `physical_cpus`, `processor`) as text.
        gpus: How many GPUs.
        node_selector: Labels that a cluster's node must have.
        tolerations: Taints of a cluster's node that are accepted, as Kubernetes writes them.
    """

    cpu: float
    memory: int
    hardware: Mapping[str, str] = field(default_factory=dict)
    gpus: int = 0
    node_selector: Mapping[str, str] = field(default_factory=dict)
    tolerations: tuple[Mapping[str, object], ...] = ()


@dataclass(frozen=True, slots=True)
class Lock:
    """The locked stack under test.

    Attributes:
        kind: `pipfile` (Pipfile and Pipfile.lock), `requirements` (requirements.txt with hashes), `pylock`
            (pylock.toml, PEP 751) or `uv` (uv.lock and pyproject.toml).
        files: The content of each file by its name.
        installer: What installs it in an image. An engine without images uses uv for all.
    """

    kind: LockKind
    files: Mapping[str, bytes]
    installer: Installer = "uv"


@dataclass(frozen=True, slots=True)
class BuildRequest:
    """One build.

    Attributes:
        id: The inspection's id: letters, digits, dashes; what is made carries it as a label.
        context: Directory with a `Containerfile` and all files it copies.
        base: The image to start from.
        resources: What the build may use.
        timeout: Seconds the build may take; None: for ever.
        running: What each run will use, so that what cannot be had is refused before anything is built; None: nothing is run.
        lock: The stack, for an engine that has no use for a Containerfile; so are the fields below.
        packages: Packages of the operating system.
        python_packages: Requirements that are installed before the lock.
        environment: Variables of the build and of each run.
        files: Path in the image, and where the content is.
        script: The program that is run; None: the build is all.
        python_version: The Python the lock was made for, as `X.Y`.
        update: Whether the operating system's packages are brought up to date first.
        upgrade_pip: Whether pip is.
        best_effort: Leave out what the engine cannot do, and list it, rather than refuse.
    """

    id: str
    context: Path
    base: str
    resources: Resources
    timeout: float | None = None
    running: Resources | None = None
    lock: Lock | None = None
    packages: tuple[str, ...] = ()
    python_packages: tuple[str, ...] = ()
    environment: Mapping[str, str] = field(default_factory=dict)
    files: tuple[tuple[str, Path], ...] = ()
    script: Path | None = None
    python_version: str | None = None
    update: bool = False
    upgrade_pip: bool = False
    best_effort: bool = False


@dataclass(frozen=True, slots=True)
class Build:
    """What was built. It can be kept as JSON between the build and its runs, also by another process.

    Attributes:
        reference: What a run starts from: an image's id, a directory.
        digest: Content digest of what was built, `sha256:…`; None if the engine has none.
        left_out: What the engine did not do, in plain words.
        log: File with the build's log.
        seconds: How long it took.
        cached: Whether nothing had to be done anew.
        environment: Variables each run starts with.
        size: Bytes of what was built: of the environment, or of the image with its base; None if the engine does not tell.
    """

    reference: str
    digest: str | None
    left_out: tuple[str, ...]
    log: Path
    seconds: float
    cached: bool
    environment: Mapping[str, str] = field(default_factory=dict)
    size: int | None = None


@dataclass(frozen=True, slots=True)
class RunRequest:
    """One run of a build.

    Attributes:
        id: The inspection's id.
        item: Which of the batch, from 0.
        build: What is run.
        resources: What the run may use.
        timeout: Seconds it may take; None: for ever.
        network: Whether it may speak to others.
        output: An empty directory of this machine. The run sees it as `/home/amun/results/<item>`; what is
            left there stays.
        environment: Variables that are added for this run.
        reuse: Run in the place of the inspection's run before, which was kept for it, where the engine can:
            it saves the start, and what one run leaves behind the next one sees. `clean` ends such a place.
    """

    id: str
    item: int
    build: Build
    resources: Resources
    timeout: float | None
    network: bool
    output: Path
    environment: Mapping[str, str] = field(default_factory=dict)
    reuse: bool = False


@dataclass(frozen=True, slots=True)
class Run:
    """How a run ended.

    Attributes:
        exit_code: Of the run's first process; None if a signal ended it, or nobody knows.
        signal: Number of the signal that ended it.
        oom_killed: Whether the memory limit did.
        timed_out: Whether the time limit did.
        lost: Why the infrastructure lost it; None: it was not lost.
        started: When, in UTC.
        ended: When, in UTC.
        log: File with what the run printed, bounded in size.
        notes: What was not as asked, in plain words: a limit that could not be enforced, output cut off.
    """

    exit_code: int | None
    signal: int | None
    oom_killed: bool
    timed_out: bool
    lost: str | None
    started: datetime
    ended: datetime
    log: Path
    notes: tuple[str, ...] = ()
