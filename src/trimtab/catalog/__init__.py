"""The relational memory: tables, migrations, queries."""

from trimtab.catalog.database import Database
from trimtab.catalog.errors import CatalogError, DatabaseURLError, MigrationError, UnavailableError

__all__ = ["CatalogError", "Database", "DatabaseURLError", "MigrationError", "UnavailableError"]
