"""How fast images are read: MB/s of compressed layers, and peak memory, against reading and decompressing alone.

The images are made here: layers of this machine's own files below /usr, each under a prefix of its own, compressed as
images are. Each reading is a process of its own. There are two floors, by the decoder that a scan uses as well:
`decompress` reads and decompresses, without any digest; `verify` also digests each compressed byte, as whoever reads an
image must. A scan walks the archive besides, digests each Python file, and reads symbol versions and databases.

Two times are told: seconds of the processors, so that whatever else the machine does is left out (`..._mb_s`, per core), and
the seconds that passed (`elapsed_...`), which a scan's second thread makes fewer: they mean something on a quiet machine only.
"""

from __future__ import annotations

import hashlib
import json
import os
import resource
import statistics
import subprocess
import sys
import tarfile
import tempfile
import time
import zlib
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

SHARE, SPEED, MEMORY = 0.75, 150, 256
MODES = ("decompress", "verify", "scan")
LAYER = 50e6  # compressed bytes
SIZES = {"50 MB": 50e6, "500 MB": 500e6, "2 GB": 2e9}
PIECE = 1 << 20
LARGEST = 16e6  # bytes of a file
TREES = ("lib", "bin", "share")


def run() -> dict[str, Any]:
    """Measure, and return rows.

    Of `image`, `mb` (compressed), `files`; MB/s of each floor and of the scan, by a processor's seconds and by those that
    passed; the shares that the scan reaches of the floors; `peak_mib` of the scan.
    """
    quick = bool(os.environ.get("TRIMTAB_BENCH_QUICK"))
    sizes, rounds = ({"10 MB": 10e6}, 1) if quick else (SIZES, 3)
    rows = []
    with tempfile.TemporaryDirectory(prefix="trimtab-image-scan-") as directory:
        layers = _layers(Path(directory))
        described: list[dict[str, Any]] = []
        for name, size in sizes.items():
            while sum(each["size"] for each in described) < size:
                described.append(next(layers))
            _write(Path(directory), described)
            rows.append({"image": name, **_row(Path(directory), described, rounds)})
    return {"name": "image_scan", "rows": rows, "aims": _aims(rows)}


def _row(directory: Path, layers: list[dict[str, Any]], rounds: int) -> dict[str, Any]:
    megabytes = sum(each["size"] for each in layers) / 1e6
    found: dict[str, list[dict[str, float]]] = {mode: [] for mode in MODES}
    for _ in range(rounds):
        for mode in MODES:
            found[mode].append(_child(mode, directory))
    used, passed = (
        {mode: statistics.median(each[name] for each in told) for mode, told in found.items()}
        for name in ("seconds", "elapsed")
    )
    return {
        "mb": round(megabytes),
        "files": sum(each["files"] for each in layers),
        **{f"{mode}_mb_s": round(megabytes / used[mode]) for mode in MODES},
        **{f"elapsed_{mode}_mb_s": round(megabytes / passed[mode]) for mode in MODES},
        "share": round(used["decompress"] / used["scan"], 2),
        "share_verified": round(used["verify"] / used["scan"], 2),
        "share_elapsed": round(passed["decompress"] / passed["scan"], 2),
        "peak_mib": round(max(each["peak_mib"] for each in found["scan"])),
    }


def _aims(rows: list[dict[str, Any]]) -> dict[str, Any]:
    speed, peak = min(each["scan_mb_s"] for each in rows), max(each["peak_mib"] for each in rows)
    shares = {
        f"≥ {SHARE:.0%} of decompressing alone, time that passed": "share_elapsed",
        f"≥ {SHARE:.0%} of decompressing alone, time of processors": "share",
        f"≥ {SHARE:.0%} of decompressing and digesting, time of processors": "share_verified",
    }
    least = {aim: min(each[name] for each in rows) for aim, name in shares.items()}
    return {
        **{aim: {"measured": f"{found:.0%}", "reached": found >= SHARE} for aim, found in least.items()},
        f"≥ {SPEED} MB/s of compressed layer a core": {"measured": speed, "reached": speed >= SPEED},
        f"≤ {MEMORY} MiB whatever the image": {"measured": peak, "reached": peak <= MEMORY},
    }


