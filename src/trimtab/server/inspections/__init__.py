"""The API of inspections: the original's routes, and what is new beside them."""

from trimtab.server.inspections.desk import Desk
from trimtab.server.inspections.following import Follower
from trimtab.server.inspections.library import Library

__all__ = ["Desk", "Follower", "Library"]
