"""Builds of podman and Docker on this machine, by the events of the engine.

Podman tells of each build that came to an end, by `image build`; of one that failed it names no image. Docker tells only
that an image was tagged: one that was made just before is taken for built. Neither keeps logs of builds, and neither tells
of a build that was cancelled: `servo builds run` sees all that.
"""

from __future__ import annotations

import asyncio
import json
import time
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator, Mapping, Sequence
from contextlib import aclosing, suppress
from datetime import datetime
from typing import Any

from servo.connectors.builds.build import Build, Image, Missing, Part, Phase, identity_of
from servo.connectors.builds.errors import PartError, PassingError, SourceError
from servo.connectors.builds.references import Reference
from servo.connectors.builds.sources.source import Batch

__all__ = ["Docker", "Engine", "Podman"]

_MAX_LINE = 1024 * 1024
_MAX_OUTPUT = 16 * 1024 * 1024
_SECONDS = 60.0
_JUST_NOW = 120.0
_ANCESTORS = 60
_BASE = "org.opencontainers.image.base."
_NO_LOG = "the engine keeps no logs of builds; build by `servo builds run`"


class Engine(ABC):
    """One engine.

    Args:
        name: What the source is called.
        agent: What tells this machine's builds from those of others.
        program: The engine's command.
        host: The address of its service.
        clock: Seconds since 1970.
    """

    engine: str | None
    is_volatile = False

    def __init__(self, name: str, agent: str, *, program: str | None = None, host: str | None = None) -> None:
        self.name, self._agent, self._host = name, agent, host
        self._program = program or str(self.engine)

    @property
    def is_remote(self) -> bool:
        """Whether its storage may be another machine's."""
        return self._host is not None and not self._host.startswith("unix:")

    @abstractmethod
    def _command(self, *arguments: str) -> list[str]:
        """Return a command line of the engine."""

    @abstractmethod
    def _listening(self, since: float) -> list[str]:
        """Return the command that prints events of images since a moment, and goes on."""

    @abstractmethod
    async def _build(self, event: Mapping[str, Any], at: float) -> Build | None:
        """Return the build that an event tells of."""

    @abstractmethod
    def _local(self, image: str) -> str:
        """Return where skopeo finds an image."""

    async def images(self, image: str) -> tuple[Image | None, Image | None]:
        """Return base and output of a build by the id of its image.

        Raises:
            PartError: The engine does not know the image.
        """
        found = await self._inspected(image)
        if found is None:
            raise PartError("the image was removed")
        return await self._base(found), self._image(found)

    def local(self, image: str) -> str:
        """Return where skopeo finds an image by its id."""
        return self._local(image)

    @abstractmethod
    async def _base(self, found: Mapping[str, Any]) -> Image | None:
        """Return what an image was built on."""

    async def watch(self, position: str | None) -> AsyncGenerator[Batch, None]:
        """Yield builds as the engine tells of them, see :meth:`Source.watch`."""
        since = float(position) if position else time.time()
        if position is None:
            yield Batch((), repr(since))
        async with aclosing(self._events(since)) as events:
            async for event in events:
                at = _moment(event)
                if at is not None and at >= since and (build := await self._build(event, at)) is not None:
                    yield Batch((build,), repr(at))

    async def existing(self) -> AsyncGenerator[Batch, None]:
        """Yield the images of the engine that have a name."""
        for image in await self._output("image", "ls", "--no-trunc", "--quiet", "--filter", "dangling=false"):
            identity = identity_of(self.name, self._agent, "existing", image)
            found = await self._inspected(image)
            names = (found or {}).get("RepoTags") or []
            if found is not None and names:
                yield Batch((Build(identity, names[0], self.name, Phase.complete, output=self._image(found), finished_at=time.time(), labels={"existing": "true"}),))  # fmt: skip

    def log(self, build: Build) -> AsyncGenerator[bytes, None]:
        """There is none."""
        raise PartError(_NO_LOG)

    async def aclose(self) -> None:  # noqa: B027 - there is nothing to close in any engine
        """Nothing is open."""

    async def check(self) -> str:
        """Return the version of the engine."""
        version = await self._output("version", "--format", "{{.Client.Version}}")
        return f"{self.engine} {version[0] if version else ''}".strip()

    async def _events(self, since: float) -> AsyncGenerator[dict[str, Any], None]:
        process = await self._start(self._listening(since), limit=_MAX_LINE)
        assert process.stdout is not None
        assert process.stderr is not None
        try:
            while line := await _line(process.stdout):
                with suppress(ValueError):
                    if isinstance(event := json.loads(line), dict):
                        yield event
            told = (await process.stderr.read(_MAX_LINE)).decode("utf-8", "replace")
            raise SourceError(f"{self.engine} tells of no events any more: {' '.join(told.split())[-300:]}")
        finally:
            with suppress(ProcessLookupError):
                process.kill()
            await process.wait()

    async def _inspected(self, image: str) -> dict[str, Any] | None:
        """Return what the engine says of an image; None if it is gone."""
        try:
            lines = await self._output("image", "inspect", image)
        except PartError:
            return None
        with suppress(ValueError, IndexError, TypeError):
            found = json.loads("\n".join(lines))[0]
            return found if isinstance(found, dict) else None
        return None

    async def _output(self, *arguments: str) -> list[str]:
        process = await self._start(self._command(*arguments), limit=_MAX_OUTPUT)
        try:
            async with asyncio.timeout(_SECONDS):
                out, told = await process.communicate()
        except TimeoutError:
            raise PassingError(f"{self.engine} does not answer") from None
        finally:
            if process.returncode is None:
                with suppress(ProcessLookupError):
                    process.kill()
                await process.wait()
        if process.returncode:
            raise PartError(" ".join(told.decode("utf-8", "replace").split())[-300:])
        return out[:_MAX_OUTPUT].decode("utf-8", "replace").splitlines()

    async def _start(self, command: Sequence[str], *, limit: int) -> asyncio.subprocess.Process:
        pipe = asyncio.subprocess.PIPE
        try:
            return await asyncio.create_subprocess_exec(
                *command, stdin=asyncio.subprocess.DEVNULL, stdout=pipe, stderr=pipe, limit=limit
            )
        except OSError as error:
            raise SourceError(
                f"{command[0]} cannot be run ({error.strerror}): install it, or name it with `program`"
            ) from error

    def _image(self, found: Mapping[str, Any]) -> Image:
        """Return an image as it can be had: in a registry it was pushed to or came from, and on this machine."""
        identity = str(found.get("Id", "")).removeprefix("sha256:")
        tags = found.get("RepoTags") or []
        local = None if self.is_remote or not identity else self._local(identity)
        return Image(
            self._pushed(found), local, str(tags[0]) if tags else identity[:12], self._host if local else None
        )

    def _pushed(self, found: Mapping[str, Any]) -> str | None:
        """Return a name by digest in a registry that has it, as far as the engine knows."""
        return None

    def _known(self, found: Mapping[str, Any] | None, at: float, base: Image | None) -> Build:
        """Return the build of an image; of one that failed there is none."""
        if found is None:
            return Build(
                identity_of(self.name, self._agent, "failed", at), "a build that failed", self.name, Phase.failed,
                finished_at=at, labels={"engine": str(self.engine)},
                missing=(Missing(Part.base, "the engine does not tell"), Missing(Part.log, _NO_LOG)),
            )  # fmt: skip
        output, image = self._image(found), str(found.get("Id", "")).removeprefix("sha256:")
        missing = [Missing(Part.log, _NO_LOG)]
        if (
            base is None and (found.get("Annotations") or {}).get(f"{_BASE}name") != ""
        ):  # that is: from scratch
            missing.append(Missing(Part.base, "the image does not tell its base"))
        labels = {"engine": str(self.engine), "image_id": image}
        identity = identity_of(self.name, self._agent, image, self._when(found, at))
        return Build(identity, output.shown, self.name, Phase.complete, finished_at=at, labels=labels, base=base, output=output, missing=tuple(missing))  # fmt: skip

    def _when(self, found: Mapping[str, Any], at: float) -> object:
        """Return what tells two builds with the same image apart."""
        return at


