"""How long ``servo --help`` and ``trimtab --help`` take, as whole processes, against a bare interpreter with typer.

Runs are interleaved, so that whatever else the machine does falls on all alike; ratios are of medians.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

AIM = 2.5
FLOOR = "python + typer"
BIN = Path(sys.executable).parent
COMMANDS = {
    "python": [sys.executable, "-c", "pass"],
    FLOOR: [sys.executable, "-c", "import typer"],
    "servo --help": [str(BIN / "servo"), "--help"],
    "trimtab --help": [str(BIN / "trimtab"), "--help"],
}


def run() -> dict[str, Any]:
    """Measure, and return rows of ``command``, ``median_ms``, ``ratio`` to the floor, and ``runs``."""
    rounds = 7 if os.environ.get("TRIMTAB_BENCH_QUICK") else 41
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    with tempfile.TemporaryDirectory() as directory:
        for command in COMMANDS.values():  # bytecode and the page cache, once
            _seconds(command, directory)
        for _ in range(rounds):
            for name, command in COMMANDS.items():
                times[name].append(_seconds(command, directory))
    medians = {name: statistics.median(values) for name, values in times.items()}
    rows = [
        {
            "command": name,
            "median_ms": round(1000 * medians[name], 1),
            "ratio": round(medians[name] / medians[FLOOR], 2),
            "runs": rounds,
        }
        for name in COMMANDS
    ]
    aims = {
        f"{name} ≤ {AIM}x": medians[name] / medians[FLOOR] <= AIM
        for name in ("servo --help", "trimtab --help")
    }
    return {"name": "startup", "rows": rows, "aims": aims}


def _seconds(command: list[str], directory: str) -> float:
    started = time.perf_counter()
    subprocess.run(command, cwd=directory, stdout=subprocess.DEVNULL, check=True)
    return time.perf_counter() - started


def main() -> None:
    """Print the table, or JSON with ``--json``."""
    result = run()
    if "--json" in sys.argv:
        print(json.dumps(result, indent=2, ensure_ascii=False))
        return
    for row in result["rows"]:
        print(
            f"{row['command']:<16} {row['median_ms']:>8.1f} ms   {row['ratio']:>5.2f}x   median of {row['runs']}"
        )
    for aim, reached in result["aims"].items():
        print(f"{aim}: {'reached' if reached else 'NOT reached'}")


if __name__ == "__main__":
    main()
