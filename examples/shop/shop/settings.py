"""What the shop reads from its environment. The defaults are what one writes on the first day."""

import os
from dataclasses import dataclass
from pathlib import Path

RANKINGS = ("sort", "heap", "sql")


@dataclass(frozen=True)
class Settings:
    """The shop's settings; the first six are the ones worth tuning.

    Args:
        workers: processes that serve requests.
        cache_mb: memory for finished responses in each worker, in MiB.
        compression: gzip level of responses, 0 (off) to 9.
        database_cache_mb: SQLite's page cache in each worker, in MiB.
        batch: stock lines written per transaction.
        ranking: where reviews and search results are ranked: "sort" and "heap" in Python, "sql" in SQLite.
        host: address to listen at.
        port: port to listen at.
        line_mbit: the customers' line in Mbit/s: an answer takes as long as its bytes do on it; 0 for no limit.
        data: the folder of the database; filled when the shop first starts.
    """

    workers: int
    cache_mb: float
    compression: int
    database_cache_mb: float
    batch: int
    ranking: str
    host: str
    port: int
    line_mbit: float
    data: Path


def read_settings() -> Settings:
    """The settings as the environment has them (`SHOP_WORKERS` and so on).

    Raises:
        SystemExit: A variable is out of its range; the message names it.
    """
    return Settings(
        workers=round(_number("SHOP_WORKERS", 1, 1, 32)),
        cache_mb=_number("SHOP_CACHE_MB", 0.5, 0, 1024),
        compression=round(_number("SHOP_COMPRESSION", 9, 0, 9)),
        database_cache_mb=_number("SHOP_DATABASE_CACHE_MB", 1, 0.0625, 1024),
        batch=round(_number("SHOP_BATCH", 1, 1, 10_000)),
        ranking=_choice("SHOP_RANKING", "sort", RANKINGS),
        host=os.environ.get("SHOP_HOST", "127.0.0.1"),
        port=round(_number("SHOP_PORT", 8370, 0, 65_535)),
        line_mbit=_number("SHOP_LINE_MBIT", 20, 0, 1e6),
        data=Path(os.environ.get("SHOP_DATA", ".shop")),
    )


def _number(name: str, default: float, least: float, most: float) -> float:
    text = os.environ.get(name, str(default))
    try:
        value = float(text)
    except ValueError:
        value = float("nan")
    if not least <= value <= most:
        raise SystemExit(f"{name}={text!r}: must be a number from {least} to {most}")
    return value


def _choice(name: str, default: str, choices: tuple[str, ...]) -> str:
    value = os.environ.get(name, default)
    if value not in choices:
        raise SystemExit(f"{name}={value!r}: must be one of {', '.join(choices)}")
    return value
