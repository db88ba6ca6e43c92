"""Builds: an image from a context of this machine, in the repository that the settings name."""

import asyncio
import io
import tarfile
import tempfile
import time
from pathlib import Path

from servo.kubernetes import Client
from trimtab.engines.container.labels import CREATED, INSPECTION, STATE
from trimtab.engines.containerfile import Secrets, prepare
from trimtab.engines.engine import LogSink
from trimtab.engines.errors import RefusedError
from trimtab.engines.index import Index
from trimtab.engines.kubernetes.belongings import Belongings
from trimtab.engines.kubernetes.labels import Labels
from trimtab.engines.kubernetes.settings import KubernetesSettings
from trimtab.engines.kubernetes.strategies import Buildah, Order, Strategy
from trimtab.engines.log import Log
from trimtab.engines.progress import CacheWatch
from trimtab.engines.request import Build, BuildRequest

__all__ = ["Builder"]

_SOURCE_LIMIT = 256 * 1024 * 1024


class Builder:
    """Builds in one cluster.

    Args:
        labels: What is ours.
        belongings: Makes and removes it.
        settings: The registry, limits.
    """

    def __init__(self, labels: Labels, belongings: Belongings, settings: KubernetesSettings) -> None:
        self._labels = labels
        self._settings = settings
        self._strategy: Strategy = Buildah(labels, belongings, settings)

    async def build(self, client: Client, request: BuildRequest, sink: LogSink) -> Build:
        """Build an image and push it."""
        began, watch = time.monotonic(), CacheWatch()
        order = await asyncio.to_thread(self._order, request)
        path = request.context.with_name(request.context.name + ".log")

        def take(data: bytes) -> None:
            watch.write(data)
            sink(data)

        with Log(path, take, self._settings.log_limit) as log:
            digest = await self._strategy.build(client, order, log)
        reference = f"{self._settings.pulled}@{digest}"
        return Build(reference, digest, (), path, time.monotonic() - began, watch.cached)

    def _order(self, request: BuildRequest) -> Order:
        index, repository = Index.of_this_machine().remote(), self._settings.repository
        with tempfile.TemporaryDirectory(prefix="trimtab-build-") as directory:
            secrets = Secrets.write(index, Path(directory))
            labels = {INSPECTION: request.id, CREATED: str(int(time.time())), STATE: self._labels.owner}
            text = prepare((request.context / "Containerfile").read_text(), secrets, labels)
            contents = {name: path.read_bytes() for name, path in secrets.files.items()}
        return Order(
            request.id,
            f"{repository}:{self._labels.name(request.id)}",
            f"{repository}/cache" if self._settings.build_cache else None,
            archive(request.context, text),
            contents,
            index.proxy_environment(),
            request.resources,
            request.timeout,
        )


def archive(context: Path, containerfile: str) -> bytes:
    """What is built, as a tar archive: the Containerfile, and the context below `context/`.

    Raises:
        RefusedError: It is too big to be sent to a pod.
    """
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as archived:
        text = containerfile.encode()
        member = tarfile.TarInfo("Containerfile")
        member.size = len(text)
        archived.addfile(member, io.BytesIO(text))
        archived.add(context, "context", filter=_plain)
        if out.tell() > _SOURCE_LIMIT:
            reason = (
                f"the files of the build are more than {_SOURCE_LIMIT} bytes, which is too much for a pod"
            )
            raise RefusedError("kubernetes", (reason,))
    return out.getvalue()


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Times and owners would make each build another one, and its layers would never be found again."""
    member.mtime, member.uid, member.gid, member.uname, member.gname = 0, 0, 0, "", ""
    return member
