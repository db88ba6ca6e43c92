"""The inspection of the shop's own stack: prints the specification that `make demo` inspects.

python examples/shop/inspection.py > shop.json && trimtab inspect shop.json --engine process
"""

import json
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
SETTINGS = {"SHOP_LINE_MBIT": "0", "SHOP_CACHE_MB": "0", "SHOP_COMPRESSION": "3", "SHOP_RANKING": "sql"}


def specification() -> dict[str, Any]:
    """The shop, the packages it stands on, and its benchmark; 3 runs."""
    modules = sorted((HERE / "shop").glob("*.py"))
    return {
        "base": "registry.example/python:3.11",
        "identifier": "shop",
        "batch_size": 3,
        "python": {"lock": {"requirements.txt": (HERE / "requirements.txt").read_text(encoding="utf-8")}},
        "files": [
            {"path": f"shop/{each.name}", "content": each.read_text(encoding="utf-8") or "\n"}
            for each in modules
        ],
        "environment": [{"name": name, "value": value} for name, value in SETTINGS.items()],
        "build": {"requests": {"cpu": "1", "memory": "1Gi"}, "timeout": "2m"},
        "run": {"requests": {"cpu": "1", "memory": "512Mi"}, "timeout": "1m"},
        "script": (HERE / "benchmark.py").read_text(encoding="utf-8"),
    }


if __name__ == "__main__":
    print(json.dumps(specification(), indent=2))
