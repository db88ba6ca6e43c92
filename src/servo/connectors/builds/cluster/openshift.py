"""OpenShift's `Build` (build.openshift.io/v1): fields by build_watcher.md, chapter 1.4."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servo.connectors.builds.build import Phase
from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.objects import at, moment, text

__all__ = ["OpenShiftBuild"]

_PHASES = {
    "Complete": Phase.complete,
    "Failed": Phase.failed,
    "Error": Phase.error,
    "Cancelled": Phase.cancelled,
}
_TIMEOUTS = ("Timeout", "DeadlineExceeded")
_STRATEGIES = ("sourceStrategy", "dockerStrategy", "customStrategy")
_STREAM_KINDS = ("ImageStreamTag", "ImageStreamImage")


class OpenShiftBuild:
    """A build of OpenShift."""

    type = "openshift-builds"
    group = "build.openshift.io"
    plural = "builds"
    needs_labels = False

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Every one is, but those that run a pipeline of Jenkins."""
        return at(obj, "spec", "strategy", "jenkinsPipelineStrategy") is None

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended, by `status.phase`."""
        phase = _PHASES.get(text(obj, "status", "phase") or "")
        if phase is None:
            return None
        reason = text(obj, "status", "reason")
        if phase is Phase.failed and reason is not None and any(word in reason for word in _TIMEOUTS):
            phase = Phase.timed_out
        return Outcome(
            phase,
            base=self.base(obj),
            output=_output(obj) if phase is Phase.complete else None,
            started=moment(text(obj, "status", "startTimestamp")),
            finished=moment(text(obj, "status", "completionTimestamp")),
            reason=reason,
            message=text(obj, "status", "message"),
            pods=self.pods(obj),
            log_path="log",
        )

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return what its strategy is based on, unless that is an image stream."""
        for strategy in _STRATEGIES:
            origin = at(obj, "spec", "strategy", strategy, "from")
            # An image stream's tag is no name that a registry understands; the original took it for one.
            if (name := text(origin, "name")) is not None and at(origin, "kind") not in _STREAM_KINDS:
                return name
        return None

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return its pod, which an annotation names."""
        name = text(obj, "metadata", "annotations", "openshift.io/build.pod-name")
        return Pods(name=name or f"{text(obj, 'metadata', 'name')}-build")


def stream_of_base(obj: Mapping[str, Any]) -> tuple[str | None, str] | None:
    """Return namespace and `name:tag` of the image stream that the base is named by; None: it is named by itself."""
    for strategy in _STRATEGIES:
        origin = at(obj, "spec", "strategy", strategy, "from")
        name = text(origin, "name")
        if name is not None and at(origin, "kind") in _STREAM_KINDS:
            return text(origin, "namespace"), name
    return None


def _output(obj: Mapping[str, Any]) -> str | None:
    name = text(obj, "status", "outputDockerImageReference")
    digest = text(obj, "status", "output", "to", "imageDigest")
    return with_digest(name, digest)


def with_digest(name: str | None, digest: str | None) -> str | None:
    """Return an image by its digest where that is known: the tag may be moved by the next build."""
    if name is None or digest is None or "@" in name or not digest.startswith("sha256:"):
        return name
    last = name.rpartition("/")[2]
    bare = name[: len(name) - len(last)] + last.partition(":")[0]
    return f"{bare}@{digest}"
