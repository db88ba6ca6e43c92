"""The Helm chart and the plain manifests: what they ask for, and that a real API server takes them."""

from __future__ import annotations

import importlib
import json
import secrets
import subprocess
from pathlib import Path

import pytest
import yaml

from trimtab.engines.kubernetes.permissions import NEEDED

pytestmark = [pytest.mark.integration, pytest.mark.timeout(500)]

ROOT = Path(__file__).parents[3]
CHART = ROOT / "deploy" / "chart"
EVERYTHING = {
    "agent": {
        "rbac": {"kubernetes": ["shop", "api"], "kubeMetrics": ["shop"], "opsaniDev": ["shop"], "builds": ["ci"]},
        "buildsMetrics": True,
        "persistence": {"enabled": True, "storageClass": "fast"},
        "nodeSelector": {"disk": "ssd"},
        "tolerations": [{"key": "tuning", "operator": "Exists"}],
        "egress": [{"ports": [{"port": 9090}]}],
    },
    "backend": {
        "databaseSecret": "database",
        "replicas": 3,
        "rbac": {"kubernetesEngine": ["stacks"]},
        "environment": {"TRIMTAB_STORE_URL": "s3://trimtab", "TRIMTAB_BUILDS": 2},
        "egress": [{"ports": [{"port": 5432}]}],
        "from": [{"namespaceSelector": {}}],
    },
    "networkPolicy": {"scrapers": [{"namespaceSelector": {"matchLabels": {"name": "monitoring"}}}]},
    "metrics": {"serviceMonitor": {"enabled": True, "labels": {"release": "prometheus"}}, "dashboard": {"enabled": True}},
}  # fmt: skip


def of(found, kind: str) -> list:
    return [each for each in found if each["kind"] == kind]


def container(deployment) -> dict:
    (only,) = deployment["spec"]["template"]["spec"]["containers"]
    return only


def test_helm_finds_nothing_to_complain_of(helm):
    result = helm("lint", CHART, "--strict")
    assert result.returncode == 0, result.stdout


def test_the_plain_manifests_are_the_charts(helm, tmp_path):
    """`scripts/manifests` writes them anew."""
    committed = {path: path.read_text() for path in (ROOT / "deploy" / "manifests").glob("*.yaml")}
    subprocess.run(["cp", "-r", ROOT / "deploy", ROOT / "scripts", tmp_path], check=True)
    subprocess.run([tmp_path / "scripts" / "manifests"], check=True, timeout=100)
    written = {path: (tmp_path / path.relative_to(ROOT)).read_text() for path in committed}
    assert written == committed


@pytest.mark.parametrize("values", [{}, EVERYTHING])
def test_every_pod_keeps_to_the_restricted_profile_and_more(render, values):
    deployments = of(render(values), "Deployment")
    assert len(deployments) == 2
    for each in deployments:
        pod, only = each["spec"]["template"]["spec"], container(each)
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["runAsUser"] == 65532
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        assert only["securityContext"] == {
            "allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]},
        }  # fmt: skip
        assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()
        assert {key for volume in pod["volumes"] for key in volume} <= {
            "name", "configMap", "secret", "emptyDir", "persistentVolumeClaim",
        }  # fmt: skip
        assert only["resources"]["limits"].keys() == only["resources"]["requests"].keys() == {"cpu", "memory"}
        ports = {port["name"] for port in only["ports"]}
        for probe in ("livenessProbe", "readinessProbe"):
            assert only[probe]["httpGet"]["port"] in ports


def test_no_secret_is_in_the_manifests(render):
    assert of(render(EVERYTHING), "Secret") == []


