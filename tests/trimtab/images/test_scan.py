"""Layers put upon each other: what lower ones had and upper ones took away, and archives made to do harm."""

import gzip
import tarfile

import pytest

from trimtab.images import CorruptError, Limits, contents, opened

STATUS = "var/lib/dpkg/status"


def status(*names):
    return "".join(
        f"Package: {each}\nStatus: install ok installed\nVersion: 1\n\n" for each in names
    ).encode()


def names(found):
    return [each.name for each in found.packages]


def kinds(found):
    return {each.kind for each in found.findings}


def test_what_is_at_a_path_last_is_read_and_keeps_the_layer_it_came_with(read):
    """Each layer writes the database anew; a package belongs to the layer from which on it is in all of them."""
    found = read({STATUS: status("a", "b")}, {STATUS: status("a", "b", "c")})
    lower, upper = (layer.digest for layer in found.image.layers)
    assert {each.name: each.place.layer for each in found.packages} == {"a": lower, "b": lower, "c": upper}


def test_a_package_that_left_and_came_back_belongs_to_the_later_layer(read):
    found = read({STATUS: status("a", "b")}, {STATUS: status("b")}, {STATUS: status("a", "b")})
    assert {each.name: each.place.layer for each in found.packages} == {
        "a": found.image.layers[2].digest,
        "b": found.image.layers[0].digest,
    }


