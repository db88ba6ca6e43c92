"""What must be so for workloads to be adjusted."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Iterator

from servo.checks import BaseChecks, CheckError, multicheck, require, warn
from servo.connectors.kubernetes import workloads
from servo.connectors.kubernetes.components import value_of
from servo.connectors.kubernetes.configuration import KubernetesConfiguration, TargetConfiguration
from servo.connectors.kubernetes.manifests import Manifest, ManifestError, container
from servo.connectors.kubernetes.options import PermissionSet
from servo.connectors.kubernetes.patience import UnfitError
from servo.connectors.kubernetes.workload import served
from servo.kubernetes import NAMESPACES, Client, KubernetesError, Resource
from servo.types.checks import CheckHandler

__all__ = ["KubernetesChecks", "missing_requirements"]

_OLDEST = (1, 20)
_AT_ONCE = 8


class KubernetesChecks(BaseChecks):
    """Checks of a cluster and of the targets in it.

    Args:
        config: What is adjusted.
        client: Returns the client of a target's cluster.
    """

    config: KubernetesConfiguration
    client: Callable[[TargetConfiguration | KubernetesConfiguration], Client]

    @require("Connectivity to Kubernetes")
    async def check_connectivity(self) -> str:
        """The cluster answers."""
        try:
            version = await self.client(self.config).version()
        except KubernetesError as error:
            raise CheckError(
                str(error), hint="see whether `kubectl version` reaches the same cluster"
            ) from error
        return "version {}.{}".format(*version)

    @warn("Kubernetes version")
    async def check_version(self) -> tuple[bool, str]:
        """It is one that this was tried with."""
        version = await self.client(self.config).version()
        return version >= _OLDEST, "{}.{}, and it should be 1.20 or later".format(*version)

    @require("Required permissions")
    async def check_permissions(self) -> str:
        """The agent may do what it has to."""
        turn = asyncio.Semaphore(_AT_ONCE)
        asked = [
            self._allowed(turn, resource, verb, namespace)
            for namespace in sorted({target.namespace for target in self.config.targets})
            for resource, verb in _rules(self.config.all_permissions)
        ]
        missing = [each for each in await asyncio.gather(*asked) if each is not None]
        if missing:
            raise CheckError(
                f"not allowed: {'; '.join(missing)}",
                hint="give the agent's service account a Role with these rules (docs/kubernetes.md, Permissions)",
            )
        return f"{len(asked)} permissions are there"

    async def _allowed(
        self, turn: asyncio.Semaphore, resource: tuple[str, str], verb: str, namespace: str
    ) -> str | None:
        group, name = resource
        plural, _, part = name.partition("/")
        # As if namespaces were in one: a role of the namespace itself allows to look at it.
        kind = Resource(group, "", plural, "")
        named = namespace if plural == NAMESPACES.plural else None
        async with turn:
            allowed = await self.client(self.config).allowed(
                verb, kind, namespace, subresource=part or None, name=named
            )
        return None if allowed else f"{verb} {name}{f' of {group}' if group else ''} in {namespace}"

    @require("Namespaces are readable")
    async def check_namespaces(self) -> str:
        """They are there, and the agent may look at them."""
        names = sorted({target.namespace for target in self.config.targets})
        for name in names:
            try:
                await self.client(self.config).get(NAMESPACES, name)
            except KubernetesError as error:
                raise CheckError(
                    str(error), hint="correct `namespace`, or allow get of namespaces"
                ) from error
        return ", ".join(names)

    @multicheck("The {item.label} is readable")
    async def check_readable(self) -> tuple[Iterable[TargetConfiguration], CheckHandler]:
        """It is there, with its containers."""

        async def readable(target: TargetConfiguration) -> None:
            workload = await self._read(target)
            for each in target.containers:
                _container(workload, each.name)

        return self.config.targets, readable

    @multicheck("The containers of the {item.label} have resource requirements")
    async def check_requirements(self) -> tuple[Iterable[TargetConfiguration], CheckHandler]:
        """What is to be adjusted has a value."""

        async def required(target: TargetConfiguration) -> None:
            missing = list(missing_requirements(target, await self._read(target)))
            if missing:
                raise CheckError(
                    f"without a value: {', '.join(missing)}",
                    hint="set resources in the pod template, or name them in `get`; for a tuning pod `request` and `limit`",
                )

        return self.config.targets, required

    @multicheck("The {item.label} can be adjusted")
    async def check_adjustable(self) -> tuple[Iterable[TargetConfiguration], CheckHandler]:
        """A change of its template reaches its pods."""

        async def adjustable(target: TargetConfiguration) -> None:
            fault = workloads.refusal(await self._read(target))
            if fault is not None and not target.canary:
                raise CheckError(fault.message)

        return self.config.targets, adjustable

    @multicheck("The {item.label} is ready")
    async def check_ready(self) -> tuple[Iterable[TargetConfiguration], CheckHandler]:
        """All its pods are."""

        async def ready(target: TargetConfiguration) -> None:
            if lacks := workloads.outstanding(await self._read(target)):
                raise CheckError(
                    lacks,
                    hint=f"kubectl -n {target.namespace} describe {target.resource.plural} {target.name}",
                )

        return self.config.targets, ready

    async def _read(self, target: TargetConfiguration) -> Manifest:
        client = self.client(target)
        try:
            return await client.get(await served(client, target.resource), target.name, target.namespace)
        except (KubernetesError, UnfitError) as error:
            raise CheckError(str(error), hint="correct `name` and `namespace`") from error


def _rules(permissions: Iterable[PermissionSet]) -> Iterator[tuple[tuple[str, str], str]]:
    for each in permissions:
        for resource in each.resources:
            for verb in each.verbs:
                yield (each.group, resource), verb


def _container(workload: Manifest, name: str) -> Manifest:
    try:
        return container(workload, name)
    except ManifestError as error:
        raise CheckError(str(error), hint="correct the `name` of the container") from error


def missing_requirements(target: TargetConfiguration, workload: Manifest) -> Iterator[str]:
    """Yield what is to be adjusted and has no value: ``cpu of app``."""
    for each in target.containers:
        within = _container(workload, each.name)
        for kind in (each.cpu, each.memory):
            preset = target.canary and (kind.request or kind.limit)
            if not preset and value_of(within, kind) is None:
                yield f"{kind.resource} of {each.name}"