def test_rights_are_in_named_namespaces_only_and_few(render):
    found = render(EVERYTHING)
    assert of(found, "ClusterRole") == of(found, "ClusterRoleBinding") == []
    roles = {(each["metadata"]["namespace"], each["metadata"]["name"]): each for each in of(found, "Role")}
    assert sorted(roles) == [
        ("api", "trimtab-agent-kubernetes"), ("ci", "trimtab-agent-builds"), ("shop", "trimtab-agent-kube-metrics"),
        ("shop", "trimtab-agent-kubernetes"), ("shop", "trimtab-agent-opsani-dev"),
        ("stacks", "trimtab-backend-kubernetes-engine"),
    ]  # fmt: skip
    for (_, name), rule in ((key, rule) for key, role in roles.items() for rule in role["rules"]):
        assert "*" not in rule["verbs"] + rule["resources"] + rule["apiGroups"]
        assert not {"pods/attach", "nodes", "serviceaccounts"} & {*rule["resources"]}
        if name.startswith("trimtab-agent"):
            assert not {"secrets", "pods/exec"} & {*rule["resources"]}
        elif "secrets" in rule["resources"]:
            assert rule["verbs"] == ["create", "delete"], "the engine reads none"
    for binding in of(found, "RoleBinding"):
        assert (binding["metadata"]["namespace"], binding["roleRef"]["name"]) in roles
        (subject,) = binding["subjects"]
        assert binding["roleRef"]["name"].startswith(f"{subject['name']}-")


def test_only_who_has_rights_has_a_token(render):
    def mounts(values) -> dict[str, bool]:
        return {
            each["metadata"]["name"]: each["spec"]["template"]["spec"]["automountServiceAccountToken"]
            for each in of(render(values), "Deployment")
        }

    assert mounts({}) == {"trimtab-agent": False, "trimtab-backend": False}
    assert mounts({"agent": {"rbac": {"builds": ["ci"]}}}) == {
        "trimtab-agent": True,
        "trimtab-backend": False,
    }
    assert mounts({"backend": {"rbac": {"kubernetesEngine": ["stacks"]}}}) == {
        "trimtab-agent": False,
        "trimtab-backend": True,
    }


def test_the_rights_are_those_that_the_kubernetes_engine_looks_for():
    """Its own list, which it asks the API server for before it is used; no more, and no less."""
    rules = yaml.safe_load((CHART / "rbac" / "kubernetes-engine.yaml").read_text())
    granted = sorted(
        (group, resource, verb)
        for rule in rules
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    )
    assert granted == sorted(
        (resource.group, "/".join(filter(None, (resource.plural, part))), verb)
        for resource, part, verbs in NEEDED
        for verb in verbs
    )


@pytest.mark.parametrize(
    ("roles", "module", "name"),
    [
        (("kubernetes",), "servo.connectors.kubernetes.options", "STANDARD_PERMISSIONS"),
        (("kubernetes", "opsani-dev"), "servo.connectors.opsani_dev.checks.target", "PERMISSIONS"),
    ],
)
def test_the_rights_are_those_that_the_connectors_check(roles, module, name):
    """Their own lists, which their checks ask the API server for."""
    granted = {
        (group, resource, verb)
        for role in roles
        for rule in yaml.safe_load((CHART / "rbac" / f"{role}.yaml").read_text())
        for group in rule["apiGroups"]
        for resource in rule["resources"]
        for verb in rule["verbs"]
    }
    wanted = {
        (each.group, resource, verb)
        for each in getattr(importlib.import_module(module), name)
        for resource in each.resources
        for verb in each.verbs
    }
    assert sorted(wanted - granted) == []


def test_network_policies_cover_both(render):
    policies = {each["metadata"]["name"]: each["spec"] for each in of(render(EVERYTHING), "NetworkPolicy")}
    deployments = {each["metadata"]["name"]: each for each in of(render(EVERYTHING), "Deployment")}
    assert policies.keys() == deployments.keys()
    for name, policy in policies.items():
        labels = deployments[name]["spec"]["template"]["metadata"]["labels"]
        assert policy["podSelector"]["matchLabels"].items() <= labels.items()
        assert policy["policyTypes"] == ["Ingress", "Egress"]
        allowed = {port["port"] for rule in policy["ingress"] for port in rule["ports"]}
        assert allowed == {port["containerPort"] for port in container(deployments[name])["ports"]}
        assert {} not in policy["ingress"] + policy["egress"]
    assert of(render({"networkPolicy": {"enabled": False}}), "NetworkPolicy") == []


