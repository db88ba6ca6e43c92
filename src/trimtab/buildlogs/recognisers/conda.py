"""conda and mamba: the plan of packages, and why there is none."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import SystemPackage
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Conda"]

_PLANNED: Final = re.compile(r"([a-z0-9_][\w.-]*) +([\w.-]+/[\w.-]+)::([\w.-]+)-(\d[^-\s]*)-(\S+)")


class Conda(Recogniser):
    """conda."""

    tool = "conda"
    starts = {
        "Collecting package metadata": "begun", "Solving environment:": "begun", "The following ": "planned", "Executing transaction:": "executing",
        "PackagesNotFoundError:": "missing", "-": "listed", "conda": "version",
    }  # fmt: skip
    signs = (
        sign(F.CONFLICT, "UnsatisfiableError"),
        sign(F.CONFLICT, "LibMambaUnsatisfiableError"),
        sign(F.NO_PACKAGE, "ResolvePackageNotFound"),
        sign(
            F.INDEX,
            ("CondaHTTPError", "UnavailableInvalidChannel"),
            r"^(?:CondaHTTPError|UnavailableInvalidChannel)",
        ),
        sign(F.HASH_MISMATCH, "ChecksumMismatchError", r"^ChecksumMismatchError"),
    )

    _missing: Line | None = None

    def version(self, line: Line) -> None:
        """`conda 24.1.2`."""
        found = re.match(r"conda (\d[\d.]+)$", line.text)
        if found:
            self.findings.tool("conda", found[1])

    def begun(self, line: Line) -> None:
        """`Collecting package metadata (current_repodata.json): ...working... done`, `Solving environment: …`."""
        if line.text.startswith(("Collecting package metadata", "Solving environment:")):
            self.findings.tool("conda")
            self.channel.installer.begun = line.number

    def planned(self, line: Line) -> None:
        """`The following NEW packages will be INSTALLED:`, and the table after it."""
        if (
            re.match(r"The following (?:NEW )?packages will be (?:INSTALLED|UPDATED|DOWNGRADED)", line.text)
            and "conda" in self.findings.tools
        ):
            self.channel.capture = self._table

    def _table(self, text: str, _number: int) -> bool:
        found = _PLANNED.match(text.strip())
        if found:
            self.findings.add(
                self.findings.packages, SystemPackage("conda", found[1], found[4], repository=found[2])
            )
        return bool(found) or not text.strip()

    def executing(self, line: Line) -> None:
        """`Executing transaction: ...working... done`."""
        if line.text.startswith("Executing transaction:") and line.text.endswith("done"):
            self.findings.tool("conda")
            self.channel.succeeded(set(), line)

    def missing(self, line: Line) -> None:
        """`PackagesNotFoundError: The following packages are not available from current channels:`; a list follows."""
        self.findings.tool("conda")
        self.channel.installer.failed = line.number
        self._missing = line

    def listed(self, line: Line) -> None:
        """`  - galley==9.9`, in that list."""
        if self._missing is not None and (found := re.match(r"- ([\w.-]+)(?:[=<> ]+(\S+))?$", line.text)):
            self.channel.fail(F.NO_PACKAGE, self._missing, package=found[1], version=found[2])
            self._missing = None  # one is enough
