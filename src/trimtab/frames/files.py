"""Rows as a file: Parquet, CSV or lines of JSON, row by row."""

import csv
import io
import json
from datetime import datetime
from typing import Any, BinaryIO, Literal, TypeAlias

from trimtab.frames.spool import Spool

__all__ = ["Format", "write"]

# What a spreadsheet takes for the beginning of a formula; a program of whoever opens the file would run (CWE-1236).
_FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "|", "\uff0b", "\uff0d", "\uff1d", "\uff20")


Format: TypeAlias = Literal["parquet", "csv", "jsonl"]


def write(spool: Spool, file: BinaryIO, form: Format) -> None:
    """Write all rows.

    In CSV a text, or the name of a column, that begins as a formula does gets an apostrophe before it, which spreadsheets do not show;
    Parquet and JSON have texts as they are.

    Raises:
        OSError: The file cannot be written.
    """
    {"parquet": _parquet, "csv": _csv, "jsonl": _jsonl}[form](spool, file)


def _parquet(spool: Spool, file: BinaryIO) -> None:
    import pyarrow.parquet as pq

    with pq.ParquetWriter(file, spool.schema, compression="zstd") as writer:
        for batch in spool.batches():
            writer.write_batch(batch)


def _csv(spool: Spool, file: BinaryIO) -> None:
    text = io.TextIOWrapper(file, encoding="utf-8", newline="", write_through=True)
    try:
        writer = csv.writer(text)  # RFC 4180; other ends of lines would leave a lone CR in a cell unquoted
        names = list(spool.columns)
        writer.writerow([_inert(name) for name in names])
        for row in spool.rows():
            writer.writerow([_cell(row.get(name)) for name in names])
    finally:
        text.detach()


def _jsonl(spool: Spool, file: BinaryIO) -> None:
    for row in spool.rows():
        line = json.dumps(row, ensure_ascii=False, default=datetime.isoformat)
        file.write(line.encode() + b"\n")


def _cell(value: Any) -> Any:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, datetime):
        return value.isoformat()
    return _inert(value) if isinstance(value, str) else value


def _inert(text: str) -> str:
    return f"'{text}" if text.startswith(_FORMULA) else text
