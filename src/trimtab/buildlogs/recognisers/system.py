"""The machine: memory, disk, signals, exit codes of CI jobs, commands that are not there."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import BUILDER
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["System"]

_CODE: Final = re.compile(
    r"(?:Process completed with exit code|Job failed: (?:command terminated with )?exit (?:code|status)|exited with code|exited with exit code) (\d+)"
)


class System(Recogniser):
    """The machine and its shells."""

    starts = {
        "Killed": "killed",
        "Terminated": "terminated",
        "##[error]Process": "exited",
        "ERROR:": "exited",
        "Error:": "exited",
        "error:": "exited",
    }
    signs = (
        sign(F.DISK, ("No space left on device", "no space left on device", "Disk quota exceeded", "disk quota exceeded"), level=None),
        sign(F.MEMORY, ("Cannot allocate memory", "cannot allocate memory", "OOMKilled", "Out of memory"), level=None),
        sign(F.MEMORY, "MemoryError", r"^(?:\w+\.)*MemoryError\b", level=None),
        sign(F.KILLED, ("(SIGKILL)", "signal: killed", "Command killed", "died with <Signals.SIGKILL", "exit code: 137", "exit status 137", "exit code 137", "exit status -9", "error code -9", "exit code: -9"), level=None),
        sign(F.TERMINATED, ("exit code: 143", "exit status 143", "exit code 143", "(SIGTERM)", "exit status -15", "exit code: -15", "error code -15"), level=None),
        sign(F.DEADLINE, ("context deadline exceeded", "DeadlineExceeded", "execution took longer than", "has exceeded the maximum execution time"), level=BUILDER),
        sign(F.TERMINATED, "The operation was canceled.", level=BUILDER),
        sign(F.COMMAND, (": command not found", ": not found"), r"(?:/bin/\w+|\bsh|bash|ash)(?:: line)?:? ?\d*:? [\w./+-]+: (?:command )?not found$|^[\w./+-]+: command not found$", level=None),
        sign(F.COMMAND, ("executable file not found in", "exec format error", "unable to start container process: exec:", "process failed to start with error: fork/exec"), level=None),
    )  # fmt: skip

    def killed(self, line: Line) -> None:
        """`Killed`, all a shell says of a program that got SIGKILL."""
        if line.text == "Killed":
            self.channel.fail(F.KILLED, line)

    def terminated(self, line: Line) -> None:
        """`Terminated`, the same of SIGTERM."""
        if line.text == "Terminated":
            self.channel.fail(F.TERMINATED, line)

    def exited(self, line: Line) -> bool:
        """`##[error]Process completed with exit code 1.`, `ERROR: Job failed: exit code 1`."""
        found = _CODE.search(line.text)
        if not found:
            return False
        self.findings.exit_code = int(found[1])
        if self.findings.exit_code:
            self.findings.progress[BUILDER].failed = line.number
            self.channel.package = None
            self.channel.fail(F.STEP, line)
        return True
