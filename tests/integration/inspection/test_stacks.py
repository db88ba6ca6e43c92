"""Stacks of each lock format are installed in a real image, by the engine that builds it."""

import hashlib
import json
import subprocess
import sys

import pytest

from trimtab.engines.container.engine import ContainerEngine
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.errors import BuildFailedError
from trimtab.engines.index import Index
from trimtab.inspection import Specification, build_request, inspection_id, write_context

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

BASE = "localhost/python:3.11"
WHEEL = "8abb2f1d86890a2dfb989f9a77cfcfd3e47c2a354b01111771326f8aa26e0254"
SOURCE = "1e61c37477a1626458e36f7b1d82aa5c9b094fa4802892072e49de9c60c4c926"
INDEX = [{"name": "pypi", "url": "https://pypi.example/simple", "verify_ssl": True}]
REQUIRES = {"python_version": "3.11"}
PIPFILE = {"source": INDEX, "packages": {"six": "==1.16.0"}, "dev-packages": {}, "requires": REQUIRES}
PIPFILE_LOCK = {
    "_meta": {
        "hash": {"sha256": ""},
        "pipfile-spec": 6,
        "requires": REQUIRES,
        "sources": INDEX,
    },
    "default": {
        "six": {"version": "==1.16.0", "index": "pypi", "hashes": [f"sha256:{WHEEL}", f"sha256:{SOURCE}"]}
    },
    "develop": {},
}
PROJECT = (
    '[project]\nname = "demo"\nversion = "0.1"\nrequires-python = ">=3.8"\ndependencies = ["six==1.16.0"]\n'
)
UV_LOCK = f"""\
version = 1
revision = 3
requires-python = ">=3.8"

[[package]]
name = "demo"
version = "0.1"
source = {{ virtual = "." }}
dependencies = [
    {{ name = "six" }},
]

[package.metadata]
requires-dist = [{{ name = "six", specifier = "==1.16.0" }}]

[[package]]
name = "six"
version = "1.16.0"
source = {{ registry = "https://pypi.example/simple" }}
wheels = [
    {{ url = "https://pypi.example/six-1.16.0-py2.py3-none-any.whl", hash = "sha256:{WHEEL}", size = 11053 }},
]
"""
LOOK = """
import json, os, sys
sys.path.insert(0, "/home/amun/venv/lib/python3.11/site-packages")
import six
print(json.dumps({
    "six": six.__version__, "at": six.__file__, "home": sorted(os.listdir("/home/amun")),
    "left": [n for n in os.listdir("/tmp") if "trimtab" in n], "secrets": os.path.isdir("/run/secrets") and os.listdir("/run/secrets"),
    "environment": sorted(os.environ), "pip.conf": os.path.exists("/etc/pip.conf"),
    "writable": os.access("/home/amun/venv/lib/python3.11/site-packages", os.W_OK),
    "lock": {n: open(f"/home/amun/{n}", newline="").read() for n in os.listdir("/home/amun") if os.path.isfile(f"/home/amun/{n}")},
}))
"""


@pytest.fixture(scope="module")
def index():
    """A package index that answers."""
    command = [sys.executable, "-m", "uv", "pip", "compile", "--quiet", "-"]
    asked = subprocess.run(command, input=b"six==1.16.0", capture_output=True, timeout=60, check=False)
    if asked.returncode:
        pytest.skip(f"no package index answers: {asked.stderr.decode()[-300:]}")


@pytest.fixture
async def build(podman, index, tmp_path):
    """Builds a specification with the engine, and gives the image and the log."""
    engine = ContainerEngine("podman", tmp_path / "state", ContainerSettings(build_network="host"))
    built = []

    async def make(**fields):
        document = {"base": BASE, "build": {"requests": {"cpu": "2", "memory": "1Gi"}}, **fields}
        specification, log = Specification.load(document), []
        built.append(inspection_id(None))
        context = write_context(specification, tmp_path / built[-1] / "context")
        found = await engine.build(build_request(specification, context, built[-1]), log.append)
        return found.reference, b"".join(log).decode(errors="replace")

    yield make
    for each in built:
        await engine.clean(each)


def look(podman, image, user="1042:0"):
    return json.loads(podman.run(image, "python3", "-c", LOOK, options=("--user", user)))


def pipfile_hash(pipfile):
    document = {
        "_meta": {"sources": pipfile["source"], "requires": pipfile["requires"]},
        "default": pipfile["packages"],
        "develop": pipfile["dev-packages"],
    }
    return hashlib.sha256(json.dumps(document, sort_keys=True, separators=(",", ":")).encode()).hexdigest()


def check(podman, image, files):
    """The stack is there for any user of group 0, and nothing of this machine or of the installing is left."""
    for user in ("1042:0", "1000660000:0"):
        found = look(podman, image, user)
        assert (found["six"], found["writable"]) == ("1.16.0", True)
        assert found["at"].startswith("/home/amun/venv/")
    assert found["home"] == sorted(["venv", *files])
    assert found["lock"] == files
    assert (found["left"], found["secrets"] or [], found["pip.conf"]) == ([], [], False)
    assert not {"PIP_CERT", "PIP_CONFIG_FILE", "UV_CONFIG_FILE", "SSL_CERT_FILE", "LANG"} & set(
        found["environment"]
    )


