"""Databases of packages, as the tools of each system write them."""

import io
import json
import zipfile

import pytest

from trimtab.images import identifier
from trimtab.images.databases.java import _identities

INSTALLED = b"""C:Q1abc=
P:musl
V:1.2.4-r2
A:x86_64
L:MIT
o:musl
p:so:libc.musl-x86_64.so.1=1
F:lib
a:0:0:755

P:busybox
V:1.36.1-r5
A:x86_64
L:GPL-2.0-only
o:busybox
D:so:libc.musl-x86_64.so.1
"""
STATUS = b"""Package: libc6
Status: install ok installed
Architecture: amd64
Multi-Arch: same
Source: glibc (2.36-9)
Version: 2.36-9+b1
Pre-Depends: libgcc-s1
Depends: a (>= 1), b |
 c
Description: text
 Package: no field

Package: gone
Status: deinstall ok config-files
Version: 1

Package: half
Status: install reinstreq half-installed
Version: 1
"""


def by_name(found):
    return {each.name: each for each in found.packages}


def kinds(found):
    return [each.kind for each in found.findings]


def test_debian_packages_that_are_installed(read):
    found = read({"var/lib/dpkg/status": STATUS, "etc/os-release": b"ID=debian\nVERSION_ID=12\n"})
    package = by_name(found)["libc6"]
    assert list(by_name(found)) == ["libc6"]
    assert package.relations == {"pre-depends": ("libgcc-s1",), "depends": ("a (>= 1)", "b | c")}
    purl = "pkg:deb/debian/libc6@2.36-9%2Bb1?arch=amd64&distro=debian-12&upstream=glibc%402.36-9"
    assert identifier(package, found.os_release).to_string() == purl
    assert kinds(found) == ["half-installed"]


def test_distroless_images_have_a_file_for_each_package(read):
    files = {
        "var/lib/dpkg/status.d/base": b"Package: base-files\nVersion: 12.4\nArchitecture: amd64\n",
        "var/lib/dpkg/status.d/base.md5sums": b"00 etc/os-release\n",
    }
    found = read(files)
    assert [(each.name, each.place.path) for each in found.packages] == [
        ("base-files", "/var/lib/dpkg/status.d/base")
    ]
    assert kinds(found) == []


def test_alpine_packages(read):
    found = read({"lib/apk/db/installed": INSTALLED, "etc/os-release": b"ID=alpine\nVERSION_ID=3.18.4\n"})
    assert {each.name: each.version for each in found.packages} == {
        "busybox": "1.36.1-r5",
        "musl": "1.2.4-r2",
    }
    assert by_name(found)["busybox"].relations == {"depends": ("so:libc.musl-x86_64.so.1",)}
    purl = identifier(by_name(found)["musl"], found.os_release).to_string()
    assert purl == "pkg:apk/alpine/musl@1.2.4-r2?arch=x86_64&distro=alpine-3.18.4&upstream=musl"


SITE = "opt/venv/lib/python3.11/site-packages"


def test_python_packages_wherever_they_are(read):
    """W23: `dist-packages` was never looked at."""
    files = {
        f"{SITE}/a-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\r\nName: a\r\nVersion: 1.0\r\n\r\nVersion: 9\n",
        "usr/lib/python3/dist-packages/b-2.egg-info": b"Name: b\nVersion: 2\n",
        "usr/lib/python3/dist-packages/c-3.egg-info/PKG-INFO": b"Name: c\nVersion: 3\nLicense: MIT\n",
        "srv/zip.egg/EGG-INFO/PKG-INFO": b"Name: d\nVersion: 4\n",
    }
    found = read(files)
    assert {each.name: (each.version, each.location) for each in found.packages} == {
        "a": ("1.0", "/" + SITE),
        "b": ("2", "/usr/lib/python3/dist-packages"),
        "c": ("3", "/usr/lib/python3/dist-packages"),
        "d": ("4", "/srv/zip.egg"),
    }


@pytest.mark.parametrize(
    ("direct", "origin", "editable"),
    [
        ({"url": "file:///src/a", "dir_info": {"editable": True}}, "file:///src/a", True),
        ({"url": "file:///src/a", "dir_info": {}}, "file:///src/a", False),
        (
            {"url": "https://user:secret@git.example/a", "vcs_info": {"vcs": "git", "commit_id": "abc"}},
            "git+https://git.example/a@abc",
            False,
        ),
        (
            {"url": "https://f.example/a.whl?token=secret", "archive_info": {}},
            "https://f.example/a.whl",
            False,
        ),
    ],
)
def test_where_a_package_came_from_without_credentials(read, direct, origin, editable):
    """W23: a direct reference ended the analysis."""
    files = {
        f"{SITE}/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n",
        f"{SITE}/a-1.dist-info/direct_url.json": json.dumps(direct).encode(),
    }
    (package,) = read(files).packages
    assert (package.origin, package.editable) == (origin, editable)


