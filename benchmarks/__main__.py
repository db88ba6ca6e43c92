"""Run all benchmarks, or those that are named, one process after the other, and write benchmarks/results."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

from benchmarks.report import markdown

NAMES = [
    "dispatch",
    "startup",
    "scale",
    "load",
    "search",
    "overhead",
    "aa",
    "run_overhead",
    "environment",
    "api",
    "buildlog",
    "image_scan",
    "observations",
    "stacks",
    "campaign",
    "watch",
    "adjust",
]
ROOT = Path(__file__).resolve().parent.parent
RESULTS = ROOT / "benchmarks" / "results"


def main(names: list[str]) -> int:
    """Run them; return 1 if one failed to run. An aim that is not reached is a result, and no failure."""
    unknown = set(names) - set(NAMES)
    if unknown:
        print(
            f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}", file=sys.stderr
        )
        return 2
    RESULTS.mkdir(exist_ok=True)
    failed = [name for name in names or NAMES if not _run(name)]
    written = [path for name in NAMES if (path := RESULTS / f"{name}.json").exists()]
    (RESULTS / "README.md").write_text(markdown([json.loads(path.read_text()) for path in written]))
    if failed:
        print(f"failed to run: {', '.join(failed)}", file=sys.stderr)
    return int(bool(failed))


def _run(name: str) -> bool:
    command = [sys.executable, "-m", "benchmarks.measure", name, str(RESULTS / f"{name}.json")]
    return subprocess.run(command, check=False, cwd=ROOT).returncode == 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