@pytest.mark.parametrize("installer", ["micropipenv", "pipenv"])
async def test_a_pipfile_on_a_base_without_installer(podman, build, installer):
    """The installer verifies that the lock is of the Pipfile; both are in the image as they were sent."""
    locked = {**PIPFILE_LOCK, "_meta": {**PIPFILE_LOCK["_meta"], "hash": {"sha256": pipfile_hash(PIPFILE)}}}
    python = {"requirements": PIPFILE, "requirements_locked": locked}
    image, log = await build(package_manager=installer, python=python)
    assert f"trimtab: this image has no {installer}: it comes from the index" in log
    text = json.dumps(locked, indent=4, sort_keys=True) + "\n"
    check(podman, image, {"Pipfile": look(podman, image)["lock"]["Pipfile"], "Pipfile.lock": text})


@pytest.fixture
def mirror(monkeypatch):
    """An index that this machine is configured to use: its own, or that of pip, by name."""
    if Index.of_this_machine().remote().default is None:
        command = ["python3", "-c", "from pip._internal.models.index import PyPI; print(PyPI.simple_url)"]
        found = subprocess.run(command, capture_output=True, text=True, check=False)
        if found.returncode:
            pytest.skip("there is no pip to tell of its index")
        monkeypatch.setenv("PIP_INDEX_URL", found.stdout.strip())


async def test_a_pipfile_that_names_another_host_comes_from_the_mirror_of_the_builder(mirror, podman, build):
    """That host answers nobody; a wrong hash is refused from the mirror, too."""
    source = [{**INDEX[0], "url": "https://index.invalid/simple"}]
    pipfile = {**PIPFILE, "source": source}
    meta = {**PIPFILE_LOCK["_meta"], "sources": source, "hash": {"sha256": pipfile_hash(pipfile)}}
    locked = {**PIPFILE_LOCK, "_meta": meta}
    image, _ = await build(python={"requirements": pipfile, "requirements_locked": locked})
    found = look(podman, image)
    assert found["six"] == "1.16.0"
    assert json.loads(found["lock"]["Pipfile.lock"]) == locked
    wrong = {"six": {**locked["default"]["six"], "hashes": [f"sha256:{'0' * 64}"]}}
    with pytest.raises(BuildFailedError, match=r"(?i)hash"):
        await build(python={"requirements": pipfile, "requirements_locked": {**locked, "default": wrong}})


@pytest.fixture
def pylock(index):
    """A lock as uv writes it on this machine."""
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        "--quiet",
        "--no-header",
        "--python-version",
        "3.11",
        "--format",
        "pylock.toml",
        "-",
    ]
    made = subprocess.run(
        command, input="six==1.16.0", capture_output=True, text=True, timeout=60, check=True
    )
    return made.stdout


async def test_a_pylock_as_uv_writes_it(podman, build, pylock):
    image, _ = await build(python={"lock": {"pylock.toml": pylock}})
    check(podman, image, {"pylock.toml": pylock})
    with pytest.raises(BuildFailedError, match=r"(?i)hash"):
        await build(python={"lock": {"pylock.toml": pylock.replace(WHEEL[:8], "00000000")}})


async def test_a_lock_of_another_pipfile_fails(build):
    with pytest.raises(BuildFailedError) as caught:
        await build(python={"requirements": PIPFILE, "requirements_locked": PIPFILE_LOCK})
    assert "hash" in str(caught.value).lower()


async def test_requirements_and_a_wrong_hash(podman, build):
    text = f"six==1.16.0 --hash=sha256:{WHEEL}\n"
    image, _ = await build(python={"lock": {"requirements.txt": text}})
    check(podman, image, {"requirements.txt": text})
    with pytest.raises(BuildFailedError, match=r"(?i)hash mismatch"):
        await build(python={"lock": {"requirements.txt": text.replace("8abb", "0000")}})


async def test_a_uv_lock_that_names_an_index_that_is_none(podman, build):
    image, _ = await build(python={"lock": {"uv.lock": UV_LOCK, "pyproject.toml": PROJECT}})
    check(podman, image, {"uv.lock": UV_LOCK, "pyproject.toml": PROJECT})


async def test_a_python_without_ensurepip(podman, build, tmp_path):
    """Debian and UBI package it apart."""
    (tmp_path / "base").mkdir()
    (tmp_path / "base/Containerfile").write_text(f"FROM {BASE}\nRUN rm -rf /usr/lib/python3.11/ensurepip\n")
    base, _ = podman.build(tmp_path / "base")
    locked = {**PIPFILE_LOCK, "_meta": {**PIPFILE_LOCK["_meta"], "hash": {"sha256": pipfile_hash(PIPFILE)}}}
    image, log = await build(
        base=base, upgrade_pip=True, python={"requirements": PIPFILE, "requirements_locked": locked}
    )
    assert "trimtab: the Python of this image has no ensurepip: pip comes from the index" in log
    assert look(podman, image)["six"] == "1.16.0"
    (tmp_path / "base/Containerfile").write_text(
        f"FROM {base}\nRUN rm -rf /usr/lib/python3/dist-packages/pip\n"
    )
    bare, _ = podman.build(tmp_path / "base")
    with pytest.raises(
        BuildFailedError, match="neither pip nor ensurepip: add its package of pip to packages"
    ) as caught:
        await build(base=bare, python_packages=["six"])
    assert caught.value.exit_code == 78


async def test_b4_packages_of_debian_on_a_slim_image(podman, build):
    """Its lists of packages are empty, and apt-get asks when nobody answers."""
    image, log = await build(packages=["tree"])
    assert "trimtab: packages are installed by apt-get" in log
    assert podman.run(image, "tree", "--version").startswith(b"tree v")
    assert podman.run(image, "ls", "/var/lib/apt/lists") == b""
    with pytest.raises(BuildFailedError, match="Unable to locate package no-such;touch "):
        await build(packages=["no-such;touch /pwned"])
