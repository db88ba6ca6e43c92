"""What is wrong with pods and workloads is told from their status, as the cluster writes it."""

from __future__ import annotations

from typing import Any

import pytest

from servo.connectors.kubernetes import pods, views, workloads
from servo.connectors.kubernetes.workloads import Look

UNSCHEDULABLE = {
    "phase": "Pending",
    "conditions": [
        {
            "type": "PodScheduled",
            "status": "False",
            "reason": "Unschedulable",
            "message": "0/1 nodes are available: 1 Insufficient cpu.",
        }
    ],
}
READY = {
    "phase": "Running",
    "conditions": [{"type": "Ready", "status": "True", "lastTransitionTime": "2026-11-27T10:00:00Z"}],
    "containerStatuses": [{"name": "app", "ready": True, "restartCount": 0, "state": {"running": {}}}],
}


def container(
    waiting: str | None = None, *, count: int = 0, ended: str | None = None, said: str = ""
) -> dict[str, Any]:
    return {
        "name": "app",
        "image": "localhost/python:3.11",
        "ready": False,
        "restartCount": count,
        "state": {"waiting": {"reason": waiting, "message": said}} if waiting else {"running": {}},
        "lastState": {"terminated": {"reason": ended, "exitCode": 137}} if ended else {},
    }


def pod(
    status: dict[str, Any] | None = None, *, uid: str = "p1", owner: str = "rs2", **metadata: Any
) -> dict[str, Any]:
    return {
        "metadata": {"name": f"web-{uid}", "uid": uid, "ownerReferences": [{"uid": owner}], **metadata},
        "spec": {},
        "status": status if status is not None else READY,
    }


def unready(*containers: dict[str, Any], **more: Any) -> dict[str, Any]:
    condition = {
        "type": "Ready",
        "status": "False",
        "reason": "ContainersNotReady",
        "message": "with unready status: [app]",
    }
    return {"phase": "Running", "conditions": [condition], "containerStatuses": list(containers), **more}


@pytest.mark.parametrize(
    ("status", "reason", "said", "certain"),
    [
        (UNSCHEDULABLE, "unschedulable", "Insufficient cpu", False),
        (unready(container("ImagePullBackOff", said="Back-off")), "image-pull-failed", "localhost/python:3.11", False),
        (unready(container("ErrImageNeverPull")), "image-pull-failed", "ErrImageNeverPull", True),
        (unready(container("CrashLoopBackOff", count=3, ended="Error")), "unstable", "exit code 137) and was started again 3 times", True),
        (unready(container(count=1, ended="OOMKilled")), "unstable", "more memory than its limit", True),
        (unready(container(count=1, ended="Error")), "unstable", "was started again", False),
        (unready(container()), "start-failed", "(reason ContainersNotReady)", False),
        (unready(container("CreateContainerConfigError", said="secret x not found")), "start-failed", "secret x not found", False),
        (unready(initContainerStatuses=[container("CrashLoopBackOff", count=2)]), "unstable", "container app", True),
        ({"phase": "Failed", "reason": "Evicted", "message": "The node was low on resource: memory."}, "unstable", "low on resource", True),
        ({"phase": "Pending"}, "start-failed", "(reason Pending)", False),
        ({}, "start-failed", "(reason unknown)", False),
    ],
)  # fmt: skip
def test_a_pod_tells_why_it_is_not_ready(status, reason, said, certain):
    found = pods.fault(pod(status))
    assert found is not None
    assert found.reason == reason
    assert said in found.message
    assert found.status == ("failed" if reason == "image-pull-failed" else "rejected")
    assert (pods.certain_fault(pod(status)) is not None) is certain


def test_the_image_comes_before_restarts_and_those_before_the_schedule():
    status = unready(container("ImagePullBackOff", count=1))
    assert pods.fault(pod(status)).reason == "image-pull-failed"
    status["containerStatuses"] = [container(count=1)]
    status["conditions"] += UNSCHEDULABLE["conditions"]
    assert pods.fault(pod(status)).reason == "unstable"


def test_a_ready_pod_has_no_fault_and_one_that_is_being_deleted_is_not_ready():
    assert pods.fault(pod()) is None
    assert pods.is_ready(pod())
    assert not pods.is_ready(pod(deletionTimestamp="2026-11-27T10:00:00Z"))
    assert pods.ready_since(pod()) == "2026-11-27T10:00:00Z"


def test_restarts_of_before_are_forgiven_and_new_ones_are_not():
    """Reference 4.1.5: any restart count above zero was a failure of the adjustment."""
    before = pod(unready(container(count=2, ended="OOMKilled")))
    known = views.restarts([before])
    assert pods.restart_fault(views.without(before, known)) is None
    assert pods.certain_fault(views.without(before, known)) is None
    after = pod(unready(container(count=3, ended="Error")))
    assert "was started again" in pods.restart_fault(views.without(after, known)).message
    assert before["status"]["containerStatuses"][0]["restartCount"] == 2


def deployment(
    status: dict[str, Any] | None = None, *, kind: str = "Deployment", **spec: Any
) -> dict[str, Any]:
    full = {
        "observedGeneration": 2,
        "replicas": 2,
        "updatedReplicas": 2,
        "readyReplicas": 2,
        "availableReplicas": 2,
    }
    return {
        "kind": kind,
        "metadata": {"name": "web", "uid": "d", "generation": 2},
        "spec": {"replicas": 2, "template": {}, **spec},
        "status": full | (status or {}),
    }


