"""A base or a lock that cannot be built ends an inspection as the stack's failure, with the lines that matter."""

import secrets

import pytest

pytestmark = [pytest.mark.integration, pytest.mark.timeout(300)]

SCRIPT = "#!/bin/sh\necho hello\n"
HARDWARE = {"cpu_family": 999, "cpu_model": 1, "processor": "None-Such"}
WHEEL = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"


def locked(line):
    return {"lock": {"requirements.txt": f"{line}\n"}}


@pytest.mark.parametrize(
    ("line", "word"),
    [
        (f"trimtab-is-nowhere==1 --hash=sha256:{WHEEL}", "trimtab-is-nowhere"),
        (f"six==1.16.0 --hash=sha256:{'0' * 64}", "hash"),
        (f"six==99.0.0 --hash=sha256:{WHEEL}", "six"),
    ],
    ids=["no such package", "wrong hash", "no such version"],
)
async def test_a_lock_that_cannot_be_installed(laboratory, index, line, word):
    report = await laboratory.inspect(python=locked(line), script=SCRIPT)
    assert (report["state"], report["runs"], report["failure"]["kind"]) == ("build_failed", [], "stack")
    assert any(word in each.lower() for each in report["failure"]["lines"])


async def test_a_base_image_that_there_is_not(make_laboratory):
    laboratory = make_laboratory("podman")
    report = await laboratory.inspect(base=f"localhost/no-such-{secrets.token_hex(4)}:1", script=SCRIPT)
    assert (report["state"], report["runs"], report["failure"]["kind"]) == ("build_failed", [], "stack")
    assert "base image" in report["failure"]["reason"]


@pytest.fixture
def empty(podman, tmp_path):
    """The name of an image of nothing."""
    name = f"localhost/empty-{secrets.token_hex(4)}"
    (tmp_path / "nothing").touch()
    (tmp_path / "Containerfile").write_text("FROM scratch\nCOPY nothing /nothing\n")
    podman("build", "--quiet", "--layers=false", "-t", name, tmp_path)
    yield name
    podman("rmi", "--force", name)


async def test_a_base_without_a_shell_is_built_and_cannot_run_the_wrapper(make_laboratory, empty):
    laboratory = make_laboratory("podman")
    report = await laboratory.inspect(base=empty, script=SCRIPT)
    assert report["state"] == "failed"
    assert report["failure"]["kind"] == "stack"
    assert "/bin/sh" in report["failure"]["reason"]
    assert [each["attempt"] for each in report["runs"]] == [1]


async def test_a_base_without_a_shell_has_no_packages(make_laboratory, empty):
    laboratory = make_laboratory("podman")
    report = await laboratory.inspect(base=empty, packages=["x"], script=SCRIPT)
    assert (report["state"], report["failure"]["kind"]) == ("build_failed", "stack")
    assert any("/bin/sh" in each for each in report["failure"]["lines"])


async def test_what_this_machine_would_have_to_change_for_is_refused_before_anything_is_done(make_laboratory):
    laboratory = make_laboratory("process")
    report = await laboratory.inspect(packages=["x; touch /pwned"], update=True, script=SCRIPT)
    assert (report["state"], report["failure"]["kind"]) == ("build_failed", "stack")
    assert "packages of the operating system" in report["failure"]["reason"]


async def test_b1_b2_b3_hardware_is_asked_for_by_the_build_and_by_the_run_each_for_itself(laboratory):
    """The original dropped it on the way, read that of the build alone, and put it where nobody looked."""
    wanted = {"requests": {"cpu": "1", "memory": "256Mi", "hardware": HARDWARE}}
    for asked in ({"build": wanted}, {"run": {**wanted, "timeout": 30}}):
        report = await laboratory.inspect(**asked, script=SCRIPT)
        told = (report["state"], report["failure"]["kind"], report["runs"])
        assert told == ("build_failed", "infrastructure", [])  # before anything is built
        assert "cpu_family '999'" in report["failure"]["reason"]


async def test_b15_without_a_script_nothing_is_run(laboratory):
    report = await laboratory.inspect(batch_size=3)
    assert (report["state"], report["runs"]) == ("succeeded", [])
    assert laboratory.works[-1].stored.results.items() == []
