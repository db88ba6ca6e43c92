"""In-place resize, which no cluster here offers: what is asked of a cluster that does, and when it is not asked for.

The cluster is a script of answers; its forms are those of Kubernetes 1.33.
"""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from servo.connectors.kubernetes import resizing
from servo.kubernetes import InvalidError, UnreachableError

BODY = {
    "spec": {
        "containers": [{"name": "app", "resources": {"requests": {"cpu": "250m"}, "limits": {"cpu": "1"}}}]
    }
}
POD: dict[str, Any] = {
    "metadata": {"name": "web-tuning", "namespace": "shop"},
    "spec": {"containers": [{"name": "app"}]},
}


def pod(cpu: str, *conditions: dict[str, Any]) -> dict[str, Any]:
    found = deepcopy(POD)
    resources = {"requests": {"cpu": "250m"}, "limits": {"cpu": cpu}}
    found["status"] = {
        "conditions": list(conditions),
        "containerStatuses": [{"name": "app", "resources": resources}],
    }
    return found


class Script:
    """Answers get with one pod after the other, and patch with an error if there is one."""

    def __init__(self, *pods: dict[str, Any], error: Exception | None = None) -> None:
        self.pods, self.error = list(pods), error
        self.patched: list[Any] = []

    async def get(self, resource: Any, name: str, namespace: str) -> dict[str, Any]:
        return self.pods.pop(0) if len(self.pods) > 1 else self.pods[0]

    async def patch(self, resource: Any, name: str, body: Any, namespace: str, *, subresource: str) -> None:
        self.patched.append((resource.plural, name, namespace, subresource, body))
        if self.error:
            raise self.error


@pytest.fixture(autouse=True)
def _at_once(monkeypatch):
    monkeypatch.setattr(resizing, "_PAUSE", 0.0)


async def test_it_is_waited_for_until_the_containers_have_it():
    progress = {"type": "PodResizeInProgress", "status": "True"}
    script = Script(pod("500m"), pod("1", progress), pod("1"))
    assert await resizing.resize(script, POD, BODY, 5.0)
    assert script.patched == [("pods", "web-tuning", "shop", "resize", BODY)]
    assert len(script.pods) == 1


async def test_what_the_node_has_no_room_for_is_not_waited_for():
    pending = {"type": "PodResizePending", "status": "True", "reason": "Infeasible", "message": "no room"}
    assert not await resizing.resize(Script(pod("500m", pending)), POD, BODY, 5.0)


async def test_what_comes_to_nothing_in_time_is_given_up():
    deferred = {"type": "PodResizePending", "status": "True", "reason": "Deferred"}
    assert not await resizing.resize(Script(pod("500m", deferred)), POD, BODY, 0.05)


async def test_what_the_cluster_refuses_is_given_up_and_what_it_does_not_answer_is_an_error():
    assert not await resizing.resize(
        Script(pod("1"), error=InvalidError(422, "Invalid", "no")), POD, BODY, 5.0
    )
    with pytest.raises(UnreachableError):
        await resizing.resize(Script(pod("1"), error=UnreachableError("gone")), POD, BODY, 5.0)
