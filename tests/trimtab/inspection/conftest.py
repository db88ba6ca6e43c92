"""What tests of inspections share."""

import os
from pathlib import Path

import pytest

SHARED = Path(os.environ.get("TRIMTAB_SHARED") or Path(__file__).parents[4] / "shared")


@pytest.fixture
def originals() -> Path:
    """What the original left: see CONTRIBUTING.md."""
    place = SHARED / "data"
    if not place.is_dir():
        pytest.skip(f"no data of the original at {place}: set TRIMTAB_SHARED")
    return place
