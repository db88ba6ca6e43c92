"""Where inspections are kept and worked on."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from trimtab.catalog import Database
from trimtab.settings import Settings
from trimtab.store import Inspections, Store

__all__ = ["Place"]


class Place:
    """The store, the catalog, and the directory of what is under way.

    Args:
        database: The catalog.
        inspections: Those of the store.
        home: Directory of the embedded state.
    """

    def __init__(self, database: Database, inspections: Inspections, home: Path) -> None:
        self.database = database
        self.inspections = inspections
        self.home = home.expanduser().absolute()

    @property
    def work(self) -> Path:
        """What is under way: a directory for each inspection."""
        return self.home / "work"

    @property
    def engines(self) -> Path:
        """What engines keep."""
        return self.home / "engines"

    @property
    def deployment(self) -> str:
        """Whose inspections these are."""
        return self.inspections.deployment or ""

    @classmethod
    @contextmanager
    def open(cls, settings: Settings) -> Iterator[Self]:
        """The place that the settings name.

        Raises:
            StoreError: The store cannot be used.
            CatalogError: The database cannot be used.
        """
        store = Store.open(settings.store)
        database = Database(settings.url)
        try:
            yield cls(database, Inspections(store, settings.deployment), settings.home)
        finally:
            database.close()
