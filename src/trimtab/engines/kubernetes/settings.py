"""What can be set of the engine `kubernetes`."""

from pathlib import Path
from typing import Annotated, Self

from pydantic import Field, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict, SettingsError

from trimtab.engines.errors import EngineUnavailableError

__all__ = ["KubernetesSettings"]

GIB = 1024**3
_FEATURES = "feature.node.kubernetes.io"
# https://kubernetes-sigs.github.io/node-feature-discovery: the labels that it gives to nodes
_HARDWARE = {
    "cpu_family": f"{_FEATURES}/cpu-model.family",
    "cpu_model": f"{_FEATURES}/cpu-model.id",
}


class KubernetesSettings(BaseSettings):
    """Where in a cluster inspections are made, and limits that no request names. Each field is read from `TRIMTAB_KUBERNETES_<FIELD>`."""

    model_config = SettingsConfigDict(
        env_prefix="TRIMTAB_KUBERNETES_", env_ignore_empty=True, extra="ignore", frozen=True
    )

    kubeconfig: Annotated[
        Path | None, Field(description="The file; unset: KUBECONFIG, else the service account of this pod")
    ] = None
    context: Annotated[str | None, Field(description="Of the kubeconfig; unset: its current one")] = None
    namespace: Annotated[
        str | None,
        Field(description="Where Jobs are made, which has to be there; unset: that of the context"),
    ] = None
    repository: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9.:\[\]-]+(/[a-z0-9._-]+)+$",
            description="Where built images are pushed to: registry.example/team/stacks",
        ),
    ] = None
    pull_repository: Annotated[
        str | None,
        Field(
            pattern=r"^[a-z0-9.:\[\]-]+(/[a-z0-9._-]+)+$",
            description="The same repository as nodes call it; unset: by the same name",
        ),
    ] = None
    registry_tls: Annotated[
        bool,
        Field(description="Whether registries have to prove who they are; false: plain HTTP is taken too"),
    ] = True
    registry_secret: Annotated[
        str | None,
        Field(description="A Secret of type kubernetes.io/dockerconfigjson, to push and to pull with"),
    ] = None
    builder: Annotated[
        str | None, Field(description="The image with buildah; deploy/builder.Containerfile makes one")
    ] = None
    builder_seccomp: Annotated[
        str | None,
        Field(
            pattern="^(Unconfined|RuntimeDefault|Localhost/.+)$",
            description="Profile of a build's container, which makes user namespaces; unset: the cluster's default",
        ),
    ] = None
    builder_storage: Annotated[
        str,
        Field(
            pattern="^(overlay|vfs)$",
            description="How a build keeps layers: `vfs` copies them whole, where the kernel has no overlays for ordinary users",
        ),
    ] = "overlay"
    build_cache: Annotated[
        bool, Field(description="Whether layers are kept in the repository, below /cache, for later builds")
    ] = True
    hardware_labels: Annotated[
        dict[str, str],
        Field(
            description="The label of nodes by the key of a specification's hardware (JSON): "
            "cpu_family, cpu_model, physical_cpus, processor"
        ),
    ] = _HARDWARE
    gpu_resource: Annotated[str, Field(description="What a GPU is called as a resource of nodes")] = (
        "nvidia.com/gpu"
    )
    user: Annotated[int, Field(gt=0, description="User id of a run")] = 1042
    disk: Annotated[int, Field(gt=0, description="Bytes a run may write to disk")] = 10 * GIB
    temporary: Annotated[
        int, Field(gt=0, description="Bytes of /tmp, which is memory and counts as such")
    ] = GIB
    patience: Annotated[
        float,
        Field(
            ge=0,
            description="Seconds a pod may wait for a node, or for its image, before it counts as refused",
        ),
    ] = 120.0
    keep: Annotated[
        float, Field(gt=0, description="Seconds the results of a run wait in its pod to be fetched")
    ] = 900.0
    ttl: Annotated[
        int,
        Field(
            ge=0, description="Seconds after its end in which a Job goes by itself, should nobody remove it"
        ),
    ] = 3600
    slack: Annotated[
        float,
        Field(ge=0, description="Seconds over its time limit in which a run's wrapper ends it and reports"),
    ] = 5.0
    grace: Annotated[float, Field(ge=0, description="Seconds after that until it is killed")] = 5.0
    log_limit: Annotated[int, Field(gt=0, description="Bytes that are kept of a log")] = 16 * 1024 * 1024

    @classmethod
    def of_this_process(cls) -> Self:
        """As the environment has them.

        Raises:
            EngineUnavailableError: One of them is wrong.
        """
        try:
            return cls()
        except ValidationError as error:
            problems = (f"{_variable(each['loc'])}: {each['msg']}" for each in error.errors())
            raise EngineUnavailableError("; ".join(problems)) from None
        except SettingsError as error:
            raise EngineUnavailableError(f"a setting TRIMTAB_KUBERNETES_… is no JSON: {error}") from None

    @property
    def pulled(self) -> str:
        """The repository as nodes call it."""
        return self.pull_repository or self.repository or ""


def _variable(place: tuple[int | str, ...]) -> str:
    return ".".join(("TRIMTAB_KUBERNETES_" + str(place[0]).upper(), *map(str, place[1:])))
