"""RPM's databases, made by RPM itself in each of its forms, are read as RPM lists them."""

import shutil
import sqlite3
import struct
import subprocess
from contextlib import closing

import pytest

from trimtab.images import contents, opened

SPEC = """
Name: {name}
Version: {version}
Release: {release}
{epoch}
Summary: A package of a test
License: Apache-2.0
BuildArch: noarch
Requires: other >= 1.2, /bin/sh
%description
A package of a test.
%files
"""
PACKAGES = [
    ("alpha", "1.0", "1.el9", ""),
    ("beta", "2.5~rc1", "3", "Epoch: 4"),
    ("gamma-devel", "0", "0.1", ""),
]
FORMAT = "%{NAME}|%|EPOCH?{%{EPOCH}:}|%{VERSION}-%{RELEASE}|%{ARCH}\\n"

pytestmark = [
    pytest.mark.integration,
    pytest.mark.skipif(not shutil.which("rpmbuild"), reason="no rpmbuild: apt-get install rpm"),
]


def rpm(*arguments):
    return subprocess.run(["rpm", *arguments], check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Packages built by rpmbuild."""
    top = tmp_path_factory.mktemp("rpmbuild")
    for name, version, release, epoch in PACKAGES:
        spec = top / f"{name}.spec"
        spec.write_text(SPEC.format(name=name, version=version, release=release, epoch=epoch))
        command = ["rpmbuild", "-bb", "--quiet", "--define", f"_topdir {top}", str(spec)]
        subprocess.run(command, check=True, capture_output=True)
    return sorted((top / "RPMS").rglob("*.rpm"))


@pytest.fixture
def root_of(built, tmp_path):
    """Makes a root directory with these packages in a database of a kind."""

    def make(backend):
        root = tmp_path / backend
        where = [
            "--root",
            str(root),
            "--define",
            f"_db_backend {backend}",
            "--define",
            "_dbpath /var/lib/rpm",
        ]
        root.mkdir()
        rpm(*where, "--initdb")
        rpm(*where, "--install", "--nodeps", "--noscripts", "--nosignature", *map(str, built))
        return root, rpm(*where, "-qa", "--queryformat", FORMAT).split()

    return make


def listed(root):
    with opened(f"dir:{root}") as image:
        found = contents(image)
    assert list(found.findings) == []
    return found


def lines(found):
    return [f"{each.name}|{each.version}|{each.architecture}" for each in found.packages]


def test_packages_are_those_that_rpm_lists(root_of):
    root, told = root_of("sqlite")
    found = listed(root)
    assert sorted(lines(found)) == sorted(told)
    assert len(told) == len(PACKAGES)
    assert {each.licence for each in found.packages} == {"Apache-2.0"}
    assert all("other >= 1.2" in each.relations["requires"] for each in found.packages)


def headers(root):
    with closing(sqlite3.connect(root / "var/lib/rpm/rpmdb.sqlite")) as connection:
        return connection.execute("SELECT hnum, blob FROM Packages").fetchall()


def test_suses_packages_are_read_from_ndb(root_of, tmp_path):
    """Debian's rpm is built without this form: RPM's own headers, laid out as its lib/backend/ndb/rpmpkg.c does."""
    root, told = root_of("sqlite")
    blobs = b""
    slots = [(struct.pack("<4sIII4I", b"RpmP", 0, 7, 1, 100, 0, 0, 0))]
    for number, blob in headers(root):
        block = (4096 + len(blobs)) // 16
        data = struct.pack("<4sIII", b"BlbS", number, 7, len(blob)) + blob
        data += bytes(-len(data) % 16 + 16)
        slots.append(struct.pack("<4sIII", b"Slot", number, block, len(data) // 16))
        blobs += data
    page = b"".join(slots)
    page += struct.pack("<4sIII", b"Slot", 0, 0, 0) * ((4096 - len(page)) // 16)
    suse = tmp_path / "suse"
    (suse / "usr/lib/sysimage/rpm").mkdir(parents=True)
    (suse / "usr/lib/sysimage/rpm/Packages.db").write_bytes(page + blobs)
    assert sorted(lines(listed(suse))) == sorted(told)


@pytest.mark.skipif(not shutil.which("db_load"), reason="no db_load: apt-get install db-util")
def test_a_hash_of_berkeley_db_is_read_as_rpm_reads_it(root_of, tmp_path):
    """Berkeley DB's own tool writes the hash; RPM, which only reads this form by now, lists it as well."""
    root, _ = root_of("sqlite")
    rows = headers(root)
    old = tmp_path / "bdb"
    (old / "var/lib/rpm").mkdir(parents=True)
    database = old / "var/lib/rpm/Packages"
    pairs = [
        (bytes(4), len(rows).to_bytes(4, "little")),
        *((n.to_bytes(4, "little"), blob) for n, blob in rows),
    ]
    text = "VERSION=3\nformat=bytevalue\ntype=hash\ndb_pagesize=4096\nHEADER=END\n"
    text += "".join(f" {key.hex()}\n {value.hex()}\n" for key, value in pairs) + "DATA=END\n"
    subprocess.run(["db_load", str(database)], input=text.encode(), check=True)
    where = ["--root", str(old), "--define", "_db_backend bdb_ro", "--define", "_dbpath /var/lib/rpm"]
    told = rpm(*where, "-qa", "--queryformat", FORMAT).split()
    assert len(told) == len(PACKAGES)
    assert sorted(lines(listed(old))) == sorted(told)


def test_the_original_document_has_rpms_own_names(root_of):
    from trimtab.images.documents.legacy import result

    root, _ = root_of("sqlite")
    document = result(listed(root))
    where = ["--root", str(root), "--define", "_dbpath /var/lib/rpm"]
    assert document["rpm"] == sorted(rpm(*where, "-qa").split())
    beta = next(each for each in document["rpm-dependencies"] if each["name"] == "beta")
    assert (beta["version"], beta["release"], beta["epoch"]) == ("2.5~rc1", "3", "4")
