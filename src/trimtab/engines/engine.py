"""What every engine does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol, TypeAlias, runtime_checkable

from trimtab.engines.request import Build, BuildRequest, Run, RunRequest

__all__ = ["Capabilities", "Engine", "LogSink"]

LogSink: TypeAlias = Callable[[bytes], None]
"""Called on the event loop with each piece of output as it comes. It must not block; an exception of it ends the
operation as a cancellation would."""


@dataclass(frozen=True, slots=True)
class Capabilities:
    """What an engine is and does here.

    Attributes:
        name: Of the engine: `process`, `podman`, `docker`, `kubernetes`.
        version: Of what is behind it.
        images: Whether it builds from the base image.
        cpu: How the CPU limit of a run is enforced, in a word (`cgroup v1`, `affinity`); None: it is not.
        memory: The same of memory.
        pids: The same of the number of processes.
        network: The same of `network=False`.
        filesystem: The same of what a run may write to.
        gpus: Whether it can give GPUs to a run.
        warnings: What a user has to know, in plain words.
    """

    name: str
    version: str
    images: bool
    cpu: str | None
    memory: str | None
    pids: str | None
    network: str | None
    filesystem: str | None
    gpus: bool = False
    warnings: tuple[str, ...] = ()


@runtime_checkable
class Engine(Protocol):
    """Builds and runs. Every method may be cancelled, and has then left nothing behind that works on.

    What is made carries the inspection's id, so that `clean` and `expire` find it, also after a kill of this process.
    """

    @property
    def name(self) -> str:
        """`process`, `podman`, `docker`, `kubernetes`."""

    async def prepare(self) -> Capabilities:
        """Look what there is and what it enforces.

        Raises:
            EngineUnavailableError: It cannot be used here; the message has the remedy.
        """

    async def build(self, request: BuildRequest, log: LogSink) -> Build:
        """Build what runs start from.

        Args:
            request: What to build.
            log: Gets the build's log as it comes; the whole is in `Build.log`, next to the context.

        Raises:
            RefusedError: This engine cannot do what is asked.
            UnmetError: This machine has not what the build, or its runs, ask for.
            BuildFailedError: It was tried and failed.
            EngineLostError: The engine went away meanwhile.
            EngineUnavailableError: It cannot be used.
        """

    async def run(self, request: RunRequest, log: LogSink) -> Run:
        """Run it once.

        Args:
            request: What to run.
            log: Gets what the run prints as it comes; the whole is in `Run.log`, next to the output.

        Returns:
            How it ended; with `lost`, if the engine went away meanwhile.

        Raises:
            RefusedError: This engine cannot do what is asked.
            EngineUnavailableError: It cannot be used, or what was built is gone.
        """

    async def clean(self, id: str) -> None:  # noqa: A002 - the word of the interface
        """End and remove everything of an inspection, also what a killed process left; twice is once.

        Raises:
            EngineUnavailableError: It cannot be used.
        """

    async def expire(self, older_than: float) -> list[str]:
        """End and remove what is older, of any inspection that no living process of this machine works on.

        Args:
            older_than: Seconds.

        Returns:
            The ids of the inspections of which something was removed.

        Raises:
            EngineUnavailableError: It cannot be used.
        """
