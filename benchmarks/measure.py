"""Run one benchmark in a process of its own: ``python -m benchmarks.measure NAME FILE``."""

from __future__ import annotations

import json
import sys
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from benchmarks.card import card
from benchmarks.report import plain


def measure(name: str) -> dict[str, Any]:
    """Run the benchmark of that name and return what it measured, with the machine card."""
    here = card()  # before: the load is that of others
    return {**import_module(f"benchmarks.{name}").run(), "card": here}


def write(result: dict[str, Any], path: Path) -> None:
    """Write a result as JSON."""
    path.write_text(json.dumps(result, indent=2, ensure_ascii=False, default=str) + "\n")


def main(name: str, path: str) -> None:
    """Measure, print the table and write the JSON."""
    if find_spec(f"benchmarks.{name}") is None:
        sys.exit(f"there is no module benchmarks/{name}.py")
    result = measure(name)
    print(plain(result))
    write(result, Path(path))


if __name__ == "__main__":
    main(*sys.argv[1:3])
