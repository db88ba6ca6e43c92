"""Access from inside a pod, by its service account."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from servo.kubernetes.access import Access
from servo.kubernetes.credentials import StoredCredentials, read_file
from servo.kubernetes.errors import ConfigurationError, CredentialsError

__all__ = ["DIRECTORY", "read"]

DIRECTORY = Path("/var/run/secrets/kubernetes.io/serviceaccount")


def read(environment: Mapping[str, str], directory: Path = DIRECTORY) -> Access | None:
    """Return how the cluster is reached from this pod; None where this is no pod.

    The way goes around proxies: they are for what is outside.

    Args:
        environment: With ``KUBERNETES_SERVICE_HOST`` and ``KUBERNETES_SERVICE_PORT``, as the kubelet sets them.
        directory: Where the kubelet mounts token, authority and namespace.

    Raises:
        ConfigurationError: This is a pod, without a service account's token.
    """
    host = environment.get("KUBERNETES_SERVICE_HOST")
    if not host:
        return None
    port = environment.get("KUBERNETES_SERVICE_PORT") or "443"
    token = directory / "token"
    if not token.is_file():
        raise ConfigurationError(
            "is not there, though this is a pod of a cluster",
            file=token,
            remedy="let the pod have its service account's token (automountServiceAccountToken), or name a kubeconfig",
        )
    try:
        authority = read_file(directory / "ca.crt")
        namespace = read_file(directory / "namespace").decode(errors="replace").strip()
    except CredentialsError as error:
        raise ConfigurationError(str(error)) from error
    return Access(
        server=f"https://[{host}]:{port}" if ":" in host else f"https://{host}:{port}",
        source=str(directory),
        namespace=namespace or "default",
        authority=authority,
        proxy=None,
        credentials=StoredCredentials(token=token),
    )
