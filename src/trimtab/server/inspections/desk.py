"""Take specifications in."""

import os
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from trimtab.inspection import Defaults, Specification
from trimtab.server.caller import Caller
from trimtab.server.script import Scripts
from trimtab.workflows import Inspecting, Submission

__all__ = ["Desk"]

SOURCE = "@script_url"
"""The key under which a specification keeps where its script came from."""


@dataclass(frozen=True)
class Desk:
    """Accepts what callers submit.

    Args:
        inspecting: Who makes it.
        deployment: Whose store it goes to.
        scripts: Fetches scripts.
    """

    inspecting: Inspecting
    deployment: str
    scripts: Scripts = field(default_factory=Scripts)

    def read(self, body: bytes) -> Specification:
        """A specification, as it came.

        Raises:
            SpecificationError: It is none.
        """
        return Specification.parse(body, defaults=Defaults.of(os.environ))

    async def accept(
        self,
        specification: Specification,
        caller: Caller,
        *,
        best_effort: bool = False,
        idempotency: str | None = None,
    ) -> dict[str, Any]:
        """Accept an inspection; its script is fetched first.

        Args:
            specification: What is asked for.
            caller: Who asks.
            best_effort: Leave out what the engine cannot do.
            idempotency: The key by which a caller that asks twice asks once.

        Returns:
            The answer: its id, and what it was accepted with.

        Raises:
            ScriptError: The script cannot be had.
            SpecificationError: What was had is no script.
            EngineUnavailableError: There is no engine for it.
            UnavailableError: Database or store cannot be used.
        """
        whole = await self.with_script(specification)
        submission = Submission.of(
            whole,
            self.inspecting.engine,
            deployment=self.deployment,
            best_effort=best_effort,
            owner=caller.name,
        )
        accepted = await self.inspecting.submit(submission, idempotency=idempotency)
        return {"inspection_id": accepted, "parameters": submission.specification}

    async def with_script(self, specification: Specification) -> Specification:
        """The specification with its script instead of the URL of it.

        Raises:
            ScriptError: The script cannot be had.
            SpecificationError: What was had is no script.
        """
        url = specification.script_url
        if url is None:
            return specification
        script = await self.scripts.fetch(url)
        return Specification.load({**specification.document(), "script": script, SOURCE: _place(url)})


def _place(url: str) -> str:
    """A URL without its query, in which there may be a signature that opens more than this."""
    return urlsplit(url)._replace(query="", fragment="").geturl()
