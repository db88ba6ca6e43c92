"""An index of small real packages, two pairs of which do not go together: one breaks at import, one makes the script slow."""

from __future__ import annotations

from typing import Any

NAMES = ("amber", "birch", "cedar", "dune", "ember", "fjord", "grove", "heath", "islet")
VERSIONS = ("1.0", "1.1", "1.2")
BREAKS = {"birch": "1.1", "grove": "1.2"}
SLOW = {"amber": "1.0", "fjord": "1.1"}
REQUIREMENTS = "".join(f"{name}\n" for name in NAMES)
BREAKING = """\
import birch
if birch.__version__ == "1.1":
    raise ImportError("grove 1.2 does not go with birch 1.1")
"""
WORKING = """\
import amber
TIMES = 3 if amber.__version__ == "1.0" else 1
"""
SCRIPT = """\
#!/usr/bin/env python3
import json
import time
import NAMES

def work(rounds):
    total = 0
    for number in range(rounds):
        total += number * number % 7
    return total

def spent(rounds):
    began = time.process_time()
    work(rounds)
    return time.process_time() - began

once = min(spent(20_000) for _ in range(5))
many = min(spent(20_000 * getattr(fjord, "TIMES", 1)) for _ in range(5))
print(json.dumps({"name": "planted", "@result": {"share": many / once, "elapsed": many}}))
""".replace("NAMES", ", ".join(NAMES))
CONTEXT: dict[str, Any] = {
    "base": "registry.example/python:3.11",
    "run": {"requests": {"cpu": "1", "memory": "256Mi"}, "timeout": 60},
    "script": SCRIPT,
}


def planted(index: Any) -> Any:
    """Fill an index: 3^9 = 19 683 stacks, all of them valid."""
    for name in NAMES:
        for version in VERSIONS:
            code = ""
            if name == "grove" and version == BREAKS["grove"]:
                code = BREAKING
            if name == "fjord" and version == SLOW["fjord"]:
                code = WORKING
            index.wheel(name, version, code=code)
    index.write()
    return index
