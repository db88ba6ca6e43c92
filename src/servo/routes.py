"""Which connectors a configuration means: identifiers of classes, and routes from keys of a configuration to classes.

An identifier is a connector's default name (``clock``), the name of its class (``ClockConnector``), or the path from
which that is imported (``package.module.ClockConnector``). Nothing is ever evaluated.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterable, Mapping
from importlib import import_module
from typing import Any, TypeAlias

from servo.configuration import BaseServoConfiguration
from servo.connector import BaseConnector, connector_types, validate_name

__all__ = ["RESERVED", "Routes", "default_routes", "find_connector_type", "routes_for"]

Routes: TypeAlias = dict[str, type[BaseConnector]]
"""From the key of a section in a configuration to the class whose configuration it is."""

RESERVED = frozenset({"adjust", "connectors", "control", "measure", "optimization"}) | frozenset(
    BaseServoConfiguration.model_fields
)
"""Names that mean something else at the top of a configuration."""

_PATH = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)+")


def default_routes() -> Routes:
    """Return every connector that is imported under its default name, in the order of the names.

    Of two with the same name, the one that was defined last.
    """
    found = {cls.__default_name__: cls for cls in connector_types() if cls.__routable__}
    return dict(sorted(found.items()))


def routes_for(connectors: Any) -> Routes:
    """Return the routes that the value of ``connectors`` asks for.

    Args:
        connectors: None for all connectors that are imported; identifiers or classes, each at its default name; a
            mapping of names to identifiers or classes; or one of these as JSON, for environment variables.

    Raises:
        ValueError: An identifier names no connector, a name cannot be had, or the value is of no such form.
        TypeError: A class, or what an identifier names, is no connector.
    """
    if isinstance(connectors, str) and connectors.strip():
        connectors = _parse(connectors)
    if connectors is None or connectors == "":
        return default_routes()
    if isinstance(connectors, Mapping):
        return _of_names(connectors)
    if isinstance(connectors, (list, tuple, set, frozenset)):
        return _of_identifiers(connectors)
    raise ValueError(f"Invalid connectors value: {connectors!r}; {_FORMS}")


def find_connector_type(identifier: str) -> type[BaseConnector] | None:
    """Return the connector that an identifier names, importing it if it is a path; None if there is none.

    Raises:
        ValueError: The module of a path fails to be imported.
        TypeError: A path leads to something else.
    """
    for cls in reversed(connector_types()):
        if identifier in {cls.__default_name__, cls.__name__, cls.__qualname__}:
            return cls
    return _imported(identifier) if _PATH.fullmatch(identifier) else None


_FORMS = (
    "expected a list of connectors, a mapping of names to connectors, or nothing for all that are configured"
)


def _parse(text: str) -> Any:
    try:
        value = json.loads(text)
    except (json.JSONDecodeError, RecursionError) as error:
        raise ValueError(f"Invalid connectors value: {text!r} is no JSON ({error}); {_FORMS}") from error
    if isinstance(value, str):
        raise ValueError(f"Invalid connectors value: {text!r} is a single string; {_FORMS}")  # noqa: TRY004  a value
    return value


def _of_identifiers(identifiers: Iterable[Any]) -> Routes:
    routes: Routes = {}
    for identifier in identifiers:
        cls = _connector_type(identifier)
        other = routes.setdefault(cls.__default_name__, cls)
        if other is not cls:
            raise ValueError(
                f'Name "{cls.__default_name__}" is reserved by `{other.__name__}`: '
                f"give `{cls.__name__}` another one in a mapping of names to connectors"
            )
    return routes


def _of_names(names: Mapping[Any, Any]) -> Routes:
    return {name: _named(name, _connector_type(identifier)) for name, identifier in names.items()}


def _named(name: Any, cls: type[BaseConnector]) -> type[BaseConnector]:
    try:
        validate_name(name)
    except ValueError as error:
        raise ValueError(f'"{name}" is not a valid connector name: {error}') from error
    if name in RESERVED:
        raise ValueError(f'Name "{name}" is reserved')
    owner = default_routes().get(name)
    if owner is not None and owner.__default_name__ != cls.__default_name__:
        raise ValueError(f'Name "{name}" is reserved by `{owner.__name__}`')
    return cls


def _connector_type(identifier: Any) -> type[BaseConnector]:
    if isinstance(identifier, type):
        return _require_connector(identifier)
    if not isinstance(identifier, str):
        raise ValueError(f"Invalid connectors value: {identifier!r} is neither an identifier nor a class")  # noqa: TRY004  a value
    found = find_connector_type(identifier)
    if found is None:
        raise ValueError(f'no connector found for the identifier "{identifier}"{_why_not(identifier)}')
    return found


def _why_not(identifier: str) -> str:
    if not _PATH.fullmatch(identifier):
        return ""
    module, _, name = identifier.rpartition(".")
    if module in sys.modules:
        return f': the module "{module}" has no "{name}"'
    # Not searched on purpose: whoever can write a file where servo is started would have it run his code.
    return (
        f': there is no module "{module}" on the Python path, to which the working directory does not belong; '
        "if the module lies there, start with `PYTHONPATH=. servo ...`"
    )


def _require_connector(cls: Any) -> type[BaseConnector]:
    if not (isinstance(cls, type) and issubclass(cls, BaseConnector)):
        raise TypeError(f"{getattr(cls, '__name__', cls)} is not a Connector subclass")
    return cls


def _imported(path: str) -> type[BaseConnector] | None:
    module_name, _, class_name = path.rpartition(".")
    try:
        module = import_module(module_name)
    except ModuleNotFoundError as error:
        if error.name is not None and (module_name == error.name or module_name.startswith(f"{error.name}.")):
            return None
        raise ValueError(f'cannot import the connector "{path}": {error}') from error
    except Exception as error:
        raise ValueError(f'cannot import the connector "{path}": {error}') from error
    found = getattr(module, class_name, None)
    return None if found is None else _require_connector(found)
