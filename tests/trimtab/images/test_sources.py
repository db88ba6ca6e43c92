"""Images wherever they lie: the same contents from each place, and what is said of places that have none."""

import gzip
import json
import os
import shutil
import subprocess
import tarfile
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection
from typer.testing import CliRunner

from trimtab.cli import app
from trimtab.images import (
    Access,
    CorruptError,
    ImageError,
    ImageReferenceError,
    NotFoundError,
    UnavailableError,
    contents,
    opened,
)

FILES = {
    "var/lib/dpkg/status": b"Package: a\nStatus: install ok installed\nVersion: 1\n",
    "link": "/etc/passwd",
}


def names(text, access=None):
    with opened(text, access) as image:
        return [each.name for each in contents(image).packages]


@pytest.fixture
def layout(read, tmp_path):
    read(FILES)
    return tmp_path / "layout"


def packed(directory, path):
    with tarfile.open(path, "w") as archive:
        archive.add(directory, ".")
    return path


def docker(path, layout):
    """What `docker save` writes: plain layers by name, with their digests in the configuration."""
    layers = [each for each in (layout / "blobs/sha256").iterdir() if each.read_bytes()[:2] == b"\x1f\x8b"]
    data = gzip.decompress(layers[0].read_bytes())
    import hashlib

    directory = path.parent / "docker"
    (directory / "one").mkdir(parents=True)
    (directory / "one/layer.tar").write_bytes(data)
    config = {
        "rootfs": {"diff_ids": [f"sha256:{hashlib.sha256(data).hexdigest()}"]},
        "config": {"Env": ["A=1"]},
    }
    (directory / "config.json").write_text(json.dumps(config))
    entry = {"Config": "config.json", "RepoTags": ["app:1"], "Layers": ["one/layer.tar"]}
    (directory / "manifest.json").write_text(json.dumps([entry]))
    with tarfile.open(path, "w") as archive:
        for name in ("config.json", "one/layer.tar", "manifest.json"):
            archive.add(directory / name, name)
    return path


def test_a_layout_an_archive_and_a_root_directory_have_the_same_packages(layout, tmp_path):
    root = tmp_path / "root"
    (root / "var/lib/dpkg").mkdir(parents=True)
    (root / "var/lib/dpkg/status").write_bytes(FILES["var/lib/dpkg/status"])
    oci, saved = packed(layout, tmp_path / "oci.tar"), docker(tmp_path / "docker.tar", layout)
    for text in (
        f"oci:{layout}",
        layout,
        f"oci-archive:{oci}",
        oci,
        f"docker-archive:{saved}:app:1",
        saved,
        root,
    ):
        assert names(str(text)) == ["a"], text


@pytest.mark.parametrize("compress", [bytes, gzip.compress, lambda data: zstd().compress(data)])
def test_layers_plain_and_by_gzip_and_zstd(read, compress):
    assert [each.name for each in read(FILES, compress=compress).packages] == ["a"]


def zstd():
    import sys

    if sys.version_info >= (3, 14):
        from compression import zstd as found
    else:
        from backports import zstd as found
    return found


def test_a_layer_by_xz_is_refused_with_what_is_read(read):
    import lzma

    with pytest.raises(ImageError, match="gzip, zstd or none"):
        read(FILES, compress=lzma.compress)