def test_services_and_monitors_find_their_pods(render):
    found = render(EVERYTHING)
    pods = [each["spec"]["template"]["metadata"]["labels"] for each in of(found, "Deployment")]
    services = of(found, "Service")
    for each in services:
        assert sum(each["spec"]["selector"].items() <= labels.items() for labels in pods) == 1
    monitors = of(found, "ServiceMonitor")
    assert len(monitors) == 2
    for each in monitors:
        assert each["metadata"]["labels"]["release"] == "prometheus"
        (service,) = [
            it
            for it in services
            if each["spec"]["selector"]["matchLabels"].items() <= it["metadata"]["labels"].items()
        ]
        ports = {port["name"] for port in service["spec"]["ports"]}
        assert {endpoint["port"] for endpoint in each["spec"]["endpoints"]} == ports
    backend = monitors[-1]["spec"]["endpoints"][0]
    assert backend["authorization"]["credentials"] == {"name": "trimtab-scraper", "key": "token"}


def test_an_agent_is_replaced_when_its_configuration_changes(render):
    def annotations(config) -> dict:
        (agent,) = of(render({"agent": {"config": config}, "backend": {"enabled": False}}), "Deployment")
        assert agent["spec"]["strategy"] == {"type": "Recreate"}
        return agent["spec"]["template"]["metadata"]["annotations"]

    assert annotations({"wait": {"measure_enabled": True}}) != annotations(
        {"wait": {"measure_enabled": False}}
    )


def test_the_agents_configuration_is_one(render):
    from servo.connectors.wait import WaitConfiguration

    (config,) = of(render({"backend": {"enabled": False}}), "ConfigMap")
    written = yaml.safe_load(config["data"]["servo.yaml"])
    assert WaitConfiguration.model_validate(written["wait"]).measure_enabled


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"agnet": {}}, "agnet"),
        ({"agent": {"rbac": {"kubernetes": ["Not A Name"]}}}, "does not match pattern"),
        ({"agent": {"logLevel": "LOUD"}}, "logLevel"),
        ({"backend": {"environment": {"A-B": "x"}}}, "A-B"),
        ({"backend": {"replicas": 2}}, "name the secret of its URL in backend.databaseSecret"),
        ({"agent": {"config": {}, "tokenSecret": ""}}, "tokenSecret"),
    ],
)  # fmt: skip
def test_values_that_make_no_sense_are_refused_in_words(helm, values, said):
    result = helm("template", "trimtab", CHART, "--values", "-", input=json.dumps(values))
    assert result.returncode != 0
    assert said in result.stderr


def test_each_value_has_its_page():
    page = (ROOT / "docs" / "deployment.md").read_text()
    values = yaml.safe_load((CHART / "values.yaml").read_text())

    def leaves(prefix: str, value) -> list[str]:
        if f"`{prefix}`" in page or prefix.endswith(".enabled"):
            return []
        if isinstance(value, dict) and value and prefix.count(".") < 1:
            return [
                name
                for key, below in value.items()
                for name in leaves(f"{prefix}.{key}" if prefix else key, below)
            ]
        twin = prefix.replace("backend.", "agent.", 1)
        return [] if f"`{twin}`" in page and "and of `backend`" in page else [prefix]

    assert [name for key, below in values.items() for name in leaves(key, below)] == []


@pytest.fixture
def namespace(kubectl):
    """A namespace of our own."""
    name = f"chart-{secrets.token_hex(4)}"
    kubectl("create", "namespace", name)
    yield name
    kubectl("delete", "namespace", name, "--wait=false")


@pytest.mark.parametrize("values", [{}, EVERYTHING])
def test_a_real_api_server_takes_what_the_chart_gives(render, kubectl, namespace, values):
    manifests = [each for each in render(values) if each["kind"] != "ServiceMonitor"]
    for each in manifests:
        each["metadata"]["namespace"] = namespace
    said = kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump_all(manifests))
    # Roles of several namespaces are one here.
    assert said.count("(server dry run)") == len(manifests)


@pytest.mark.parametrize("name", ["agent", "backend"])
def test_a_real_api_server_takes_the_plain_manifests(kubectl, namespace, name):
    manifests = [
        each
        for each in yaml.safe_load_all((ROOT / "deploy" / "manifests" / f"{name}.yaml").read_text())
        if each
    ]
    for each in manifests:
        each["metadata"]["namespace"] = namespace
    said = kubectl("apply", "--dry-run=server", "-f", "-", input=yaml.safe_dump_all(manifests))
    assert said.count("(server dry run)") == len(manifests)


def test_a_real_api_server_takes_the_namespace(kubectl):
    kubectl("apply", "--dry-run=server", "-f", str(ROOT / "deploy" / "manifests" / "namespace.yaml"))
