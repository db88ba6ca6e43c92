"""zypper, of SUSE."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import SystemPackage
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Zypper"]

_NAMES: Final = 20_000
_ROW: Final = re.compile(
    r"\((\d{1,6})/(\d{1,6})\) (Installing|Removing): (\S{1,300})-(?:(\d+):)?([^-\s]{1,200}-[^-\s]{1,200})\.(\w+) \[\.*(done|error)\]"
)
_PACKAGE: Final = r"(?P<package>\S{1,300})-(?P<version>[^-\s]{1,200}-[^-\s]{1,200})\.\w+"
_PROBLEM: Final = r"^Problem: (?:\d+: )?(?:the (?:to be )?installed )?"


class Zypper(Recogniser):
    """zypper."""

    tool = "zypper"
    starts = {
        "Retrieving repository": "begun", "Loading repository data...": "begun", "Resolving package dependencies...": "begun", "Nothing to do.": "done",
        "The following": "planned", "Problem occurred during or after": "failed",
    }  # fmt: skip
    marks = {"(": "row"}
    signs = (
        sign(F.SYSTEM_PACKAGE, "No provider of '", r"^No provider of '(?P<package>[^'=<>\s]+)(?:\s?[=<>]+\s?(?P<version>[^'\s]+))?' found"),
        sign(F.SYSTEM_PACKAGE, ("Problem: nothing provides ", " needed by the to be installed "), _PROBLEM + r"nothing provides '?(?!requested )(?P<package>[^\s']+).* needed by "),
        sign(F.SYSTEM_PACKAGE, (".noarch conflicts with ", " conflicts with "), _PROBLEM + _PACKAGE + r" conflicts with "),
        sign(F.SYSTEM_PACKAGE, "Installation of ", r"^Installation of " + _PACKAGE + r" failed:"),
        # Of one repository of several; what comes of it is told of the packages that it should have had.
        sign(F.FORBIDDEN, "Permission to access '", r"Permission to access '\S+' denied", level=None, passing=True),
        sign(F.INDEX, ("is temporarily unaccessible", "Repository type can't be determined"), level=None, passing=True),
        sign(F.METADATA, "Signature verification failed for repomd.xml", level=None),
        sign(F.HASH_MISMATCH, "Digest verification failed for file '", r"for file '(?P<package>[^'\s]+?)-(?P<version>\d[^'\s]*)\.rpm'", level=None),
    )  # fmt: skip

    def __init__(self, *arguments: object) -> None:
        super().__init__(*arguments)  # type: ignore[arg-type] # the channel
        self._upgraded: set[str] = set()

    def begun(self, line: Line) -> None:
        """`Retrieving repository 'main' metadata [.....done]`, `Loading repository data...`."""
        if line.text.startswith("Retrieving repository '") or line.text.endswith("..."):
            self.findings.tool("zypper")
            self.channel.installer.begun = line.number

    def planned(self, line: Line) -> None:
        """`The following package is going to be upgraded:`, and names after it."""
        if re.match(
            r"The following (?:\d+ )?packages? (?:is|are) going to be (?:up|down)graded:$", line.text
        ):
            self.channel.capture = self._named

    def _named(self, text: str, _number: int) -> bool:
        if not text.startswith(" ") or len(self._upgraded) > _NAMES:
            return False
        self._upgraded.update(text.split())
        return True

    def row(self, line: Line) -> None:
        """`(1/3) Installing: fire-1.0-1.noarch [.....done]`; the last of them is the end."""
        if (found := _ROW.match(line.text)) is None:
            return
        self.findings.tool("zypper")
        number, total, action, name, epoch, version, arch, state = found.groups()
        if action == "Installing":
            package = SystemPackage(
                "zypper",
                name,
                version,
                arch,
                epoch=int(epoch[:9]) if epoch else None,
                upgrading=name in self._upgraded,
            )
            self.findings.add(self.findings.packages, package)
        if state == "error":
            self.channel.installer.failed = line.number
        elif number == total:
            self.channel.installer.succeeded = line.number

    def done(self, line: Line) -> None:
        """`Nothing to do.`."""
        if "zypper" in self.findings.tools and line.text == "Nothing to do.":
            self.channel.installer.succeeded = line.number

    def failed(self, line: Line) -> None:
        """`Problem occurred during or after installation or removal of packages:`."""
        self.findings.tool("zypper")
        self.channel.installer.failed = line.number
