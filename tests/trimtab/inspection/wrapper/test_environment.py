"""B24, B26: what is told of the system and of Python."""

import os
import platform
import sys

import pytest

from trimtab.inspection.hwinfo.machine import Machine
from trimtab.inspection.wrapper.distributions import Python, distributions
from trimtab.inspection.wrapper.system import cuda_version, os_release, runtime_environment


@pytest.fixture
def machine(tmp_path):
    def make(**files):
        for path, text in files.items():
            place = tmp_path / path.replace("__", "/")
            place.parent.mkdir(parents=True, exist_ok=True)
            place.write_text(text)
        return Machine(str(tmp_path))

    return make


def test_b24_an_image_without_os_release_has_none(machine):
    assert os_release(machine()) is None
    assert runtime_environment(None, {}, None, None)["operating_system"] == {"name": None, "version": None}


@pytest.mark.parametrize("text", ["NAME=Arch Linux\n", "ID=arch\n", "", "=\n#x\nnonsense\n", "\0\xff"])
def test_b24_an_os_release_without_id_or_version_is_no_matter(machine, text):
    release = os_release(machine(etc__os_release=text) and machine(**{"etc__os-release": text}))
    system = runtime_environment(release, {}, None, None)["operating_system"]
    assert system == {"name": "arch" if "ID=arch" in text else None, "version": None}


def test_names_are_lower_case_and_quotes_are_taken_off_once(machine):
    found = os_release(machine(**{"etc__os-release": 'NAME="Debian"\nID=debian\nX=\'a b\'\nY=""q""\n'}))
    assert found == {"name": "Debian", "id": "debian", "x": "a b", "y": '"q"'}


def test_b26_the_python_is_the_stacks(place):
    stack = place.stack()
    (stack / "pyvenv.cfg").write_text("home = /usr/bin\nversion = 3.9.18\n")
    document = place.run("#!/bin/sh\n").document
    assert document["runtime_environment"]["python_version"] == "3.9"


def test_b26_version_of_the_scripts_interpreter(python):
    python.stack()
    document = python.run("import sys\nprint(sys.version)\n").document
    assert document["interpreter"]["version"] == platform.python_version()
    assert document["runtime_environment"]["python_version"] == ".".join(platform.python_version_tuple()[:2])


def test_packages_of_the_stack_are_listed(place):
    stack = place.stack()
    site = next(stack.glob("lib/python*/site-packages"))
    for name in ("Zope.Interface-6.0.dist-info", "numpy-2.1.0+local.dist-info", "pip"):
        (site / name).mkdir()
    assert (
        place.run("#!/bin/sh\n").document["packages"]
        == [
            {"name": "numpy", "version": "2.1.0+local"},
            {"name": "zope-interface", "version": "6.0"},
        ]
        or place.command
    )


def test_packages_by_the_names_of_directories(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    first.mkdir()
    second.mkdir()
    for name in ("a_b-1.0.dist-info", "c-2.0-py3.11.egg-info", "~d-1.dist-info", "e.egg-info", "f.py"):
        (first / name).mkdir()
    (first / "e.egg-info" / "PKG-INFO").write_text("Metadata-Version: 1\nVersion: 5.0\n")
    (second / "A.B-9.9.dist-info").mkdir()
    (second / "c-3.0.egg-info").write_text("a file")
    found = {each["name"]: each["version"] for each in distributions([str(first), str(second), "/none"])}
    assert found == {"a-b": "1.0", "c": "2.0", "e": "5.0"}


def test_b26_cuda_is_told_by_the_image_or_a_package(machine):
    assert cuda_version(machine(), {"CUDA_VERSION": "12.4.1"}, [])[0] == "12.4"
    package = [{"name": "nvidia-cuda-runtime-cu12", "version": "12.1.105"}]
    assert cuda_version(machine(), {}, package) == ("12.1", "the package nvidia-cuda-runtime-cu12")
    assert cuda_version(machine(), {}, []) == (None, None)
    assert cuda_version(machine(**{"usr__local__cuda-11.8__version.txt": ""}), {}, [])[0] == "11.8"


def test_a_systems_python_is_known_by_its_name(tmp_path):
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "python3.9").write_text("")
    (tmp_path / "bin" / "python3").symlink_to("python3.9")
    (tmp_path / "lib" / "python3.9" / "site-packages").mkdir(parents=True)
    found = Python(str(tmp_path / "bin" / "python3"))
    assert (found.version, found.minor) == ("3.9", "3.9")
    assert found.directories == [str(tmp_path / "lib" / "python3.9" / "site-packages")]


def test_a_python_of_which_nothing_shows_has_no_version(tmp_path):
    (tmp_path / "python3").write_text("#!/bin/sh\n")
    found = Python(str(tmp_path / "python3"))
    assert (found.version, found.directories) == (None, [])


def test_own_python_is_known_to_the_last_digit():
    assert Python(os.path.realpath(sys.executable)).version == platform.python_version()
