"""What is asked of objects and paths."""

import pytest

from servo.kubernetes import (
    ALL,
    DEPLOYMENTS,
    NODES,
    PODS,
    conditions,
    label_selector,
    owner_reference,
    selector,
)


def test_labels_become_a_selector():
    assert selector({"app": "shop", "tier": "web"}) == "app=shop,tier=web"
    assert selector({}) == ""


def test_the_selector_of_a_workload_is_written_as_a_query_takes_it():
    spec = {
        "matchLabels": {"app": "shop"},
        "matchExpressions": [
            {"key": "role", "operator": "NotIn", "values": ["tuning", "test"]},
            {"key": "tier", "operator": "In", "values": ["web"]},
            {"key": "old", "operator": "DoesNotExist"},
            {"key": "new", "operator": "Exists"},
        ],
    }
    assert label_selector(spec) == "app=shop,role notin (tuning,test),tier in (web),!old,new"
    assert label_selector(None) == ""


def test_an_unknown_operator_is_refused():
    with pytest.raises(ValueError, match="no operator"):
        label_selector({"matchExpressions": [{"key": "a", "operator": "Gt", "values": ["1"]}]})


def test_an_owner_is_named_by_kind_name_and_uid():
    owner = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "servo", "uid": "1", "labels": {}},
    }
    assert owner_reference(owner, controller=True) == {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "name": "servo",
        "uid": "1",
        "controller": True,
        "blockOwnerDeletion": False,
    }


def test_conditions_are_found_by_their_type():
    pod = {
        "status": {
            "conditions": [{"type": "Ready", "status": "True"}, {"type": "Initialized", "status": "False"}]
        }
    }
    assert conditions(pod)["Ready"]["status"] == "True"
    assert conditions({}) == {}
    assert conditions({"status": {"conditions": None}}) == {}


def test_paths_are_those_of_the_api():
    assert PODS.path("shop") == "/api/v1/namespaces/shop/pods"
    assert PODS.path(ALL) == "/api/v1/pods"
    assert DEPLOYMENTS.path("shop", "web", "scale") == "/apis/apps/v1/namespaces/shop/deployments/web/scale"
    assert NODES.path("shop", "a") == "/api/v1/nodes/a"


@pytest.mark.parametrize("name", ["", ".", "..", "a/b", "a%2fb", "../nodes/a"])
def test_no_name_leads_to_another_path(name):
    with pytest.raises(ValueError, match="is no name"):
        PODS.path("shop", name)
    if name:
        with pytest.raises(ValueError, match="is no name"):
            PODS.path(name, "a")


def test_one_object_is_in_one_namespace():
    with pytest.raises(ValueError, match="name its namespace"):
        PODS.path(ALL, "a")


def test_characters_of_a_query_are_escaped():
    assert PODS.path("shop", "a?b#c") == "/api/v1/namespaces/shop/pods/a%3Fb%23c"
