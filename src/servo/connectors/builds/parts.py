"""Gets the parts of a build together; one that cannot be had never keeps the others."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncGenerator, Callable, Mapping
from contextlib import aclosing

from servo.connectors.builds.backend import Submission
from servo.connectors.builds.build import Build, Image, Missing, Part
from servo.connectors.builds.configuration import BuildsConfiguration
from servo.connectors.builds.copying import Registry, Skopeo
from servo.connectors.builds.credentials import token_file
from servo.connectors.builds.errors import JournalFullError, PartError, PassingError
from servo.connectors.builds.journal import Copy, Journal, records
from servo.connectors.builds.logs import Log, read_file
from servo.connectors.builds.metrics import Metrics
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.references import Reference, collision_free, original
from servo.connectors.builds.sources import Source
from servo.connectors.builds.spool import Spool
from servo.logging import logger

__all__ = ["Parts"]

COPIES = 2
_SPOOLED_MORE = 1024  # what a kept log may have beyond the limit: the line that says what was left out
_MAX_REASON = 500
_NOTHING = Secrets(patterns=False)
_ONLY_HERE = "it is only on the machine that built it; `copy_to` copies it to a registry"


class Parts:
    """Collects what is sent of builds.

    Args:
        config: What is wanted, and how registries are reached.
        journal: Where copies are written down.
        spool: Where logs wait.
        secrets: What is taken out of logs.
        sources: Who has the logs, by name.
        metrics: What counts.
        skopeo: What copies.
        clock: Seconds since 1970.
    """

    def __init__(
        self,
        config: BuildsConfiguration,
        journal: Journal,
        spool: Spool,
        *,
        secrets: Secrets,
        sources: Mapping[str, Source],
        metrics: Metrics,
        skopeo: Skopeo | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._config, self._journal, self._spool, self._secrets = config, journal, spool, secrets
        self._sources, self._metrics, self._clock = sources, metrics, clock
        to = config.copy_to
        self.skopeo = skopeo or Skopeo(
            to.skopeo if to else "skopeo", timeout=to.timeout.total_seconds() if to else 900
        )
        self._copying = asyncio.Semaphore(COPIES)
        # The log first: it is what may be gone the soonest.
        flags = {Part.log: config.build_log, Part.base: config.base_image, Part.output: config.output_image}
        self._wanted = [part for part, wanted in flags.items() if wanted]
        # A service account's token is read each time, for it may change.
        self._reached = None if config.pass_token else self.registries()

    async def collect(self, build: Build, *, patient: bool) -> Submission:
        """Return what can be sent of a build; its log has to be closed.

        Args:
            build: Which.
            patient: Whether a part that may be had later is waited for.

        Raises:
            PassingError: A part may be had later, and that is waited for.
        """
        submission = Submission(build.identity, build.described())
        known = {each.part: each.reason for each in build.missing}
        try:
            for part in self._wanted:
                try:
                    await self._add(submission, build, part, known)
                except PartError as error:
                    if patient and isinstance(error, PassingError):
                        raise
                    known[part] = str(error)
        except BaseException:
            if submission.log is not None:
                submission.log.close()
            raise
        if known:
            submission.missing = [
                Missing(part, self._secrets.redact(known[part])[:_MAX_REASON])
                for part in self._wanted
                if part in known
                and part not in submission.images
                and not (part is Part.log and submission.log)
            ]
        return submission

    async def secure(self, build: Build) -> None:
        """Keep the log of a build that cannot be sent just now, as its source may not have it for ever."""
        if build.log is None or not self._config.build_log or self.is_kept(build):
            return
        try:
            with await self._log(build) as log:
                self._spool.save(build.identity, log)
        except (PartError, JournalFullError) as error:
            logger.warning(f"the log of {build.identity} is left where it is: {error}")

    def is_kept(self, build: Build) -> bool:
        """Whether the log of a build is in the spool: put there by us, or by a process beside us that said so."""
        # The disk is not asked for each build, only where there is anything.
        return build.log == "" or (self._spool.size > 0 and self._spool.has(build.identity))

    def registries(self) -> tuple[Registry, Registry]:
        """Return how the registries of source and destination are reached."""
        source, push = self._config.registries(_service_token() if self._config.pass_token else None)
        return (
            Registry(source, verify=self._config.source_registry.verify_tls),
            Registry(push, verify=self._config.destination_registry.verify_tls),
        )

    async def _add(self, submission: Submission, build: Build, part: Part, known: Mapping[Part, str]) -> None:
        if part is Part.log:
            if build.log is not None or self.is_kept(build):
                submission.log = await self._log(build)
            elif part in known:
                raise PartError(known[part])
            return
        image = build.base if part is Part.base else build.output
        if image is not None:
            await self._image(submission, build, part, image)

    async def _log(self, build: Build) -> Log:
        kept = self.is_kept(build)
        limit = self._config.log.limit
        # What is kept is without its secrets already.
        log = Log(_NOTHING, limit + _SPOOLED_MORE) if kept else Log(self._secrets, limit)
        try:
            async with aclosing(self._pieces(build, kept=kept)) as pieces:
                async for piece in pieces:
                    log.feed(piece)
            log.finish()
        except BaseException:
            log.close()
            raise
        return log

    def _pieces(self, build: Build, *, kept: bool) -> AsyncGenerator[bytes, None]:
        if kept:
            return read_file(self._spool.path(build.identity))
        source = self._sources.get(build.source)
        if source is None:
            raise PartError(f"the source {build.source} is not configured any more")
        return source.log(build)

    async def _image(self, submission: Submission, build: Build, part: Part, image: Image) -> None:
        source, push = self._reached or self.registries()
        if self._config.copy_to is not None:
            reference, registry = await self._copied(build, part, image, source, push), push
        else:
            reference, registry = _named(image), self._direct(part, build, source, push)
        submission.images[part] = reference
        submission.verify[part] = registry.verify
        if registry.credentials is not None:
            submission.credentials[part] = registry.credentials

    @staticmethod
    def _direct(part: Part, build: Build, source: Registry, push: Registry) -> Registry:
        """How the backend reaches an image that was not copied: credentials go to the registry they are for."""
        if part is Part.output:
            return push
        if source.credentials is not None or push.credentials is None:
            return source
        same = build.output is not None and _host(build.base) == _host(build.output)
        return Registry(push.credentials if same else None, verify=source.verify)

    async def _copied(self, build: Build, part: Part, image: Image, source: Registry, push: Registry) -> str:
        before = (await self._journal.read(records.copies, build.identity)).get(part)
        if before is not None:
            return _pinned(before)
        settings = self._config.copy_to
        assert settings is not None
        reference = _reference(image)
        named = settings.naming == "collision-free"
        target = collision_free(settings.registry, reference, f"{build.identity} {part}") if named else original(settings.registry, reference)  # fmt: skip
        kind = part.value.partition("_")[0]
        try:
            async with self._copying:
                digest = await self.skopeo.copy(image, target, source, push)
        except PartError:
            self._metrics.count(
                "build_watcher_image_pushed_registry_total", kind, "failed", namespace=build.namespace
            )
            raise
        self._metrics.count(
            "build_watcher_image_pushed_registry_total", kind, "copied", namespace=build.namespace
        )
        now = self._clock()
        expires = now + settings.keep.total_seconds() if settings.keep else None
        copy = Copy(build.identity, part, target, digest, now, expires)
        await self._journal.write(records.copied, copy)
        return _pinned(copy)


def _named(image: Image) -> str:
    if image.name is None:
        raise PartError(_ONLY_HERE)
    try:
        Reference.parse(image.name)
    except ValueError as error:
        raise PartError(str(error)) from error
    return image.name.removeprefix("docker://")


def _reference(image: Image) -> Reference:
    for name in (image.name, image.shown):
        if name:
            try:
                return Reference.parse(name)
            except ValueError:
                continue
    return Reference("localhost", "image")


def _host(image: Image | None) -> str | None:
    return None if image is None or image.name is None else _reference(image).registry


def _pinned(copy: Copy) -> str:
    return f"{copy.target.rpartition(':')[0]}@{copy.digest}"


def _service_token() -> str:
    try:
        return token_file().read_text("utf-8").strip()
    except OSError as error:
        raise PassingError(f"the service account's token cannot be read: {error.strerror}") from error
