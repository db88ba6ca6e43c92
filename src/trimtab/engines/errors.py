"""What can go wrong with an engine.

EngineError
├── EngineUnavailableError    there is no such engine here, or it does not answer
│   └── BuildGoneError        what was built was removed meanwhile
├── EngineLostError           it went away in the middle of a build
├── RefusedError              it cannot do what is asked; nothing was started
│   └── UnmetError            this machine has not the resources that are asked for; another one may
└── BuildFailedError          a build was tried and failed, with its kind, exit code and the lines that matter
"""

from enum import StrEnum

__all__ = [
    "BuildFailedError",
    "BuildGoneError",
    "EngineError",
    "EngineLostError",
    "EngineUnavailableError",
    "FailureKind",
    "RefusedError",
    "UnmetError",
]


class EngineError(RuntimeError):
    """Anything wrong with an engine."""


class EngineUnavailableError(EngineError):
    """An engine that cannot be used here; the message says what to do about it."""


class BuildGoneError(EngineUnavailableError):
    """What was built was removed meanwhile, by others or by its age; build it again."""


class EngineLostError(EngineError):
    """The engine went away in the middle; trying again may help."""


class RefusedError(EngineError, ValueError):
    """What is asked cannot be done by this engine.

    Args:
        engine: Its name.
        reasons: What cannot be done, and why; each a sentence.
    """

    def __init__(self, engine: str, reasons: tuple[str, ...]) -> None:
        self.engine = engine
        self.reasons = reasons
        super().__init__(f"the engine {engine!r} cannot do this: " + "; ".join(reasons))

    def __reduce__(self) -> tuple[type["RefusedError"], tuple[str, tuple[str, ...]]]:
        return type(self), (self.engine, self.reasons)


class UnmetError(RefusedError):
    """Resources are asked for that this machine has not: hardware, GPUs, cores, memory. Another one may have them."""


class FailureKind(StrEnum):
    """Why a build failed, as far as the engine can tell."""

    STACK = "stack"
    """An instruction of the build failed: the stack or its specification."""
    TIMEOUT = "timeout"
    """It took longer than was allowed."""
    OOM = "oom"
    """It needed more memory than was allowed."""
    BASE = "base"
    """The base image could not be had."""
    NETWORK = "network"
    """An index or a registry did not answer."""
    DISK = "disk"
    """There is no space left."""


class BuildFailedError(EngineError):
    """A build that failed.

    Args:
        kind: Why.
        exit_code: Of the instruction that failed, or of the builder; None if it did not end by itself.
        excerpt: The lines that matter, at most some kilobytes.
    """

    def __init__(self, kind: FailureKind, exit_code: int | None, excerpt: str) -> None:
        self.kind = kind
        self.exit_code = exit_code
        self.excerpt = excerpt
        code = "" if exit_code is None else f", exit code {exit_code}"
        super().__init__(f"the build failed ({kind}{code}): {excerpt.strip() or 'it printed nothing'}")

    def __reduce__(self) -> tuple[type["BuildFailedError"], tuple[FailureKind, int | None, str]]:
        return BuildFailedError, (self.kind, self.exit_code, self.excerpt)
