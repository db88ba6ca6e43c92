"""Builders of images, and a base that all of them have."""

import os
import secrets
import subprocess
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).parents[3]
BASE = "localhost/python:3.11"


class Builder:
    """A command that builds images from a directory, and one that runs them."""

    def __init__(self, name, build, run, environment):
        self.name = name
        self._build = build
        self._run = run
        self.environment = {**os.environ, **environment}
        self._made = []

    def call(self, *arguments, check=True, **options):
        return subprocess.run(
            arguments, env=self.environment, capture_output=True, timeout=280, check=check, **options
        )

    def build(self, directory, *options, check=True):
        """Build it; the name of the image, and what was printed."""
        name = f"localhost/trimtab-test-{secrets.token_hex(6)}"
        result = self.call(
            *self._build,
            *options,
            "-t",
            name,
            "-f",
            f"{directory}/Containerfile",
            str(directory),
            check=False,
        )
        self._made.append(name)
        printed = (result.stdout + result.stderr).decode(errors="replace")
        assert not check or result.returncode == 0, printed
        return name, printed

    def run(self, image, *command, options=()):
        """What a container of it prints."""
        return self.call(*self._run, "run", "--rm", "--network", "none", *options, image, *command).stdout

    def inspect(self, image, form):
        return self.call(*self._run, "image", "inspect", "--format", form, image).stdout.decode().strip()

    def clean(self):
        for name in self._made:
            self.call(*self._run, "rmi", "--force", name, check=False)


@pytest.fixture(scope="session")
def base_archive():
    """An archive of the base, which podman has then."""
    made = subprocess.run(
        [REPOSITORY / "scripts/test-image"], capture_output=True, text=True, timeout=600, check=False
    )
    if made.returncode:
        pytest.skip(f"there is no image to build upon: {made.stderr.strip()[-300:]}")
    return Path(made.stdout.strip())


def _podman(name):
    try:
        subprocess.run([name, "info"], capture_output=True, timeout=60, check=True)
    except (OSError, subprocess.SubprocessError) as error:
        pytest.skip(f"no {name} that works: {error}")
    # One layer for all takes a fraction of the time; a test of the cache asks for its own.
    build = (
        ["podman", "build", "--layers=false"] if name == "podman" else ["buildah", "bud", "--layers=false"]
    )
    return Builder(name, build, ["podman"], {})


def _docker(archive):
    if not (host := os.environ.get("TRIMTAB_TEST_DOCKER_HOST")):
        pytest.skip("no Docker engine: run by scripts/with-services, or set TRIMTAB_TEST_DOCKER_HOST")
    # The package's own: an older or other command of this name may come first on the path.
    program = "/usr/bin/docker" if os.access("/usr/bin/docker", os.X_OK) else "docker"
    found = Builder(
        "docker",
        [program, "build", "--network", "host"],
        [program],
        {"DOCKER_HOST": host, "DOCKER_BUILDKIT": "1"},
    )
    found.call(program, "load", "--quiet", "--input", str(archive))
    return found


@pytest.fixture(params=["podman", "buildah", "docker"])
def builder(request, base_archive):
    found = _docker(base_archive) if request.param == "docker" else _podman(request.param)
    yield found
    found.clean()


@pytest.fixture
def podman(base_archive):
    found = _podman("podman")
    yield found
    found.clean()
