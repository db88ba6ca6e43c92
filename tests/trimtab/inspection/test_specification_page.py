"""Every field and limit of a specification has its place in its page."""

from pathlib import Path

import pytest

from trimtab.inspection import Specification
from trimtab.inspection.specification import limits

PAGE = (Path(__file__).parents[3] / "docs/specification.md").read_text()


def test_every_field_is_in_the_page():
    schema = Specification.model_json_schema()
    names = {name for each in (schema, *schema["$defs"].values()) for name in each.get("properties", {})}
    assert sorted(name for name in names if f"`{name}`" not in PAGE and f'"{name}"' not in PAGE) == []


LIMITS = {
    "MAX_BATCH": ("up to 10 000", 10_000),
    "MAX_DEPTH": ("32 deep", 32),
    "MAX_DIRECTORIES": ("in 32 directories", 32),
    "MAX_DOCUMENT": ("64 MiB", 64 * 1024**2),
    "MAX_ENVIRONMENT": ("256 KiB in all", 256 * 1024),
    "MAX_FILES": ("| 1000, in", 1000),
    "MAX_NAME": ("512 bytes a name", 512),
    "MAX_NAMES": ("1000 of each", 1000),
    "MAX_NODES": ("200 000 values", 200_000),
    "MAX_PATH": ("1024 bytes", 1024),
    "MAX_TEXT": ("16 MiB", 16 * 1024**2),
    "MAX_TIMEOUT": ("7 days", 7 * 24 * 3600),
    "MAX_VALUE": ("16 KiB a value", 16 * 1024),
    "MAX_VARIABLES": ("| 500, 16 KiB", 500),
    "MAX_WARMUP": ("| 1000 |", 1000),
}


@pytest.mark.parametrize("name", limits.__all__)
def test_every_limit_is_in_the_page_as_it_is(name):
    text, value = LIMITS[name]
    assert text in PAGE
    assert getattr(limits, name) == value
