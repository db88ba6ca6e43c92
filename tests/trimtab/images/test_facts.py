"""Facts of an image that are no packages, of this machine's own files and of those that others make."""

import os
import subprocess
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection

from trimtab.images.facts.elf import symbol_versions

LIBRARIES = [
    path
    for directory in ("/lib/x86_64-linux-gnu", "/usr/lib/x86_64-linux-gnu", "/usr/lib64", "/lib")
    for path in sorted(Path(directory).glob("*.so.*"))
    if path.is_file() and not path.is_symlink()
][:300]


def library(versions):
    """A real library of this machine that defines symbol versions."""
    for path in LIBRARIES:
        if symbol_versions(path.read_bytes()):
            return path.read_bytes()
    pytest.skip("no library with symbol versions on this machine")
    return versions


@pytest.mark.skipif(not LIBRARIES, reason="no shared libraries where Linux has them")
def test_symbol_versions_are_those_that_pyelftools_reads():
    some = 0
    for path in LIBRARIES:
        with path.open("rb") as file:
            sections = [each for each in ELFFile(file).iter_sections() if isinstance(each, GNUVerDefSection)]
            told = [
                next(iter(names)).name
                for section in sections
                for definition, names in section.iter_versions()
                if not definition["vd_flags"] & 1
            ]
        assert symbol_versions(path.read_bytes()) == told, path
        some += len(told)
    assert some > 10


def test_libraries_are_those_where_the_linker_looks(read):
    """W25: ld.so.conf and multi-arch directories were missed.

    Its own directories, behind links too, multi-arch, and those of ld.so.conf and what it includes.
    """
    data = library([])
    files = {
        "lib": "usr/lib",
        "usr/lib/x86_64-linux-gnu/liba.so.1": data,
        "usr/lib/private/libb.so.1": data,
        "opt/one/libc.so": data,
        "opt/two/libd.so.2": data,
        "opt/three/libe.so": data,
        "etc/ld.so.conf": b"# comment\ninclude ld.so.conf.d/*.conf\n/opt/one\n",
        "etc/ld.so.conf.d/two.conf": b"/opt/two # why\n",
        "etc/ld.so.conf.d/three.disabled": b"/opt/three\n",
    }
    found = read(files)
    assert list(found.libraries) == [
        "/opt/one/libc.so",
        "/opt/two/libd.so.2",
        "/usr/lib/x86_64-linux-gnu/liba.so.1",
    ]
    assert set(map(tuple, found.libraries.values())) == {tuple(symbol_versions(data))}


def test_interpreters_by_their_files(read):
    """W24: links were resolved on the analyser's own file system.

    The version out of the program, of the headers beside it, of a virtual environment; links end in the image.
    """
    files = {
        "usr/bin/python3": "python3.11",
        "usr/bin/python3.11": b"\x7fELF...\0003.11.2\0...",
        "usr/local/bin/python3.12": b"\x7fELF dynamic",
        "usr/local/include/python3.12/patchlevel.h": b'#define PY_VERSION              "3.12.1"\n',
        "opt/venv/bin/python": "/usr/bin/python3",
        "opt/venv/pyvenv.cfg": b"home = /usr/bin\nversion = 3.11.2\n",
        "opt/bin/python": "/nowhere/python",
        "usr/bin/python3-config": b"#!/bin/sh",
    }
    found = read(files)
    assert [(each.path, each.link, each.version) for each in found.interpreters] == [
        ("/opt/venv/bin/python", "/usr/bin/python3.11", "3.11.2"),
        ("/usr/bin/python3", "/usr/bin/python3.11", "3.11.2"),
        ("/usr/bin/python3.11", None, "3.11.2"),
        ("/usr/local/bin/python3.12", None, "3.12.1"),
    ]
    assert [each.kind for each in found.findings] == ["broken-link"]


def test_cuda_and_its_libraries(read):
    files = {
        "usr/local/cuda-12.2/version.json": b'{"cuda": {"version": "12.2.1"}, "odd": 3}',
        "usr/local/cuda": "cuda-12.2",
        "usr/include/cudnn_version.h": b"#define CUDNN_MAJOR 8\n#define CUDNN_MINOR 9\n#define CUDNN_PATCHLEVEL 2\n",
        "usr/include/nccl.h": b"#define NCCL_MAJOR 2\n#define NCCL_MINOR 18\n#define NCCL_PATCH 3\n",
        "usr/lib/libnccl.so.2.18.3": b"",
    }
    assert read(files).cuda == {
        "/usr/include/cudnn_version.h": "8.9.2",
        "/usr/include/nccl.h": "2.18.3",
        "/usr/lib/libnccl.so.2.18.3": "2.18.3",
        "/usr/local/cuda-12.2/version.json#cuda": "12.2.1",
    }


@pytest.mark.parametrize("line", [b"ID='a b'\n", b'ID="a b"', b"x y\nID=a\\ b\n", b"\xff\nID='a b'"])
def test_the_system_is_read_as_a_shell_reads_it(read, line):
    assert read({"etc/os-release": line}).os_release == {"id": "a b"}


def test_python_files_by_digest(read):
    digest = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
    assert read({"a/b.py": b"", "a/b.pyc": b""}).python_files == {"/a/b.py": digest}


def test_nothing_of_an_image_is_executed(read, monkeypatch):
    """W22: python, nvcc, dpkg-query and apt-cache of the image were executed."""
    started = []
    for name in ("posix_spawn", "posix_spawnp", "fork", "execve", "execv", "system"):
        monkeypatch.setattr(os, name, lambda *args, name=name, **_: started.append((name, args)))
    monkeypatch.setattr(subprocess, "Popen", lambda *args, **_: started.append(args))
    script = b"#!/bin/sh\necho Python 9.9.9\n"
    programs = ("usr/bin/python3", "usr/bin/dpkg-query", "usr/bin/apt-cache", "usr/local/cuda/bin/nvcc")
    found = read(dict.fromkeys(programs, script) | {"var/lib/dpkg/status": b""})
    assert "9.9.9" not in {each.version for each in found.interpreters}
    assert started == []