def test_links_of_a_root_directory_end_inside_it(tmp_path):
    """This machine's own files are never read in their place."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").symlink_to("/etc/os-release")
    (tmp_path / "var").symlink_to("/var")
    with opened(f"dir:{tmp_path}") as image:
        found = contents(image)
    assert found.os_release == {}
    assert found.packages == []


def test_pipes_of_a_root_directory_are_not_opened(tmp_path):
    (tmp_path / "etc").mkdir()
    os.mkfifo(tmp_path / "etc/os-release")
    with opened(f"dir:{tmp_path}") as image:
        assert contents(image).os_release == {}


@pytest.mark.parametrize(
    "change", [b"", b"[]", b"{", b'{"manifests": 1}', b'{"manifests": [{"digest": "../x"}]}']
)
def test_an_index_that_is_none_is_refused(layout, change):
    (layout / "index.json").write_bytes(change)
    with pytest.raises((CorruptError, NotFoundError)), opened(f"oci:{layout}"):
        pass


def test_what_is_no_archive_is_refused(tmp_path):
    (tmp_path / "x.tar").write_bytes(b"no archive" * 1000)
    with pytest.raises(CorruptError, match="no tar archive"), opened(str(tmp_path / "x.tar")):
        pass
    (tmp_path / "x.tar.gz").write_bytes(gzip.compress(b"archive"))
    with pytest.raises(CorruptError, match="gunzip"), opened(str(tmp_path / "x.tar.gz")):
        pass


def test_what_is_not_there_is_named(layout, tmp_path):
    for text, error in (
        (f"oci:{tmp_path}/none", NotFoundError),
        (f"dir:{tmp_path}/none", NotFoundError),
        ("./none", ImageReferenceError),
        ("", ImageReferenceError),
        ("::", ImageReferenceError),
        (f"oci:{layout}:other", NotFoundError),
        ("No Such;name", ImageReferenceError),
        ("podman:--help", ImageReferenceError),
    ):
        with pytest.raises(error), opened(text):
            pass


def test_a_platform_that_is_none_is_refused(layout):
    with pytest.raises(ImageReferenceError, match="linux/amd64"):
        names(f"oci:{layout}", Access("amd64"))


def test_an_engine_that_is_not_there(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(UnavailableError, match="no podman"), opened("podman:app"):
        pass


@pytest.mark.parametrize("output", ["table", "json", "cyclonedx", "spdx", "legacy"])
def test_the_command_prints_each_form(layout, output):
    done = CliRunner().invoke(app, ["packages", str(layout), "--output", output])
    assert done.exit_code == 0, done.output
    assert "var/lib/dpkg/status" in done.stdout or output == "legacy"
    if output != "table":
        json.loads(done.stdout)


def test_names_with_terminal_escapes_and_markup_are_shown_harmlessly(read, tmp_path):
    read({"var/lib/dpkg/status": b"Package: \x1b[31m[red]a<b>\nStatus: install ok installed\nVersion: 1\n"})
    done = CliRunner().invoke(app, ["packages", str(tmp_path / "layout")])
    assert "\x1b" not in done.stdout
    assert "[red]a<b>" in done.stdout


def test_the_difference_of_two_images(read, tmp_path):
    old, new = tmp_path / "old", tmp_path / "new"
    for path, version, variable in ((old, "1", "A=1"), (new, "2", "A=2")):
        status = f"Package: a\nStatus: install ok installed\nVersion: {version}\n"
        read({"var/lib/dpkg/status": status.encode()}, config={"config": {"Env": [variable, "B=1"]}})
        shutil.move(tmp_path / "layout", path)
    done = CliRunner().invoke(app, ["diff", str(old), str(new), "--output", "json"])
    changes = json.loads(done.stdout)["changes"]
    assert [(each["kind"], each["name"], each["before"], each["after"]) for each in changes] == [
        ("deb", "a", ["1"], ["2"]),
        ("variable", "A", ["1"], ["2"]),
    ]
    assert "No difference" in CliRunner().invoke(app, ["diff", str(old), str(old)]).stdout
    assert " a " in CliRunner().invoke(app, ["diff", str(old), str(new)]).stdout


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [(["no name"], 2, "no name of an image"), (["dir:/no/such/directory"], 1, "there is no directory")],
)
def test_what_goes_wrong_is_one_line(arguments, code, said):
    done = CliRunner().invoke(app, ["packages", *arguments])
    assert done.exit_code == code
    assert said in done.stderr
    assert done.stderr.count("\n") == 1


@pytest.mark.integration
@pytest.mark.skipif(not shutil.which("skopeo"), reason="no skopeo: run scripts/system-packages")
def test_what_skopeo_writes(layout, tmp_path):
    """Docker's archive, named by its whole name, its end or its tag; and layers that it compresses by zstd."""
    archive, other = tmp_path / "skopeo.tar", tmp_path / "zstd"
    copy = ["skopeo", "copy", "--quiet"]
    subprocess.run([*copy, f"oci:{layout}", f"docker-archive:{archive}:team/app:1"], check=True)
    subprocess.run([*copy, "--dest-compress-format", "zstd", f"oci:{layout}", f"oci:{other}:two"], check=True)
    for name in ("", ":docker.io/team/app:1", ":team/app:1", ":1"):
        assert names(f"docker-archive:{archive}{name}") == ["a"]
    with pytest.raises(NotFoundError, match=r"docker\.io/team/app:1"):
        names(f"docker-archive:{archive}:app:2")
    assert names(f"oci:{other}:two") == ["a"]
    assert any(each.read_bytes()[:4] == b"\x28\xb5\x2f\xfd" for each in (other / "blobs/sha256").iterdir())


