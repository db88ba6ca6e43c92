"""Pushes of images."""

import re
from typing import Final

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import PUSH
from trimtab.buildlogs.recogniser import Line, Recogniser, sign

__all__ = ["Push"]

_PUSHING: Final = re.compile(r"Pushing image (\S+)(?: \.\.\.)?$")
_REFERS: Final = re.compile(r"The push refers to (?:a )?repository \[(\S+)\]")
_DIGEST: Final = re.compile(r"\S+: digest: sha256:[0-9a-f]{64} size: \d+$")


class Push(Recogniser):
    """Pushes by OpenShift, Docker, podman and BuildKit."""

    tool = "push"
    starts = {
        "Pushing image ": "pushing",
        "Push successful": "pushed",
        "The push refers to": "refers",
        "pushing": "layers",
        "Error:": "error",
        "Get": "refused",
    }
    finds = {": digest: sha256:": "digest"}
    signs = (
        sign(F.PUSH, ("Failed to push image", "failed to push image"), level=PUSH),
        sign(
            F.PUSH,
            (
                "unauthorized: authentication required",
                "denied: requested access",
                "manifest invalid",
                "unauthorized: access to",
                "no basic auth credentials",
            ),
            r"^(?!.*(?:initializing source|reading manifest|/manifests/)).*(?:unauthorized: a|denied: requested|manifest invalid|no basic auth)",
            level=PUSH,
        ),
        sign(
            F.PUSH,
            ("trying to reuse blob", "writing blob:", "writing manifest:"),
            r"^Error: .*(?:trying to reuse blob|writing blob:|writing manifest:)",
            level=PUSH,
        ),
        sign(F.PUSH, ("Push failed, retrying", "push failed, retrying"), level=PUSH, passing=True),
        sign(F.PUSH, "failed to push", r"failed to push", level=PUSH),
    )

    def pushing(self, line: Line) -> None:
        """`Pushing image registry:5000/ns/app:latest ...`."""
        found = _PUSHING.match(line.text)
        if found:
            self._begin(line, found[1])

    def refers(self, line: Line) -> None:
        """`The push refers to repository [registry:5000/ns/app]`."""
        found = _REFERS.match(line.text)
        if found:
            self._begin(line, found[1])

    def layers(self, line: Line) -> None:
        """`#8 pushing manifest for registry:5000/app:latest@sha256:…`."""
        found = re.match(r"pushing manifest for (\S+?)(?:@sha256:\S+)?(?: [\d.]+s done| done)?$", line.text)
        if found:
            self._begin(line, found[1])
            if line.text.endswith("done"):
                self._end(line)

    def error(self, line: Line) -> bool:
        """`Error: pushing image "localhost/app" to "docker://registry/app:v1": …`, of buildah: where it would have gone; signs say why."""
        found = re.match(r'Error: pushing image "[^"]*" to "docker://([^"]+)"', line.text)
        if found:
            self._begin(line, found[1])
        return False

    def refused(self, line: Line) -> bool:
        """`Get "https://registry/v2/": dial tcp …`, the last line of a push that Docker could not begin."""
        if self.findings.progress[PUSH].begun and line.text.startswith('Get "http'):
            self.findings.progress[PUSH].failed = line.number
        return False

    def digest(self, line: Line) -> None:
        """`v1: digest: sha256:… size: 942`, the last line of a push by Docker."""
        destination = self.findings.info["push_destination"]
        if destination and _DIGEST.match(line.text):
            destination["tag"] = destination["tag"] or line.text.partition(":")[0]
            self._end(line)

    def _begin(self, line: Line, image: str) -> None:
        name, colon, tag = image.rpartition(":")
        # A colon before a slash is a port's.
        tagged = bool(colon) and "/" not in tag
        self.findings.tool("push")
        self.findings.info["push_destination"] = {
            "image": name if tagged else image,
            "tag": tag if tagged else None,
        }
        self.findings.progress[PUSH].begun = line.number

    def pushed(self, line: Line) -> None:
        """`Push successful`. `Successfully pushed` is said of pushes that failed, too (OpenShift bug 1947164)."""
        if line.text == "Push successful":
            self._end(line)

    def _end(self, line: Line) -> None:
        self.findings.info["push_successful"] = True
        self.findings.progress[PUSH].succeeded = line.number
        self.channel.recover()
