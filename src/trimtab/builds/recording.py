"""What is remembered of builds and analyses, as rows."""

from collections.abc import Mapping
from typing import Any

from trimtab.catalog import Database

__all__ = ["record_analysis", "record_build"]


def record_build(database: Database, build: Mapping[str, Any]) -> None:
    """Remember a build, from its document. Twice is once."""


def record_analysis(database: Database, document: Mapping[str, Any]) -> None:
    """Remember what an analysis found, from its document. Twice is once."""
