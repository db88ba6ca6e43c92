"""The pods of builds and of runs, as what is asked for has them: values without I/O."""

from collections.abc import Mapping, Sequence
from typing import Any

from trimtab.engines.home import HOME, results_of, variables_of
from trimtab.engines.kubernetes.settings import KubernetesSettings
from trimtab.engines.request import Resources, RunRequest

__all__ = [
    "KEEPER",
    "RESULTS",
    "RUN",
    "job",
    "placement",
    "pull_secret",
    "resources_of",
    "run_pod",
    "unlabelled",
    "variables_as_they_are",
]

RUN, KEEPER = "run", "keeper"
RESULTS = "/results"
"""Where the keeper sees what a run leaves."""
_RESTRICTED = {
    "allowPrivilegeEscalation": False,
    "capabilities": {"drop": ["ALL"]},
    "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}
_SMALL = {"cpu": "10m", "memory": "32Mi"}
_MIB = 1024**2
# A node that does not answer is believed to be gone after this many seconds, not after the five minutes of the default.
_NODE_PATIENCE = 30
_UNANSWERED = ("node.kubernetes.io/not-ready", "node.kubernetes.io/unreachable")
# The first process of a container is ended by no signal that it does not ask for.
_KEEP = 'trap "exit 0" TERM; i=0; while [ "$i" -lt "$0" ]; do sleep 1; i=$((i+1)); done'


def run_pod(request: RunRequest, settings: KubernetesSettings) -> dict[str, Any]:
    """The pod of one run, but for its labels: the run, and a container that keeps its results until they are fetched.

    It is what Pod Security calls restricted: no root, no capabilities, no service account, no privileges to be gained. Its
    requests are its limits. The keeper is of the same image, of which it needs `sh` and `sleep`.

    Args:
        request: What is run.
        settings: Limits that it does not name.
    """
    return {
        "restartPolicy": "Never",
        "automountServiceAccountToken": False,
        "enableServiceLinks": False,
        "terminationGracePeriodSeconds": max(1, round(settings.grace)),
        "securityContext": {"runAsUser": settings.user, "runAsGroup": 0, "fsGroup": 0},
        **pull_secret(settings),
        **placement(request.resources, settings),
        "containers": [_run(request, settings), _keeper(request, settings)],
        "volumes": [
            {"name": "results", "emptyDir": {"sizeLimit": str(settings.disk)}},
            *({"name": name, "emptyDir": _memory(settings)} for name in _TEMPORARY),
        ],
    }


_TEMPORARY = {"tmp": "/tmp", "var-tmp": "/var/tmp"}  # noqa: S108 - the container's own


def job(
    pod: Mapping[str, Any], metadata: Mapping[str, Any], *, lifetime: float | None, ttl: int
) -> dict[str, Any]:
    """A Job that starts a pod once, and goes by itself some time after its end.

    Args:
        pod: What it starts.
        metadata: The Job's; the pod has the same labels and annotations.
        lifetime: Seconds after which the cluster ends it, should nobody else do so; None: never.
        ttl: Seconds until it goes.
    """
    shared = {key: metadata[key] for key in ("labels", "annotations")}
    deadline = {} if lifetime is None else {"activeDeadlineSeconds": max(1, round(lifetime))}
    return {
        "metadata": dict(metadata),
        "spec": {
            "backoffLimit": 0,
            "ttlSecondsAfterFinished": ttl,
            **deadline,
            "template": {"metadata": shared, "spec": dict(pod)},
        },
    }


def resources_of(resources: Resources, more: Mapping[str, str] | None = None) -> dict[str, Any]:
    """Requests that are limits, so that a run has what it asked for, no less and no more."""
    amounts = {
        "cpu": f"{max(1, round(resources.cpu * 1000))}m",
        "memory": str(resources.memory),
        **(more or {}),
    }
    return {"requests": amounts, "limits": amounts}


def placement(resources: Resources, settings: KubernetesSettings) -> dict[str, Any]:
    """On which nodes: those with the labels that are asked for, and with the processor.

    Hardware for which no label is set matches no node, for a wish is never silently ignored: whoever asks is told so before
    (see `unlabelled`).
    """
    wanted = [
        {"key": settings.hardware_labels[key], "operator": "In", "values": [value]}
        for key, value in sorted(resources.hardware.items())
        if key in settings.hardware_labels
    ]
    selector = {"nodeSelector": dict(resources.node_selector)} if resources.node_selector else {}
    affinity = {
        "affinity": {
            "nodeAffinity": {
                "requiredDuringSchedulingIgnoredDuringExecution": {
                    "nodeSelectorTerms": [{"matchExpressions": wanted}]
                }
            }
        }
    } if wanted else {}  # fmt: skip
    return {**selector, **affinity, "tolerations": [*map(dict, resources.tolerations), *_patience()]}


def unlabelled(resources: Resources, settings: KubernetesSettings) -> list[str]:
    """Why the hardware that is asked for cannot be looked for; nothing, if it can."""
    return [
        f"no label of nodes is set for the hardware {key!r}; set one in TRIMTAB_KUBERNETES_HARDWARE_LABELS"
        for key in sorted(resources.hardware)
        if key not in settings.hardware_labels
    ]


def variables_as_they_are(variables: Mapping[str, str]) -> list[dict[str, str]]:
    """Variables of a container, in which Kubernetes expands nothing: it reads `$(NAME)` as another variable, and `$$` as `$`."""
    return [{"name": name, "value": value.replace("$", "$$")} for name, value in variables.items()]


def pull_secret(settings: KubernetesSettings) -> dict[str, Any]:
    """With what the kubelet fetches images."""
    return {"imagePullSecrets": [{"name": settings.registry_secret}]} if settings.registry_secret else {}


def _patience() -> Sequence[dict[str, Any]]:
    return [
        {"key": key, "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": _NODE_PATIENCE}
        for key in _UNANSWERED
    ]


def _run(request: RunRequest, settings: KubernetesSettings) -> dict[str, Any]:
    gpus = {settings.gpu_resource: str(request.resources.gpus)} if request.resources.gpus else {}
    variables = {"HOME": HOME, **variables_of(request)}
    return {
        "name": RUN,
        "image": request.build.reference,
        "imagePullPolicy": "IfNotPresent",  # it is named by its digest
        "workingDir": HOME,
        "env": variables_as_they_are(variables),
        "securityContext": _RESTRICTED,
        "resources": resources_of(request.resources, {**gpus, "ephemeral-storage": str(settings.disk)}),
        "volumeMounts": [
            {"name": "results", "mountPath": results_of(request)},
            *({"name": name, "mountPath": path} for name, path in _TEMPORARY.items()),
        ],
    }


def _keeper(request: RunRequest, settings: KubernetesSettings) -> dict[str, Any]:
    lifetime = round(settings.keep + (request.timeout or 0) + settings.slack + settings.grace)
    seconds = str(lifetime if request.timeout is not None else 365 * 86400)
    return {
        "name": KEEPER,
        "image": request.build.reference,
        "imagePullPolicy": "IfNotPresent",
        "command": ["/bin/sh", "-c", _KEEP, seconds],
        "workingDir": "/",
        "securityContext": {**_RESTRICTED, "readOnlyRootFilesystem": True},
        "resources": {"requests": _SMALL, "limits": _SMALL},
        "volumeMounts": [{"name": "results", "mountPath": RESULTS, "readOnly": True}],
    }


def _memory(settings: KubernetesSettings) -> dict[str, str]:
    return {"medium": "Memory", "sizeLimit": str(settings.temporary)}
