"""Where something is built and run: this machine's processes, a container engine, a cluster."""

from trimtab.engines.engine import Capabilities, Engine, LogSink
from trimtab.engines.errors import (
    BuildFailedError,
    BuildGoneError,
    EngineError,
    EngineLostError,
    EngineUnavailableError,
    FailureKind,
    RefusedError,
)
from trimtab.engines.request import Build, BuildRequest, Lock, Resources, Run, RunRequest

__all__ = [
    "Build",
    "BuildFailedError",
    "BuildGoneError",
    "BuildRequest",
    "Capabilities",
    "Engine",
    "EngineError",
    "EngineLostError",
    "EngineUnavailableError",
    "FailureKind",
    "Lock",
    "LogSink",
    "RefusedError",
    "Resources",
    "Run",
    "RunRequest",
]
