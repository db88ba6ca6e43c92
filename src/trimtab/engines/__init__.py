"""Where something is built and run: this machine's processes, a container engine, a cluster.

Names of what an engine is made of are imported when they are first used: a listing of inspections needs none of it.
"""

from typing import TYPE_CHECKING

from trimtab.engines.engine import Capabilities, Engine, LogSink
from trimtab.engines.errors import (
    BuildFailedError,
    BuildGoneError,
    EngineError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
    UnmetError,
)
from trimtab.engines.request import Build, BuildRequest, Lock, Resources, Run, RunRequest
from trimtab.exports import lazily

if TYPE_CHECKING:
    from trimtab.engines.choice import CHOICES, choose
    from trimtab.engines.container import ContainerEngine, ContainerSettings
    from trimtab.engines.kubernetes import KubernetesEngine, KubernetesSettings
    from trimtab.engines.process import ProcessEngine, ProcessSettings

_HOMES = {
    "choice": ("CHOICES", "choose"),
    "container": ("ContainerEngine", "ContainerSettings"),
    "kubernetes": ("KubernetesEngine", "KubernetesSettings"),
    "process": ("ProcessEngine", "ProcessSettings"),
}

__all__ = [
    "CHOICES",
    "Build",
    "BuildFailedError",
    "BuildGoneError",
    "BuildRequest",
    "Capabilities",
    "ContainerEngine",
    "ContainerSettings",
    "Engine",
    "EngineError",
    "EngineLostError",
    "EngineUnavailableError",
    "FailureKind",
    "KubernetesEngine",
    "KubernetesSettings",
    "Lock",
    "LogSink",
    "ProcessEngine",
    "ProcessSettings",
    "RefusedError",
    "Resources",
    "Run",
    "RunRequest",
    "UnmetError",
    "choose",
]

__getattr__ = lazily(__name__, _HOMES)
