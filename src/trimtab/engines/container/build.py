"""Builds an image, and what its runs share."""

import asyncio
import shutil
import tempfile
import time
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

from trimtab.engines.container.arguments import ulimits
from trimtab.engines.container.client import Client, Flavour
from trimtab.engines.container.labels import Labels
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.container.working import BASE, PREFIX
from trimtab.engines.containerfile import Secrets, prepare
from trimtab.engines.engine import LogSink
from trimtab.engines.errors import BuildFailedError, EngineLostError, EngineUnavailableError, FailureKind
from trimtab.engines.failures import build_failure, names_instruction
from trimtab.engines.home import HOME
from trimtab.engines.index import Index
from trimtab.engines.log import Log
from trimtab.engines.progress import CacheWatch
from trimtab.engines.request import Build, BuildRequest
from trimtab.engines.supervision import Ending, Program, SupervisionError, supervise

__all__ = ["Builder", "build_arguments"]

_CPU_PERIOD = 100_000
_GRACE = 15.0
_PROGRAM = "/.trimtab"


class Builder:
    """Builds with one engine.

    Args:
        client: The engine.
        labels: What is ours.
        settings: Limits.
        state: A directory of ours.
    """

    def __init__(self, client: Client, labels: Labels, settings: ContainerSettings, state: Path) -> None:
        self._client = client
        self._labels = labels
        self._settings = settings
        self._state = state
        self._index = Index.of_this_machine(client.environment).remote()

    async def build(self, request: BuildRequest, sink: LogSink) -> Build:
        """Build the image, and for podman the volume that its runs lay over."""
        self._state.mkdir(mode=0o700, parents=True, exist_ok=True)
        directory = Path(tempfile.mkdtemp(prefix=PREFIX, dir=self._state))
        (directory / BASE).write_text(request.base)
        began, watch = time.monotonic(), CacheWatch()
        path = request.context.with_name(request.context.name + ".log")
        try:
            with Log(path, sink, self._settings.log_limit) as log:
                await self._image(request, directory, log, watch)
                image = (directory / "image").read_text().strip()
                digest, size = await self._known(image)
                if self._client.is_podman and request.script is not None:
                    await self._volume(request.id, image, directory)
        finally:
            shutil.rmtree(directory, ignore_errors=True)
        return Build(image, digest, self._left_out(), path, time.monotonic() - began, watch.cached, size=size)

    async def _image(self, request: BuildRequest, directory: Path, log: Log, watch: CacheWatch) -> None:
        arguments = self._arguments(request, directory)

        def take(data: bytes) -> None:
            watch.write(data)
            log.write(data)

        program = Program(
            (self._client.program, *arguments), str(directory), self._client.environment,
            timeout=request.timeout, grace=_GRACE, ask="below",
        )  # fmt: skip
        try:
            ending = await supervise(program, take)
        except SupervisionError as error:
            raise EngineLostError(f"the build with {self._client.flavour} was lost: {error}") from error
        if ending.code != 0:
            log.close()
            raise self._failure(request, ending, log.excerpt(40))

    def _failure(self, request: BuildRequest, ending: Ending, excerpt: str) -> Exception:
        if ending.timed_out:
            text = f"it took longer than the {request.timeout:g} s that were allowed\n{excerpt}"
            return BuildFailedError(FailureKind.TIMEOUT, None, text)
        if ending.signal is not None:
            return EngineLostError(f"{self._client.flavour} build was ended by signal {ending.signal}")
        if not names_instruction(excerpt) and self._client.is_gone(excerpt):
            return EngineLostError(f"{self._client.flavour} went away: {excerpt.splitlines()[-1]}")
        return build_failure(ending.code, excerpt)

    def _arguments(self, request: BuildRequest, directory: Path) -> list[str]:
        secrets = Secrets.write(self._index, directory)
        file = directory / "Containerfile"
        original = (request.context / "Containerfile").read_text()
        file.write_text(prepare(original, secrets, self._labels.of(request.id)))
        return build_arguments(
            self._client.flavour, request, self._settings, self._labels.tag(request.id), secrets.options(),
            self._index.proxy_environment(), directory,
        )  # fmt: skip

    async def _known(self, image: str) -> tuple[str, int | None]:
        """Digest of an image, and its bytes."""
        found = await self._client.inspect("image", image)
        if found is None:
            raise EngineLostError(f"the image {image} was removed as soon as it was built")
        # Docker gives a digest of the manifest only to what is pushed; the id is the digest of the configuration.
        return str(found.get("Digest") or found["Id"]), found.get("Size")

    async def _volume(self, inspection: str, image: str, directory: Path) -> None:
        """Make the volume with the image's home, over which each run lays what it writes.

        A copy in a tmpfs would take each run's memory, a copy on disk each run's time.
        """
        name = self._labels.name(inspection)
        await self._client.ask("volume", "rm", "--force", name)
        await self._client.check("volume", "create", *self._labels.options(inspection), name)
        helper, program = f"{name}-home", directory / "program"
        program.touch(mode=0o755)  # it has to be there, for the base may have none; nobody starts it
        try:
            await self._client.check(
                "create", "--replace", "--name", helper, *self._labels.options(inspection), "--network", "none",
                *ulimits(self._settings),
                "--volume", f"{name}:{HOME}", "--volume", f"{program}:{_PROGRAM}:ro", image, _PROGRAM,
            )  # fmt: skip
            await self._client.check("init", helper, seconds=600)  # copies; nothing of the image is executed
        finally:
            with suppress(EngineUnavailableError):
                await asyncio.shield(self._client.ask("rm", "--force", helper))

    def _left_out(self) -> tuple[str, ...]:
        return () if self._client.is_podman else ("BuildKit does not limit the CPU and memory of a build",)


def build_arguments(
    flavour: Flavour,
    request: BuildRequest,
    settings: ContainerSettings,
    tag: str,
    secrets: list[str],
    proxies: Iterable[str],
    directory: Path,
) -> list[str]:
    """The arguments of `podman build` or `docker build`.

    Args:
        flavour: Which engine.
        request: What to build.
        settings: Limits.
        tag: The image's name.
        secrets: Options that bring the secrets.
        proxies: Names of the variables of proxies. Builders know them, read them from their environment, and leave
            them in no image.
        directory: Has the Containerfile that is built, and takes the image's id.
    """
    resources = request.resources
    quota = max(int(resources.cpu * _CPU_PERIOD), 1000)
    network = ["--network", settings.build_network] if settings.build_network else []
    limits = [
        "--memory", str(resources.memory), "--memory-swap", str(resources.memory),
        "--cpu-period", str(_CPU_PERIOD), "--cpu-quota", str(quota),
    ]  # fmt: skip
    own = ["--layers", *limits] if flavour == "podman" else ["--progress", "plain"]
    return [
        "build", "--file", str(directory / "Containerfile"), "--iidfile", str(directory / "image"), "--tag", tag, *own, *network,
        *secrets, *(part for name in proxies for part in ("--build-arg", name)),
        str(request.context),
    ]  # fmt: skip