@pytest.mark.parametrize(
    "upper",
    [
        {"opt/.wh.venv": b""},
        {".wh.opt": b""},
        {"opt/.wh..wh..opq": b""},
        {"opt/venv/.wh..wh..opq": b""},
        {".wh..wh..opq": b""},
        {"opt/venv": b"a file where the directory was"},
        {"opt": "/nowhere"},
    ],
)
def test_what_an_upper_layer_takes_away_is_not_reported(read, upper):
    """W20: whiteouts were not honoured."""
    lower = {"opt/venv/lib/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}
    assert names(read(lower)) == ["a"]
    assert names(read(lower, upper)) == []


def test_a_whiteout_takes_away_what_lies_below_its_layer_and_nothing_of_its_own(read):
    lower = {"opt/lib/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}
    upper = {
        "opt/lib/a-2.dist-info/METADATA": b"Name: a\nVersion: 2\n",
        "opt/.wh..wh..opq": b"",
        ".wh.opt": b"",
    }
    assert [each.version for each in read(lower, upper).packages] == ["2"]


def test_a_directory_again_takes_nothing_away(read):
    lower = {"opt/lib/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}
    assert names(read(lower, {"opt": None, "opt/lib": None})) == ["a"]


def test_a_link_is_followed_inside_the_image_wherever_it_points(read):
    release = b'ID=debian\nVERSION_ID="12"\n'
    for target in ("../usr/lib/os-release", "/usr/lib/os-release", "../../../../usr/lib/os-release"):
        assert read({"usr/lib/os-release": release, "etc/os-release": target}).os_release["id"] == "debian"


def test_links_in_a_circle_end(read):
    assert read({"etc": "etc2", "etc2": "etc", "etc/os-release": b"ID=x"}).packages == []


def test_files_of_an_upper_layer_below_a_link_lie_where_it_leads(read):
    lower = {"lib": "usr/lib", "usr/lib/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n"}
    upper = {"lib/b-1.dist-info/METADATA": b"Name: b\nVersion: 1\n"}
    found = {each.name: each.place.path for each in read(lower, upper).packages}
    assert found["b"] == "/usr/lib/b-1.dist-info/METADATA"


def test_a_hard_link_has_the_content_of_what_it_links(read):
    link = tarfile.TarInfo("b/lib/a-1.dist-info/METADATA")
    link.type, link.linkname = tarfile.LNKTYPE, "a/lib/a-1.dist-info/METADATA"
    found = read({"a/lib/a-1.dist-info/METADATA": b"Name: a\nVersion: 1\n", "x": (link, b"")})
    assert [each.location for each in found.packages] == ["/a/lib", "/b/lib"]


@pytest.mark.parametrize("path", ["../../etc/os-release", "a/../../etc/os-release"])
def test_a_path_out_of_the_image_is_a_finding_and_left_out(read, path):
    found = read({path: b"ID=evil", STATUS: status("a")})
    assert found.os_release == {}
    assert kinds(found) == {"path-escape"}
    assert names(found) == ["a"]


def test_an_absolute_path_lies_in_the_image(read):
    assert read({"/etc/os-release": b"ID=inside"}).os_release == {"id": "inside"}


def test_a_hard_link_out_of_the_image_is_a_finding(read):
    link = tarfile.TarInfo("etc/os-release")
    link.type, link.linkname = tarfile.LNKTYPE, "../../etc/shadow"
    assert kinds(read({"x": (link, b"")})) == {"path-escape"}


def test_a_link_to_a_file_of_this_machine_reads_nothing_of_it(read, tmp_path):
    """W21: layers were unpacked over this machine's links."""
    (tmp_path / "secret").write_bytes(b"ID=secret")
    assert read({"etc/os-release": str(tmp_path / "secret")}).os_release == {}


def test_devices_and_pipes_are_findings(read):
    device, pipe = tarfile.TarInfo("etc/os-release"), tarfile.TarInfo("etc/pipe")
    device.type, pipe.type = tarfile.CHRTYPE, tarfile.FIFOTYPE
    assert kinds(read({"x": (device, b""), "y": (pipe, b"")})) == {"special-file"}


def test_a_layer_with_another_digest_is_refused(read, tmp_path):
    read({STATUS: status("a")})
    blobs = (tmp_path / "layout" / "blobs" / "sha256").iterdir()
    (layer,) = (each for each in blobs if each.read_bytes()[:2] == b"\x1f\x8b")
    layer.write_bytes(gzip.compress(gzip.decompress(layer.read_bytes()) + bytes(512)))
    with opened(str(tmp_path / "layout")) as image, pytest.raises(CorruptError, match="another digest"):
        contents(image)


def test_a_bomb_is_read_up_to_the_limit(read):
    """What was before the limit is told, and a finding says that there was more."""
    found = read({STATUS: status("a"), "bomb": bytes(50_000_000)}, limits=Limits(unpacked=1_000_000))
    assert names(found) == ["a"]
    assert kinds(found) == {"layer-too-large"}


def test_more_members_than_the_limit_are_a_finding(read):
    found = read({f"f{i}": b"" for i in range(50)}, limits=Limits(members=20))
    assert kinds(found) == {"layer-too-large"}


def test_more_files_of_interest_than_the_limit_are_a_finding(read):
    found = read({f"f{i}.py": b"" for i in range(50)}, limits=Limits(kept=20))
    assert kinds(found) == {"too-many-files"}
    assert len(found.python_files) == 20


def test_more_content_than_the_limit_is_a_finding(read):
    found = read({STATUS: status("a"), "etc/os-release": b"ID=" + b"x" * 1000}, limits=Limits(held=900))
    assert kinds(found) == {"too-much-content"}
    assert names(found) == ["a"]


def test_a_layer_that_takes_too_long_is_a_finding(read):
    """A registry that sends a byte now and then holds nobody for ever."""
    found = read({STATUS: status("a"), "big": bytes(1 << 20)}, limits=Limits(seconds=-1))
    assert kinds(found) == {"layer-too-large"}


def test_contents_too_large_for_memory_are_bounded_on_disk_too(read):
    database = {"var/lib/rpm/Packages": bytes(2 << 20)}
    assert kinds(read(database)) == {"broken-metadata"}
    assert kinds(read(database, limits=Limits(spilled=1 << 20))) == {"too-much-content"}


def test_layers_that_each_write_the_database_anew_are_all_compared_and_take_little(read):
    """Ten status files of 250 kB, as layers that install something have them; less than half of that is held."""
    many = [f"package-{number}" for number in range(4000)]
    layers = [{STATUS: status(*many[: 3991 + step])} for step in range(10)]
    assert len(layers[0][STATUS]) > 200_000
    found = read(*layers, limits=Limits(held=1 << 20))
    assert kinds(found) == set()
    assert len({each.place.layer for each in found.packages}) == 10
