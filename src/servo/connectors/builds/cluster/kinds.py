"""The kinds of objects that are builds."""

from __future__ import annotations

from servo.connectors.builds.cluster.kind import Kind
from servo.connectors.builds.cluster.openshift import OpenShiftBuild
from servo.connectors.builds.cluster.shipwright import BuildRun
from servo.connectors.builds.cluster.tekton import PipelineRun, TaskRun
from servo.connectors.builds.cluster.workloads import Job, Pod

__all__ = ["KINDS"]

KINDS: dict[str, Kind] = {
    kind.type: kind for kind in (OpenShiftBuild(), TaskRun(), PipelineRun(), BuildRun(), Job(), Pod())
}
"""By type."""
