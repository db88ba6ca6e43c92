"""How what we make in a cluster is named, and known as ours."""

import hashlib
import re
import secrets
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

__all__ = ["CREATED", "ID", "INSPECTION", "ITEM", "NETWORK", "OWNER", "Labels"]

INSPECTION = "engine.trimtab/inspection"
"""Which inspection: a digest of its id, for a label takes no more than 63 characters."""
ID = "engine.trimtab/id"
"""Annotation: the inspection's id."""
OWNER = "engine.trimtab/owner"
"""Whose: several installations may share a namespace, and each removes its own."""
CREATED = "engine.trimtab/created"
"""Annotation: when, in seconds since 1970."""
ITEM = "engine.trimtab/item"
"""Which of a batch's runs; `build` of a build."""
NETWORK = "engine.trimtab/network"
"""`none`: its traffic is forbidden."""

_UNFIT = re.compile(r"[^a-z0-9]+")
_READABLE = 30


class Labels:
    """The labels and names of one installation.

    Args:
        state: The directory of its state, which remembers who it is: a pod that is started again with the same volume is
            the same one, and two with a path in common are not.
    """

    def __init__(self, state: Path) -> None:
        self.owner = _identity(state)

    def of(self, inspection: str, item: int | str | None = None, **more: str) -> dict[str, str]:
        """The labels of something that is made for an inspection."""
        item_label = {} if item is None else {ITEM: str(item)}
        return {INSPECTION: _digest(inspection), OWNER: self.owner, **item_label, **more}

    def metadata(self, name: str, inspection: str, item: int | str | None = None) -> dict[str, Any]:
        """The metadata of something that is made now for an inspection."""
        noted = {ID: inspection, CREATED: str(int(time.time()))}
        return {"name": name, "labels": self.of(inspection, item), "annotations": noted}

    def name(self, inspection: str) -> str:
        """The name of what all of an inspection belongs to: it can be read, and no two have the same."""
        readable = _UNFIT.sub("-", inspection.lower())[:_READABLE].strip("-")
        return f"trimtab-{readable}-{_digest(self.owner + inspection)[:8]}"

    def name_of(self, inspection: str, item: int | str) -> str:
        """The name of a Job, another one each time: what is deleted may take a while to go."""
        return f"{self.name(inspection)}-{item}-{secrets.token_hex(2)}"


def created(metadata: Mapping[str, Any]) -> float:
    """When something was made, by its annotation."""
    try:
        return float((metadata.get("annotations") or {})[CREATED])
    except (KeyError, ValueError):
        return 0.0


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:40]


def _identity(state: Path) -> str:
    path = state / "identity"
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    try:
        with path.open("x") as file:
            file.write(secrets.token_hex(8))
    except FileExistsError:
        pass
    return path.read_text().strip() or _digest(str(state.absolute()))[:16]
