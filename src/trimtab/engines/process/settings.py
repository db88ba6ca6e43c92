"""What can be set of the process engine."""

from dataclasses import dataclass
from pathlib import Path

__all__ = ["ProcessSettings"]

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """Limits that no request names.

    Attributes:
        python: The Python of runs; None: this process's, or one of the version that a request names.
        sandbox: Whether bubblewrap is used where it works.
        groups: Whether control groups are used where they can be made.
        cache_limit: Bytes of environments that are kept, and of uv's cache besides.
        compile: Whether an environment's modules are compiled at its build, as pip does, not at each run.
        pids: Processes and threads of a run.
        disk: Bytes a run may write to its home and its output together.
        file_size: Bytes of a single file.
        slack: Seconds over the time limit that a run's wrapper has to end its script by itself and report.
        grace: Seconds after that between the request to end and the kill.
        log_limit: Bytes that are kept of a log.
    """

    python: Path | None = None
    sandbox: bool = True
    groups: bool = True
    cache_limit: int = 10 * GIB
    compile: bool = True
    pids: int = 1024
    disk: int = 10 * GIB
    file_size: int = 10 * GIB
    slack: float = 5.0
    grace: float = 5.0
    log_limit: int = 16 * 1024 * 1024
