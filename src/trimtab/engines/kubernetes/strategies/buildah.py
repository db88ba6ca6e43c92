"""Builds by buildah, rootless, in a Job of ours."""

import asyncio
import base64
import re
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from servo.kubernetes import JOBS, SECRETS, Client, KubernetesError, NotFoundError
from trimtab.engines.errors import (
    BuildFailedError,
    EngineError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
)
from trimtab.engines.failures import build_failure
from trimtab.engines.kubernetes import status
from trimtab.engines.kubernetes.belongings import Belongings
from trimtab.engines.kubernetes.following import JobPod, Pod
from trimtab.engines.kubernetes.labels import Labels
from trimtab.engines.kubernetes.logs import CopiedLog
from trimtab.engines.kubernetes.pods import job, placement, pull_secret, resources_of, variables_as_they_are
from trimtab.engines.kubernetes.settings import KubernetesSettings
from trimtab.engines.kubernetes.strategies.strategy import Order
from trimtab.engines.kubernetes.waiting import until_over, until_started
from trimtab.engines.log import Log

__all__ = ["Buildah", "build_pod"]

SOURCE, BUILD = "source", "build"
"""The containers: one waits for what is built, the other builds it."""
_WORK, _SECRETS, _AUTH = "/work", "/run/trimtab/secrets", "/run/trimtab/auth"
_UNPACK = "mkdir -p /work/home /work/temporary && tar -x -C /work -f - && : >/work/.complete"
_WAIT = "until [ -e /work/.complete ]; do sleep 0.2; done"
_BUILD = (
    'tls=$0 image=$1; shift; buildah build "$tls" --tag "$image" "$@" && echo built >/dev/termination-log && '
    'exec buildah push "$tls" --digestfile /dev/termination-log "$image" "docker://$image"'
)
_USER = 1000
_SLACK = 60.0
_UPLOAD = 300.0
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")
_REGISTRY = re.compile(r"failed pushing cache to|pulling cache from")
_NAMESPACES = re.compile(r"unshare\(|cannot clone|new[ug]idmap|user namespace")
_FIRST = 8192
"""Bytes of a log in which the first instruction is, if any was begun."""


class Buildah:
    """Builds with the image that the settings name.

    Args:
        labels: What is ours.
        belongings: Makes and removes it.
        settings: Where, and within which limits.
    """

    name = "buildah"

    def __init__(self, labels: Labels, belongings: Belongings, settings: KubernetesSettings) -> None:
        self._labels = labels
        self._belongings = belongings
        self._settings = settings

    async def build(self, client: Client, order: Order, log: Log) -> str:
        """Build an image and push it."""
        name = self._labels.name_of(order.inspection, "build")
        await self._belongings.remove_left(client, order.inspection, "build")
        try:
            await self._start(client, order, name)
            async with JobPod.followed(client, name) as pod:
                return await self._finished(client, order, pod, log)
        finally:
            await asyncio.shield(self._remove(client, name))

    async def _start(self, client: Client, order: Order, name: str) -> None:
        metadata = self._labels.metadata(name, order.inspection, "build")
        if order.secrets:
            data = {key: base64.b64encode(value).decode() for key, value in order.secrets.items()}
            await self._belongings.make(
                client, SECRETS, {"metadata": metadata, "data": data}, order.inspection
            )
        lifetime = None if order.timeout is None else order.timeout + self._settings.patience + _SLACK
        body = job(
            build_pod(order, self._settings, name), metadata, lifetime=lifetime, ttl=self._settings.ttl
        )
        await self._belongings.make(client, JOBS, body, order.inspection)

    async def _finished(self, client: Client, order: Order, pod: JobPod, log: Log) -> str:
        await until_started(pod, SOURCE, self._settings.patience)
        await self._send(client, pod.name, order)
        await until_started(pod, BUILD, self._settings.patience)
        async with CopiedLog(client, pod.name, BUILD, log):
            over = await until_over(pod, BUILD, order.timeout)
        if not over:
            text = f"it took longer than the {order.timeout:g} s that were allowed\n{log.excerpt(40)}"
            raise BuildFailedError(FailureKind.TIMEOUT, None, text)
        if pod.pod is None or (why := status.lost(pod.pod, BUILD, gone=pod.gone)) is not None:
            raise EngineLostError(f"the build in the cluster was lost: {why}")
        return self._digest(pod.pod, log)

    def _digest(self, pod: Pod, log: Log) -> str:
        verdict = status.verdict(pod, BUILD, self._settings.disk)
        if verdict.lost is not None:
            raise EngineLostError(f"the build in the cluster was lost: {verdict.lost}")
        if verdict.oom_killed:
            raise BuildFailedError(FailureKind.OOM, verdict.exit_code, log.excerpt(40))
        end = status.ended(pod, BUILD) or {}
        message = str(end.get("message", ""))
        if verdict.exit_code != 0:
            raise _failure(verdict.exit_code, log, built="built" in message)
        if (found := _DIGEST.search(message)) is None:
            raise EngineLostError("the build was pushed, and the cluster does not tell its digest")
        return found[0]

    async def _send(self, client: Client, pod: str, order: Order) -> None:
        command = ["/bin/sh", "-c", _UNPACK]
        done = await client.exec(pod, command, container=SOURCE, stdin=order.source, timeout=_UPLOAD)
        if done.exit_code:
            said = (done.stderr or done.stdout).decode(errors="replace").strip()[-2000:]
            raise EngineUnavailableError(
                f"the builder {self._settings.builder} cannot unpack what is built: {said}"
            )

    async def _remove(self, client: Client, name: str) -> None:
        with suppress(KubernetesError):  # `clean` or `expire` finds it by its label
            await self._belongings.remove_job(client, name)
            with suppress(NotFoundError):
                await client.delete(SECRETS, name)


