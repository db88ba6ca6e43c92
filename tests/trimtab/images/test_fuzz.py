"""Whatever bytes an image has: no exception but ours, no hang, bounded memory."""

import contextlib
import gzip
import hashlib
import io
import json
import struct
import tarfile
import tempfile
import tracemalloc
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from trimtab.images.blob import Blob
from trimtab.images.compression import decompressed
from trimtab.images.contents import contents
from trimtab.images.databases import PACKAGES
from trimtab.images.databases.java import _identities
from trimtab.images.databases.rpm import bdb, ndb, sqlite
from trimtab.images.databases.rpm.header import Header
from trimtab.images.documents import Circumstances, analysis
from trimtab.images.documents import document as plain
from trimtab.images.documents.cyclonedx import cyclonedx
from trimtab.images.documents.spdx import spdx
from trimtab.images.errors import ImageError
from trimtab.images.facts import INTERESTS
from trimtab.images.facts.elf import symbol_versions
from trimtab.images.finding import Findings
from trimtab.images.image import Image
from trimtab.images.limits import Limits
from trimtab.images.member import Kind
from trimtab.images.sources import opened
from trimtab.images.tar import TarReader
from trimtab.images.tree import Entry, Tree

SMALL = Limits(unpacked=1 << 20, members=1000, kept=100, held=1 << 16, header=1 << 12)


def archive(members):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w") as made:
        for name, content in members:
            member = tarfile.TarInfo(name)
            member.size = len(content)
            made.addfile(member, io.BytesIO(content))
    return out.getvalue()


ARCHIVE = archive([("etc/os-release", b"ID=x"), ("long/" * 40 + "name", b"y" * 600), ("ünï", b"")])


