"""What a container may use, and what is kept from it, is in the arguments of its engine's command."""

from itertools import pairwise
from pathlib import Path

import pytest

from trimtab.engines import BuildRequest, Resources
from trimtab.engines.container.arguments import Confinement, exec_arguments, run_arguments
from trimtab.engines.container.build import build_arguments
from trimtab.engines.container.settings import ContainerSettings

SETTINGS = ContainerSettings(pids=99, build_network="host")


def arguments(flavour, *, network=False, gpus=0, lifetime=None):
    confinement = Confinement(flavour, SETTINGS, Resources(0.25, 2**28, gpus=gpus), network, "vol", lifetime)
    return run_arguments(
        confinement, name="n", labels=["--label", "a=b"], cidfile=Path("/d/id"), mounts={"/home/amun/results/3": Path("/o")},
        environment={"X": "a b;$(c)"}, image="sha256:1",
    )  # fmt: skip


def pairs(found):
    return set(pairwise(found))


@pytest.mark.parametrize("flavour", ["podman", "docker"])
def test_both_engines_confine_alike(flavour):
    found = arguments(flavour)
    assert found[0] == "run"
    assert found[-1] == "sha256:1"
    assert {"--read-only"} <= set(found)
    assert pairs(found) >= {
        ("--cpus", "0.250"),
        ("--memory", "268435456"),
        ("--memory-swap", "268435456"),
        ("--pids-limit", "99"),
        ("--network", "none"),
        ("--cap-drop", "ALL"),
        ("--security-opt", "no-new-privileges"),
        ("--user", "1042:0"),
        ("--log-driver", "none"),
        ("--pull", "never"),
        ("--volume", "/o:/home/amun/results/3:rw,Z"),
        ("--env", "X=a b;$(c)"),
        ("--cidfile", "/d/id"),
    }


def test_the_home_is_overlaid_by_podman_and_copied_by_docker():
    assert ("--volume", "vol:/home/amun:O") in pairs(arguments("podman"))
    assert ("--volume", "/home/amun") in pairs(arguments("docker"))


def test_the_network_is_there_when_asked_for():
    assert "--network" not in arguments("podman", network=True)


def test_podman_ends_what_nobody_waits_for():
    assert ("--timeout", "12") in pairs(arguments("podman", lifetime=12.4))
    assert "--timeout" not in arguments("podman")


def test_gpus():
    assert ("--gpus", "2") in pairs(arguments("docker", gpus=2))
    assert {("--device", "nvidia.com/gpu=0"), ("--device", "nvidia.com/gpu=1")} <= pairs(
        arguments("podman", gpus=2)
    )


def test_an_exec_has_its_own_variables():
    assert exec_arguments("c", {"A": "b"}, ("/x", "--y")) == [
        "exec", "--workdir", "/home/amun", "--env", "A=b", "c", "/x", "--y",
    ]  # fmt: skip


def test_what_may_be_a_secret_is_in_no_argument():
    found = exec_arguments("c", {"TRIMTAB_RUN_TOKEN": "secret", "PATH": "/x"}, ("/y",))
    assert pairs(found) >= {("--env", "TRIMTAB_RUN_TOKEN"), ("--env", "PATH=/x")}
    assert "secret" not in " ".join(found)


def test_a_build_is_limited_and_names_no_secret(tmp_path):
    request = BuildRequest("i", tmp_path / "context", "base", Resources(0.5, 2**29))
    found = build_arguments(
        "podman", request, SETTINGS, "localhost/x:i", ["--secret", "id=x,src=/f"], ["https_proxy"], tmp_path
    )
    assert pairs(found) >= {
        ("--memory", "536870912"),
        ("--memory-swap", "536870912"),
        ("--cpu-period", "100000"),
        ("--cpu-quota", "50000"),
        ("--network", "host"),
        ("--build-arg", "https_proxy"),  # its value, which may hold a password, is in the environment
        ("--secret", "id=x,src=/f"),
        ("--tag", "localhost/x:i"),
    }
    assert found[-1] == str(tmp_path / "context")
