"""How a run ended, why a pod does not start, and what the infrastructure lost, by the words of the kubelet and the scheduler."""

import pytest

from trimtab.engines.kubernetes.status import ended, is_started, lost, trouble, verdict

GIB = 2**30


def pod(state=None, *, phase="Running", node="node-1", deleted=False, container="run", **status):
    containers = [{"name": "keeper", "state": {"running": {}}}]
    if state is not None:
        containers.append({"name": container, "image": "registry.example/x@sha256:1", "state": state})
    times = {"deletionTimestamp": "2026-11-27T00:00:00Z", "deletionGracePeriodSeconds": 5} if deleted else {}
    return {
        "metadata": {"name": "p", **times},
        "spec": {"nodeName": node} if node else {},
        "status": {"phase": phase, "containerStatuses": containers, **status},
    }


def over(code, reason="Completed", **more):
    return {"terminated": {"exitCode": code, "reason": reason, **more}}


@pytest.mark.parametrize(
    ("code", "reason", "told"),
    [
        (0, "Completed", (0, None, False)),
        (3, "Error", (3, None, False)),
        (139, "Error", (139, 11, False)),
        (137, "Error", (137, 9, False)),
        (137, "OOMKilled", (137, 9, True)),
    ],
)
def test_an_end_is_an_exit_code_a_signal_or_a_kill_for_memory(code, reason, told):
    found = verdict(pod(over(code, reason)), "run", GIB)
    assert (found.exit_code, found.signal, found.oom_killed) == told
    assert (found.lost, found.notes) == (None, ())


def test_a_kill_for_memory_that_the_run_survived_is_a_note():
    """The kernel killed a process of it, and its first one went on and reported."""
    found = verdict(pod(over(1, "OOMKilled")), "run", GIB)
    assert (found.exit_code, found.oom_killed) == (1, False)
    assert found.notes == ("the memory limit killed a process of it",)


def test_too_much_on_disk_is_the_runs_and_another_eviction_the_nodes():
    said = "Container run exceeded its local ephemeral storage limit"
    found = verdict(pod(over(137), reason="Evicted", message=said), "run", GIB)
    assert found.lost is None
    assert said in found.notes[0]
    found = verdict(
        pod(over(137), reason="Evicted", message="The node was low on resource: memory."), "run", GIB
    )
    assert "the node evicted its pod" in str(found.lost)


def test_what_cannot_be_started_ended_with_the_reason():
    found = verdict(pod(over(128, "ContainerCannotRun", message="no such file")), "run", GIB)
    assert found.notes == ("it could not be started: no such file",)


@pytest.mark.parametrize("reason", ["ErrImagePull", "ImagePullBackOff", "ImageInspectError"])
def test_an_image_that_is_not_there_is_gone_at_once_and_another_failure_may_pass(reason):
    gone = trouble(pod({"waiting": {"reason": reason, "message": "x@sha256:1: not found"}}))
    assert gone is not None
    assert (gone.kind, gone.certain) == ("image-gone", True)
    failed = trouble(pod({"waiting": {"reason": reason, "message": "dial tcp: connection refused"}}))
    assert failed is not None
    assert (failed.kind, failed.certain) == ("image", False)
    assert "registry.example/x" in failed.message


def test_why_an_image_is_not_there_is_found_beside_a_container_that_says_nothing():
    """Of two containers of one image the kubelet asks the registry for one, and says of the other only that it waits."""
    found = pod({"waiting": {"reason": "ErrImagePull", "message": "x@sha256:1: not found"}})
    keeper = found["status"]["containerStatuses"][0]
    keeper["state"] = {"waiting": {"reason": "ImagePullBackOff", "message": 'Back-off pulling image "x"'}}
    told = trouble(found)
    assert told is not None
    assert (told.kind, told.certain) == ("image-gone", True)


def test_what_no_node_takes_has_the_schedulers_words():
    condition = {
        "type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "0/3 nodes are available: 3 Insufficient cpu.",
    }  # fmt: skip
    found = trouble(pod(phase="Pending", node=None, conditions=[condition]))
    assert found is not None
    assert found.kind == "unschedulable"
    assert "3 Insufficient cpu" in found.message


def test_a_pod_on_its_way_has_no_trouble():
    on_its_way = pod({"waiting": {"reason": "ContainerCreating"}}, phase="Pending")
    assert trouble(on_its_way) is None
    assert not is_started(on_its_way, "run")
    assert lost(on_its_way, "run", gone=False) is None
    assert ended(on_its_way, "run") is None


def test_a_container_that_cannot_be_made_says_why():
    found = trouble(
        pod({"waiting": {"reason": "CreateContainerConfigError", "message": 'secret "x" not found'}})
    )
    assert found is not None
    assert (found.kind, 'secret "x" not found' in found.message) == ("start", True)


RUNNING = {"running": {}}


@pytest.mark.parametrize(
    ("seen", "gone", "why"),
    [
        (None, True, "before it was seen"),
        (pod(RUNNING), True, "deleted from the node node-1"),
        (pod(RUNNING, deleted=True), False, "deleted from the node node-1"),
        (pod(RUNNING, node=None, deleted=True), False, "its pod was deleted"),
        (pod(over(0)), True, "deleted"),
        (pod(RUNNING, phase="Failed", reason="NodeLost", message="Node is gone"), False, "NodeLost: Node is gone"),
        (pod(RUNNING, phase="Failed"), False, "did not say why"),
        (pod(RUNNING, phase="Unknown", reason="NodeLost"), False, "its node does not answer"),
    ],
)  # fmt: skip
def test_what_the_infrastructure_lost(seen, gone, why):
    """A run whose pod goes before its results are there is lost, whatever its exit code was."""
    assert why in str(lost(seen, "run", gone=gone))


BEFORE, AFTER = {"finishedAt": "2026-11-26T23:59:54Z"}, {"finishedAt": "2026-11-26T23:59:55Z"}
"""The deletion was asked for at 23:59:55: five seconds of grace end at its time."""


@pytest.mark.parametrize("code", [0, 137, 143])
def test_what_ends_because_its_pod_is_deleted_is_lost(code):
    """It may have ended by itself at that moment, and is made again; what ended before has its own end."""
    assert "deleted" in str(lost(pod(over(code, **AFTER), deleted=True), "run", gone=False))
    assert "deleted" in str(lost(pod(over(code), deleted=True), "run", gone=False))


@pytest.mark.parametrize("seen", [None, pod(RUNNING), pod(over(0)), pod(over(0, **BEFORE), deleted=True)])
def test_what_it_did_not_lose(seen):
    assert lost(seen, "run", gone=False) is None


@pytest.mark.parametrize("said", [None, {}, {"containerStatuses": None, "conditions": None}])
def test_a_pod_of_which_nothing_is_known_yet(said):
    """A status may be without any of its parts."""
    bare = {"metadata": {}, "spec": {}, "status": said}
    assert (trouble(bare), ended(bare, "run"), lost(bare, "run", gone=False)) == (None, None, None)
