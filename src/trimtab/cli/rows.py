"""Choices of `trimtab inspections export`, known before anything that costs is imported."""

from enum import StrEnum

__all__ = ["Form", "Rows"]


class Form(StrEnum):
    """What kind of file."""

    parquet = "parquet"
    csv = "csv"
    jsonl = "jsonl"


class Rows(StrEnum):
    """What there is a row for."""

    run = "run"
    inspection = "inspection"