class Podman(Engine):
    """Podman, version 4 or later."""

    engine: str | None = "podman"

    def _command(self, *arguments: str) -> list[str]:
        service = ["--remote", "--url", self._host] if self._host else []
        return [self._program, *service, *arguments]

    def _listening(self, since: float) -> list[str]:
        moment = datetime.fromtimestamp(since).astimezone().isoformat()
        return self._command("events", "--format", "json", "--filter", "type=image", "--since", moment)

    def _local(self, image: str) -> str:
        return f"containers-storage:{image}"

    async def _build(self, event: Mapping[str, Any], at: float) -> Build | None:
        if event.get("Status") != "build":
            return None
        image = str(event.get("ID") or event.get("Name") or "")
        if not image:
            return self._known(None, at, None)
        found = await self._inspected(image)
        if found is None:  # built and removed since: that it was built is still worth telling
            gone = (Missing(Part.output, "the image was removed"), Missing(Part.log, _NO_LOG))
            labels = {"engine": str(self.engine), "image_id": image}
            return Build(identity_of(self.name, self._agent, image, at), image[:12], self.name, Phase.complete, finished_at=at, labels=labels, missing=gone)  # fmt: skip
        return self._known(found, at, await self._base(found))

    async def _base(self, found: Mapping[str, Any]) -> Image | None:
        notes = {**(found.get("Labels") or {}), **(found.get("Annotations") or {})}
        name, digest = notes.get(f"{_BASE}name"), notes.get(f"{_BASE}digest")
        if not name:
            return None
        try:
            reference = Reference.parse(str(name))
        except ValueError:
            return None
        here = await self._inspected(f"{name}@{digest}" if digest else str(name))
        local = None if here is None or self.is_remote else self._local(str(here.get("Id", "")))
        pinned = reference.pinned(str(digest)) if digest else str(reference)
        return Image(None if reference.is_local else pinned, local, str(name))


