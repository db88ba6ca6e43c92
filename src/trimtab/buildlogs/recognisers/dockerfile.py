"""Steps of a Dockerfile, as Docker's classic builder, podman, buildah and kaniko tell them."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import BUILDER, Step
from trimtab.buildlogs.recogniser import Line, Recogniser, sign
from trimtab.buildlogs.times import seconds_between

__all__ = ["SIGNALS", "Dockerfile"]

SIGNALS: Final = {137: F.KILLED, 143: F.TERMINATED}
"""What the exit codes of a shell say of a program that a signal ended."""

_DOCKER: Final = re.compile(r"Step (\d+)(?:/(\d+))? : (.+)$")
_PODMAN: Final = re.compile(r"(?:\[(\d+/\d+)\] )?STEP (\d+)(?:/(\d+))?: (.+)$")
_ERROR: Final = re.compile(
    r"(?:Error: |error: build error: |\[?\d*)?(?:error )?building at STEP \"(.*)\": (.*)$"
)
_STATUS: Final = re.compile(r"exit status (\d+)\b")
_RETURNED: Final = re.compile(r"The command '(.*)' returned a non-zero code: (\d+)$")
_LAYER: Final = re.compile(r"--> [0-9a-f]{11,64}$")
_COMMIT: Final = re.compile(r"(?:\[\d+/\d+\] )?COMMIT\b")


def _is_last(step: Step) -> bool:
    """Whether it is the last step of the last stage."""
    stage, _, stages = (step.stage or "1/1").partition("/")
    return stage == stages and step.number.rpartition(":")[2] == str(step.total)


class Dockerfile(Recogniser):
    """Docker's classic builder, podman and buildah."""

    starts = {
        "Step": "docker", "STEP": "podman", "--->": "arrow", "Successfully built ": "done",
        "Successfully tagged ": "done", "COMMIT": "commit", "The command ": "returned", "Error:": "failed",
        "error:": "failed", "error": "failed", "Sending": "sending", "-->": "layer",
    }  # fmt: skip
    marks = {"[": "podman"}
    signs = (
        sign(
            F.BASE_IMAGE,
            (
                "manifest unknown",
                "pull access denied",
                "repository does not exist",
                "No such image",
                "not found: manifest unknown",
                "invalid reference format",
                "did not resolve to an alias",
            ),
            level=BUILDER,
        ),
        # Where the registry could not be reached, that is what it says: the recogniser of the network has it.
        sign(
            F.BASE_IMAGE,
            ("initializing source docker://", "creating build container:"),
            r"^(?!time=.*level=warning)(?!.*(?:unauthorized|denied|dial tcp|i/o timeout|certificate|no such host)).*(?:initializing source|creating build container:)",
            level=BUILDER,
        ),
        sign(
            F.CONNECTION,
            (": dial tcp",),
            r"^(?:Error response from daemon: )?(?:Get|Head) \"?https?://.*: dial tcp",
            level=BUILDER,
        ),
        sign(
            F.INSTRUCTION,
            (
                "unknown instruction",
                "Unknown instruction",
                "dockerfile parse error",
                "Dockerfile parse error",
            ),
            level=BUILDER,
        ),
        sign(
            F.FORBIDDEN,
            (
                "unauthorized: authentication required",
                "no basic auth credentials",
                "denied: requested access",
            ),
            r"(?:initializing source|reading manifest|/manifests/).*(?:unauthorized|no basic auth credentials|denied)",
            level=BUILDER,
        ),
        sign(F.INSTRUCTION, ("COPY failed:", "ADD failed:"), r"^(?:COPY|ADD) failed:", level=BUILDER),
        sign(F.COMMAND, "failed to create shim task: OCI runtime create failed", level=BUILDER),
        sign(F.STEP, "error building image:", r"error building image: .*", level=BUILDER),
    )

    def sending(self, line: Line) -> None:
        """`Sending build context to Docker daemon  2.048kB`."""
        if line.text.startswith("Sending build context to Docker daemon"):
            self.findings.tool("docker")
            self.findings.progress[BUILDER].begun = line.number

    def docker(self, line: Line) -> bool:
        """`Step 2/3 : RUN …`."""
        found = _DOCKER.match(line.text)
        if found:
            self._begin(line, "docker", found[1], found[2], found[3], None)
        return bool(found)

    def podman(self, line: Line) -> bool:
        """`STEP 2/3: RUN …`, with `[1/2] ` before it where there are several stages."""
        found = _PODMAN.match(line.text)
        if found:
            self._begin(line, "buildah", found[2], found[3], found[4], found[1])
        elif _COMMIT.match(line.text):
            self.commit(line)
        return bool(found)

    def _begin(
        self, line: Line, builder: str, number: str, total: str | None, instruction: str, stage: str | None
    ) -> None:
        self._leave(line, "done")
        # The step before went well, whatever was said in it.
        self.channel.recover()
        self.channel.package = None
        self.channel.pending.clear()
        self.channel.entry = None
        self.findings.tool(builder)
        step = Step(
            f"{stage}:{number}" if stage else number,
            instruction[:1000],
            builder,
            line.number,
            int(total) if total else None,
            stage,
            began=line.time,
        )
        self.channel.step = self.findings.add(self.findings.steps, step)
        self.findings.progress[BUILDER].begun = line.number

    def _leave(self, line: Line, state: str, code: int | None = None) -> None:
        step = self.channel.step
        if step and step.state == "begun":
            step.state, step.exit_code, step.seconds = state, code, seconds_between(step.began, line.time)

    def arrow(self, line: Line) -> None:
        """`---> Using cache`."""
        if self.channel.step and line.text == "---> Using cache":
            self.channel.step.state = "cached"

    def layer(self, line: Line) -> None:
        """`--> Using cache 483effa7…`, and `--> 483effa77f2` after a step: after the last, the image is there."""
        step = self.channel.step
        if step is None or step.builder != "buildah":
            return
        if line.text.startswith("--> Using cache"):
            step.state = "cached"
        elif _LAYER.match(line.text) and _is_last(step):
            self._leave(line, "done")
            self.channel.recover()
            self.findings.progress[BUILDER].succeeded = line.number

    def commit(self, line: Line) -> None:
        """`COMMIT localhost/name`: every step went well."""
        self._leave(line, "done")
        if self.channel.step:
            self.channel.recover()

    def done(self, line: Line) -> None:
        """`Successfully built 5898006ff065`, `Successfully tagged …`: the image is there."""
        words = line.text.split()
        if len(words) == 3 and words[1] in {"built", "tagged"} and self.channel.step:  # noqa: PLR2004 # "Successfully built ID"
            self._leave(line, "done")
            self.channel.recover()
            self.findings.progress[BUILDER].succeeded = line.number

    def returned(self, line: Line) -> bool:
        """`The command '/bin/sh -c …' returned a non-zero code: 7`."""
        found = _RETURNED.match(line.text)
        if found:
            self._end(line, int(found[2]), F.STEP)
        return bool(found)

    def failed(self, line: Line) -> bool:
        """`Error: building at STEP "RUN …": while running runtime: exit status 7`."""
        found = _ERROR.match(line.text)
        if not found:
            if line.text.startswith("Error: creating build container:"):
                self._leave(line, "failed")
                self.findings.progress[BUILDER].failed = line.number
            return False
        status = _STATUS.search(found[2])
        wrong = "nknown instruction" in found[2] or found[1].startswith(("COPY ", "ADD "))
        self._end(line, int(status[1]) if status else None, F.INSTRUCTION if wrong else F.STEP)
        return True

    def _end(self, line: Line, code: int | None, failure: F) -> None:
        self._leave(line, "failed", code)
        self.findings.exit_code = code if code is not None else self.findings.exit_code
        self.findings.progress[BUILDER].failed = line.number
        self.channel.package = None
        self.channel.fail(SIGNALS.get(code or 0, failure), line)
