"""BuildKit's plain progress: a number before each line, and several steps at once."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import BUILDER, Step
from trimtab.buildlogs.recogniser import Line, Recogniser, sign
from trimtab.buildlogs.recognisers.dockerfile import SIGNALS

__all__ = ["BuildKit"]

_BEGIN: Final = re.compile(
    r"\[(?:([\w.-]+) )?(?:(\d+)/(\d+)|internal|auth|context [^\]]*|linux/[^\]]*)\] (.+)$"
)
_DONE: Final = re.compile(r"DONE (\d+\.\d+)s$")
_CODE: Final = re.compile(r"exit code: (\d+)")
_REPLAY: Final = 200


class BuildKit(Recogniser):
    """BuildKit. A step has a channel of its own, named by its number."""

    tool = "buildkit"
    starts = {
        "DONE": "done",
        "CACHED": "cached",
        "ERROR:": "failed",
        "CANCELED": "canceled",
        "exporting": "exporting",
        ">": "replay",
        "executor failed running": "ended",
        "failed to solve": "ended",
        "building": "building",
    }
    marks = {"[": "begin"}
    signs = (
        sign(F.BASE_IMAGE, "failed to resolve source metadata", level=BUILDER),
        sign(F.BASE_IMAGE, ": not found", r"failed to create LLB definition: \S+: not found$", level=BUILDER),
        sign(F.INSTRUCTION, ("dockerfile parse error", "Dockerfile parse error"), level=BUILDER),
        sign(F.INSTRUCTION, ("failed to compute cache key",), level=BUILDER),
    )

    def begin(self, line: Line) -> bool:
        """`#5 [build 2/3] RUN …`."""
        found = _BEGIN.match(line.text)
        if not found or not self._own(line):
            return False
        stage, number, total, instruction = found.groups()
        self.findings.tool("buildkit")
        self.findings.progress[BUILDER].begun = line.number
        if number and self.channel.step is None:
            name = f"{stage}:{number}" if stage else number
            step = Step(name, instruction[:1000], "buildkit", line.number, int(total), stage, began=line.time)
            self.channel.step = self.findings.add(self.findings.steps, step)
        return True

    def building(self, line: Line) -> None:
        """`#0 building with "default" instance using docker driver`."""
        if self._own(line):
            self.findings.tool("buildkit")

    def _own(self, line: Line) -> bool:
        """Whether it is BuildKit's own line, not what a step printed."""
        return "#" in self.channel.name and line.offset is None

    def done(self, line: Line) -> None:
        """`#5 DONE 1.2s`."""
        found = _DONE.match(line.text)
        if not found or not self._own(line):
            return
        self.channel.recover()
        self.findings.tool("buildkit")
        if self.channel.step:
            self.channel.step.state, self.channel.step.seconds = "done", float(found[1])
        if getattr(self, "_exporting", False):
            self.findings.progress[BUILDER].succeeded = line.number

    def cached(self, line: Line) -> None:
        """`#5 CACHED`."""
        if self._own(line) and self.channel.step:
            self.channel.step.state = "cached"

    def canceled(self, line: Line) -> None:
        """`#5 CANCELED`: another step failed."""
        if self._own(line) and self.channel.step:
            self.channel.step.state = "canceled"

    def exporting(self, line: Line) -> None:
        """`#8 exporting to image`: the last thing that is done."""
        if self._own(line) and line.text.startswith("exporting to "):
            self._exporting = True
            self.findings.progress[BUILDER].begun = line.number

    def failed(self, line: Line) -> bool:
        """`#6 ERROR: process "…" did not complete successfully: exit code: 7`, and `ERROR: failed to solve: …` at the end."""
        if line.text.startswith(("ERROR: failed to solve:", "ERROR: failed to build:")):
            self._end(line)
            return "exit code:" in line.text
        if not self._own(line):
            return False
        self._end(line)
        code = self.findings.exit_code
        if self.channel.step:
            self.channel.step.state, self.channel.step.exit_code = "failed", code
        self.channel.package = None
        self.channel.fail(SIGNALS.get(code or 0, F.STEP), line)
        return "exit code:" in line.text

    def ended(self, line: Line) -> bool:
        """`executor failed running […]: exit code: 137`, `failed to solve with frontend …`: the last line says it once more."""
        if line.text.startswith(("executor failed running [", "failed to solve")):
            self._end(line)
        return "exit code:" in line.text

    def _end(self, line: Line) -> None:
        self.findings.tool("buildkit")
        code = _CODE.search(line.text)
        self.findings.exit_code = int(code[1]) if code else self.findings.exit_code
        self.findings.progress[BUILDER].failed = line.number

    def replay(self, line: Line) -> bool:
        """` > [3/4] RUN …:`: what was printed before is printed again, up to a rule."""
        if not _BEGIN.match(line.text[1:].strip()):
            return False
        self._left = _REPLAY
        self.channel.capture = self._replayed
        return True

    def _replayed(self, text: str, _number: int) -> bool:
        self._left -= 1
        return self._left > 0 and not text.startswith("------")
