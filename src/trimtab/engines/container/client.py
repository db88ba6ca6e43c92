"""The command of a container engine."""

import json
import os
import re
import shutil
from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.errors import EngineUnavailableError
from trimtab.engines.program import Answer, ask

__all__ = ["OURS", "Client", "Flavour"]

Flavour: TypeAlias = Literal["podman", "docker"]

_REMEDIES = {
    "podman": "mend podman's configuration (containers.conf), or choose another engine",
    "docker": "start the Docker engine, or name it by DOCKER_HOST, or choose another engine",
}
_GONE = re.compile(
    r"cannot connect to the docker daemon|error during connect|unexpected eof|is the docker daemon running"
    r"|unable to connect to podman|code = unavailable|transport is closing",
    re.IGNORECASE,
)
OURS = "TRIMTAB_"
"""How the names of our own variables begin, which mean nothing to podman and Docker."""


class Client:
    """Runs the command of podman or Docker.

    Args:
        flavour: Which of them.
        settings: Where it is, and with which environment.
    """

    def __init__(self, flavour: Flavour, settings: ContainerSettings) -> None:
        self.flavour: Flavour = flavour
        self._program = settings.program
        self.environment: Mapping[str, str] = {**os.environ, "DOCKER_BUILDKIT": "1", **settings.environment}

    def environment_with(self, variables: Mapping[str, str]) -> dict[str, str]:
        """The command's environment, and those of a run's variables that it hands on by name."""
        ours = {name: value for name, value in variables.items() if name.startswith(OURS)}
        return {**self.environment, **ours}

    @property
    def is_podman(self) -> bool:
        """Whether it is podman."""
        return self.flavour == "podman"

    @property
    def program(self) -> str:
        """Path of the command.

        Raises:
            EngineUnavailableError: There is none.
        """
        found = self._program or shutil.which(self.flavour)
        if not found:
            raise EngineUnavailableError(
                f"there is no {self.flavour} here; install it (on Debian and Ubuntu the packages are podman and docker.io), "
                "or choose another engine"
            )
        return found

    async def ask(self, *arguments: str, seconds: float = 60.0) -> Answer:
        """Run a short command, also one that fails.

        Raises:
            EngineUnavailableError: There is no such engine, or it does not answer.
        """
        try:
            answer = await ask([self.program, *arguments], environment=self.environment, seconds=seconds)
        except OSError as error:
            raise self.unavailable(str(error)) from error
        except TimeoutError:
            raise self.unavailable(f"it did not answer in {seconds:g} s") from None
        if answer.code and self.is_gone(answer.stderr):
            raise self.unavailable(answer.complaint)
        return answer

    async def check(self, *arguments: str, seconds: float = 60.0) -> str:
        """Run a short command that has to succeed, and return what it prints.

        Raises:
            EngineUnavailableError: There is no such engine, or it refuses.
        """
        answer = await self.ask(*arguments, seconds=seconds)
        if answer.code:
            raise self.unavailable(f"`{self.flavour} {arguments[0]}` failed: {answer.complaint}")
        return answer.stdout

    async def inspect(
        self, kind: Literal["container", "image", "volume"], name: str
    ) -> dict[str, Any] | None:
        """Describe an object; None, if there is none.

        Raises:
            EngineUnavailableError: The engine does not answer.
        """
        answer = await self.ask(kind, "inspect", name)
        if answer.code:
            return None
        found = json.loads(answer.stdout)
        return found[0] if found else None

    def unavailable(self, problem: str) -> EngineUnavailableError:
        """The error that says so, with the remedy."""
        return EngineUnavailableError(f"{self.flavour} cannot be used: {problem}; {_REMEDIES[self.flavour]}")

    @staticmethod
    def is_gone(text: str) -> bool:
        """Whether a message says that the engine went away."""
        return _GONE.search(text) is not None
