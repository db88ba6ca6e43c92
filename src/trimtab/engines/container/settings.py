"""What can be set of a container engine."""

from collections.abc import Mapping
from dataclasses import dataclass, field

__all__ = ["ContainerSettings"]

GIB = 1024**3


@dataclass(frozen=True, slots=True)
class ContainerSettings:
    """Limits that no request names.

    Attributes:
        program: Path of the engine's command; None: found by its name.
        environment: Variables for the command, added to this process's: `DOCKER_HOST`, `CONTAINERS_CONF`.
        build_network: Network of a build, as `--network` takes it; None: the engine's default. `host` lets what a
            build runs reach services that listen on this machine only.
        user: Who a run is, as `uid:gid`.
        pids: Processes and threads of a run.
        disk: Bytes a run may write to disk: to its home and its output together.
        temporary: Size of `/tmp` in bytes. It is memory, and counts as such.
        slack: Seconds over the time limit that a run's wrapper has to end its script by itself and report.
        grace: Seconds after that between the request to end and the kill.
        log_limit: Bytes that are kept of a log.
    """

    program: str | None = None
    environment: Mapping[str, str] = field(default_factory=dict)
    build_network: str | None = None
    user: str = "1042:0"
    pids: int = 1024
    disk: int = 10 * GIB
    temporary: int = GIB
    slack: float = 5.0
    grace: float = 5.0
    log_limit: int = 16 * 1024 * 1024
