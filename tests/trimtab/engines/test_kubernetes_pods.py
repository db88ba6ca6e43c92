"""What the pods of builds and runs may do and use is in their manifests."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trimtab.engines import Build, EngineUnavailableError, KubernetesSettings, Resources, RunRequest, choose
from trimtab.engines.kubernetes.labels import Labels
from trimtab.engines.kubernetes.pods import job, run_pod, unlabelled, variables_as_they_are
from trimtab.engines.kubernetes.strategies import Order
from trimtab.engines.kubernetes.strategies.buildah import build_pod

SETTINGS = KubernetesSettings(builder="builder", repository="registry.example/stacks")
BUILD = Build("registry.example/stacks@sha256:1", "sha256:1", (), Path("log"), 1.0, cached=False)
RESTRICTED = {
    "allowPrivilegeEscalation": False, "capabilities": {"drop": ["ALL"]}, "runAsNonRoot": True,
    "seccompProfile": {"type": "RuntimeDefault"},
}  # fmt: skip


def run(settings=SETTINGS, timeout=60.0, **resources):
    asked = Resources(**({"cpu": 0.25, "memory": 2**28} | resources))
    return run_pod(
        RunRequest("i", 3, BUILD, asked, timeout, False, Path("/out/3"), {"SEED": "$(HOME)"}), settings
    )


def build(settings=SETTINGS, **changes):
    order = {
        "inspection": "i", "image": "registry.example/stacks:i", "cache": None, "source": b"", "secrets": {}, "arguments": {},
        "resources": Resources(0.5, 2**29), "timeout": None,
    }  # fmt: skip
    return build_pod(Order(**(order | changes)), settings, "the-secret")


def test_a_run_keeps_to_the_restricted_profile():
    """No root, no capabilities, no privileges to be gained, no service account, the runtime's seccomp profile; so does the keeper."""
    pod = run()
    assert pod["automountServiceAccountToken"] is False
    assert pod["securityContext"]["runAsUser"] == 1042
    for each in pod["containers"]:
        assert RESTRICTED.items() <= each["securityContext"].items()
    assert {key for volume in pod["volumes"] for key in volume} == {"name", "emptyDir"}
    assert all("sizeLimit" in volume["emptyDir"] for volume in pod["volumes"])


def test_requests_are_limits():
    wanted, keeper = run(gpus=2)["containers"]
    assert wanted["resources"]["requests"] == wanted["resources"]["limits"]
    assert wanted["resources"]["limits"]["nvidia.com/gpu"] == "2"
    assert (wanted["resources"]["limits"]["cpu"], wanted["resources"]["limits"]["memory"]) == (
        "250m",
        str(2**28),
    )
    assert keeper["resources"]["requests"] == keeper["resources"]["limits"]
    for each in build()["containers"]:
        assert each["resources"]["requests"] == each["resources"]["limits"]


def test_the_keeper_reads_the_results_and_writes_nothing():
    """And it ends, should nobody fetch them: at last after the time that a run may take and the results wait."""
    wanted, keeper = run()["containers"]
    (mount,) = keeper["volumeMounts"]
    assert (mount["name"], mount["readOnly"]) == ("results", True)
    assert {"name": "results", "mountPath": "/home/amun/results/3"} in wanted["volumeMounts"]
    assert keeper["securityContext"]["readOnlyRootFilesystem"] is True
    assert keeper["command"][-1] == "970"


def test_hardware_becomes_an_affinity_and_what_is_said_of_nodes_stays():
    """On labels that can be set; hardware without a label is named, and never silently ignored."""
    settings = SETTINGS.model_copy(update={"hardware_labels": {"processor": "example.com/processor"}})
    hardware, toleration = (
        {"processor": "quick", "cpu_family": "6"},
        {"key": "stacks", "operator": "Exists"},
    )
    asked = {"hardware": hardware, "node_selector": {"disk": "ssd"}, "tolerations": (toleration,)}
    pod = run(settings, **asked)
    terms = pod["affinity"]["nodeAffinity"]["requiredDuringSchedulingIgnoredDuringExecution"][
        "nodeSelectorTerms"
    ]
    wanted = {"key": "example.com/processor", "operator": "In", "values": ["quick"]}
    assert terms == [{"matchExpressions": [wanted]}]
    assert pod["nodeSelector"] == {"disk": "ssd"}
    assert toleration in pod["tolerations"]
    (problem,) = unlabelled(Resources(1, 1, hardware=hardware), settings)
    assert "'cpu_family'" in problem
    assert "affinity" not in run()


