"""How what we make in a container engine is known as ours."""

import hashlib
import time
from pathlib import Path

__all__ = ["CREATED", "INSPECTION", "LAYER", "STATE", "Labels"]

INSPECTION = "trimtab.inspection"
"""The inspection's id."""
CREATED = "trimtab.created"
"""When, in seconds since 1970."""
STATE = "trimtab.state"
"""Whose: several installations may share one engine, and each removes its own."""
LAYER = "trimtab.layer"
"""Whose, on every layer of a build, also on those that no image is left of."""


class Labels:
    """The labels and names of one installation.

    Args:
        state: The directory of its state.
    """

    def __init__(self, state: Path) -> None:
        self.owner = hashlib.sha256(bytes(state.absolute())).hexdigest()[:16]

    def of(self, inspection: str) -> dict[str, str]:
        """The labels of something made now for an inspection."""
        return {INSPECTION: inspection, CREATED: str(int(time.time())), STATE: self.owner}

    def options(self, inspection: str) -> list[str]:
        """The same as options of a command line."""
        return [
            part for name, value in self.of(inspection).items() for part in ("--label", f"{name}={value}")
        ]

    def filter(self, inspection: str | None = None) -> list[str]:
        """The option that finds what may be ours, of one inspection or of all.

        One label only: of two, podman's list of images takes what has either.
        """
        wanted = f"{INSPECTION}={inspection}" if inspection else f"{STATE}={self.owner}"
        return ["--filter", f"label={wanted}"]

    def name(self, inspection: str, item: int | None = None) -> str:
        """The name of a run's container, or of what all runs share. Short, for it becomes a host name."""
        part = "" if item is None else f"-{item}"
        return f"trimtab-{self.owner[:6]}-{inspection}{part}"

    def tag(self, inspection: str) -> str:
        """The name of an inspection's image. What has none is taken by the first `image prune` of anybody."""
        return f"localhost/trimtab-{self.owner[:6]}:{inspection}"
