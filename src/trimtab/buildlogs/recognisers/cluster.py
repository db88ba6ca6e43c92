"""A cluster that did not run the build, or not to its end."""

from trimtab.buildlogs.classes import FailureClass as F
from trimtab.buildlogs.findings import BUILDER
from trimtab.buildlogs.recogniser import Recogniser, sign

__all__ = ["Cluster"]


class Cluster(Recogniser):
    """What Kubernetes and what builds on it say of a pod."""

    signs = (
        sign(F.UNSCHEDULABLE, ("nodes are available", "FailedScheduling", "Unschedulable"), r"\b\d+/\d+ nodes are available|\bFailedScheduling\b|\bUnschedulable\b", level=BUILDER),
        sign(F.EVICTED, ("The node was low on resource", "Evicted", "evicted", "Preempted", "preempted", "Preemption"), r"The node was low on resource|\b[Ee]victed\b|\b[Pp]reempt(?:ed|ion)\b|\bPreemption\b", level=BUILDER),
        sign(F.PULL, ("ImagePullBackOff", "ErrImagePull", "Failed to pull image", "rror pulling image", "toomanyrequests:", "pull rate limit"), level=BUILDER),
        sign(F.DEADLINE, ("activeDeadlineSeconds", "DeadlineExceeded"), r"(?i)\bDeadlineExceeded\b|activeDeadlineSeconds", level=BUILDER),
    )  # fmt: skip
