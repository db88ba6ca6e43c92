"""pipenv: locking, installing, and its tracebacks of resolution failures."""

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import INSTALLER
from trimtab.buildlogs.names import requirement
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Pipenv"]


class Pipenv(Recogniser):
    """pipenv."""

    tool = "pipenv"
    starts = {
        "Locking": "begun", "Locking...": "begun", "Installing dependencies from Pipfile": "begun", "Creating a virtualenv for this project": "begun", "Updated Pipfile.lock": "locked", "All dependencies are now": "done", "To activate this project": "done",
        "An error occurred while installing ": "later",
    }  # fmt: skip
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