@pytest.mark.parametrize("direct", [b"{", b"[]", b"{}", b'{"url": 3}', b"[" * 60000])
def test_a_direct_reference_that_cannot_be_read_is_a_finding(read, direct):
    files = {
        f"{SITE}/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n",
        f"{SITE}/a-1.dist-info/direct_url.json": direct,
    }
    found = read(files)
    assert list(by_name(found)) == ["a"]
    assert kinds(found) == ["broken-metadata"]


def test_duplicates_and_broken_metadata_are_findings(read):
    files = {
        f"{SITE}/a_b-1.dist-info/METADATA": b"Name: a-b\nVersion: 1\n",
        f"{SITE}/a_b-2.dist-info/METADATA": b"Name: A.B\nVersion: 2\n",
        f"{SITE}/c-1.dist-info/RECORD": b"",
        f"{SITE}/d-1.dist-info/METADATA": b"Name: d\n",
    }
    found = read(files)
    assert {(each.name, each.version) for each in found.packages} == {("a-b", "1"), ("A.B", "2"), ("d", "1")}
    assert sorted(kinds(found)) == ["broken-metadata", "broken-metadata", "duplicate-metadata"]


def test_an_editable_installation_by_a_link_of_setuptools(read):
    """The metadata lie beside the sources; a build's leftovers, which no link leads to, are no installation."""
    files = {
        f"{SITE}/edit-me.egg-link": b"/src/edit\n.",
        f"{SITE}/away.egg-link": b"/src/away\n.",
        "src/edit/edit_me.egg-info/PKG-INFO": b"Name: edit-me\nVersion: 1.2\n",
        "src/edit/edit_me.egg-info/SOURCES.txt": b"setup.py\n",
        "src/left/left.egg-info/PKG-INFO": b"Name: left\nVersion: 1\n",
        "src/left/left.egg-info/SOURCES.txt": b"setup.py\n",
        f"{SITE}/old-3.egg-info/PKG-INFO": b"Name: old\nVersion: 3\n",
        f"{SITE}/old-3.egg-info/SOURCES.txt": b"setup.py\n",
    }
    found = read(files)
    assert {each.name: (each.location, each.editable, each.origin) for each in found.packages} == {
        "edit-me": ("/src/edit", True, "file:///src/edit"),
        "old": (f"/{SITE}", False, ""),
    }
    assert [(each.kind, "/src/away" in each.message) for each in found.findings] == [("broken-link", True)]


def test_conda_and_npm(read):
    told = {"name": "numpy", "version": "1.26", "subdir": "linux-64", "license": "BSD-3-Clause"}
    files = {
        "opt/conda/conda-meta/numpy-1.26-py311.json": json.dumps(told).encode(),
        "opt/conda/conda-meta/history": b"",
        "app/node_modules/@scope/pack/package.json": b'{"name": "@scope/pack", "version": "3.1.0"}',
        "app/node_modules/@scope/pack/test/package.json": b'{"name": "inner", "version": "1"}',
        "app/package.json": b'{"name": "app", "version": "1"}',
    }
    found = read(files)
    assert {identifier(each, {}).to_string() for each in found.packages} == {
        "pkg:conda/numpy@1.26?subdir=linux-64",
        "pkg:npm/%40scope/pack@3.1.0",
    }


def test_java_artifacts_in_a_jar(read):
    jar = io.BytesIO()
    with zipfile.ZipFile(jar, "w") as archive:
        archive.writestr(
            "META-INF/maven/g/a/pom.properties", "#c\nversion=1.2\ngroupId=org.g\nartifactId=a\n"
        )
    (package,) = read({"opt/a.jar": jar.getvalue()}).packages
    assert identifier(package, {}).to_string() == "pkg:maven/org.g/a@1.2"
    assert kinds(read({"opt/a.jar": b"PK\x03\x04 broken /pom.properties"})) == ["broken-metadata"]


def jar_of(members, method, before=b""):
    out = io.BytesIO(before)
    with zipfile.ZipFile(out, "a", method) as archive:
        archive.comment = b"a comment"
        for name, content in members:
            archive.writestr(name, content)
    return out.getvalue()


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED])
@pytest.mark.parametrize("before", [b"", b"#!/bin/sh\nexec java -jar $0\n"])
def test_artifacts_of_a_jar_that_shades_others_and_starts_itself(method, before):
    """What lies beside them does not matter: other entries, names that only look alike, texts that hold the name."""
    members = [
        ("x/Class", b"/pom.properties PK\x01\x02 /pom.properties"),
        ("META-INF/pom.properties.bak", b"version=9"),
    ]
    for name in "ab":
        told = f"version=1\ngroupId=org.g\nartifactId={name}\n"
        members += [(f"META-INF/maven/g/{name}/pom.properties", told), (f"c/{name}", b"y" * 1000)]
    members.append(("META-INF/maven/g/c/pom.properties", b"no properties"))
    members.append(
        ("META-INF/maven/g/large/pom.properties", b"version=1\ngroupId=g\nartifactId=c\n" + b"#" * 70_000)
    )
    assert _identities(jar_of(members, method, before)) == ["org.g:a@1", "org.g:b@1"]