@st.composite
def damaged(draw, whole):
    """A file with some bytes changed, cut off or repeated."""
    data = bytearray(whole)
    for _ in range(draw(st.integers(0, 8))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    cut = draw(st.integers(0, len(data)))
    return bytes(data[:cut] if draw(st.booleans()) else data + data[cut:])


def walk(data):
    reader = TarReader(io.BytesIO(data), SMALL, Findings())
    for member in reader:
        assert ".." not in member.path.split("/")
        assert not member.path.startswith("/")
        if member.kind is Kind.file:
            b"".join(reader.content())


@given(damaged(ARCHIVE) | st.binary(max_size=2000))
def test_the_walker_ends_with_our_errors_only(data):
    with contextlib.suppress(ImageError):
        walk(data)


@given(damaged(ARCHIVE))
def test_a_damaged_archive_with_right_checksums_ends_with_our_errors_only(data):
    """Damage behind the checksum: what a hostile archive would have."""
    blocks = bytearray(data)
    for at in range(0, len(blocks) - 511, 512):
        if blocks[at + 257 : at + 262] == b"ustar":
            blocks[at + 148 : at + 156] = b" " * 8
            blocks[at + 148 : at + 156] = b"%06o\0 " % sum(blocks[at : at + 512])
    with contextlib.suppress(ImageError):
        walk(bytes(blocks))


names = st.text(st.sampled_from("ab./\0é\n"), min_size=1, max_size=20)


@given(st.lists(st.tuples(names, st.binary(max_size=1500)), max_size=8))
def test_an_archive_of_the_standard_library_is_read_as_it_reads_it_itself(members):
    data = archive([(name.replace("\0", "") + "x", content) for name, content in members])
    with tarfile.open(fileobj=io.BytesIO(data)) as made:
        told = [(each.name, made.extractfile(each).read()) for each in made if each.isfile()]
    reader = TarReader(io.BytesIO(data), Limits(), Findings())
    found = [(each.path, b"".join(reader.content())) for each in reader if each.kind is Kind.file]
    safe = [(name, content) for name, content in told if ".." not in name.split("/")]
    assert [content for _, content in found] == [content for _, content in safe]
    plain = ["/".join(part for part in name.split("/") if part not in {"", "."}) for name, _ in safe]
    assert [path for path, _ in found] == plain


@given(damaged(gzip.compress(ARCHIVE)) | damaged(gzip.compress(ARCHIVE) * 2) | st.binary(max_size=100))
def test_damaged_compression_ends_with_our_errors_only(data):
    try:
        stream = decompressed(io.BytesIO(data))
        while stream.read(1000):
            pass
    except ImageError:
        pass


def test_gzip_members_and_padding_behind_them_are_read():
    data = gzip.compress(b"one") + gzip.compress(b"two") + bytes(1000)
    stream = decompressed(io.BytesIO(data))
    assert b"".join(iter(lambda: stream.read(100), b"")) == b"onetwo"


paths = st.lists(st.sampled_from(["a", "b", "..", ".", "", "c"]), min_size=1, max_size=6).map("/".join)
clean_paths = st.lists(st.sampled_from("abc"), min_size=1, max_size=5).map("/".join)
steps = st.one_of(
    st.tuples(st.just("file"), clean_paths),
    st.tuples(st.just("link"), clean_paths, paths | paths.map("/".__add__)),
    st.tuples(st.just("away"), clean_paths, st.booleans()),
    st.tuples(st.just("cover"), clean_paths, st.booleans()),
)


@given(st.lists(steps, max_size=30), paths)
def test_a_tree_is_whole_whatever_is_done_to_it(done, asked):
    """Every file that is listed is found at the path it says, and looking never ends elsewhere than in the tree."""
    tree = Tree()
    for number, (what, path, *rest) in enumerate(done):
        if what == "file":
            tree.put(Entry(path, Kind.file, number))
        elif what == "link":
            tree.put(Entry(path, Kind.symlink, number, rest[0]))
        elif what == "away":
            tree.take_away(path, contents_only=rest[0])
        else:
            tree.cover(path, directory=rest[0])
    entries = list(tree.below())
    for entry in entries:
        if entry.kind is Kind.file:
            assert tree.find(entry.path) is entry
    found = tree.find(asked)
    assert found is None or any(found is each for each in entries)


HEADER = struct.pack(">II", 2, 8) + struct.pack(">IIiIIIiI", 1000, 6, 0, 1, 1001, 6, 4, 1) + b"abc\x001.2\0"
NDB = struct.pack("<4sIII4I", b"RpmP", 0, 1, 1, 2, 0, 0, 0) + struct.pack("<4sIII", b"Slot", 1, 256, 2) * 254
READERS = {
    "rpm header": (Header, HEADER),
    "ndb": (lambda data: list(ndb.blobs(data)), NDB + struct.pack("<4sIII", b"BlbS", 1, 1, 8) + bytes(24)),
    "bdb": (lambda data: list(bdb.blobs(data)), struct.pack("<12xIIIBBBB", 0x61561, 9, 512, 0, 8, 0, 0) + bytes(2020)),
    "elf": (symbol_versions, Path("/lib/x86_64-linux-gnu/libc.so.6").read_bytes()[:100] + bytes(900)
            if Path("/lib/x86_64-linux-gnu/libc.so.6").exists() else b"\x7fELF" + bytes(1000)),
    "jar": (_identities, b"PK\x03\x04/pom.properties" + bytes(100) + b"PK\x05\x06" + bytes(18)),
}  # fmt: skip


@pytest.mark.parametrize("name", READERS)
def test_a_reader_raises_only_value_errors(name):
    reader, example = READERS[name]

    @given(damaged(example) | st.binary(max_size=300))
    def holds(data):
        with contextlib.suppress(ValueError):
            reader(data)

    holds()


@settings(max_examples=30)
@given(st.binary(max_size=500).map(b"SQLite format 3\0".__add__))
def test_a_damaged_sqlite_database_is_a_value_error(data):
    with pytest.raises(ValueError, match="SQLite"):
        list(sqlite.blobs(data))


WANTED = sorted({(each.within or ("",))[0] + (name if not name.startswith(".") else f"x{name}")
                 for module in (*PACKAGES,) for each in module.INTERESTS for name in each.named or ("x",)}
                | {(each.within or ("opt/lib/",))[0] + "bin/" * (name.startswith("py")) + (f"x{name}" if name[:1] == "." else name)
                   for each in INTERESTS for name in each.named or ("x",)}
                | {"s/a-1.dist-info/METADATA", "s/a-1.dist-info/direct_url.json", "conda-meta/a.json",
                   "node_modules/a/package.json", "usr/local/cuda/version.json", "lib/libx.so.1"})  # fmt: skip


@settings(max_examples=100)
@given(
    st.dictionaries(
        st.sampled_from([each for each in WANTED if "\0" not in each]),
        st.binary(max_size=200)
        | st.text("ab:=[]{}\"',\n 01.", max_size=100).map(str.encode)
        | st.sampled_from(
            [b"Name: a\nVersion: 1\n", b'{"name": "a", "version": "1", "url": "//["}', b"\x7fELF" + bytes(80)]
        ),
        max_size=12,
    )
)
def test_an_image_of_any_files_of_interest_is_read(files):
    """Every database and fact, with contents that are none: findings, and a document that can be written."""
    data = archive(files.items())
    blob = Blob(f"sha256:{hashlib.sha256(data).hexdigest()}", len(data), lambda: io.BytesIO(data))
    found = contents(Image("x", [blob]))
    json.dumps([plain(found), analysis(found, Circumstances("x")), cyclonedx(found), spdx(found)])


def test_a_layer_of_many_whiteouts_is_read_in_bounded_memory_and_time():
    """What a layer takes away costs the same whatever it takes away."""
    tree = Tree()
    for number in range(2000):
        tree.put(Entry(f"a/{number}.py", Kind.file, 0))
    tracemalloc.start()
    for number in range(20_000):
        tree.take_away(f"a/b/c/{number}")
        tree.take_away("a/b", contents_only=True)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 100_000
    assert sum(1 for _ in tree.below()) == 2000


def test_a_member_of_a_gigabyte_is_passed_over_in_bounded_memory():
    """A large file of zeros: read up to its end, kept nowhere."""
    header = tarfile.TarInfo("big")
    header.size = 1 << 30
    block, piece = header.tobuf(tarfile.GNU_FORMAT), bytes(1 << 20)

    class Zeros:
        sent = -1

        def read(self, _size, /):
            self.sent += 1
            return block if not self.sent else piece if self.sent <= 1024 else b""

    tracemalloc.start()
    found = [(each.path, each.size) for each in TarReader(Zeros(), Limits(), Findings())]
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert found == [("big", 1 << 30)]
    assert peak < 4 << 20


KEYS = st.sampled_from(
    [
        "schemaVersion",
        "mediaType",
        "manifests",
        "layers",
        "fsLayers",
        "blobSum",
        "config",
        "digest",
        "size",
        "platform",
        "os",
        "architecture",
        "annotations",
        "rootfs",
        "diff_ids",
        "Layers",
        "Config",
        "RepoTags",
        "Env",
        "Labels",
        "created",
        "docker_version",
    ]
)
DIGEST = f"sha256:{hashlib.sha256(b'{}').hexdigest()}"
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-5, 5)
    | st.sampled_from(["", "x", "../x", DIGEST, "config.json", "linux"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(KEYS, inner, max_size=5),
    max_leaves=12,
)


@settings(max_examples=100)
@given(index=VALUES, manifest=VALUES, config=VALUES, tag=st.none() | st.just("x"))
def test_documents_of_strangers_end_with_our_errors_only(index, manifest, config, tag):
    """Of a layout and of Docker's archive, whatever JSON they hold."""
    data = json.dumps(manifest).encode()
    digest = hashlib.sha256(data).hexdigest()
    entry = {"digest": f"sha256:{digest}", "size": len(data)}
    with tempfile.TemporaryDirectory() as directory:
        root = Path(directory)
        (root / "blobs" / "sha256").mkdir(parents=True)
        (root / "blobs" / "sha256" / digest).write_bytes(data)
        (root / "blobs" / "sha256" / DIGEST[7:]).write_bytes(b"{}")
        path = root / "docker.tar"
        path.write_bytes(
            archive([("manifest.json", data), ("config.json", json.dumps(config).encode()), ("x", b"")])
        )
        for document in (index, {"manifests": [entry]}):
            (root / "index.json").write_text(json.dumps(document))
            for text in (f"oci:{root}", f"docker-archive:{path}"):
                with contextlib.suppress(ImageError), opened(text + (f":{tag}" if tag else "")) as image:
                    found = contents(image)
                    json.dumps([plain(found), analysis(found, Circumstances("x"))])


@settings(max_examples=100)
@given(
    damaged(archive([("manifest.json", b'[{"Config": "c", "Layers": ["l"]}]'), ("c", b"{}"), ("l", ARCHIVE)]))
)
def test_a_damaged_archive_of_an_image_ends_with_our_errors_only(data):
    with tempfile.TemporaryDirectory() as directory:
        path = Path(directory) / "image.tar"
        path.write_bytes(data)
        with contextlib.suppress(ImageError), opened(f"docker-archive:{path}") as image:
            contents(image)
