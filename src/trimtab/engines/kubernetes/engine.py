"""The engine that builds and runs in a cluster."""

from pathlib import Path
from typing import Any

from servo.kubernetes import Client, KubernetesError
from trimtab.engines.claims import Claims
from trimtab.engines.engine import Capabilities, LogSink
from trimtab.engines.errors import EngineUnavailableError, RefusedError, UnmetError
from trimtab.engines.identity import check_id
from trimtab.engines.kubernetes.belongings import Belongings
from trimtab.engines.kubernetes.build import Builder
from trimtab.engines.kubernetes.labels import Labels
from trimtab.engines.kubernetes.permissions import missing
from trimtab.engines.kubernetes.pods import unlabelled
from trimtab.engines.kubernetes.run import Runner
from trimtab.engines.kubernetes.settings import KubernetesSettings
from trimtab.engines.request import Build, BuildRequest, Resources, Run, RunRequest

__all__ = ["KubernetesEngine"]

_NETWORK = (
    "a run's traffic is forbidden by a NetworkPolicy, which holds where the cluster's network enforces them"
)
_FILES = (
    "a run may write to its container's files, within a limit that the kubelet looks at from time to time"
)


class KubernetesEngine:
    """Builds images by Jobs, pushes them to a registry, and runs them by a Job each.

    Args:
        state: A directory for what it keeps: who it is, and what it works on.
        settings: The cluster, the registry, limits.
    """

    name = "kubernetes"

    def __init__(self, state: Path, settings: KubernetesSettings | None = None) -> None:
        self._settings = settings or KubernetesSettings()
        self._state = state
        self._claims = Claims(state / "claims")

    async def prepare(self) -> Capabilities:
        """Look whether the cluster answers, and allows what is needed."""
        self._check_settings()
        try:
            async with self._client() as client:
                major, minor = await client.version()
                lacking = await missing(client)
        except KubernetesError as error:
            raise EngineUnavailableError(f"the cluster cannot be used: {error}") from error
        if lacking:
            raise EngineUnavailableError(
                f"the cluster does not allow this in the namespace {client.namespace}: {', '.join(lacking)}; "
                "give the account a role as deploy/chart has it for the engine"
            )
        return Capabilities(
            name=self.name,
            version=f"{major}.{minor}",
            images=True,
            cpu="limit of the pod",
            memory="limit of the pod",
            pids=None,
            network="NetworkPolicy",
            filesystem="files of its container, limited",
            gpus=True,
            warnings=(_NETWORK, _FILES),
        )

    async def build(self, request: BuildRequest, log: LogSink) -> Build:
        """Build an image and push it; runs are started from it by its digest."""
        self._check(request.id, request.resources, request.running)
        self._claims.take(request.id)
        try:
            async with self._client() as client:
                return await Builder(self._labels, self._belongings, self._settings).build(
                    client, request, log
                )
        except KubernetesError as error:
            raise EngineUnavailableError(f"the cluster cannot be used: {error}") from error

    async def run(self, request: RunRequest, log: LogSink) -> Run:
        """Run it once, in a Job of its own."""
        self._check(request.id, request.resources)
        if request.reuse:
            raise RefusedError(
                self.name, ("runs in one container, one after the other, are not made in a cluster",)
            )
        self._claims.take(request.id)
        async with self._client() as client:
            return await Runner(self._labels, self._belongings, self._settings).run(client, request, log)

    async def clean(self, id: str) -> None:  # noqa: A002 - the word of the interface
        """End and remove everything of an inspection but its image, which stays in the registry."""
        check_id(self.name, id)
        await self._asked(lambda client: self._belongings.clean(client, id))
        self._claims.release(id)

    async def expire(self, older_than: float) -> list[str]:
        """End and remove what is older, and what works on that nobody waits for."""
        found: list[str] = await self._asked(lambda client: self._belongings.expire(client, older_than))
        return found

    async def _asked(self, ask: Any) -> Any:
        try:
            async with self._client() as client:
                return await ask(client)
        except KubernetesError as error:
            raise EngineUnavailableError(f"the cluster cannot be used: {error}") from error

    @property
    def _labels(self) -> Labels:
        return Labels(self._state)

    @property
    def _belongings(self) -> Belongings:
        return Belongings(self._labels, self._claims)

    def _client(self) -> Client:
        """One for each thing that is done: nothing has to be closed by whoever has an engine."""
        settings = self._settings
        client = Client.open(settings.kubeconfig, settings.context)
        if settings.namespace:
            client.namespace = settings.namespace
        return client

    def _check_settings(self) -> None:
        named = {"repository": "a repository that it can push images to", "builder": "an image with buildah"}
        for field, what in named.items():
            if getattr(self._settings, field) is None:
                raise EngineUnavailableError(
                    f"the engine kubernetes needs {what}: set TRIMTAB_KUBERNETES_{field.upper()}"
                )

    def _check(self, inspection: str, *asked: Resources | None) -> None:
        check_id(self.name, inspection)
        self._check_settings()
        reasons = [
            reason for each in asked if each is not None
            for reason in (*unlabelled(each, self._settings), *_amounts(each))
        ]  # fmt: skip
        if reasons:
            raise UnmetError(self.name, tuple(dict.fromkeys(reasons)))


def _amounts(resources: Resources) -> tuple[str, ...]:
    if resources.cpu > 0 and resources.memory > 0:
        return ()
    return ("CPU and memory must be more than nothing",)
