"""What sees builds, and how each kind is made of its configuration.

A kind of source is a class with the interface :class:`Source` and a branch in :func:`make`.
"""

from __future__ import annotations

from servo.connectors.builds.configuration import (
    BuildsConfiguration,
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
    config: EngineSource | DirectorySource | PipeSource,
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
    from servo.connectors.builds.sources import engine

    kind = engine.Podman if config.type == "podman" else engine.Docker
    return kind(name, agent, program=config.program, host=config.host)