def test_a_build_gains_two_capabilities_and_no_more():
    """It is not root: with those it makes the user namespace in which it is one. Pod Security's baseline allows them."""
    pod = build()
    assert pod["securityContext"]["runAsNonRoot"] is True
    assert pod["automountServiceAccountToken"] is False
    for each in (*pod["initContainers"], *pod["containers"]):
        assert each["securityContext"] == {"capabilities": {"drop": ["ALL"], "add": ["SETUID", "SETGID"]}}
    unconfined = build(SETTINGS.model_copy(update={"builder_seccomp": "Localhost/userns.json"}))
    profile = unconfined["containers"][0]["securityContext"]["seccompProfile"]
    assert profile == {"type": "Localhost", "localhostProfile": "userns.json"}


def test_secrets_of_a_build_are_mounted_and_named_and_nowhere_else():
    pod = build(secrets={"pip.conf": b"hush"}, arguments={"http_proxy": "http://user:hush@proxy"})
    (builder,) = pod["containers"]
    assert {"--secret", "id=pip.conf,src=/run/trimtab/secrets/pip.conf"} <= set(builder["command"])
    assert not any("hush" in part for part in builder["command"])
    assert "secrets" not in {each["name"] for each in pod["initContainers"][0]["volumeMounts"]}
    assert {"name": "secrets", "secret": {"secretName": "the-secret", "defaultMode": 0o440}} in pod["volumes"]
    assert not any("secret" in volume for volume in build()["volumes"])


def test_a_registrys_secret_is_for_the_builder_and_the_kubelet():
    settings = SETTINGS.model_copy(update={"registry_secret": "registry"})
    assert run(settings)["imagePullSecrets"] == build(settings)["imagePullSecrets"] == [{"name": "registry"}]
    assert not any("secret" in volume for volume in run(settings)["volumes"])
    assert {"name": "auth", "secret": {"secretName": "registry", "defaultMode": 0o440}} in build(settings)[
        "volumes"
    ]


def test_a_job_starts_once_and_ends(tmp_path):
    """It is not tried again by the cluster, has a deadline where there is one, and goes some time after its end."""
    metadata = Labels(tmp_path).metadata("n", "i", 3)
    made = job(run(), metadata, lifetime=99.6, ttl=7)
    assert made["spec"]["backoffLimit"] == 0
    assert (made["spec"]["activeDeadlineSeconds"], made["spec"]["ttlSecondsAfterFinished"]) == (100, 7)
    assert made["spec"]["template"]["metadata"]["labels"] == metadata["labels"]
    assert "activeDeadlineSeconds" not in job(run(), metadata, lifetime=None, ttl=7)["spec"]


def expanded(text: str, names: dict[str, str]) -> str:
    """What Kubernetes makes of a value, as its third_party/forked/golang/expansion/expand.go does."""
    out, at = "", 0
    while at < len(text):
        following = text[at + 1 : at + 2]
        if text[at] != "$" or not following:
            out, at = out + text[at], at + 1
        elif following == "$":
            out, at = out + "$", at + 2
        elif following == "(" and (end := text.find(")", at)) > 0:
            name = text[at + 2 : end]
            out, at = out + names.get(name, f"$({name})"), end + 1
        else:
            out, at = out + "$" + following, at + 2
    return out


@given(st.text("$()AB", max_size=12))
def test_no_variable_is_expanded_by_the_cluster(value):
    """Whatever is in it."""
    (found,) = variables_as_they_are({"X": value})
    assert expanded(found["value"], {"A": "expanded", "": "expanded"}) == value


@given(st.text(max_size=300), st.text(max_size=300))
def test_names_are_names_and_differ(tmp_path_factory, first, second):
    """Of whatever inspection: a label of a Job's pod, and so its name, has 63 characters at most, of few kinds."""
    labels = Labels(tmp_path_factory.getbasetemp())
    name = labels.name_of(first, 9999)
    assert len(name) <= 63
    assert set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-")
    assert name[0].isalpha()
    assert (labels.name(first) == labels.name(second)) is (first == second)


@pytest.mark.parametrize(
    ("variable", "value"),
    [("REPOSITORY", "registry.example"), ("PATIENCE", "-1"), ("HARDWARE_LABELS", "no JSON")],
)
async def test_a_wrong_setting_is_named_by_its_variable(monkeypatch, tmp_path, variable, value):
    monkeypatch.setenv(f"TRIMTAB_KUBERNETES_{variable}", value)
    with pytest.raises(EngineUnavailableError, match=f"(?i)(TRIMTAB_KUBERNETES_….*)?{variable}"):
        await choose("kubernetes", tmp_path)


@pytest.mark.parametrize("repository", ["https://registry.example/x", "registry.example", "a b/c", "$(x)/y"])
def test_what_is_no_repository_is_refused(repository):
    with pytest.raises(ValueError, match="repository"):
        KubernetesSettings(repository=repository)
