"""One member of a layer: what lies at a path, before layers are put upon each other."""

from enum import StrEnum
from typing import NamedTuple

__all__ = ["Kind", "Member", "clean"]


ODD = ("", ".", "/")


class Kind(StrEnum):
    """What a member is."""

    file = "file"
    directory = "directory"
    symlink = "symlink"
    hardlink = "hardlink"
    other = "other"  # a device, a pipe, a socket: nothing is read of it


class Member(NamedTuple):
    """One member.

    Parameters:
        path: Where it lies, from the root, without a slash at either end; "" is the root. Never with `..`.
        kind: What it is.
        size: Bytes of its content as they are stored.
        mode: Its permissions.
        target: Where a link leads, as it is written.
        sparse: Whether only parts of the content are stored: such a content is not read.
    """

    path: str
    kind: Kind
    size: int = 0
    mode: int = 0
    target: str = ""
    sparse: bool = False


def clean(path: str) -> str | None:
    """A path as a `Member` has it; None if it leads out of the root by `..`, or has a NUL."""
    if path[:1] not in ODD and "//" not in path and "/." not in path and "\0" not in path:
        return path[:-1] if path[-1] == "/" else path  # nearly all
    parts = [part for part in path.split("/") if part not in {"", "."}]
    if ".." in parts or "\0" in path:
        return None
    return "/".join(parts)
