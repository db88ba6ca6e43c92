"""How fast logs are read: a million lines, streamed in pieces of 64 KiB, against taking the lines apart alone."""

from __future__ import annotations

import os
import resource
import time
from pathlib import Path
from typing import Any

AIM = 250_000
LINES = 1_000_000
CHUNK = 64 * 1024
CORPUS = Path(__file__).resolve().parent.parent / "tests" / "trimtab" / "buildlogs" / "corpus"


def run() -> dict[str, Any]:
    """Measure, and return rows of log, lines, lines/s by CPU time, MB/s, the floor's lines/s and peak RSS."""
    count = LINES // 20 if os.environ.get("TRIMTAB_BENCH_QUICK") else LINES
    rows = [_measured(name, unit, count) for name, unit in _logs().items()]
    aims = {f"{row['log']}: ≥ {AIM} lines/s": row["lines_per_s"] >= AIM for row in rows}
    return {"name": "buildlog", "rows": rows, "aims": aims}


def _logs() -> dict[str, bytes]:
    """Logs that are repeated to their length: what real tools printed, plain and with the prefixes of a cluster."""
    good = _corpus("success", "sdist-success", "apt-success", "multi-stage", "sync")
    stamp = b"2026-11-27T01:02:03.123456789Z stdout F "
    return {
        "builds that go well": good,
        "a compiler": b"".join(
            b"[%d/999] gcc -O2 -fPIC -c src/module_%d.c -o build/module_%d.o\n" % (n, n, n)
            for n in range(999)
        ),
        "builds from a cluster": b"".join(stamp + each + b"\n" for each in good.splitlines()),
        "nothing but failures": _corpus(
            "setup-error", "compile-error", "hash-mismatch", "conflict", "refused", "step-fails"
        ),
    }


def _corpus(*names: str) -> bytes:
    files = sorted(path for name in names for path in CORPUS.glob(f"*/{name}.log"))
    return b"\n".join(each.read_bytes().strip(b"\n") for each in files) + b"\n"


def _measured(name: str, unit: bytes, count: int) -> dict[str, Any]:
    from trimtab.buildlogs import Parser

    size = unit.count(b"\n")
    parser = Parser()
    seconds, fed = _fed(parser.feed, unit, count, size)
    parser.finish()
    floor, _ = _fed(lambda piece: piece.decode("utf-8", "replace").split("\n"), unit, count, size)
    return {
        "log": name, "lines": count // size * size, "lines_per_s": round(count // size * size / seconds), "mb_per_s": round(fed / seconds / 1e6, 1),
        "floor_lines_per_s": round(count // size * size / floor), "peak_rss_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }  # fmt: skip


def _fed(feed: Any, unit: bytes, count: int, size: int) -> tuple[float, int]:
    began, fed = time.process_time(), 0
    for _ in range(count // size):
        for start in range(0, len(unit), CHUNK):
            feed(unit[start : start + CHUNK])
        fed += len(unit)
    return time.process_time() - began, fed


if __name__ == "__main__":
    print(run())