@pytest.mark.integration
@pytest.mark.skipif(not shutil.which("podman"), reason="no podman: run scripts/system-packages")
def test_an_image_in_podmans_storage(tmp_path, monkeypatch):
    """An image imported for this test; nothing of it stays behind, in podman's storage or in temporary files."""
    monkeypatch.setenv("CONTAINERS_CONF", str(Path(__file__).parents[3] / "scripts" / "containers.conf"))
    monkeypatch.setenv("TMPDIR", str(tmp_path / "temporary"))
    monkeypatch.setattr("tempfile.tempdir", None)
    (tmp_path / "temporary").mkdir()
    (tmp_path / "root/var/lib/dpkg").mkdir(parents=True)
    (tmp_path / "root/var/lib/dpkg/status").write_bytes(FILES["var/lib/dpkg/status"])
    name = f"localhost/trimtab-test-images:{os.getpid()}"
    with tarfile.open(tmp_path / "root.tar", "w") as archive:
        archive.add(tmp_path / "root", ".")
    subprocess.run(["podman", "import", str(tmp_path / "root.tar"), name], check=True, capture_output=True)
    try:
        assert names(f"podman:{name}") == ["a"]
    finally:
        subprocess.run(["podman", "rmi", name], check=True, capture_output=True)
    assert not list((tmp_path / "temporary").glob("trimtab-*"))
    with pytest.raises(NotFoundError, match="podman has no image"):
        names(f"podman:{name}")


@pytest.mark.integration
@pytest.mark.skipif(
    not os.environ.get("TRIMTAB_TEST_DOCKER_HOST"), reason="no Docker: run by scripts/with-services"
)
def test_an_image_in_dockers_storage(tmp_path, monkeypatch):
    """A running daemon's, with the files of two layers and the settings of its configuration."""
    monkeypatch.setenv("DOCKER_HOST", os.environ["TRIMTAB_TEST_DOCKER_HOST"])
    docker = "/usr/bin/docker" if Path("/usr/bin/docker").exists() else "docker"
    (tmp_path / "status").write_bytes(FILES["var/lib/dpkg/status"])
    recipe = "FROM scratch\nCOPY status /var/lib/dpkg/status\nCOPY status /gone\nENV A=1\nLABEL k=v\n"
    (tmp_path / "Dockerfile").write_text(recipe)
    name = f"trimtab-test-images:{os.getpid()}"
    build = [docker, "build", "--quiet", "--tag", name, str(tmp_path)]
    subprocess.run(build, check=True, capture_output=True, env=os.environ | {"DOCKER_BUILDKIT": "0"})
    try:
        with opened(f"docker:{name}") as image:
            found = contents(image)
    finally:
        subprocess.run([docker, "rmi", name], check=True, capture_output=True)
    assert [each.name for each in found.packages] == ["a"]
    assert found.packages[0].place.layer == found.image.layers[0].digest
    assert (found.image.setting("Env"), found.image.setting("Labels"), len(found.image.layers)) == (
        ["PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin", "A=1"],
        {"k": "v"},
        2,
    )
    with pytest.raises(NotFoundError, match="docker has no image"):
        names(f"docker:{name}")


@pytest.mark.integration
@pytest.mark.timeout(300)
@pytest.mark.skipif(not shutil.which("mmdebstrap") or os.getuid() != 0, reason="no mmdebstrap, or not root")
def test_packages_of_a_real_debian_are_those_that_dpkg_lists(tmp_path):
    root = tmp_path / "debian"
    command = ["mmdebstrap", "--variant=apt", "--include=python3-minimal", "bookworm", str(root)]
    subprocess.run(command, check=True, capture_output=True)
    form = "${Package} ${Version} ${Architecture}\n"
    told = subprocess.run(
        ["dpkg-query", "--admindir", str(root / "var/lib/dpkg"), "--show", "--showformat", form],
        check=True,
        capture_output=True,
        text=True,
    ).stdout.splitlines()
    with opened(f"dir:{root}") as image:
        found = contents(image)
    listed = [
        f"{each.name} {each.version} {each.architecture}" for each in found.packages if each.type == "deb"
    ]
    assert sorted(listed) == sorted(told)
    assert len(told) > 50
    python = subprocess.run(
        ["chroot", str(root), "/usr/bin/python3", "-V"], check=True, capture_output=True, text=True
    ).stdout.split()[1]
    assert {each.version for each in found.interpreters} == {python}
    _the_linker_finds(root, found)


def _the_linker_finds(root, found):
    """Every library of the linker's own cache that defines symbol versions, by its real path, as pyelftools reads it."""
    lines = subprocess.run(
        ["chroot", str(root), "/sbin/ldconfig", "-p"], check=True, capture_output=True, text=True
    ).stdout.splitlines()
    cached = {line.partition(" => ")[2] for line in lines if " => " in line}
    real = {Path("/") / (root / path[1:]).resolve().relative_to(root) for path in cached}
    versions = {str(path): defined(root / str(path)[1:]) for path in real}
    assert len(real) > 50
    assert {path: told for path, told in versions.items() if told} == {
        path: list(told) for path, told in found.libraries.items() if Path(path) in real
    }


def defined(path):
    with path.open("rb") as file:
        sections = [each for each in ELFFile(file).iter_sections() if isinstance(each, GNUVerDefSection)]
        return [
            next(iter(names)).name
            for section in sections
            for definition, names in section.iter_versions()
            if not definition["vd_flags"] & 1
        ]
