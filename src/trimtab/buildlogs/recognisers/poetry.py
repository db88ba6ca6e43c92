"""Poetry: its package operations, and why it could not lock."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.names import normalised
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Poetry"]

_OPERATION: Final = re.compile(
    r"[-•] (?:Installing|Updating|Downgrading) ([A-Za-z0-9][\w.-]*) \((?:\S+ -> )?([^\s):]+)[^)]*\)(?:: (.+))?$"
)
_BOX: Final = 60
_VERSION: Final = re.compile(r"\d[\w.+!-]*$")
_UNREACHABLE: Final = re.compile(
    r"All attempts to connect to \S+ failed|HTTPS?ConnectionPool\(|\d{3} (?:Server|Client) Error: "
)
_QUOTED: Final = re.compile(r" *(?:→ )?\d+│")
_ASKED_FOR: Final = re.compile(r"So, because \S+ depends on (?:both )?([A-Za-z0-9][\w.-]*) \(")


class Poetry(Recogniser):
    """Poetry."""

    tool = "poetry"
    starts = {
        "-": "operation",
        "•": "operation",
        "Package operations:": "operations",
        "Resolving dependencies...": "begun",
        "Installing dependencies from lock file": "begun",
        "No dependencies to install": "nothing",
        "Because": "because",
        "at /": "quoting",
        "Writing lock file": "wrote",
        "Poetry": "version",
    }
    finds = {
        "Max retries exceeded with url": "unreachable",
        " Server Error: ": "unreachable",
        " Client Error: ": "unreachable",
        "All attempts to connect to": "unreachable",
    }
    signs = (
        sign(F.LOCK, "pyproject.toml changed significantly since poetry.lock was last generated"),
        sign(F.LOCK, "poetry.lock is not up to date with pyproject.toml"),
        sign(
            F.HASH_MISMATCH,
            "Hash for ",
            r"Hash for (?P<package>[\w.-]+?) \((?P<version>[^)]+)\) from archive",
        ),
        sign(F.HASH_MISMATCH, "not found in known hashes"),
        sign(
            F.INTERPRETER,
            ("so it will not be satisfied for Python", "so it will not be installable for Python"),
            r"^- (?P<package>[\w.-]+) requires Python",
        ),
        sign(F.PACKAGE_BUILD, "build backend raised an exception", r"(?i)build backend raised an exception"),
        sign(F.PACKAGE_BUILD, "ChefBuildError"),
        sign(
            F.PACKAGE_BUILD,
            ("PEP517 build of a dependency failed", "Backend subprocess exited when trying to invoke"),
        ),
        sign(
            F.PACKAGE_BUILD,
            "This error originates from the build backend, and is likely not a problem with poetry",
            r"issues with (?P<package>[\w.-]+) \((?P<version>[^)]+)\)",
        ),
    )

    def begun(self, line: Line) -> None:
        """`Resolving dependencies...`, `Installing dependencies from lock file`."""
        if (
            line.text.startswith(("Resolving dependencies...", "Installing dependencies from lock file"))
            and "pipenv" not in self.findings.tools
        ):
            self.findings.tool("poetry")
            self.channel.installer.begun = line.number

    def version(self, line: Line) -> None:
        """`Poetry (version 2.2.1)`."""
        found = re.match(r"Poetry \(version ([\w.]+)\)", line.text)
        if found:
            self.findings.tool("poetry", found[1])

    def operations(self, line: Line) -> None:
        """`Package operations: 3 installs, 0 updates, 0 removals`."""
        found = re.match(r"Package operations: (\d+) installs?, (\d+) updates?", line.text)
        if found:
            self.findings.tool("poetry")
            self._left = int(found[1]) + int(found[2])
            self.channel.installer.begun = line.number
            if not self._left:
                self.channel.succeeded(set(), line)

    def operation(self, line: Line) -> None:
        """`- Installing mooring (2.0)`, and its last word if it failed. Poetry has no last line of success: all of them began."""
        found = _OPERATION.match(line.text)
        if not found or "poetry" not in self.findings.tools:
            return
        name, version, state = found.groups()
        if state and "Failed" in state:
            self.channel.installer.failed = line.number
            self.channel.package = (name, version)
            self.channel.not_installed(name, version, line.number)
            self.channel.fail(F.PACKAGE_BUILD, line, package=name, version=version)
            return
        self._one(line, name, version)

    def _one(self, line: Line, name: str, version: str) -> None:
        self._left = getattr(self, "_left", 0) - 1
        self.channel.package = (name, version)
        self.channel.installed(name, version, line.number)
        # Should it fail, the entry is there to say so.
        self.channel.pending[normalised(name)] = self.findings.installs[-1]
        if self._left == 0:
            self.channel.installer.succeeded = line.number

    def nothing(self, line: Line) -> None:
        """`No dependencies to install or update`."""
        if line.text.startswith("No dependencies to install or update"):
            self.findings.tool("poetry")
            self.channel.succeeded(set(), line)

    def wrote(self, line: Line) -> None:
        """`Writing lock file`."""
        if line.text == "Writing lock file":
            self.findings.tool("poetry")

    def because(self, line: Line) -> None:
        """The proof of a conflict: `Because anchor (1.1) depends on …`, up to `version solving failed.`."""
        if "poetry" not in self.findings.tools:
            return
        self._line, self._words = line, [line.text]
        if line.text.endswith("version solving failed."):
            self._explain()
        else:
            self.channel.capture = self._capture

    def _capture(self, text: str, _number: int) -> bool:
        if not text.strip() or len(self._words) >= _BOX:
            self._explain()
            return False
        self._words.append(text.strip())
        return True

    def unreachable(self, line: Line) -> None:
        """`HTTPSConnectionPool(host=…): Max retries …`, `503 Server Error: …`: what version 1.8 ends with; `All attempts to connect to … failed.`."""
        if "poetry" in self.findings.tools and _UNREACHABLE.match(line.text):
            self.channel.installer.failed = line.number

    def quoting(self, line: Line) -> None:
        """`at /…/adapters.py:698 in send`: Poetry gave up, and shows lines of its own source, which say nothing."""
        if "poetry" in self.findings.tools and re.match(r"at /\S+\.py:\d+ in \w+$", line.text):
            self.channel.installer.failed = line.number
            self.channel.capture = self._quoted

    @staticmethod
    def _quoted(text: str, _number: int) -> bool:
        return bool(_QUOTED.match(text))

    def _explain(self) -> None:
        text = " ".join(self._words)
        missing = re.search(r"depends on ([\w.-]+) \(([^)]*)\) which doesn't match any versions", text)
        self.channel.installer.failed = self._line.number
        self.channel.package = None
        if missing:
            version = missing[2].lstrip("=")
            version = version if _VERSION.match(version) else None
            failure = F.NO_PACKAGE if missing[2] == "*" else F.NO_VERSION
            self.channel.fail(failure, self._line, package=missing[1], version=version, message=text)
            self.channel.not_installed(missing[1], version, self._line.number)
        else:
            asked = _ASKED_FOR.search(text)
            package = asked[1] if asked else None
            self.channel.fail(F.CONFLICT, self._line, package=package, message=text)
            if package:
                self.channel.not_installed(package, None, self._line.number)
