"""Accept what is to be analysed: rows and places in the queue are one transaction, and what is known is not done again."""

import asyncio
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING, Any, TypeAlias

import sqlalchemy as sa

from trimtab.builds import Kind, Named, new_id
from trimtab.catalog import AnalysisKind, analyses, submitted_builds
from trimtab.workflows.analysing import Analysing
from trimtab.workflows.parts import Accepted, ImagePart, LogPart, Order, Terms, order
from trimtab.workflows.recording import Recording
from trimtab.workflows.worker import Worker

if TYPE_CHECKING:
    from trimtab.workflows.queue import Queue

__all__ = ["Accepting", "Describe"]

Describe: TypeAlias = Callable[
    [str, Mapping[str, Accepted], str | None], tuple[dict[str, Any], dict[str, Any]]
]
IDS = {"base_image": "base_id", "output_image": "output_id", "build_log": "log_id"}


class _BeforeError(Exception):
    """Another submission with the same key was a moment earlier."""


class Accepting:
    """Where analyses and builds are accepted.

    Args:
        worker: Of this process.
        analysing: Makes analyses.
        recording: Records builds.
    """

    def __init__(self, worker: Worker, analysing: Analysing, recording: Recording) -> None:
        self._worker, self._place = worker, worker.place
        self._analysing, self._recording = analysing, recording

    async def image(self, part: ImagePart, terms: Terms) -> Accepted:
        """Accept an image.

        Raises:
            CatalogError, StoreError: Database or store cannot be used.
        """
        return await asyncio.to_thread(self._image, part, terms)

    async def build(
        self,
        parts: Mapping[str, ImagePart | LogPart],
        terms: Terms,
        describe: Describe,
        *,
        idempotency: str | None = None,
    ) -> dict[str, Any]:
        """Accept a build.

        Args:
            parts: Those that can be analysed, by `base_image`, `output_image`, `build_log`.
            terms: Of all of them.
            describe: Of the build's id, of what was accepted by part, and of the log's name makes the document that is stored,
                and the answer.
            idempotency: The key by which the same owner submits once.

        Returns:
            The answer: that to the first, if the owner submitted with the same key before.

        Raises:
            CatalogError, StoreError: Database or store cannot be used.
        """
        return await asyncio.to_thread(self._build, parts, terms, describe, idempotency)

    async def before(self, owner: str, idempotency: str) -> dict[str, Any] | None:
        """The answer that an owner was given to what was submitted with a key; None: nothing was."""
        return await asyncio.to_thread(self._before, owner, idempotency)

    def _before(self, owner: str, idempotency: str) -> dict[str, Any] | None:
        with self._place.database.read() as connection:
            row = submitted_builds.by_key(connection, self._place.deployment, owner, idempotency)
        return None if row is None else dict(row["answer"])

    def _image(self, part: ImagePart, terms: Terms) -> Accepted:
        queue, found = self._worker.queue(), order(self._place, part, terms)
        with self._place.database.write() as connection:
            return self._put(connection, queue, found, terms)

    def _build(
        self,
        parts: Mapping[str, ImagePart | LogPart],
        terms: Terms,
        describe: Describe,
        idempotency: str | None,
    ) -> dict[str, Any]:
        queue, build_id = self._worker.queue(), new_id(Kind.BUILD)
        terms = replace(terms, metadata={**terms.metadata, "build_analysis_job_id": build_id})
        found = {name: order(self._place, part, terms) for name, part in parts.items()}
        log = found["build_log"].digest if "build_log" in found else None
        with suppress(_BeforeError), self._place.database.write() as connection:
            if idempotency is not None and (
                before := submitted_builds.by_key(
                    connection, self._place.deployment, terms.owner, idempotency
                )
            ):
                return dict(before["answer"])
            # In one order for all: two builds of the same two images would else wait for each other for ever.
            ordered = sorted(found.items(), key=lambda part: part[1].key or "")
            accepted = {name: self._put(connection, queue, each, terms) for name, each in ordered}
            self._link(connection, found, accepted, log)
            document, answer = describe(build_id, accepted, log)
            row = {
                "id": build_id,
                "deployment": self._place.deployment,
                "owner": terms.owner,
                "idempotency": idempotency,
                **dict.fromkeys(IDS.values()),
                **{IDS[name]: each.id for name, each in accepted.items()},
                "document": document,
                "answer": answer,
                "created_at": time.time(),
            }
            if not submitted_builds.add(connection, row):
                raise _BeforeError
            queue.put(connection, self._recording.name, self._recording.line, build_id)
            return answer
        assert idempotency is not None
        return self._before(terms.owner, idempotency) or {}

    @staticmethod
    def _link(
        connection: sa.Connection,
        found: Mapping[str, Order],
        accepted: Mapping[str, Accepted],
        log: str | None,
    ) -> None:
        """Each document names the other parts of the build that it was made for, as the original's do."""
        told: dict[str, Any] = {
            f"{name}_analysis_id": each.id for name, each in accepted.items() if name != "build_log"
        }
        if log is not None:
            told["buildlog_document_id"] = log
        for name, each in accepted.items():
            if not each.cached:
                metadata = {**found[name].request["metadata"], **told}
                analyses.ask(connection, each.id, {**found[name].request, "metadata": metadata})

    def _put(self, connection: sa.Connection, queue: "Queue", found: Order, terms: Terms) -> Accepted:
        if found.stored is not None:
            return Accepted(found.stored, cached=True)
        deployment = self._place.deployment
        if terms.force and found.key is not None:
            analyses.supersede(connection, deployment, terms.owner, found.key)
        name = new_id(Kind.IMAGE if found.kind is AnalysisKind.IMAGE else Kind.LOG)
        row = {
            "id": name,
            "kind": found.kind.value,
            "deployment": deployment,
            "owner": terms.owner,
            "cache_key": found.key,
            "digest": found.digest,
            "request": found.request,
            "credentials": found.credentials,
            "holder": self._analysing.holder if found.credentials == "body" else None,
            "created_at": time.time(),
        }
        accepted = analyses.add(connection, row)
        if accepted == name:
            if found.secret is not None and not isinstance(found.secret, Named):
                # Before it is committed: it may be begun at once. If it is not, nobody will ever ask for it.
                self._analysing.keep(name, found.secret)
            queue.put(connection, self._analysing.name, self._analysing.line(found.kind), name)
        return Accepted(accepted, cached=accepted != name)
