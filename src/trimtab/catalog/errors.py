"""What can be wrong with the catalog.

CatalogError
├── DatabaseURLError    the URL names no database that can be used
├── UnavailableError    the database does not answer, or is out of space or rights; trying later may help
└── MigrationError      its tables are of a newer Trimtab, or could not be brought up to date
"""

__all__ = ["CatalogError", "DatabaseURLError", "MigrationError", "UnavailableError"]


class CatalogError(RuntimeError):
    """Anything wrong with the catalog. No message holds a password."""


class DatabaseURLError(CatalogError, ValueError):
    """A URL that names no database Trimtab can use."""


class UnavailableError(CatalogError):
    """The database does not answer."""


class MigrationError(CatalogError):
    """The tables are not those of this version, and could not be made so."""
