"""Something in the store that is not as it should be."""

from dataclasses import dataclass
from typing import Literal

__all__ = ["Finding"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that is not as it should be.

    Args:
        kind: `torn`: it is not what was written; `missing`: it should be there; `orphaned`: nobody will ever need it.
        key: Of the object, or of the folder.
        problem: What is wrong.
        remedy: What to do.
    """

    kind: Literal["torn", "missing", "orphaned"]
    key: str
    problem: str
    remedy: str
