"""uv: what it installed, and the boxes in which it says why it did not."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Uv"]

_COUNT: Final = re.compile(
    r"(Resolved|Prepared|Installed|Audited|Built|Downloaded|Uninstalled) (\d+) packages? in "
)
_PLUS: Final = re.compile(r"[+~] ([A-Za-z0-9][\w.-]*)(?:==([^\s(]+))?(?: @ (\S+))?(?: \((?:from )?(.+)\))?$")
_BOX: Final = 60
_MISSING: Final = re.compile(
    r"([\w.-]+) was not found in the (?:package registry|provided package locations|cache)"
)
_NO_VERSION: Final = re.compile(
    r"there (?:is no version of|are no versions of) ([\w.-]+)(?:\[[^\]]*\])?(?:==([\w.!+-]+))?|only (?:the following versions of )?([\w.-]+)[<>=]\S* (?:is|are) available"
)
_PYTHON: Final = re.compile(
    r"Python version \([^)]*\) does not satisfy Python\S+ and ([\w.-]+?)(?:==([\w.!+-]+))? depends on"
)
_ASKED_FOR: Final = re.compile(
    r"because you require ([\w.-]+?)(?:\[[^\]]*\])?(?:==([\w.!+-]+))?(?=[ ,<>=!~])"
)
_WHEELS: Final = re.compile(r"([\w.-]+?)(?:==([\w.!+-]+))? has no wheels with a matching")
_BUILD: Final = re.compile(
    r"Failed to (?:build|download|download and build|prepare|generate package metadata for) (?:`([\w.-]+?)(?:==([^`\s]+))?`|([\w.-]+)==(\S+))(?: @ \S+)?$"
)
_INVALID: Final = re.compile(r"([\w.-]+?)(?:==([\w.!+-]+))? has an invalid package format")
_ASKED: Final = re.compile(r"(?:Failed to fetch|Request failed).*/simple/([\w.-]+)/")


class Uv(Recogniser):
    """uv."""

    tool = "uv"
    starts = {
        "Resolved": "counted", "Prepared": "counted", "Installed": "counted", "Audited": "counted", "Built": "counted", "Downloaded": "counted",
        "+": "plus", "×": "box", "Using CPython ": "begun",
        "Using Python ": "begun", "uv": "version", "error:": "failed", "├─▶": "inside", "╰─▶": "inside", "Caused by:": "inside", "cause:": "inside", "~": "plus", "Creating virtual environment at": "begun",
    }  # fmt: skip
    signs = (
        sign(F.LOCK, "The lockfile at `uv.lock` needs to be updated"),
        sign(F.BUILD_DEPENDENCY, "Failed to resolve requirements from `build-system.requires`"),
        sign(
            F.INTERPRETER,
            "interpreter resolved to Python",
            r"interpreter resolved to Python [\w.]+, which is incompatible",
        ),
        sign(F.INSTALLER, "Failed to parse: `", r"^error: Failed to parse: `"),
        sign(F.INSTALLER, "File not found: ", r"^error: File not found: "),
        sign(F.HASH_MISMATCH, "Hash mismatch for `", r"Hash mismatch for `(?P<requirement>[^`]+)`"),
        sign(F.NO_VERSION, "has no wheels with a matching", r"(?P<requirement>[\w.=-]+) has no wheels"),
    )

    def begun(self, line: Line) -> None:
        """`Using CPython 3.11.7 interpreter at: …`."""
        if line.text.startswith(("Using CPython ", "Using Python ", "Creating virtual environment at")):
            self.findings.tool("uv")
            self.channel.installer.begun = line.number

    def version(self, line: Line) -> None:
        """`uv 0.9.11`."""
        found = re.match(r"uv (\d[\d.]+)(?: |$)", line.text)
        if found:
            self.findings.tool("uv", found[1])

    def counted(self, line: Line) -> None:
        """`Installed 3 packages in 18ms`."""
        found = _COUNT.match(line.text)
        if not found:
            return
        self.findings.tool("uv")
        if found[1] in {"Installed", "Audited"}:
            self.channel.succeeded(set(), line)
        else:
            self.channel.installer.begun = line.number

    def plus(self, line: Line) -> None:
        """` + galley==0.5`."""
        found = _PLUS.match(line.text)
        if found and "uv" in self.findings.tools and (found[2] or found[3] or found[4]):
            self.channel.installed(found[1], found[2], line.number)
            self.channel.pending.clear()

    def box(self, line: Line) -> None:
        """`× No solution found …`, `× Failed to build keel==2.1`: what follows, wrapped and indented, says why."""
        text = line.text[1:].strip()
        build = _BUILD.match(text)
        # pip draws such boxes, too; uv quotes what failed.
        if not text.startswith("No solution found when") and not (
            text.startswith("Failed to ") and "`" in text
        ):
            return
        self.findings.tool("uv")
        self.channel.installer.failed = line.number
        if build:
            self._build(line, build)
        elif text.startswith("No solution"):
            self._proof(line)
        elif asked := _ASKED.search(text):
            self._asked(line, asked[1])

    def _proof(self, line: Line) -> None:
        self._words: list[str] = []
        self._line = line
        self.channel.capture = self._capture

    def _asked(self, line: Line, package: str) -> None:
        """What follows says why; it is of this package."""
        self.channel.package = (package, None)
        self.channel.not_installed(package, None, line.number)

    def _build(self, line: Line, found: re.Match[str]) -> None:
        name, version = found[1] or found[3], found[2] or found[4]
        self.channel.package = (name, version)
        # Why it could not be downloaded is said by what follows.
        if "Failed to download `" not in line.text:
            self.channel.fail(F.PACKAGE_BUILD, line, package=name, version=version)
        self.channel.not_installed(name, version, line.number)

    def failed(self, line: Line) -> None:
        """`error: Failed to build …`, and others of its own."""
        if line.text.startswith("error: No solution found when"):
            self.findings.tool("uv")
        if "uv" not in self.findings.tools:
            return
        self.channel.installer.failed = line.number
        found = _BUILD.match(line.text.removeprefix("error: "))
        if found:
            self._build(line, found)
        elif line.text.startswith("error: No solution found when"):
            self._proof(line)
        elif asked := _ASKED.search(line.text):
            self._asked(line, asked[1])

    def _capture(self, text: str, _number: int) -> bool:
        inside = text.startswith((" ", "│")) and len(self._words) < _BOX and text.strip()
        if inside:
            self._words.append(text.strip().lstrip("╰├─▶│ ").removeprefix("cause: "))
            return True
        self._explain(" ".join(self._words))
        return False

    def _explain(self, text: str) -> None:
        """Of uv's proof: the first that is missing, or else that it is a contradiction."""
        for failure, pattern in (
            (F.NO_PACKAGE, _MISSING),
            (F.ARCHIVE, _INVALID),
            (F.INTERPRETER, _PYTHON),
            (F.PLATFORM, _WHEELS),
            (F.NO_VERSION, _NO_VERSION),
        ):
            found = pattern.search(text)
            if found and (failure is not F.NO_VERSION or found[1]):
                self._note(failure, found[1], found[2] if (found.lastindex or 0) > 1 else None, text)
                return
        asked = _ASKED_FOR.search(text)
        self._note(F.CONFLICT, asked[1] if asked else None, asked[2] if asked else None, text)

    def _note(self, failure: F, package: str | None, version: str | None, text: str) -> None:
        self.channel.package = None
        self.channel.fail(
            failure, self._line, package=package, version=version, message=text or self._line.text
        )
        if package:
            self.channel.not_installed(package, version, self._line.number)

    def inside(self, line: Line) -> None:
        """A further level of a box: the package that is being built, or an answer of the index."""
        text = line.text.partition(" ")[2].removeprefix("by: ")
        found = _BUILD.match(text)
        if found and "uv" in self.findings.tools:
            self._build(line, found)
