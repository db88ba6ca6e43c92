"""The client of Kubernetes that all of Trimtab uses: an API server from 1.20 on, asked over HTTP.

::

    async with Client.open() as client:
        deployment = await client.get(DEPLOYMENTS, "web")
        async with contextlib.aclosing(client.follow(PODS, labels="app=web")) as changes:
            async for change in changes: ...
"""

from typing import TYPE_CHECKING, Any

from servo.kubernetes.errors import (
    AlreadyExistsError,
    AnswerError,
    ApiError,
    CertificateError,
    CommandTimeoutError,
    ConfigurationError,
    ConflictError,
    CredentialsError,
    ForbiddenError,
    GoneError,
    InvalidError,
    KubernetesError,
    NotFoundError,
    TooManyRequestsError,
    UnauthorizedError,
    UnreachableError,
)
from servo.kubernetes.objects import conditions, label_selector, owner_reference, selector
from servo.kubernetes.quantities import cpu_quantity, memory_quantity, quantity
from servo.kubernetes.resources import (
    ALL,
    CLUSTER_ROLES,
    CONFIG_MAPS,
    CUSTOM_RESOURCE_DEFINITIONS,
    DAEMON_SETS,
    DEPLOYMENTS,
    EVENTS,
    HORIZONTAL_POD_AUTOSCALERS,
    JOBS,
    LEASES,
    NAMESPACES,
    NETWORK_POLICIES,
    NODES,
    PERSISTENT_VOLUME_CLAIMS,
    PODS,
    REPLICA_SETS,
    SECRETS,
    SERVICE_ACCOUNTS,
    SERVICES,
    STATEFUL_SETS,
    Resource,
)

if TYPE_CHECKING:
    from servo.kubernetes.access import Access
    from servo.kubernetes.client import Client
    from servo.kubernetes.execution import Execution
    from servo.kubernetes.watching import Change, Listing

__all__ = [
    "ALL",
    "CLUSTER_ROLES",
    "CONFIG_MAPS",
    "CUSTOM_RESOURCE_DEFINITIONS",
    "DAEMON_SETS",
    "DEPLOYMENTS",
    "EVENTS",
    "HORIZONTAL_POD_AUTOSCALERS",
    "JOBS",
    "LEASES",
    "NAMESPACES",
    "NETWORK_POLICIES",
    "NODES",
    "PERSISTENT_VOLUME_CLAIMS",
    "PODS",
    "REPLICA_SETS",
    "SECRETS",
    "SERVICES",
    "SERVICE_ACCOUNTS",
    "STATEFUL_SETS",
    "Access",
    "AlreadyExistsError",
    "AnswerError",
    "ApiError",
    "CertificateError",
    "Change",
    "Client",
    "CommandTimeoutError",
    "ConfigurationError",
    "ConflictError",
    "CredentialsError",
    "Execution",
    "ForbiddenError",
    "GoneError",
    "InvalidError",
    "KubernetesError",
    "Listing",
    "NotFoundError",
    "Resource",
    "TooManyRequestsError",
    "UnauthorizedError",
    "UnreachableError",
    "conditions",
    "cpu_quantity",
    "label_selector",
    "memory_quantity",
    "owner_reference",
    "quantity",
    "selector",
]

# The HTTP library comes with these; checks of a configuration need none of it.
_MODULE_OF = {
    "Access": "access",
    "Change": "watching",
    "Client": "client",
    "Execution": "execution",
    "Listing": "watching",
}


def __getattr__(name: str) -> Any:
    if name not in _MODULE_OF:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    from importlib import import_module

    return getattr(import_module(f"{__name__}.{_MODULE_OF[name]}"), name)
