"""The arguments of a run: what it may use, and what is kept from it."""

import resource
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.container.client import OURS, Flavour
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.home import HOME
from trimtab.engines.request import Resources

__all__ = ["Confinement", "exec_arguments", "run_arguments", "ulimits"]

_OPEN_FILES = 65536
_PROCESSES = 4096


@dataclass(frozen=True, slots=True)
class Confinement:
    """Within which limits a container runs.

    Attributes:
        flavour: Which engine.
        settings: Limits that no request names.
        resources: Those of the request.
        network: Whether it may speak to others.
        volume: podman's volume with the image's home.
        lifetime: Seconds after which podman ends it, should nobody else have done so.
    """

    flavour: Flavour
    settings: ContainerSettings
    resources: Resources
    network: bool
    volume: str
    lifetime: float | None = None

    def options(self) -> list[str]:
        """Options of `run` for either engine."""
        return [
            *self._resources(), *self._isolation(), *self._files(),
            *(self._of_podman() if self.flavour == "podman" else ["--pull", "never"]),
        ]  # fmt: skip

    def _resources(self) -> list[str]:
        memory = str(self.resources.memory)
        return [
            "--cpus", f"{self.resources.cpu:.3f}",
            "--memory", memory, "--memory-swap", memory,  # both together: so there is no swap
            "--pids-limit", str(self.settings.pids),
            *ulimits(self.settings),
            *self._gpus(),
        ]  # fmt: skip

    def _gpus(self) -> list[str]:
        count = self.resources.gpus
        if self.flavour == "docker":
            return ["--gpus", str(count)] if count else []
        return [part for number in range(count) for part in ("--device", f"nvidia.com/gpu={number}")]

    def _isolation(self) -> list[str]:
        return [
            *([] if self.network else ["--network", "none"]),
            "--read-only",
            "--cap-drop", "ALL",
            "--security-opt", "no-new-privileges",
            "--user", self.settings.user,
            "--log-driver", "none",  # what it prints comes to us, and is bounded here
            "--stop-signal", "TERM",
        ]  # fmt: skip

    def _files(self) -> list[str]:
        size, common = self.settings.temporary, "rw,nosuid,nodev,mode=1777"
        # Overlaid by podman: what is in the image's home is visible, what a run writes is its own. Docker has no such
        # thing, and copies the home to a volume of the run.
        home = f"{self.volume}:{HOME}:O" if self.flavour == "podman" else HOME
        return [
            "--tmpfs", f"/tmp:{common},size={size}",  # noqa: S108 - the container's own
            "--tmpfs", f"/var/tmp:{common},size={size}",  # noqa: S108 - the same
            "--tmpfs", f"/run:{common},size={16 * 1024 * 1024}",
            "--volume", home,
            "--workdir", HOME,
            "--env", f"HOME={HOME}",
        ]  # fmt: skip

    def _of_podman(self) -> list[str]:
        lifetime = [] if self.lifetime is None else ["--timeout", str(max(1, round(self.lifetime)))]
        return ["--pull", "never", "--read-only-tmpfs=false", "--http-proxy=false", "--replace", *lifetime]


def ulimits(settings: ContainerSettings) -> list[str]:
    """Options that limit each process. Once one is named, podman forgets those of its configuration: so all are.

    None exceeds our own, which a process without CAP_SYS_RESOURCE could not raise.

    Args:
        settings: Has the size of a file.
    """
    wanted = {
        "core": 0,
        "fsize": settings.disk,
        "nofile": _at_most(resource.RLIMIT_NOFILE, _OPEN_FILES),
        "nproc": _at_most(resource.RLIMIT_NPROC, _PROCESSES),
    }
    return [part for name, value in wanted.items() for part in ("--ulimit", f"{name}={value}:{value}")]


def run_arguments(
    confinement: Confinement,
    *,
    name: str,
    labels: list[str],
    cidfile: Path,
    mounts: Mapping[str, Path],
    environment: Mapping[str, str],
    image: str,
    command: tuple[str, ...] = (),
    detached: bool = False,
) -> list[str]:
    """The arguments of `podman run` or `docker run`.

    Args:
        confinement: Its limits.
        name: Of the container.
        labels: Options that label it.
        cidfile: Takes its id.
        mounts: Directories of this machine by their path in the container, writable.
        environment: Variables that are added to the image's; the program must have those that are `OURS` in its own environment.
        image: Its id.
        command: Entry point and arguments instead of the image's.
        detached: Return as soon as it runs.
    """
    volumes = [part for target, source in mounts.items() for part in ("--volume", f"{source}:{target}:rw,Z")]
    entry = ["--entrypoint", command[0]] if command else []
    return [
        "run", *(["--detach"] if detached else []), "--name", name, "--cidfile", str(cidfile), *labels,
        *confinement.options(), *volumes, *_variables(environment), *entry, image, *command[1:],
    ]  # fmt: skip


def exec_arguments(container: str, environment: Mapping[str, str], command: tuple[str, ...]) -> list[str]:
    """The arguments of `podman exec` or `docker exec`: a further run in a container that is there.

    Args:
        container: Its name.
        environment: Variables that are added; the program must have those that are `OURS` in its own environment.
        command: What is run.
    """
    return ["exec", "--workdir", HOME, *_variables(environment), container, *command]


def _variables(environment: Mapping[str, str]) -> list[str]:
    """Ours by name alone, for they may be secrets, and everybody on the machine can read arguments."""
    return [
        part
        for name, value in environment.items()
        for part in ("--env", name if name.startswith(OURS) else f"{name}={value}")
    ]


def _at_most(kind: int, wanted: int) -> int:
    _, hard = resource.getrlimit(kind)
    return wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
