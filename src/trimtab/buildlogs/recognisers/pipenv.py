"""pipenv: locking, installing, and its tracebacks of resolution failures."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import INSTALLER
from trimtab.buildlogs.names import requirement
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Pipenv"]

_ANY: Final = "<any>"
_MOST: Final = 200  # requirements of a package, and packages that require it
_CANDIDATE: Final = re.compile(
    r"found candidate ([\w.-]{1,200})(?:\[[^\]]{0,200}\])?==(\S{1,200}) \(constraint was (\S{1,500})\)$"
)
_WANTS: Final = re.compile(
    r"\s*([\w.-]{1,200})(?:\[[^\]]{0,200}\])?==(\S{1,200})\s+(?:requires (.+)|not in cache, .*)$"
)


class Pipenv(Recogniser):
    """pipenv."""

    tool = "pipenv"
    starts = {
        "Locking": "begun", "Locking...": "begun", "Installing dependencies from Pipfile": "begun", "Creating a virtualenv for this project": "begun", "Updated Pipfile.lock": "locked", "All dependencies are now": "done", "To activate this project": "done",
        "An error occurred while installing ": "later", "found candidate ": "candidate", "Finding secondary dependencies:": "secondary",
    }  # fmt: skip
    finds = {"Could not find a version that matches": "unmatched"}
    signs = (
        sign(
            F.CONFLICT,
            "Could not find a version that matches",
            r"that matches (?P<requirement>[\w.\[\]-]+ ?[<>=!~][^\s,;]*)",
        ),
        # Nothing is wanted of it, so nothing contradicts: there is none.
        sign(F.NO_PACKAGE, "Could not find a version that matches", r"that matches (?P<package>[\w.-]+)$"),
        sign(F.CONFLICT, "There are incompatible versions in the resolved dependencies"),
        sign(
            F.CONFLICT, ("ResolutionFailure]", "ResolutionFailure:"), r"ResolutionFailure:(?! *(?:ERROR|$))"
        ),
        sign(F.CONFLICT, "Your dependencies could not be resolved", passing=True),
        sign(F.LOCK, "Aborting deploy", r"Aborting deploy"),
        sign(F.LOCK, ("Pipfile.lock (", "Your Pipfile.lock"), r"Your Pipfile\.lock .*out of date"),
        sign(F.INSTALLER, ("Failed to lock Pipfile.lock", "Couldn't install package")),
        sign(F.INSTALLER, "InstallError", r"pipenv\.exceptions\.InstallError"),
        sign(F.INTERPRETER, "Your Pipfile requires python_version", level=INSTALLER, passing=True),
    )

    def begun(self, line: Line) -> None:
        """`Locking [packages] dependencies...`, `Installing dependencies from Pipfile.lock (1a2b3c)...`."""
        text = line.text
        if text.startswith(
            ("Locking", "Installing dependencies from Pipfile", "Creating a virtualenv for this project")
        ):
            self.findings.tool("pipenv")
            # Its two streams meet in a pipe, and the first lines of one may come after the last of the other.
            if not getattr(self, "_done", False):
                self.channel.installer.begun = line.number

    def later(self, line: Line) -> None:
        """`An error occurred while installing keel==2.1 --hash=…! Will try again.`."""
        name, _, version = requirement(line.text.removeprefix("An error occurred while installing "))
        if name:
            self.findings.tool("pipenv")
            self.channel.not_installed(name, version, line.number)
            self.channel.package = (name, version)

    def candidate(self, line: Line) -> None:
        """`found candidate keel==2.1 (constraint was <any>)`, in each round of a lock with --verbose."""
        if found := _CANDIDATE.match(line.text):
            self.findings.tool("pipenv")
            each = self.findings.candidate(found[1])
            each.specifier, each.installed = found[3], found[2]

    def secondary(self, _line: Line) -> None:
        """What candidates want follows, a line each."""
        self.findings.tool("pipenv")
        self.channel.capture = self._wants

    def _wants(self, text: str, _number: int) -> bool:
        """`  keel==2.1               requires mast>=1, rope<2`; `-` for nothing."""
        found = _WANTS.match(text)
        if found is None:
            return False
        origin = (found[1], f"=={found[2]}")
        for each in (found[3] or "-").split(", ")[:_MOST]:
            name, _, _ = requirement(each)
            if name:
                wanted = self.findings.candidate(name)
                chain = wanted.chain = wanted.chain or []
                if len(chain) < _MOST and origin not in chain:
                    chain.append(origin)
        return True

    def unmatched(self, line: Line) -> None:
        """`Could not find a version that matches mast<2,>=2`."""
        name, specifier, _ = requirement(line.text.partition("Could not find a version that matches ")[2])
        if name:
            each = self.findings.candidate(name)
            each.specifier, each.installed = specifier or _ANY, None

    def locked(self, line: Line) -> None:
        """`Updated Pipfile.lock (…)!`."""
        if line.text.startswith("Updated Pipfile.lock"):
            self.findings.tool("pipenv")
            self.channel.installer.succeeded = line.number

    def done(self, line: Line) -> None:
        """`To activate this project's virtualenv, run pipenv shell.` is the last line of what went well."""
        if line.text.startswith(
            ("To activate this project's virtualenv", "All dependencies are now up-to-date")
        ):
            self.findings.tool("pipenv")
            self._done = True
            if self.channel.installer.successful is not False:
                self.channel.succeeded(set(), line)
