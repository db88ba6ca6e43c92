"""Objects that belong to another object but are none of its fields."""

import weakref
from typing import Any, Protocol, runtime_checkable

__all__ = ["Associative", "Mixin"]

_REQUIRED: Any = object()
# By identity, for a model need not have a hash; an entry goes when its owner does.
_associations: dict[int, dict[str, Any]] = {}


@runtime_checkable
class Associative(Protocol):
    """Something that other objects can be associated with."""

    def _set_association(self, name: str, obj: Any) -> None: ...

    def _get_association(self, name: str, default: Any = ...) -> Any: ...

    @property
    def _associations(self) -> dict[str, Any]: ...


class Mixin:
    """Gives objects of a class associations, by name. They are kept outside of the object."""

    def _set_association(self, name: str, obj: Any) -> None:
        """Associate ``obj`` under a name."""
        self._associations[name] = obj

    def _get_association(self, name: str, default: Any = _REQUIRED) -> Any:
        """Return what is associated under a name.

        Raises:
            KeyError: If nothing is and there is no default.
        """
        if default is _REQUIRED:
            return self._associations[name]
        return self._associations.get(name, default)

    @property
    def _associations(self) -> dict[str, Any]:
        """All associations."""
        if id(self) not in _associations:
            _associations[id(self)] = {}
            weakref.finalize(self, _associations.pop, id(self), None)
        return _associations[id(self)]
