"""What sees builds, and how each kind is made of its configuration.

A kind of source is a class with the interface :class:`Source` and a branch in :func:`make`.
"""

from __future__ import annotations

from servo.connectors.builds.configuration import (
    BuildsConfiguration,
    ClusterSource,
    DirectorySource,
    EngineSource,
    PipeSource,
    name_of,
)
from servo.connectors.builds.redaction import Secrets
from servo.connectors.builds.sources.source import Batch, Source
from servo.connectors.builds.spool import Spool

__all__ = ["Batch", "Source", "make"]


def make(
    config: EngineSource | DirectorySource | PipeSource | ClusterSource,
    whole: BuildsConfiguration,
    *,
    agent: str,
    spool: Spool,
    secrets: Secrets,
) -> Source:
    """Return the source of a configuration.

    Args:
        config: Its own.
        whole: The agent's.
        agent: What tells this agent from others.
        spool: Where logs are kept.
        secrets: What is taken out of them.
    """
    name = name_of(config)
    if isinstance(config, DirectorySource):
        from servo.connectors.builds.sources.directory import Directory

        times = (config.settle.total_seconds(), config.interval.total_seconds())
        return Directory(name, config.path, config.pattern, settle=times[0], interval=times[1])
    if isinstance(config, PipeSource):
        from servo.connectors.builds.sources.pipe import Pipe

        return Pipe(name, config.path, spool, secrets, whole.log.limit)
    if isinstance(config, ClusterSource):
        return _cluster(name, config, whole, spool, secrets)
    from servo.connectors.builds.sources import engine

    kind = engine.Podman if config.type == "podman" else engine.Docker
    return kind(name, agent, program=config.program, host=config.host)


def _cluster(
    name: str, config: ClusterSource, whole: BuildsConfiguration, spool: Spool, secrets: Secrets
) -> Source:
    from servo.connectors.builds.cluster.kinds import KINDS
    from servo.connectors.builds.cluster.source import Cluster
    from servo.kubernetes import Client

    is_seen_by_parts = config.type == "tekton-pipelineruns" and any(
        each.type == "tekton-taskruns"
        and (each.namespace, each.context) == (config.namespace, config.context)
        for each in whole.sources
        if isinstance(each, ClusterSource)
    )
    return Cluster(
        name,
        KINDS[config.type],
        lambda: Client.open(config.kubeconfig, config.context),
        spool=spool,
        secrets=secrets,
        limit=whole.log.limit,
        namespace=config.namespace or whole.namespace,
        labels=config.labels,
        holds=config.hold,
        hold_for=config.hold_for.total_seconds(),
        follows=config.follow if whole.build_log else 0,
        apart=KINDS["tekton-taskruns"] if is_seen_by_parts else None,
    )
