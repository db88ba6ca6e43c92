"""micropipenv: the lock it prints, and what it makes of pip's failures."""

import json
import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.harmless import values
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Micropipenv"]

_MARK: Final = re.compile(r"-{34} Pipfile\.lock -{34}$")
_LOCK_SIZE: Final = 8 * 1024 * 1024
_LATER: Final = re.compile(r"Failed to install '(.+?)', will try in next installation round")
_NEVER: Final = re.compile(r"Failed to install requirements, dependency '(.+?)' could not be installed")
_DIRECT: Final = re.compile(r"Installing '([^']+)'$")


class Micropipenv(Recogniser):
    """micropipenv: one pip for each package."""

    tool = "micropipenv"
    starts = {"-" * 34: "lock", "Failed to install ": "failed", "Installing '": "one", "!!!": "warned"}
    signs = (
        sign(
            F.LOCK,
            ("hash does not match", "Pipfile.lock hash"),
            r"(?i)(?:Pipfile\.lock|Pipfile) .*hash|hash does not match",
        ),
        sign(F.INTERPRETER, "Running Python version", r"Running Python version \S+, but .* requires"),
        sign(
            F.INSTALLER, "micropipenv.", r"micropipenv\.\w+(?:Error|Exception)\b|^\w*NotFound: .*micropipenv"
        ),
    )

    def lock(self, line: Line) -> None:
        """The mark before the lock: what follows up to the same mark is JSON."""
        if not _MARK.match(line.text):
            return
        self.findings.tool("micropipenv")
        self.channel.installer.begun = line.number
        self._lines: list[str] = []
        self._size = 0
        self.channel.capture = self._capture

    def _capture(self, text: str, _number: int) -> bool:
        if _MARK.match(text.strip()):
            self._end()
            self.channel.capture = _nothing
            return True
        self._size += len(text) + 1
        if self._size > _LOCK_SIZE or (not self._lines and not text.strip().startswith("{")):
            self.findings.truncated = self.findings.truncated or self._size > _LOCK_SIZE
            return False
        self._lines.append(text)
        # A lock that never ends must not swallow the log: JSON ends where its first brace is closed.
        if text.rstrip() == "}" and len(text) == 1:
            self._end()
        return True

    def _end(self) -> None:
        try:
            self.findings.pipfile_lock = values(json.loads("\n".join(self._lines)))
        except (ValueError, RecursionError):
            return

    def failed(self, line: Line) -> None:
        """A package failed, for now or for good."""
        later, never = _LATER.search(line.text), _NEVER.search(line.text)
        found = later or never
        if not found:
            return
        self.findings.tool("micropipenv")
        self._assign(found[1])
        self.channel.not_installed(found[1], None, line.number)
        self.channel.pending.clear()
        self.channel.close(line)
        if never:
            self.channel.installer.failed = line.number
        self.channel.package = None

    def _assign(self, name: str) -> None:
        """What pip said of no package was of this one."""
        for error in self.channel.open_errors():
            if error.package is None and not error.passing:
                error.package = name

    def one(self, line: Line) -> None:
        """`Installing 'six'`, where it is asked to tell."""
        if _DIRECT.match(line.text):
            self.findings.tool("micropipenv")

    def warned(self, line: Line) -> None:
        """`!!! Requirement x uses a VCS version`."""
        if line.text.startswith("!!! Requirement "):
            self.findings.tool("micropipenv")


def _nothing(_text: str, _number: int) -> bool:
    return False
