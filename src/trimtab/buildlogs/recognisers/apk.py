"""apk, of Alpine."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import SystemPackage
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Apk"]

_ROW: Final = re.compile(
    r"\(\d+/\d+\) (Installing|Upgrading|Downgrading) (\S+) \(([^)\s]+)(?: -> ([^)]+))?\)$"
)
_OK: Final = re.compile(r"OK: [\d.]+ \w+ in \d+ packages$")


class Apk(Recogniser):
    """apk."""

    tool = "apk"
    starts = {"fetch": "begun", "OK:": "done"}
    marks = {"(": "row"}
    signs = (
        sign(F.SYSTEM_PACKAGE, "(no such package):", r"(?P<package>\S+) \(no such package\)"),
        # What follows names them.
        sign(F.INSTALLER, ("unable to select packages", "unsatisfiable constraints"), r"^ERROR: uns?a?"),
        sign(
            F.SYSTEM_PACKAGE,
            "breaks: world[",
            r"breaks: world\[(?P<package>[\w.+-]+?)(?:[=<>~]+(?P<version>[^\]]+))?\]",
        ),
        sign(F.SYSTEM_PACKAGE, "breaks: ", r"breaks: (?!world\[)(?P<package>\S+?)-(?P<version>\d\S*?)\["),
        sign(
            F.SYSTEM_PACKAGE,
            ": exited with error ",
            r"(?:^ERROR: |/)(?P<package>[^/\s]+?)-(?P<version>\d\S*)\.(?:pre|post)-\w+: exited with error",
        ),
        sign(
            F.SYSTEM_PACKAGE,
            ": script exited with error ",
            r"^ERROR: (?P<package>\S+?)-(?P<version>\d\S*)\.(?:pre|post)-\w+: script exited",
        ),
        sign(F.METADATA, ("UNTRUSTED signature", "BAD archive", "BAD signature")),
    )

    def begun(self, line: Line) -> None:
        """`fetch https://…/APKINDEX.tar.gz`."""
        if "APKINDEX" in line.text:
            self.findings.tool("apk")
            self.channel.installer.begun = line.number

    def row(self, line: Line) -> None:
        """`(1/5) Installing libffi (3.4.4-r3)`."""
        found = _ROW.match(line.text)
        if found:
            self.findings.tool("apk")
            action, name, version, newer = found.groups()
            self.findings.add(
                self.findings.packages,
                SystemPackage("apk", name, newer or version, upgrading=action == "Upgrading"),
            )
            self.channel.installer.begun = line.number

    def done(self, line: Line) -> None:
        """`OK: 12 MiB in 20 packages`."""
        if _OK.match(line.text):
            self.findings.tool("apk")
            self.channel.installer.succeeded = line.number
