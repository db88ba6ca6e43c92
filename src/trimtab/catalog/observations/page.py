"""A part of an answer that may be long."""

from dataclasses import dataclass
from typing import Generic, TypeVar

__all__ = ["LIMIT", "Page"]

LIMIT = 100  # of one page

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Page(Generic[T]):
    """Some of what there is.

    Args:
        items: They, in their order.
        total: How many there are in all.
    """

    items: tuple[T, ...]
    total: int
