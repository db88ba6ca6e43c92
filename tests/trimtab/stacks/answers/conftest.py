"""Makes `planted` importable by the tests beside it."""

import importlib.util
import sys
from pathlib import Path


def _load() -> None:
    spec = importlib.util.spec_from_file_location("planted", Path(__file__).with_name("planted.py"))
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    sys.modules["planted"] = module
    spec.loader.exec_module(module)


_load()
