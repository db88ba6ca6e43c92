"""The API of builds and their analyses: the original's routes, and what is new beside them."""

from trimtab.server.builds.desk import Desk
from trimtab.server.builds.library import Library
from trimtab.server.builds.registrar import Registrar

__all__ = ["Desk", "Library", "Registrar"]
