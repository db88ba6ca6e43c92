"""Tekton's `TaskRun` and `PipelineRun` (tekton.dev/v1 and v1beta1).

Which of them build images they say themselves: by results called IMAGE_URL and IMAGE_DIGEST (or IMAGES), the names that
Tekton Chains signs by. What a run declares is in its status, so one that failed is known for a build as well.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import Any

from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.objects import at, condition, maps, moment, named, phase_of, text
from servo.connectors.builds.cluster.openshift import with_digest

__all__ = ["PipelineRun", "TaskRun"]

_SUFFIXES = ("IMAGE_URL", "IMAGE_DIGEST")
_WHOLE = "IMAGES"
_BASES = ("BASE_IMAGE", "BASE_IMAGE_URL", "BUILDER_IMAGE")


class _Run(ABC):
    group = "tekton.dev"
    needs_labels = False

    @abstractmethod
    def _declared(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the results that its specification declares."""

    @abstractmethod
    def _results(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        """Return the results that it has."""

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Whether it declares, or has, the results of one that builds an image."""
        names = (text(each, "name") or "" for each in (*self._declared(obj), *self._results(obj)))
        return any(name == _WHOLE or name.endswith(_SUFFIXES) for name in names)

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended, by the condition `Succeeded`."""
        found = condition(obj, "Succeeded")
        phase = None if found is None else phase_of(found)
        if phase is None:
            return None
        results = self._results(obj)
        url, digest = _result(results, "IMAGE_URL"), _result(results, "IMAGE_DIGEST")
        return Outcome(
            phase,
            base=self.base(obj),
            output=with_digest(url, digest) or _first(named(results, _WHOLE)),
            started=moment(text(obj, "status", "startTime")),
            finished=moment(text(obj, "status", "completionTime") or text(found, "lastTransitionTime")),
            exit_code=_exit_code(obj),
            reason=text(found, "reason"),
            message=text(found, "message"),
            pods=self.pods(obj),
        )

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return the image that a result or a parameter names as its base."""
        return _base(obj, self._results(obj))

    @abstractmethod
    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return where its pods are found."""


class TaskRun(_Run):
    """A run of one task: one pod, one container for each step."""

    type = "tekton-taskruns"
    plural = "taskruns"

    def _declared(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [*maps(obj, "status", "taskSpec", "results"), *maps(obj, "spec", "taskSpec", "results")]

    def _results(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [*maps(obj, "status", "results"), *maps(obj, "status", "taskResults")]

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return its pod."""
        name = text(obj, "status", "podName")
        return Pods(name=name) if name else Pods(labels=f"tekton.dev/taskRun={text(obj, 'metadata', 'name')}")


class PipelineRun(_Run):
    """A run of several tasks."""

    type = "tekton-pipelineruns"
    plural = "pipelineruns"

    def _declared(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [
            *maps(obj, "status", "pipelineSpec", "results"),
            *maps(obj, "spec", "pipelineSpec", "results"),
        ]

    def _results(self, obj: Mapping[str, Any]) -> list[Mapping[str, Any]]:
        return [*maps(obj, "status", "results"), *maps(obj, "status", "pipelineResults")]

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return the pods of its tasks."""
        return Pods(labels=f"tekton.dev/pipelineRun={text(obj, 'metadata', 'name')}")


def _result(results: list[Mapping[str, Any]], suffix: str) -> str | None:
    """Return the result of a name, or the only one whose name ends so: `app_IMAGE_URL`."""
    if (exact := named(results, suffix)) is not None:
        return exact.strip()
    found = [text(each, "value") for each in results if (text(each, "name") or "").endswith(suffix)]
    bases = [text(each, "value") for each in results if text(each, "name") in _BASES]
    found = [each for each in found if each is not None and each not in bases]
    return found[0].strip() if len(found) == 1 and found[0] is not None else None


def _base(obj: Mapping[str, Any], results: list[Mapping[str, Any]]) -> str | None:
    digest = named(results, "BASE_IMAGE_DIGEST")
    for values in (results, maps(obj, "spec", "params")):
        if found := next((value for name in _BASES if (value := named(values, name))), None):
            return with_digest(found.strip(), digest and digest.strip())
    return _first(named(results, "BASE_IMAGES_DIGESTS"))


def _first(value: str | None) -> str | None:
    """Return the first of images that are separated by commas or ends of lines."""
    words = (value or "").replace(",", "\n").split()
    return words[0] if words else None


def _exit_code(obj: Mapping[str, Any]) -> int | None:
    """Return the exit code of the first step that failed."""
    codes = [at(each, "terminated", "exitCode") for each in maps(obj, "status", "steps")]
    known = [code for code in codes if isinstance(code, int)]
    return next((code for code in known if code), known[-1] if known else None)
