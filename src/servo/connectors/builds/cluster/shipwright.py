"""Shipwright's `BuildRun` (shipwright.io/v1beta1)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from servo.connectors.builds.build import Phase
from servo.connectors.builds.cluster.kind import Outcome, Pods
from servo.connectors.builds.cluster.objects import at, condition, maps, moment, named, phase_of, text
from servo.connectors.builds.cluster.openshift import with_digest

__all__ = ["BuildRun"]

_BASES = ("base-image", "builder-image", "BASE_IMAGE")
_SPECS = (("status", "buildSpec"), ("spec", "build", "spec"), ("spec", "buildSpec"))


class BuildRun:
    """A run of a build of Shipwright."""

    type = "shipwright-buildruns"
    group = "shipwright.io"
    plural = "buildruns"
    needs_labels = False

    def is_build(self, obj: Mapping[str, Any]) -> bool:
        """Every one is."""
        return True

    def outcome(self, obj: Mapping[str, Any]) -> Outcome | None:
        """Return how it ended, by the condition `Succeeded`."""
        found = condition(obj, "Succeeded")
        phase = None if found is None else phase_of(found)
        if phase is None:
            return None
        return Outcome(
            phase,
            base=self.base(obj),
            output=_output(obj) if phase is Phase.complete else None,
            started=moment(text(obj, "status", "startTime")),
            finished=moment(text(obj, "status", "completionTime") or text(found, "lastTransitionTime")),
            reason=text(obj, "status", "failureDetails", "reason") or text(found, "reason"),
            message=text(obj, "status", "failureDetails", "message") or text(found, "message"),
            pods=self.pods(obj),
        )

    def base(self, obj: Mapping[str, Any]) -> str | None:
        """Return the image that a parameter names as its base."""
        for values in (
            maps(obj, "spec", "paramValues"),
            *(maps(at(obj, *path), "paramValues") for path in _SPECS),
        ):
            if found := next((value for name in _BASES if (value := named(values, name))), None):
                return found
        return None

    def pods(self, obj: Mapping[str, Any]) -> Pods:
        """Return its pods, by the label that Shipwright gives them."""
        return Pods(labels=f"buildrun.shipwright.io/name={text(obj, 'metadata', 'name')}")


def _output(obj: Mapping[str, Any]) -> str | None:
    places = (("spec", "output", "image"), *((*path, "output", "image") for path in _SPECS))
    name = next((found for path in places if (found := text(obj, *path))), None)
    return with_digest(name, text(obj, "status", "output", "digest"))
