"""Questions to the catalog, and the one thing that is written: stock."""

import asyncio
import csv
import heapq
import io
import sqlite3
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Row = Mapping[str, Any]

_SCORE = "stars * 20 + helpful * 0.2 - day * 0.05"


def score(row: Row) -> float:
    """How far up a review is shown: liked, found helpful, recent."""
    return float(row["stars"] * 20 + row["helpful"] * 0.2 - row["day"] * 0.05)


class Catalog:
    """Products, their reviews and stock.

    Args:
        connection: the database; one per worker.
        ranking: where rows are put in order: "sort", "heap" or "sql".
        batch: stock lines written per transaction.
    """

    def __init__(self, connection: sqlite3.Connection, *, ranking: str, batch: int) -> None:
        self._connection = connection
        self._ranking = ranking
        self._batch = batch

    def product(self, number: int) -> Row | None:
        """One product, or None."""
        row = self._connection.execute("SELECT * FROM product WHERE id = ?", (number,)).fetchone()
        return None if row is None else dict(row)

    def best_reviews(self, number: int, count: int) -> list[Row]:
        """The `count` reviews of a product to be shown first."""
        return self._best("SELECT * FROM review WHERE product = ?", number, count)

    def search(self, category: str, count: int) -> list[Row]:
        """The reviews that sell a category: its `count` best, with their products' names and prices."""
        return self._best(
            "SELECT review.*, name, price FROM product JOIN review ON product = product.id WHERE category = ?",
            category,
            count,
        )

    def export(self, count: int) -> str:
        """The first `count` reviews, one CSV line each."""
        text = io.StringIO()
        writer = csv.writer(text)
        rows = self._connection.execute(
            "SELECT id, product, stars, helpful, day FROM review LIMIT ?", (count,)
        )
        writer.writerows([*row, f"{score(row):.2f}"] for row in rows)
        return text.getvalue()

    def _best(self, query: str, key: object, count: int) -> list[Row]:
        if self._ranking == "sql":
            rows = self._connection.execute(f"{query} ORDER BY {_SCORE} DESC LIMIT {count}", (key,))
            return [dict(row) for row in rows]
        found: Iterable[Row] = [dict(row) for row in self._connection.execute(query, (key,))]
        if self._ranking == "heap":
            return heapq.nlargest(count, found, key=score)
        return sorted(found, key=score, reverse=True)[:count]

    async def restock(self, lines: Sequence[tuple[int, int, int]]) -> int:
        """Set the stock of (product, place, amount) lines; requests are served between two transactions."""
        for start in range(0, len(lines), self._batch):
            self._write(lines[start : start + self._batch])
            await asyncio.sleep(0)
        return len(lines)

    def _write(self, lines: Sequence[tuple[int, int, int]]) -> None:
        self._connection.execute("BEGIN IMMEDIATE")
        self._connection.executemany("UPDATE stock SET amount = ?3 WHERE product = ?1 AND place = ?2", lines)
        self._connection.execute("COMMIT")
