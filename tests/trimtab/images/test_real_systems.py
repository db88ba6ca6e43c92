"""Packages that the tools of each system installed themselves, held against what those tools list."""

import json
import re
import shutil
import subprocess
import sys

import pytest

from trimtab.images import contents, opened

pytestmark = [pytest.mark.integration, pytest.mark.timeout(600)]

SETUP = 'from setuptools import setup\nsetup(name="{name}", version="{version}", py_modules=["{name}"])\n'


def run(*command, **options):
    return subprocess.run(command, check=True, capture_output=True, text=True, **options).stdout


def in_directory(path):
    with opened(f"dir:{path}") as image:
        return contents(image)


def normal(name):
    return re.sub(r"[-_.]+", "-", name).lower()


def environment(directory, pip):
    """A virtual environment with this version of pip; its Python."""
    python = directory / "venv/bin/python"
    run(sys.executable, "-m", "venv", directory / "venv")
    try:
        run(python, "-m", "pip", "install", f"pip=={pip}", "setuptools<66", "wheel", "six")
    except subprocess.CalledProcessError:
        pytest.skip(f"pip {pip} cannot be had from an index here")
    return python


@pytest.mark.parametrize("pip", ["19.3.1", "25.0"])
@pytest.mark.skipif(sys.version_info >= (3, 12), reason="old versions of pip need Python's distutils")
def test_python_packages_are_those_that_pip_lists(tmp_path, pip):
    """One from an index, one from sources, one editable: by a link of setuptools or by metadata, as each pip does it."""
    root = tmp_path / "root"
    root.mkdir()
    python = environment(root, pip)
    for name, version in (("edit_me", "1.2"), ("plain_one", "2.3")):
        (root / name).mkdir()
        (root / name / "setup.py").write_text(SETUP.format(name=name, version=version))
        (root / name / f"{name}.py").write_text("")
    install = [python, "-m", "pip", "install", "--no-build-isolation", "--no-index"]
    run(*install, root / "plain_one")
    run(*install, "--editable", root / "edit_me")
    listed = [python, "-m", "pip", "list", "--format", "json"]
    told = {normal(each["name"]): each["version"] for each in json.loads(run(*listed, cwd="/"))}
    editable = {normal(each["name"]) for each in json.loads(run(*listed, "--editable", cwd="/"))}
    # The image is the root directory of this very path, for what pip writes down is absolute.
    image = tmp_path / "image"
    shutil.copytree(root, image / root.relative_to("/"), symlinks=True)
    found = [each for each in in_directory(image).packages if each.type == "pypi"]
    assert {normal(each.name): each.version for each in found} == told
    assert len(found) == len(told)
    assert {normal(each.name) for each in found if each.editable} == editable == {"edit-me"}
    assert {each.location for each in found if each.editable} <= {
        str(root / "edit_me"),
        f"/{(next(python.parent.parent.glob('lib/*/site-packages'))).relative_to('/')}",
    }


@pytest.mark.skipif(not shutil.which("dpkg-deb") or not shutil.which("apt-get"), reason="no dpkg and apt-get")
def test_packages_of_a_distroless_image_are_those_of_its_archives(tmp_path):
    """Made as such images are: archives unpacked over each other, each one's control file in status.d."""
    names = ["base-files", "netbase", "tzdata"]
    try:
        run("apt-get", "download", *names, cwd=tmp_path)
    except subprocess.CalledProcessError:
        pytest.skip("packages of Debian cannot be had here")
    root = tmp_path / "root"
    directory = root / "var/lib/dpkg/status.d"
    told = []
    for archive in sorted(tmp_path.glob("*.deb")):
        run("dpkg-deb", "--extract", archive, root)
        directory.mkdir(parents=True, exist_ok=True)
        name = run("dpkg-deb", "--field", archive, "Package").strip()
        (directory / name).write_text(run("dpkg-deb", "--field", archive))
        (directory / f"{name}.md5sums").write_text(run("dpkg-deb", "--info", archive, "md5sums"))
        told.append(
            run("dpkg-deb", "--show", "--showformat", "${Package} ${Version} ${Architecture}", archive)
        )
    found = in_directory(root)
    assert sorted(f"{each.name} {each.version} {each.architecture}" for each in found.packages) == sorted(
        told
    )
    assert len(told) == len(names)
    assert found.os_release["id"] == "debian"
    assert list(found.findings) == []
