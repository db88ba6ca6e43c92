"""`python -m benchmarks.search`: measure, print a table, write JSON."""

import argparse
import json
from pathlib import Path
from typing import Any

from benchmarks.search import SEEDS, run

_COLUMNS = (
    "part",
    "trials",
    "noise",
    "sampler",
    "regret",
    "arithmetic",
    "breaches",
    "improved",
    "seconds_per_run",
    "seeds",
)


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.search", description="Regret of what is returned."
    )
    parser.add_argument("--part", choices=["services", "bbob"], action="append", help="only this part")
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--json", type=Path, help="where to write the results, with a card of the machine")
    options = parser.parse_args()
    result = run(parts=tuple(options.part or ("services", "bbob")), seeds=options.seeds, jobs=options.jobs)
    show(result)
    if options.json:
        options.json.parent.mkdir(parents=True, exist_ok=True)
        options.json.write_text(json.dumps(result | {"card": _machine()}, indent=1) + "\n")


def show(result: dict[str, Any]) -> None:
    from tabulate import tabulate

    print(
        tabulate([[row.get(column, "") for column in _COLUMNS] for row in result["rows"]], headers=_COLUMNS)
    )
    for aim, met in result["aims"].items():
        print("reached    " if met["reached"] else "not reached", aim, "-", met["measured"])


def _machine() -> dict[str, Any]:
    try:
        from benchmarks.card import card
    except ImportError:
        import platform

        return {"python": platform.python_version(), "machine": platform.machine()}
    return dict(card())


if __name__ == "__main__":
    main()