def _failure(code: int | None, log: Log, *, built: bool) -> EngineError:
    """Whose failure it is: what goes wrong before the first instruction, or after the last one, is not the stack's."""
    log.close()
    excerpt = log.excerpt(40)
    if built or _REGISTRY.search(log.excerpt(3)):
        return EngineLostError(f"the registry did not take what was built: {excerpt.strip()}")
    with log.path.open("rb") as file:
        begun = b"STEP " in file.read(_FIRST)
    if not begun and _NAMESPACES.search(excerpt):
        return EngineUnavailableError(
            "the builder cannot make a user namespace in the cluster, which its seccomp profile may forbid; set "
            f"TRIMTAB_KUBERNETES_BUILDER_SECCOMP as docs/engine-kubernetes.md says: {excerpt.strip()}"
        )
    return build_failure(code, excerpt)


def build_pod(order: Order, settings: KubernetesSettings, secret: str) -> dict[str, Any]:
    """The pod of one build. It runs as an ordinary user, who makes a user namespace: so it may gain the two capabilities for that.

    Args:
        order: What is built.
        settings: With which image.
        secret: Name of the Secret with the order's secrets.
    """
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": 1,
        "securityContext": {"runAsUser": _USER, "runAsGroup": _USER, "fsGroup": _USER, "runAsNonRoot": True},
        **pull_secret(settings),
        **placement(order.resources, settings),
        "initContainers": [_container(SOURCE, ["/bin/sh", "-c", _WAIT], order, settings)],
        "containers": [_container(BUILD, _command(order, settings), order, settings)],
        "volumes": [
            {"name": "work", "emptyDir": {"sizeLimit": str(settings.disk)}},
            *_secret("secrets", secret if order.secrets else None),
            *_secret("auth", settings.registry_secret),
        ],
    }


def _container(name: str, command: list[str], order: Order, settings: KubernetesSettings) -> dict[str, Any]:
    mounted = {"work": _WORK}
    if name == BUILD and order.secrets:
        mounted["secrets"] = _SECRETS
    if name == BUILD and settings.registry_secret:
        mounted["auth"] = _AUTH
    return {
        "name": name,
        "image": settings.builder,
        "imagePullPolicy": "IfNotPresent",
        "command": command,
        "env": variables_as_they_are(_variables(order, settings)),
        "securityContext": {
            "capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]},
            **_seccomp(settings),
        },
        "resources": resources_of(order.resources),
        "volumeMounts": [{"name": each, "mountPath": path} for each, path in mounted.items()],
    }


def _command(order: Order, settings: KubernetesSettings) -> list[str]:
    tls = f"--tls-verify={str(settings.registry_tls).lower()}"
    cache = ["--cache-from", order.cache, "--cache-to", order.cache] if order.cache else []
    secrets = [
        part for key in sorted(order.secrets) for part in ("--secret", f"id={key},src={_SECRETS}/{key}")
    ]
    arguments = [part for key in sorted(order.arguments) for part in ("--build-arg", key)]
    return [
        "/bin/sh", "-c", _BUILD, tls, order.image, "--layers", *cache, *secrets, *arguments,
        "--file", f"{_WORK}/Containerfile", f"{_WORK}/context",
    ]  # fmt: skip


def _variables(order: Order, settings: KubernetesSettings) -> Mapping[str, str]:
    auth = {"REGISTRY_AUTH_FILE": f"{_AUTH}/.dockerconfigjson"} if settings.registry_secret else {}
    return {
        "HOME": f"{_WORK}/home",
        "TMPDIR": f"{_WORK}/temporary",
        "BUILDAH_ISOLATION": "chroot",
        "STORAGE_DRIVER": settings.builder_storage,
        **auth,
        **order.arguments,
    }


def _seccomp(settings: KubernetesSettings) -> dict[str, Any]:
    kind, _, profile = (settings.builder_seccomp or "").partition("/")
    if not kind:
        return {}
    return {"seccompProfile": {"type": kind, **({"localhostProfile": profile} if profile else {})}}


def _secret(volume: str, name: str | None) -> list[dict[str, Any]]:
    return [{"name": volume, "secret": {"secretName": name, "defaultMode": 0o440}}] if name else []
