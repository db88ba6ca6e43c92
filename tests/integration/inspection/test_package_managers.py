"""Package managers of rpm at work: Debian has dnf and zypper, and a repository of ours has a package. What stubs cannot show: that they take our arguments.

microdnf, yum (on Debian a name of dnf, which is not packaged) and apk are not to be had here: what they are asked is in `test_install.py`.
"""

import secrets
import shutil
import subprocess

import pytest

from trimtab.engines.container.engine import ContainerEngine
from trimtab.engines.container.settings import ContainerSettings
from trimtab.engines.errors import BuildFailedError
from trimtab.inspection import Specification, build_request, inspection_id, write_context
from trimtab.inspection.failure import of_build

pytestmark = [pytest.mark.integration, pytest.mark.timeout(1500)]

PACKAGE = """\
Name: trimtab-hello
Version: 1.0
Release: 1
Summary: says hello
License: MIT
BuildArch: noarch
AutoReqProv: no
%description
says hello
%install
mkdir -p %{buildroot}/usr/bin
printf '#!/bin/sh\\necho hello from an rpm\\n' > %{buildroot}/usr/bin/trimtab-hello
chmod 755 %{buildroot}/usr/bin/trimtab-hello
%files
/usr/bin/trimtab-hello
"""
REPOSITORY = "[ours]\nname=ours\nbaseurl=file:///repository\nenabled=1\ngpgcheck=0\n"
CONTAINERFILE = """\
FROM localhost/python:3.11
RUN apt-get update && apt-get install --yes --no-install-recommends MANAGER createrepo-c
COPY repository /repository
RUN createrepo_c /repository
COPY ours.repo /etc/yum.repos.d/ours.repo
COPY ours.repo /etc/zypp/repos.d/ours.repo
RUN rm /usr/bin/apt-get
"""


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    """A package of ours, made by rpmbuild."""
    if not shutil.which("rpmbuild"):
        pytest.skip("no rpmbuild: scripts/system-packages installs it")
    place = tmp_path_factory.mktemp("rpm")
    (place / "hello.spec").write_text(PACKAGE)
    subprocess.run(
        ["rpmbuild", "--define", f"_topdir {place}", "-bb", place / "hello.spec"],
        check=True,
        capture_output=True,
    )
    return next(place.rglob("*.rpm"))


@pytest.fixture(params=["dnf", "zypper"])
def base(request, podman, package, tmp_path):
    """An image with this package manager, and no other."""
    (tmp_path / "base" / "repository").mkdir(parents=True)
    shutil.copy(package, tmp_path / "base" / "repository")
    (tmp_path / "base" / "ours.repo").write_text(REPOSITORY)
    (tmp_path / "base" / "Containerfile").write_text(CONTAINERFILE.replace("MANAGER", request.param))
    image = f"localhost/trimtab-test-{request.param}-{secrets.token_hex(6)}"
    of_machine = [f"{each}:{each}:ro" for each in ("/etc/ssl/certs", "/etc/apt")]
    options = ["--network=host", "--layers=false", *(word for each in of_machine for word in ("-v", each))]
    made = subprocess.run(
        ["podman", "build", *options, "-t", image, tmp_path / "base"],
        env=podman.environment,
        capture_output=True,
        text=True,
        timeout=850,  # packages are fetched, and the machine may be busy
        check=False,
    )
    if made.returncode:
        pytest.skip(f"Debian's {request.param} cannot be installed: {made.stderr[-300:]}")
    yield image
    podman.call("podman", "rmi", "--force", image, check=False)


@pytest.fixture
async def build(podman, base, tmp_path):
    engine = ContainerEngine("podman", tmp_path / "state", ContainerSettings(build_network="host"))
    built = []

    async def make(**fields):
        document = {"base": base, "build": {"requests": {"cpu": "1", "memory": "1Gi"}}, **fields}
        specification = Specification.load(document)
        built.append(inspection_id(None))
        context = write_context(specification, tmp_path / built[-1] / "context")
        return await engine.build(build_request(specification, context, built[-1]), lambda _: None)

    yield make
    for each in built:
        await engine.clean(each)


async def test_a_package_is_installed_and_one_that_is_not_there_is_the_stacks_failure(podman, build):
    made = await build(packages=["trimtab-hello"], update=True)
    assert podman.run(made.reference, "trimtab-hello") == b"hello from an rpm\n"
    with pytest.raises(BuildFailedError) as caught:
        await build(packages=["no-such-package"])
    failure = of_build(caught.value)
    assert (failure.kind, failure.message) == (
        "stack",
        "A package of the operating system is not to be had; look at its name on this base.",
    )
