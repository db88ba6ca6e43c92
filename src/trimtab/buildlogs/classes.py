"""Why builds fail: the classes, and whose each is."""

from enum import StrEnum
from typing import Self

__all__ = ["FailureClass", "Kind"]


class Kind(StrEnum):
    """What has to change for a failure to go away."""

    STACK = "stack"
    """The packages, the base image or the instructions."""
    INDEX = "index"
    """What an index or a registry has and gives out."""
    NETWORK = "network"
    """The way to it."""
    INFRASTRUCTURE = "infrastructure"
    """What builds, and where images are kept."""
    RESOURCE = "resource"
    """Memory, disk and time."""


class FailureClass(StrEnum):
    """Why a build failed. `kind` says whose it is, `weight` how near to the cause: 3 a cause, 0 a consequence."""

    kind: Kind
    weight: int

    def __new__(cls, value: str, kind: Kind, weight: int) -> Self:
        """A member: its value, its kind and its weight."""
        member = str.__new__(cls, value)
        member._value_ = value
        member.kind, member.weight = kind, weight
        return member

    HASH_MISMATCH = "hash-mismatch", Kind.STACK, 3
    CONFLICT = "conflict", Kind.STACK, 3
    COMPILE = "compile-error", Kind.STACK, 3
    NATIVE = "missing-native", Kind.STACK, 3
    BUILD_DEPENDENCY = "missing-build-dependency", Kind.STACK, 3
    PACKAGE_BUILD = "package-build", Kind.STACK, 2
    UNINSTALL = "cannot-uninstall", Kind.STACK, 3
    INTERPRETER = "unsupported-interpreter", Kind.STACK, 3
    PLATFORM = "unsupported-platform", Kind.STACK, 3
    LOCK = "lock-out-of-date", Kind.STACK, 3
    MANAGED = "externally-managed", Kind.STACK, 3
    SYSTEM_PACKAGE = "system-package", Kind.STACK, 3
    COMMAND = "command-not-found", Kind.STACK, 3
    INSTRUCTION = "bad-instruction", Kind.STACK, 3
    INSTALLER = "installer-error", Kind.STACK, 1
    STEP = "step-failed", Kind.STACK, 0
    NO_VERSION = "no-such-version", Kind.INDEX, 2
    NO_PACKAGE = "no-such-package", Kind.INDEX, 2
    FORBIDDEN = "index-forbidden", Kind.INDEX, 3
    INDEX = "index-error", Kind.INDEX, 3
    ARCHIVE = "broken-archive", Kind.INDEX, 3
    METADATA = "repository-metadata", Kind.INDEX, 3
    BASE_IMAGE = "no-such-image", Kind.INDEX, 3
    RESOLUTION = "name-resolution", Kind.NETWORK, 3
    CONNECTION = "connection", Kind.NETWORK, 3
    TIMEOUT = "network-timeout", Kind.NETWORK, 3
    CERTIFICATE = "certificate", Kind.NETWORK, 3
    PUSH = "push", Kind.INFRASTRUCTURE, 3
    PULL = "image-pull", Kind.INFRASTRUCTURE, 3
    UNSCHEDULABLE = "unschedulable", Kind.INFRASTRUCTURE, 3
    EVICTED = "evicted", Kind.INFRASTRUCTURE, 3
    TERMINATED = "terminated", Kind.INFRASTRUCTURE, 3
    MEMORY = "out-of-memory", Kind.RESOURCE, 3
    KILLED = "killed", Kind.RESOURCE, 3
    DISK = "disk-full", Kind.RESOURCE, 3
    DEADLINE = "deadline", Kind.RESOURCE, 3
