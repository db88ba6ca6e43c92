"""Who else sets the replicas of a workload."""

from __future__ import annotations

from servo.connectors.kubernetes.configuration import TargetConfiguration
from servo.kubernetes import HORIZONTAL_POD_AUTOSCALERS, Client, ForbiddenError, NotFoundError
from servo.logging import logger

__all__ = ["autoscaler_of"]


async def autoscaler_of(client: Client, config: TargetConfiguration) -> str | None:
    """Return the name of the HorizontalPodAutoscaler of a workload; None if it has none.

    An agent that may not list them takes it that there is none, and says so.
    """
    try:
        found = await client.list(HORIZONTAL_POD_AUTOSCALERS, config.namespace)
    except (ForbiddenError, NotFoundError) as error:
        logger.debug(f"whether an autoscaler sets the replicas of {config.label} is not known: {error}")
        return None
    for each in found.items:
        reference = each["spec"].get("scaleTargetRef") or {}
        group = str(reference.get("apiVersion", "")).rpartition("/")[0]
        if (group, reference.get("kind"), reference.get("name")) == (
            config.resource.group,
            config.resource.kind,
            config.name,
        ):
            return str(each["metadata"]["name"])
    return None
