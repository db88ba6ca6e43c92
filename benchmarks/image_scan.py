"""How fast images are read: MB/s of compressed layers, and peak memory, against reading and decompressing alone.

The images are made here: layers of this machine's own files below /usr, each under a prefix of its own, compressed as
images are. Each reading is a process of its own; seconds are those of the processor, so that whatever else the machine
does is left out. The floor reads and decompresses with the same decoder; a scan also digests each compressed byte, walks
the archive, digests each Python file, and reads symbol versions and databases.
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
MODES = ("decompress", "scan")
LAYER = 50e6  # compressed bytes
SIZES = {"50 MB": 50e6, "500 MB": 500e6, "2 GB": 2e9}
PIECE = 128 << 10
LARGEST = 16e6  # bytes of a file
TREES = ("lib", "bin", "share")


def run() -> dict[str, Any]:
    """Measure, and return rows of `image`, `mb` (compressed), `files`, MB/s of floor and scan, `share` and `peak_mib`."""
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
    floor, scan = (statistics.median(each["seconds"] for each in found[mode]) for mode in MODES)
    return {
        "mb": round(megabytes),
        "files": sum(each["files"] for each in layers),
        "decompress_mb_s": round(megabytes / floor),
        "scan_mb_s": round(megabytes / scan),
        "share": round(floor / scan, 2),
        "peak_mib": round(max(each["peak_mib"] for each in found["scan"])),
    }


def _aims(rows: list[dict[str, Any]]) -> dict[str, Any]:
    share, speed = min(each["share"] for each in rows), min(each["scan_mb_s"] for each in rows)
    peak = max(each["peak_mib"] for each in rows)
    return {
        f"≥ {SHARE:.0%} of decompressing alone": {"measured": f"{share:.0%}", "reached": share >= SHARE},
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

    manifest = json.loads((directory / "index.json").read_text())["manifests"][0]["digest"]
    blobs = directory / "blobs/sha256"
    for layer in json.loads((blobs / manifest.partition(":")[2]).read_text())["layers"]:
        with (blobs / layer["digest"].partition(":")[2]).open("rb") as raw:
            stream = decompressed(raw)
            while stream.read(PIECE):
                pass


def _scan(directory: Path) -> None:
    _read(f"oci:{directory}")


def _read(image: str) -> None:
    from trimtab.images import contents, opened

    with opened(image) as found:
        contents(found)


def _measured(mode: str, directory: Path) -> None:
    with tempfile.TemporaryDirectory() as nothing:
        _read(f"dir:{nothing}")  # what is measured is the reading, not the import
    started = time.process_time()
    {"decompress": _decompress, "scan": _scan}[mode](directory)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": time.process_time() - started, "peak_mib": peak}))


if __name__ == "__main__":
    _measured(sys.argv[1], Path(sys.argv[2]))
