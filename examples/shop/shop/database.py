"""The shop's database: made once, the same on every machine, and read far more than written."""

import os
import random
import sqlite3
from collections.abc import Iterator
from pathlib import Path

PRODUCTS = 400
PLACES = 20
REVIEWS = 60_000
CATEGORIES = ("boats", "sails", "ropes", "anchors", "charts", "lamps", "tools", "paint", "flags", "books")
VERSION = 1

_TABLES = """
CREATE TABLE product (id INTEGER PRIMARY KEY, name TEXT, category TEXT, price INTEGER, about TEXT);
CREATE TABLE review (id INTEGER PRIMARY KEY, product INTEGER, stars INTEGER, helpful INTEGER, day INTEGER, body TEXT);
CREATE TABLE stock (product INTEGER, place INTEGER, amount INTEGER, PRIMARY KEY (product, place)) WITHOUT ROWID;
"""
_INDEXES = """
CREATE INDEX product_category ON product (category);
CREATE INDEX review_product ON review (product);
"""


def connect(path: Path, cache_mb: float) -> sqlite3.Connection:
    """Open the database with a page cache of `cache_mb` MiB; a transaction is begun and committed by hand."""
    connection = sqlite3.connect(path, isolation_level=None, timeout=10)
    connection.row_factory = sqlite3.Row
    connection.execute(f"PRAGMA cache_size = {-round(cache_mb * 1024)}")
    connection.execute("PRAGMA synchronous = NORMAL")
    return connection


def prepare(folder: Path) -> Path:
    """Make the database unless it is there, and return its path; a half-made one is never left."""
    path = folder / f"shop-{VERSION}.sqlite"
    if not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        draft = folder / f"shop-{VERSION}.{os.getpid()}.draft"
        draft.unlink(missing_ok=True)
        _fill(draft)
        draft.rename(path)
    return path


def _fill(path: Path) -> None:
    chance = random.Random(20)  # noqa: S311  a catalog, not a secret
    connection = sqlite3.connect(path)
    connection.executescript(f"PRAGMA journal_mode = OFF; PRAGMA page_size = 4096; {_TABLES}")
    phrases = _phrases(chance)
    connection.executemany("INSERT INTO product VALUES (?, ?, ?, ?, ?)", _products(chance, phrases))
    connection.executemany("INSERT INTO review VALUES (?, ?, ?, ?, ?, ?)", _reviews(chance, phrases))
    connection.executemany(
        "INSERT INTO stock VALUES (?, ?, ?)",
        ((p, place, 100) for p in range(PRODUCTS) for place in range(PLACES)),
    )
    connection.executescript(_INDEXES)
    connection.commit()
    connection.execute("PRAGMA journal_mode = WAL")
    connection.close()


def _phrases(chance: random.Random) -> list[str]:
    """What people write: a few words that go together, so that text repeats itself as text does."""
    words = ["".join(chance.choices("abcdefghilmnoprstuv", k=chance.randint(2, 9))) for _ in range(3000)]
    return [" ".join(chance.choices(words, k=chance.randint(2, 5))) for _ in range(1500)]


def _products(chance: random.Random, phrases: list[str]) -> Iterator[tuple[object, ...]]:
    for number in range(PRODUCTS):
        name = chance.choice(phrases).title()
        about = ", ".join(chance.choices(phrases, k=80))
        yield number, name, CATEGORIES[number % len(CATEGORIES)], chance.randint(100, 90_000), about


def _reviews(chance: random.Random, phrases: list[str]) -> Iterator[tuple[object, ...]]:
    for number in range(REVIEWS):
        body = ", ".join(chance.choices(phrases, k=10))
        product, stars = chance.randrange(PRODUCTS), chance.randint(1, 5)
        yield number, product, stars, chance.randint(0, 999), chance.randint(1, 900), body