def _child(mode: str, directory: Path) -> dict[str, float]:
    command = [sys.executable, "-m", "benchmarks.image_scan", mode, str(directory)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    measured: dict[str, float] = json.loads(done.stdout)
    return measured


def _layers(directory: Path) -> Iterator[dict[str, Any]]:
    """Layers of about the same size, as many as are asked for, each of the files that follow."""
    (directory / "blobs/sha256").mkdir(parents=True)
    files, prefix = _files(), 0
    while True:
        made = directory / "layer"
        with made.open("wb") as raw:
            count, ended = _layer(raw, files, f"copy{prefix}")
        if ended:
            files, prefix = _files(), prefix + 1
        with made.open("rb") as raw:
            digest = hashlib.file_digest(raw, "sha256").hexdigest()
        size = made.stat().st_size
        made.rename(directory / "blobs/sha256" / digest)
        yield {"digest": f"sha256:{digest}", "size": size, "files": count}


def _layer(raw: IO[bytes], files: Iterator[Path], prefix: str) -> tuple[int, bool]:
    """Write files until the layer is large enough; how many there were, and whether they came to an end."""
    from isal import igzip

    limit = 5e6 if os.environ.get("TRIMTAB_BENCH_QUICK") else LAYER
    count = 0
    with (
        igzip.IGzipFile(fileobj=raw, mode="wb", compresslevel=3) as packed,
        tarfile.open(fileobj=packed, mode="w|", bufsize=1 << 20) as archive,
    ):
        for path in files:
            try:
                archive.add(path, f"{prefix}{path}", recursive=False, filter=_whole_seconds)
            except OSError:
                continue
            count += 1
            if raw.tell() > limit:
                return count, False
    return count, True


def _whole_seconds(member: tarfile.TarInfo) -> tarfile.TarInfo:
    member.mtime = int(
        member.mtime
    )  # as builders write it: a fraction would need an extended header for each file
    return member


def _files() -> Iterator[Path]:
    """Files below /usr, a directory's together, directories in an order that mixes; none that fills a layer alone."""
    directories = [found for tree in TREES for found in os.walk(Path("/usr") / tree)]
    for directory, _, names in sorted(directories, key=lambda found: zlib.crc32(str(found[0]).encode())):
        for path in (Path(directory) / name for name in sorted(names)):
            if path.is_symlink() or path.stat().st_size < LARGEST:
                yield path


def _write(directory: Path, layers: list[dict[str, Any]]) -> None:
    manifest = {"schemaVersion": 2, "config": _blob(directory, b"{}"), "layers": layers}
    entry = _blob(directory, json.dumps(manifest).encode())
    (directory / "index.json").write_text(json.dumps({"schemaVersion": 2, "manifests": [entry]}))
    (directory / "oci-layout").write_text('{"imageLayoutVersion": "1.0.0"}')


def _blob(directory: Path, data: bytes) -> dict[str, Any]:
    digest = hashlib.sha256(data).hexdigest()
    (directory / "blobs/sha256" / digest).write_bytes(data)
    return {"digest": f"sha256:{digest}", "size": len(data)}


def _decompress(directory: Path) -> None:
    from trimtab.images.compression import decompressed

    for digest in _layer_digests(directory):
        with (directory / "blobs/sha256" / digest.partition(":")[2]).open("rb") as raw:
            stream = decompressed(raw)
            while stream.read(PIECE):
                pass


def _verify(directory: Path) -> None:
    from trimtab.images.blob import Verified
    from trimtab.images.compression import decompressed

    for digest in _layer_digests(directory):
        with (directory / "blobs/sha256" / digest.partition(":")[2]).open("rb") as raw:
            verified = Verified(raw, digest)
            stream = decompressed(verified)
            while stream.read(PIECE):
                pass
            verified.verify()


def _layer_digests(directory: Path) -> list[str]:
    manifest = json.loads((directory / "index.json").read_text())["manifests"][0]["digest"]
    document = json.loads((directory / "blobs/sha256" / manifest.partition(":")[2]).read_text())
    return [each["digest"] for each in document["layers"]]


def _scan(directory: Path) -> None:
    _read(f"oci:{directory}")


def _read(image: str) -> None:
    from trimtab.images import contents, opened

    with opened(image) as found:
        contents(found)


def _measured(mode: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as nothing:
        _read(f"dir:{nothing}")  # what is measured is the reading, not the import
    started, clock = time.process_time(), time.monotonic()
    {"decompress": _decompress, "verify": _verify, "scan": _scan}[mode](directory)
    told = {"seconds": time.process_time() - started, "elapsed": time.monotonic() - clock}
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({**told, "peak_mib": peak}))


if __name__ == "__main__":
    _measured(sys.argv[1], Path(sys.argv[2]))
