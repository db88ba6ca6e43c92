"""Source-to-image builds and OpenShift's own lines about a build."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import BUILDER, Step
from trimtab.buildlogs.recogniser import Line, Recogniser, sign
from trimtab.buildlogs.times import seconds_between

__all__ = ["S2I"]

_BUILDER: Final = re.compile(r"Using (\S+) as the s2i builder image$")
_EXIT: Final = re.compile(r"error: build error: (?:non-zero \((\d+)\) exit code from|.*exit status (\d+)\b)")
_PHASE: Final = re.compile(
    r"---> ((?:Installing|Upgrading|Collecting|Migrating|Cleaning|Building|Copying) .+?)(?: \.\.\.)?$"
)


class S2I(Recogniser):
    """S2I and OpenShift."""

    tool = "s2i"
    starts = {"Using": "builder", "--->": "phase", "error:": "error"}
    signs = (
        sign(F.INSTRUCTION, "Pipenv and micropipenv cannot be enabled at the same time", level=BUILDER),
        sign(F.TERMINATED, "received unexpected terminate signal", level=BUILDER),
    )

    def builder(self, line: Line) -> None:
        """`Using quay.io/org/builder@sha256:… as the s2i builder image`."""
        found = _BUILDER.match(line.text)
        if found:
            image, _, digest = found[1].partition("@sha256:")
            self.findings.tool("s2i")
            self.findings.info["s2i_builder_image"] = {"image": image, "sha256": digest or None}
            self.findings.progress[BUILDER].begun = line.number

    def phase(self, line: Line) -> None:
        """`---> Installing dependencies via micropipenv ...`."""
        found = _PHASE.match(line.text)
        if not found:
            return
        self.findings.tool("s2i")
        self._leave(line, "done")
        self._phases = getattr(self, "_phases", 0) + 1
        number = str(self._phases)
        self.channel.step = self.findings.add(
            self.findings.steps, Step(number, found[1], "s2i", line.number, began=line.time)
        )
        self.findings.progress[BUILDER].begun = line.number

    def _leave(self, line: Line, state: str) -> None:
        step = self.channel.step
        if step and step.builder == "s2i" and step.state == "begun":
            step.state, step.seconds = state, seconds_between(step.began, line.time)

    def error(self, line: Line) -> bool:
        """`error: build error: non-zero (13) exit code from …`."""
        found = _EXIT.match(line.text)
        if not found:
            return False
        self.findings.tool("s2i")
        self.findings.exit_code = int(found[1] or found[2])
        self._leave(line, "failed")
        if self.channel.step:
            self.channel.step.exit_code = self.findings.exit_code
        self.findings.progress[BUILDER].failed = line.number
        self.channel.package = None
        self.channel.fail(F.STEP, line)
        return True
