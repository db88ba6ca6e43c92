"""Which engine: the one that is named, or the best that is there."""

from collections.abc import Sequence
from pathlib import Path

from trimtab.engines.container import ContainerEngine, ContainerSettings
from trimtab.engines.engine import Capabilities, Engine
from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.process import ProcessEngine, ProcessSettings

__all__ = ["CHOICES", "choose"]

CHOICES: dict[str, tuple[str, ...]] = {
    "auto": ("podman", "docker", "process"),
    "container": ("podman", "docker"),
    "podman": ("podman",),
    "docker": ("docker",),
    "process": ("process",),
    "kubernetes": ("kubernetes",),
}
"""What may be named, and the engines that are tried for it, in order."""


async def choose(
    name: str,
    state: Path,
    *,
    container: ContainerSettings | None = None,
    process: ProcessSettings | None = None,
    allowed: Sequence[str] = ("podman", "docker", "process", "kubernetes"),
) -> tuple[Engine, Capabilities]:
    """Find an engine that can be used here.

    Args:
        name: One of `CHOICES`.
        state: Directory for what engines keep; each has its own below it.
        container: Settings of container engines.
        process: Settings of the process engine.
        allowed: The engines that may be used: a server does not offer `process` unless it was told to.

    Returns:
        The engine, and what it enforces here.

    Raises:
        EngineUnavailableError: There is none; the message says why each is not.
    """
    if name not in CHOICES:
        raise EngineUnavailableError(f"there is no engine {name[:100]!r}; name one of {', '.join(CHOICES)}")
    problems = []
    for candidate in CHOICES[name]:
        if candidate not in allowed:
            problems.append(f"the engine {candidate} is not allowed here")
            continue
        try:
            engine = _make(candidate, state / candidate, container, process)
            return engine, await engine.prepare()
        except EngineUnavailableError as error:
            problems.append(str(error))
    raise EngineUnavailableError("; ".join(problems))


def _make(
    name: str, state: Path, container: ContainerSettings | None, process: ProcessSettings | None
) -> Engine:
    match name:
        case "podman":
            return ContainerEngine("podman", state, container)
        case "docker":
            return ContainerEngine("docker", state, container)
        case "kubernetes":
            # Settings and a client that other engines have no use for.
            from trimtab.engines.kubernetes import KubernetesEngine, KubernetesSettings

            return KubernetesEngine(state, KubernetesSettings.of_this_process())
        case _:
            return ProcessEngine(state, process)
