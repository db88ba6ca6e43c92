"""Why a build failed, read from what the builder printed."""

import re

from trimtab.engines.errors import BuildFailedError, FailureKind

__all__ = ["build_failure", "names_instruction"]

_CODE = re.compile(r"exit status (\d+)|exit code: (\d+)|non-zero code: (\d+)")
_KILLED = 137
_KINDS = (
    (FailureKind.DISK, re.compile(r"no space left on device|disk quota exceeded", re.IGNORECASE)),
    (
        FailureKind.BASE,
        re.compile(
            r"initializing source|unable to (?:copy from source|pull)|pull access denied|manifest unknown"
            r"|failed to resolve source metadata|failed to create llb definition|no such image|short-name|error getting image|creating build container"
            r"|invalid reference format|failed to solve: .*not found|error pulling image",
            re.IGNORECASE,
        ),
    ),
    (
        FailureKind.NETWORK,
        re.compile(
            r"temporary failure (?:resolving|in name resolution)|could not resolve|name or service not known"
            r"|connection (?:refused|timed out|reset)|max retries exceeded|failed to fetch|network is unreachable"
            r"|certificate verify failed|proxyerror|tls handshake timeout",
            re.IGNORECASE,
        ),
    ),
)


def names_instruction(excerpt: str) -> bool:
    """Whether a builder says which instruction failed, and how: then the builder itself is well."""
    return _CODE.search(excerpt) is not None


def build_failure(code: int | None, excerpt: str) -> BuildFailedError:
    """The error of a build that ended badly.

    Args:
        code: The builder's own exit code.
        excerpt: The last lines it printed.
    """
    found = [int(next(filter(None, match))) for match in _CODE.findall(excerpt)]
    instruction = found[-1] if found else None
    exit_code = code if instruction is None else instruction
    if exit_code == _KILLED:  # inside of a build hardly anything but the memory limit does that
        return BuildFailedError(FailureKind.OOM, exit_code, excerpt)
    kind = next((kind for kind, pattern in _KINDS if pattern.search(excerpt)), FailureKind.STACK)
    if kind is FailureKind.BASE and instruction is not None:  # an instruction ran, so there was a base
        kind = FailureKind.STACK
    return BuildFailedError(kind, exit_code, excerpt)
