"""apt and dpkg."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import SystemPackage
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Apt"]

_GET: Final = re.compile(
    r"Get:\d+ (\S+) (\S+) (\S+) ([a-z0-9][a-z0-9+.-]+)(?: \S+)? (\d\S*|\S+-\S+) \[([^\]]+)\]$"
)
_SETUP: Final = re.compile(r"Setting up ([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9]+))? \(([^)]+)\) \.\.\.")
_UNPACK: Final = re.compile(
    r"Unpacking ([a-z0-9][a-z0-9+.-]+)(?::([a-z0-9]+))? \(([^)\s]+)\)(?: over \(([^)]+)\))? \.\.\."
)


class Apt(Recogniser):
    """apt-get, apt and dpkg."""

    tool = "apt"
    starts = {
        "Reading package lists": "begun",
        "Unpacking": "unpacking",
        "Setting up ": "set_up",
        "Fetched": "begun",
        "Building dependency tree": "begun",
    }
    signs = (
        sign(F.SYSTEM_PACKAGE, "E: Unable to locate package", r"package (?P<package>\S+)"),
        sign(F.SYSTEM_PACKAGE, "has no installation candidate", r"Package '?(?P<package>[^\s']+)'? has no"),
        sign(
            F.SYSTEM_PACKAGE,
            "E: Version '",
            r"Version '(?P<version>[^']+)' for '(?P<package>[^']+)' was not found",
        ),
        sign(
            F.SYSTEM_PACKAGE,
            ("E: Unable to correct problems", "have unmet dependencies"),
            r"E: Unable to correct|^The following packages have unmet",
        ),
        sign(F.SYSTEM_PACKAGE, "dpkg: error processing", r"processing (?:package|archive) (?P<package>\S+)"),
        sign(
            F.METADATA,
            (
                "is not signed",
                "signatures couldn't be verified",
                "does not have a Release file",
                "is not valid yet",
                "Release file for",
            ),
            r"^[WEN]: .*(?:is not signed|signatures couldn't be verified|does not have a Release file|is not valid yet|is expired)",
        ),
        sign(F.INDEX, "E: Failed to fetch", r"Failed to fetch \S+ +(?:404|5\d\d)"),
        sign(F.FORBIDDEN, ("403  Forbidden", "401  Unauthorized")),
        sign(F.HASH_MISMATCH, "Hash Sum mismatch"),
        sign(F.DISK, "You don't have enough free space in"),
    )

    def begun(self, line: Line) -> None:
        """`Reading package lists...`."""
        if line.text.startswith(("Reading package lists", "Fetched ", "Building dependency tree")):
            self.findings.tool("apt")

    def unpacking(self, line: Line) -> None:
        """`Unpacking libc6:amd64 (2.36-9) over (2.36-8) ...`."""
        found = _UNPACK.match(line.text)
        if found:
            self.findings.tool("apt")
            name, arch, version, old = found.groups()
            self.findings.add(
                self.findings.packages, SystemPackage("apt", name, version, arch, upgrading=bool(old))
            )
            self.channel.installer.begun = line.number

    def set_up(self, line: Line) -> None:
        """`Setting up libc6:amd64 (2.36-9) ...`."""
        if _SETUP.match(line.text):
            self.findings.tool("apt")
            self.channel.installer.succeeded = line.number
