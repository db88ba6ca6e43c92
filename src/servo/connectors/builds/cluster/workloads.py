"""Jobs and Pods that build an image: by labels, for nothing else tells them from others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from servo.connectors.builds.build import Phase
from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.objects import at, condition, maps, moment, text

__all__ = ["BASE", "OUTPUT", "Job", "Pod"]

BASE = "builds.servo/base-image"
OUTPUT = "builds.servo/output-image"
"""Annotations in which a Job or Pod, or its template, may say what it builds."""
_DESTINATION = "--destination"


class Job:
    """A Job that builds an image."""

    type = "jobs"
    group = "batch"
    plural = "jobs"
    needs_labels = True

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Every one with the labels is."""
        return True

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended, by the conditions `Complete` and `Failed`."""
        done, failed = condition(obj, "Complete"), condition(obj, "Failed")
        found = next((each for each in (done, failed) if each and each.get("status") == "True"), None)
        if found is None:
            return None
        phase = Phase.complete if found is done else Phase.failed
        if text(found, "reason") == "DeadlineExceeded":
            phase = Phase.timed_out
        template = at(obj, "spec", "template")
        return Outcome(
            phase,
            base=self.base(obj),
            output=_annotation(obj, template, OUTPUT) or _destination(at(template, "spec")),
            started=moment(text(obj, "status", "startTime")),
            finished=moment(text(obj, "status", "completionTime") or text(found, "lastTransitionTime")),
            reason=text(found, "reason"),
            message=text(found, "message"),
            pods=self.pods(obj),
        )

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return what an annotation says."""
        return _annotation(obj, at(obj, "spec", "template"), BASE)

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return its pods, also those that failed before the last."""
        return Pods(labels=f"controller-uid={text(obj, 'metadata', 'uid')}")


class Pod:
    """A Pod that builds an image."""

    type = "pods"
    group = ""
    plural = "pods"
    needs_labels = True

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Every one with the labels is."""
        return True

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended, by `status.phase`."""
        ended = {"Succeeded": Phase.complete, "Failed": Phase.failed}
        phase = ended.get(text(obj, "status", "phase") or "")
        if phase is None:
            return None
        states = list(_terminated(obj))
        codes = [each.get("exitCode") for each in states if isinstance(each.get("exitCode"), int)]
        reason = text(obj, "status", "reason") or _reason(states)
        ends = [found for each in states if (found := moment(text(each, "finishedAt"))) is not None]
        return Outcome(
            Phase.timed_out if reason == "DeadlineExceeded" else phase,
            base=self.base(obj),
            output=_annotation(obj, None, OUTPUT) or _destination(at(obj, "spec")),
            started=moment(text(obj, "status", "startTime")),
            finished=max(ends, default=None),
            exit_code=next((code for code in codes if code), codes[0] if codes else None),
            reason=reason,
            message=text(obj, "status", "message"),
            pods=self.pods(obj),
        )

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return what an annotation says."""
        return _annotation(obj, None, BASE)

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return itself."""
        return Pods(name=text(obj, "metadata", "name"))


def _terminated(pod: Mapping[str, Any]) -> Iterator[Mapping[str, Any]]:
    for statuses in ("initContainerStatuses", "containerStatuses"):
        for each in maps(pod, "status", statuses):
            state = at(each, "state", "terminated")
            if isinstance(state, Mapping):
                yield state


def _reason(states: list[Mapping[str, Any]]) -> str | None:
    bad = (text(each, "reason") for each in states if each.get("exitCode") != 0)
    return next((each for each in bad if each), None)


def _annotation(obj: Mapping[str, Any], template: object, name: str) -> str | None:
    return text(obj, "metadata", "annotations", name) or text(template, "metadata", "annotations", name)


def _destination(spec: object) -> str | None:
    """Return where kaniko puts the image."""
    for container in maps(spec, "containers"):
        words = [
            each for key in ("command", "args") for each in at(container, key) or () if isinstance(each, str)
        ]
        for here, following in zip(words, [*words[1:], ""], strict=True):
            if here == _DESTINATION and following:
                return following
            if here.startswith(f"{_DESTINATION}="):
                return here.partition("=")[2] or None
    return None
