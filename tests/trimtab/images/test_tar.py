"""Archives as GNU tar, PAX and older tools write them, and what no tool would write."""

import io
import subprocess
import tarfile

import pytest

from trimtab.images.errors import CorruptError
from trimtab.images.finding import Findings
from trimtab.images.limits import Limits
from trimtab.images.member import Kind
from trimtab.images.tar import TarReader


def read(data, limits=None):
    reader = TarReader(io.BytesIO(data), limits or Limits(), Findings())
    return [(each, b"".join(reader.content())) for each in reader]


def header(**changes):
    """A header block of a file `a`, with fields put in as bytes and the checksum right."""
    block = bytearray(tarfile.TarInfo("a").tobuf(tarfile.USTAR_FORMAT))
    for at, value in changes.values():
        block[at : at + len(value)] = value
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize("form", [tarfile.USTAR_FORMAT, tarfile.GNU_FORMAT, tarfile.PAX_FORMAT])
def test_long_names_and_links_of_each_format(form):
    path, target = "d/" * 60 + "f" * 60, "t/" * 45
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w", format=form) as archive:
        file, link = tarfile.TarInfo(path), tarfile.TarInfo("link")
        file.size, link.type, link.linkname = 3, tarfile.SYMTYPE, target
        archive.addfile(file, io.BytesIO(b"abc"))
        archive.addfile(link)
    (first, content), (second, _) = read(out.getvalue())
    assert (first.path, first.kind, content) == (path, Kind.file, b"abc")
    assert (second.path, second.kind, second.target) == ("link", Kind.symlink, target)


@pytest.mark.parametrize("form", ["gnu", "pax"])
@pytest.mark.parametrize("version", ["0.0", "0.1", "1.0"])
def test_sparse_files_of_gnu_tar_are_passed_over_and_what_follows_is_read(tmp_path, form, version):
    """Many holes: extended headers of the old form, maps of the new ones."""
    with (tmp_path / "sparse").open("wb") as file:
        for number in range(60):
            file.seek(number << 16)
            file.write(b"x" * 4096)
        file.truncate(1 << 33)
    (tmp_path / "after").write_bytes(b"after")
    options = [f"--sparse-version={version}"] if form == "pax" else []
    command = ["tar", "--create", "--sparse", f"--format={form}", *options, "sparse", "after"]
    data = subprocess.run(command, cwd=tmp_path, check=True, capture_output=True).stdout
    assert len(data) < 1 << 22
    (sparse, _), (after, content) = read(data)
    assert (sparse.path, sparse.sparse) == ("sparse", True)
    assert (after.path, content) == ("after", b"after")


def test_a_size_beyond_octal_digits_is_read():
    data = header(size=(124, b"\x80" + (5).to_bytes(11, "big"))) + b"hello" + bytes(507)
    assert read(data)[0][1] == b"hello"


@pytest.mark.parametrize(
    "size", [b"-0000000010\0", b"\xff" * 12, b"9" * 11 + b"\0", b"\x80" + b"\xff" * 11, b"7" * 11 + b"\0"]
)
def test_a_size_that_is_none_or_too_large_is_refused(size):
    with pytest.raises(CorruptError):
        read(header(size=(124, size)) + bytes(1024))


@pytest.mark.parametrize(
    "record", ["-5 size=1\n", "9 size=-1\n", "x", "99999 path=a\n", "11 size=1_0\n", "1 a=b\n"]
)
def test_extended_headers_that_are_none_are_refused_or_harmless(record):
    data = record.encode()
    block = header(type=(156, b"x"), size=(124, b"%011o\0" % len(data)))
    try:
        found = read(block + data + bytes(512 - len(data)) + header() + bytes(1024))
    except CorruptError:
        return
    assert len(found) <= 1


def test_an_extended_header_larger_than_the_limit_is_refused():
    with pytest.raises(CorruptError, match="extended header"):
        read(header(type=(156, b"x"), size=(124, b"%011o\0" % (8 << 20))), Limits())


def test_a_wrong_checksum_is_refused():
    block = bytearray(header())
    block[0] ^= 1
    with pytest.raises(CorruptError, match="checksum"):
        read(bytes(block))


def test_an_archive_that_ends_in_a_member_is_refused():
    with pytest.raises(CorruptError, match="middle"):
        read(header(size=(124, b"00000001000\0")) + b"abc")


def test_contents_passed_over_by_seeking_are_where_the_reader_says():
    out = io.BytesIO()
    sizes = [0, 1, 511, 512, 513, 200_000, 1_000_000, 5]
    with tarfile.open(fileobj=out, mode="w") as archive:
        for number, size in enumerate(sizes):
            member = tarfile.TarInfo(f"f{number}")
            member.size = size
            archive.addfile(member, io.BytesIO(bytes([number]) * size))
    reader = TarReader(out, Limits(), Findings(), seek=out.seek)
    out.seek(0)
    found = [(reader.position, each.size) for each in reader]
    data = out.getvalue()
    assert [size for _, size in found] == sizes
    assert all(data[at : at + size] == bytes([number]) * size for number, (at, size) in enumerate(found))


def test_a_size_that_is_told_is_not_that_of_another_header_before_the_member():
    """Else a header could hide members, or bring some that no other tool sees."""
    record = b"13 size=1024\n"
    pax, name, hidden = tarfile.TarInfo("x"), tarfile.TarInfo("L"), tarfile.TarInfo("hidden")
    pax.type, pax.size = tarfile.XHDTYPE, len(record)
    name.type, name.size = tarfile.GNUTYPE_LONGNAME, 5
    member = tarfile.TarInfo("short")
    blocks = [
        pax.tobuf(tarfile.USTAR_FORMAT), record.ljust(512, b"\0"),
        name.tobuf(tarfile.USTAR_FORMAT), b"long\0".ljust(512, b"\0"),
        member.tobuf(tarfile.USTAR_FORMAT), hidden.tobuf(tarfile.USTAR_FORMAT), bytes(512),
        bytes(1024),
    ]  # fmt: skip
    reader = TarReader(io.BytesIO(b"".join(blocks)), Limits(), Findings())
    assert [(each.path, each.size) for each in reader] == [("long", 1024)]
