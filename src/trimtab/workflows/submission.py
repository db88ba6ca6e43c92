"""What was accepted: a value that outlives the process which accepted it."""

import os
import time
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from typing import Any, Self

from trimtab.inspection import Specification, inspection_id

__all__ = ["Submission"]


@dataclass(frozen=True, slots=True)
class Submission:
    """One inspection as it was accepted.

    Attributes:
        id: The inspection's id.
        specification: The document, with the defaults and the `@` keys.
        engine: Name of the engine that was found for it; it is the same after a kill.
        best_effort: Whether what the engine cannot do is left out.
        owner: Who asked.
        created: When, in seconds since 1970.
    """

    id: str
    specification: Mapping[str, Any]
    engine: str
    best_effort: bool = False
    owner: str = ""
    created: float = field(default_factory=time.time)

    @classmethod
    def of(
        cls,
        specification: Specification,
        engine: str,
        *,
        deployment: str,
        best_effort: bool = False,
        owner: str = "",
    ) -> Self:
        """Accept a specification, under a new id; where the API is reached is told by THOTH_AMUN_API_URL, as it was."""
        from importlib.metadata import version

        url = os.environ.get("THOTH_AMUN_API_URL") or None
        accepted = specification.accepted(version=version("trimtab"), api_url=url, deployment=deployment)
        name = inspection_id(specification.identifier)
        return cls(name, accepted.document(), engine, best_effort, owner)

    @classmethod
    def load(cls, document: Mapping[str, Any]) -> Self:
        """Read what `document` wrote."""
        return cls(**document)

    def document(self) -> dict[str, Any]:
        """As JSON has it."""
        return asdict(self)
