"""dnf, yum and microdnf: their tables of a transaction."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import INSTALLER, SystemPackage
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Dnf"]

_HEADER: Final = re.compile(r"Package +Arch(?:itecture)? +Version +Repository(?: +Size)?$")
_SECTION: Final = re.compile(
    r"(Installing|Upgrading|Updating|Downgrading|Reinstalling|Removing|Installing (?:weak )?dependencies|Installing for dependencies|Updating for dependencies|Skipped.*|Removing .*|Enabling .*|Transaction Summary):?$"
)
_ROW: Final = re.compile(r"(\S+) +(\S+) +(?:(\d+):)?(\S+) +(\S+) +([\d.]+ ?(?:[kKMGT]i?)?B?)$")
_GAVE_UP: Final = frozenset({"Error:", "Error: Transaction test error:", "Error: Transaction failed"})
_ROWS: Final = 20_000
_RULE: Final = re.compile(r"={20,}$")


class Dnf(Recogniser):
    """dnf and yum."""

    tool = "dnf"
    starts = {
        "Package ": "table",
        "Complete!": "complete",
        "Last": "begun",
        "Dependencies": "begun",
        "Loaded": "begun",
        "Resolving": "begun",
        "Nothing": "begun",
        "Error:": "failed",
        "(try": "advised",
    }
    signs = (
        sign(F.SYSTEM_PACKAGE, "No match for argument", r"argument: (?P<package>\S+)", level=None),
        sign(F.SYSTEM_PACKAGE, "Unable to find a match", r"match: (?P<package>\S+)"),
        # yum goes on without it, and fails only if nothing is left to do.
        sign(F.SYSTEM_PACKAGE, " available.", r"^No package (?P<package>\S+) available\.$", level=None, passing=True),
        sign(F.SYSTEM_PACKAGE, "nothing provides ", r"nothing provides (?P<package>\S+)"),
        sign(F.SYSTEM_PACKAGE, "Error: Nothing to do"),
        sign(F.METADATA, ("Failed to download metadata for repo", "Cannot download repomd.xml", "repomd.xml GPG signature verification error", "Cannot find a valid baseurl"), level=INSTALLER),
        sign(F.METADATA, ("GPG check FAILED", "Public key for "), r"GPG check FAILED|Public key for .* is not trusted"),
        # One mirror of several, or one package's; what comes of it says "Error:".
        sign(F.METADATA, "All mirrors were tried"),
        sign(F.METADATA, "is not signed", r"^Package (?P<package>\S+?)-\d\S*\.rpm is not signed$"),
        sign(F.HASH_MISMATCH, "Downloading successful, but checksum doesn't match", r"^\[MIRROR\] (?P<package>\S+?)-\d\S*: Downloading", level=None, passing=True),
        sign(F.DISK, "more space on the / filesystem", r"(?:(?P<package>\S+)-(?P<version>[^-\s]+-[^-\s]+)\.\w+ )?needs \S+ more space on", level=INSTALLER),
        sign(F.DISK, "more space needed on the"),
        sign(F.SYSTEM_PACKAGE, " conflicts with ", r"Problem: .*package (?P<package>\S+)-(?P<version>[^-\s]+-[^-\s]+)\.\w+ conflicts with "),
        sign(F.SYSTEM_PACKAGE, "scriptlet failed", r"%\w+\((?P<package>\S+)-(?P<version>[^-\s]+-[^-\s]+)\.\w+\) scriptlet failed"),
        sign(F.SYSTEM_PACKAGE, " scriptlet in rpm package ", r"^Error in \w+ scriptlet in rpm package (?P<package>\S+)"),
        sign(F.INDEX, "Error: Error downloading packages:"),
    )  # fmt: skip

    def begun(self, line: Line) -> None:
        """`Last metadata expiration check: …`, `Dependencies resolved.`."""
        if line.text.startswith(
            (
                "Last metadata expiration check",
                "Dependencies resolved.",
                "Loaded plugins:",
                "Resolving Dependencies",
            )
        ):
            self.findings.tool("dnf")
            self.channel.installer.begun = line.number

    def failed(self, line: Line) -> None:
        """`Error:` alone, and what comes of a transaction; what follows or stood before says why."""
        if "dnf" in self.findings.tools and line.text in _GAVE_UP:
            self.channel.installer.failed = line.number

    def advised(self, line: Line) -> None:
        """`(try to add '--skip-broken' to skip uninstallable packages)`."""
        if line.text.startswith("(try to add '--"):
            self.findings.tool("dnf")
            self.channel.installer.failed = line.number

    def table(self, line: Line) -> None:
        """The header of a transaction; rows follow until the summary. It may be split on two lines."""
        if _HEADER.match(line.text):
            self.findings.tool("dnf")
            self._section = ""
            self._split = ""
            self._count = 0
            self.channel.capture = self._row

    def _row(self, text: str, _number: int) -> bool:
        text = text.strip()
        self._count += 1
        if self._count > _ROWS or text.startswith("Transaction Summary"):
            return False
        if not text or text == "Size" or _RULE.match(text):
            return True
        section = _SECTION.match(text)
        if section:
            self._section, self._split = section[1], ""
            return True
        return self._one(text)

    def _one(self, text: str) -> bool:
        """A row, or a part of one: what does not fit goes on on the next line."""
        found = _ROW.match(f"{self._split} {text}".strip())
        if found is None:
            self._split = f"{self._split} {text}".strip()[:400]
            return len(self._split.split()) < 6 and bool(self._section)  # noqa: PLR2004 # columns of a row
        self._split = ""
        if self._section.startswith(("Removing", "Skipped", "Enabling")):
            return True
        name, arch, epoch, version, repository, size = found.groups()
        self.findings.add(self.findings.packages, SystemPackage(
            "dnf", name, version, arch, repository, size.replace(" ", ""), int(epoch) if epoch else None,
            dependency="dependencies" in self._section, upgrading=self._section.startswith(("Upgrading", "Updating")),
        ))  # fmt: skip
        return True

    def complete(self, line: Line) -> None:
        """`Complete!`."""
        if line.text == "Complete!" and "dnf" in self.findings.tools:
            self.channel.installer.succeeded = line.number
