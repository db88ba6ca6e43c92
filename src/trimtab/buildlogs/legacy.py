"""What the original's old handlers told of a log: `[{"handler": "yum" | "pip3" | "pipenv", "result": […]}]`."""

from typing import Any, Final

from trimtab.buildlogs.findings import Requirement, SystemPackage
from trimtab.buildlogs.result import Result

__all__ = ["HANDLERS", "legacy"]

HANDLERS: Final = ("pip3", "pipenv", "yum")


def legacy(result: Result, handler: str) -> list[dict[str, Any]]:
    """The entries of one handler.

    Raises:
        ValueError: There is no such handler.
    """
    if handler == "yum":
        return [_yum(each) for each in result.packages if each.manager == "dnf"]
    if handler == "pipenv":
        return [_pip(each) for each in result.candidates]
    if handler == "pip3":
        return [_pip(each) for each in result.requirements]
    raise ValueError(f"there is no handler {handler!r}; there are {', '.join(HANDLERS)}")


def _pip(each: Requirement) -> dict[str, Any]:
    origin = (
        [{"package": name, "version_specified": specifier} for name, specifier in each.chain]
        if each.chain
        else None
    )
    return {
        "package": each.name, "version_specified": each.specifier, "version_installed": each.installed, "already_satisfied": each.satisfied,
        "from": origin, "artifact": {"name": each.artifact[0], "size": each.artifact[1]} if each.artifact else None,
    }  # fmt: skip


def _yum(each: SystemPackage) -> dict[str, Any]:
    return {
        "name": each.name, "version": each.version, "epoch": each.epoch, "arch": each.arch, "repository": each.repository,
        "size": each.size, "dependency": each.dependency, "upgrading": each.upgrading,
    }  # fmt: skip
