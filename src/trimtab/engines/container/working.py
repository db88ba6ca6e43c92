"""The working containers that a killed `podman build` leaves: one a step, each with the step's files.

They carry no label. Those that stand on a layer of ours are ours; the first one stands on the base image, and is known
by that and by when our build began, which is in the directory that the build has left too.
"""

import json
import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from trimtab.engines.container.client import Client
from trimtab.engines.container.labels import LAYER, Labels

__all__ = ["BASE", "PREFIX", "remove_working_containers"]

PREFIX = "build-"
"""Of the directories of builds."""
BASE = "base"
"""File in such a directory with the base image's name, written when the build begins."""

_BEGINNING = 15.0


@dataclass(frozen=True, slots=True)
class _Beginning:
    base: str
    time: float

    def fits(self, container: dict[str, object]) -> bool:
        created = container.get("Created")
        late = float(created) - self.time if isinstance(created, int | float) else -_BEGINNING
        return container.get("Image") == self.base and -1 <= late <= _BEGINNING


async def remove_working_containers(client: Client, labels: Labels, state: Path) -> None:
    """Remove what killed builds have left; only to be called while no build of ours goes on.

    Args:
        client: podman.
        labels: What is ours.
        state: Has the directories of builds.
    """
    directories = _directories(state)
    if not directories:
        return
    beginnings = list(_beginnings(directories))
    own = ("--filter", f"label={LAYER}={labels.owner}")
    layers = (await client.ask("image", "ls", "--all", "--quiet", "--no-trunc", *own)).stdout.split()
    ours = {name.removeprefix("sha256:") for name in layers}
    listed = await client.ask("ps", "--all", "--external", "--format", "json")
    names = [
        str(container["Id"])
        for container in json.loads(listed.stdout or "[]")
        if str(container.get("State", "")).lower() == "storage"
        and (container.get("ImageID") in ours or any(beginning.fits(container) for beginning in beginnings))
    ]
    if names:
        await client.ask("rm", "--force", *names, seconds=300)
    for directory in directories:
        shutil.rmtree(directory, ignore_errors=True)


def _directories(state: Path) -> list[Path]:
    return list(state.glob(f"{PREFIX}*"))


def _beginnings(directories: list[Path]) -> Iterator[_Beginning]:
    for directory in directories:
        file = directory / BASE
        if file.exists():
            yield _Beginning(file.read_text(), file.stat().st_mtime)