class Docker(Engine):
    """Docker Engine, with the classic builder or BuildKit."""

    engine: str | None = "docker"

    def _command(self, *arguments: str) -> list[str]:
        return [self._program, *(["--host", self._host] if self._host else []), *arguments]

    def _listening(self, since: float) -> list[str]:
        form = "{{json .}}"
        return self._command("events", "--format", form, "--filter", "type=image", "--since", f"{since:.9f}")

    def _local(self, image: str) -> str:
        return f"docker-daemon:sha256:{image}"

    async def _build(self, event: Mapping[str, Any], at: float) -> Build | None:
        if event.get("status", event.get("Action")) != "tag":
            return None
        found = await self._inspected(str(event.get("id") or (event.get("Actor") or {}).get("ID") or ""))
        made = None if found is None else _time(found.get("Created"))
        if found is None or made is None or abs(at - made) > _JUST_NOW:
            return None  # an old image with another name
        return self._known(found, at, await self._base(found))

    def _when(self, found: Mapping[str, Any], at: float) -> object:
        # Each name of an image is an event of its own; when it was made is the same in all.
        return found.get("Created")

    async def _base(self, found: Mapping[str, Any]) -> Image | None:
        """Return the nearest ancestor that has a name; the classic builder keeps them."""
        parent: Mapping[str, Any] | None = found
        for _ in range(_ANCESTORS):
            name = str((parent or {}).get("Parent") or "")
            parent = await self._inspected(name) if name else None
            if parent is None:
                return None
            if parent.get("RepoTags"):
                return self._image(parent)
        return None

    def _pushed(self, found: Mapping[str, Any]) -> str | None:
        digests = found.get("RepoDigests") or []
        return str(digests[0]) if digests else None


async def _line(stream: asyncio.StreamReader) -> bytes:
    try:
        return await stream.readline()
    except ValueError:  # longer than any event
        return b"\n"


def _moment(event: Mapping[str, Any]) -> float | None:
    nanoseconds = event.get("timeNano") or event.get("TimeNano")
    if isinstance(nanoseconds, int):
        return nanoseconds / 1e9
    return _time(event.get("Time") or event.get("time"))


def _time(value: Any) -> float | None:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    with suppress(ValueError, TypeError):
        # Nanoseconds are more than Python reads.
        whole, point, rest = str(value).partition(".")
        digits = rest[: len(rest) - len(rest.lstrip("0123456789"))]
        zone = rest[len(digits) :] if point else ""
        return datetime.fromisoformat(f"{whole}{zone}").timestamp() + (
            float(f"0.{digits}") if digits else 0.0
        )
    return None
