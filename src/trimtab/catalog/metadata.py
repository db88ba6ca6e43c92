"""What all tables share: names of constraints, and how a document is a column."""

import json
from typing import Any

from sqlalchemy import Dialect, MetaData, String, Text
from sqlalchemy.types import TypeDecorator, TypeEngine

from trimtab.catalog.values import storable

__all__ = ["Document", "Name", "metadata"]

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)


class Name(TypeDecorator[str]):
    """A name that whoever asks may have made up, compared by its bytes as an object store lists keys.

    PostgreSQL would else go by the language of the database; and what no database can hold it would call an error, where
    there is only nothing of that name.

    Args:
        length: Characters it has at most.
    """

    impl = String
    cache_ok = True

    def __init__(self, length: int) -> None:
        super().__init__(length)
        self.length = length

    def load_dialect_impl(self, dialect: Dialect) -> TypeEngine[Any]:
        """As the database calls it."""
        collation = "C" if dialect.name == "postgresql" else None
        return dialect.type_descriptor(String(self.length, collation=collation))

    def process_bind_param(self, value: str | None, dialect: Dialect) -> str | None:  # noqa: ARG002 # SQLAlchemy's
        """As it is asked for; nothing is called by the empty name."""
        return value if value is None or storable(value) else ""


class Document(TypeDecorator[Any]):
    """A JSON document of others, as ASCII text.

    PostgreSQL's own type refuses what JSON allows and strangers send: the character U+0000, half a surrogate pair.
    """

    impl = Text
    cache_ok = True

    def process_bind_param(self, value: Any, dialect: Dialect) -> str | None:  # noqa: ARG002 # SQLAlchemy's
        """As it is stored."""
        return None if value is None else json.dumps(value, allow_nan=False)

    def process_result_value(self, value: str | None, dialect: Dialect) -> Any:  # noqa: ARG002 # SQLAlchemy's
        """As it was."""
        return None if value is None else json.loads(value)