@pytest.mark.parametrize(
    ("status", "lacks"),
    [
        ({}, None),
        ({"observedGeneration": 1}, "not seen"),
        ({"updatedReplicas": 1}, "1 of 2 pods are new"),
        ({"readyReplicas": None}, "0 of 2 pods are ready"),
        ({"replicas": 3}, "3 of 2 pods are there"),
        ({"unavailableReplicas": 1}, "1 pods are not available"),
    ],
)
def test_a_deployment_tells_what_it_lacks(status, lacks):
    found = workloads.outstanding(deployment(status))
    assert found == lacks if lacks is None else lacks in found


def test_a_workload_without_replicas_is_ready_when_none_are_left():
    none = {"replicas": None, "updatedReplicas": None, "readyReplicas": None, "availableReplicas": None}
    assert workloads.outstanding(deployment(none, replicas=0)) is None
    assert workloads.outstanding(deployment({**none, "replicas": 1}, replicas=0)) is not None


def test_a_stateful_set_of_an_old_cluster_does_not_tell_what_is_available():
    status = {"currentRevision": "a", "updateRevision": "a"}
    ready = deployment(status, kind="StatefulSet")
    del ready["status"]["availableReplicas"]
    assert workloads.outstanding(ready) is None
    ready["status"]["updateRevision"] = "b"
    assert "being replaced" in workloads.outstanding(ready)


def test_a_rollout_is_ready_when_it_says_so_and_writes_its_generation_as_text():
    ready = deployment({"phase": "Healthy", "observedGeneration": "2"}, kind="Rollout")
    assert workloads.outstanding(ready) is None
    assert workloads.certain_fault(Look(ready)) is None
    for phase, reason, status in (("Degraded", "start-failed", "rejected"), ("Paused", "paused", "failed")):
        ready["status"]["phase"] = phase
        found = workloads.certain_fault(Look(ready))
        assert (found.reason, found.status) == (reason, status)


def replica_set(uid: str, revision: str, owner: str = "d") -> dict[str, Any]:
    annotations = {"deployment.kubernetes.io/revision": revision}
    return {"metadata": {"uid": uid, "annotations": annotations, "ownerReferences": [{"uid": owner}]}}


def test_the_newest_pods_of_a_deployment_are_those_of_the_replica_set_with_the_highest_revision():
    sets = [replica_set("rs1", "9"), replica_set("rs2", "10"), replica_set("other", "11", owner="x")]
    look = Look(deployment(), [pod(uid="a", owner="rs1"), pod(uid="b"), pod(uid="t", owner="z"), pod(uid="c", deletionTimestamp="x")], sets)  # fmt: skip
    assert [each["metadata"]["uid"] for each in workloads.newest_pods(look)] == ["b"]


def test_the_newest_pods_of_a_stateful_set_have_its_newest_revision():
    old, new = (pod(uid=each, labels={"controller-revision-hash": each}) for each in ("web-1", "web-2"))
    workload = deployment({"updateRevision": "web-2"}, kind="StatefulSet")
    assert workloads.newest_pods(Look(workload, [old, new])) == [new]


def test_a_stateful_set_that_is_not_ready_is_told_by_its_pods():
    """Reference 6.1 #13: a stateful set has no conditions, and its failure was an error without a class."""
    workload = deployment({"updateRevision": "r"}, kind="StatefulSet")
    failing = pod(unready(container(count=1, ended="OOMKilled")), labels={"controller-revision-hash": "r"})
    assert workloads.fault(Look(workload, [failing])).reason == "unstable"


def test_a_quota_that_forbids_pods_is_told_by_the_condition():
    condition = {
        "type": "ReplicaFailure",
        "status": "True",
        "reason": "FailedCreate",
        "message": "exceeded quota",
    }
    found = workloads.fault(Look(deployment({"conditions": [condition]})))
    assert (found.reason, "exceeded quota" in found.message) == ("start-failed", True)


def test_pods_tell_more_than_a_deadline_that_was_missed():
    condition = {
        "type": "Progressing",
        "status": "False",
        "reason": "ProgressDeadlineExceeded",
        "message": "",
    }
    workload, sets = deployment({"conditions": [condition]}), [replica_set("rs2", "1")]
    crashing = pod(unready(container("CrashLoopBackOff", count=2)))
    assert workloads.fault(Look(workload, [crashing], sets)).reason == "unstable"
    assert "ProgressDeadlineExceeded" in workloads.fault(Look(workload, [], sets)).message


def test_what_an_older_generation_says_is_no_fault_of_the_new_one():
    workload = deployment({"observedGeneration": 1})
    crashing = pod(unready(container("CrashLoopBackOff", count=2)))
    assert workloads.certain_fault(Look(workload, [crashing], [replica_set("rs2", "1")])) is None


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ({"paused": True}, "paused"),
        ({"updateStrategy": {"type": "OnDelete"}}, "unsupported-strategy"),
        (
            {"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 1}}},
            "unsupported-strategy",
        ),
        ({"updateStrategy": {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}}, None),
        ({}, None),
    ],
)
def test_a_workload_whose_pods_would_not_be_replaced_is_refused(spec, reason):
    found = workloads.refusal(deployment(**spec))
    assert (found and found.reason) == reason


def test_a_rollout_that_refers_to_another_workload_is_refused():
    rollout = deployment(kind="Rollout")
    del rollout["spec"]["template"]
    assert "workloadRef" in workloads.refusal(rollout).message
