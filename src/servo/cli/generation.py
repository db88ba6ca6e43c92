"""x"""

from typing import Any


def generate_file(*a: Any, **k: Any) -> None: ...
