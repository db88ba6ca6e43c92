"""From a document and the environment to a validated configuration of one servo."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import ValidationError

from servo.configuration import environment
from servo.configuration.base import AbstractBaseConfiguration
from servo.configuration.document import Document
from servo.configuration.optimizers import AppdynamicsOptimizer, OpsaniOptimizer
from servo.configuration.problems import explain
from servo.configuration.servo import BaseServoConfiguration, optimizer_type
from servo.errors import ConfigurationError

__all__ = ["connectors_of", "load"]

PREFIX = "SERVO_"
# What tells one servo from another is never taken from a variable that all of them see.
_IDENTITY = frozenset({"name", "description", "servo_uid"})
_OPTIMIZER_IDENTITY = frozenset({"id", "url", "optimizer_id"})

C = TypeVar("C", bound=BaseServoConfiguration)
Path = tuple[str | int, ...]


def load(
    model: type[C],
    document: Document,
    environ: Mapping[str, str],
    *,
    routes: Mapping[str, type[AbstractBaseConfiguration]],
    alone: bool = True,
) -> C:
    """Validate one document, completed from the environment.

    Args:
        model: The configuration class of the servo, with a field for each route.
        document: What was read.
        environ: The environment.
        routes: The configuration class of each connector's section.
        alone: Whether the file holds only this servo; among several, variables do not fill what tells them apart.

    Raises:
        ConfigurationError: Anything is wrong; the text names file, line, column, field and remedy.
    """
    values, sources, prefixes = _complete(model, document, environ, routes, alone=alone)
    try:
        return model.model_validate(values)
    except ValidationError as error:
        raise explain(error, _with_variant(model, values), document, sources, prefixes) from None


def connectors_of(document: Document, environ: Mapping[str, str]) -> Any:
    """Return what a document, or else ``SERVO_CONNECTORS``, says of connectors; None if neither does."""
    values = _mapping(document)
    if "connectors" in values:
        return values["connectors"]
    return environ.get(PREFIX + "CONNECTORS") or None


def _complete(
    model: type[C],
    document: Document,
    environ: Mapping[str, str],
    routes: Mapping[str, type[AbstractBaseConfiguration]],
    *,
    alone: bool,
) -> tuple[dict[str, Any], dict[Path, str], dict[Path, str]]:
    given = _mapping(document)
    skip = frozenset(routes) | {"optimizer"} | (frozenset() if alone else _IDENTITY)
    filled = environment.fill(model, given, environ, prefix=PREFIX, skip=skip)
    values = filled.values
    prefixes: dict[Path, str] = {(): PREFIX}
    sources: dict[Path, str] = {(name,): variable for name, variable in filled.sources.items()}
    for route, kind in routes.items():
        prefixes[(route,)] = environment.route_prefix(route)
        required = model.model_fields[route].is_required()
        _add(values, sources, route, _section(route, kind, given, environ, required=required))
    _add(values, sources, "optimizer", _optimizer(given, environ, alone=alone))
    if "optimizer" not in values:
        raise _no_optimizer(document, alone=alone)
    return values, sources, prefixes


def _mapping(document: Document) -> dict[str, Any]:
    if document.data is None:
        return {}
    if not isinstance(document.data, dict):
        position, _ = document.locate(())
        raise ConfigurationError(
            "a servo's configuration is a mapping of keys to values",
            file=document.file,
            line=position.line or None,
            column=position.column or None,
            remedy="start with `optimizer:` and `connectors:`",
        )
    return document.data


def _no_optimizer(document: Document, *, alone: bool) -> ConfigurationError:
    position, _ = document.locate(())
    problem = "is required and missing"
    return ConfigurationError(
        problem
        if alone
        else f"{problem}: a multi-servo assembly without an optimizer in each document is not possible",
        file=document.file,
        line=position.line or None,
        column=position.column or None,
        field="optimizer",
        remedy="add `optimizer: {id: organization/name, token: ...}`"
        + (", or set the environment variables OPSANI_OPTIMIZER and OPSANI_TOKEN" if alone else ""),
    )


def _add(
    values: dict[str, Any], sources: dict[Path, str], name: str, section: environment.Filled | Any | None
) -> None:
    if isinstance(section, environment.Filled):
        sources |= {
            (name, field) if field else (name,): variable for field, variable in section.sources.items()
        }
        values[name] = section.values
    elif section is not None:
        values[name] = section


def _section(
    route: str,
    kind: type[AbstractBaseConfiguration],
    given: Mapping[str, Any],
    environ: Mapping[str, str],
    *,
    required: bool,
) -> environment.Filled | Any | None:
    """Return the values of a connector's section, None if nothing mentions it."""
    prefix = environment.route_prefix(route)
    section, whole = given.get(route), prefix.removesuffix("_")
    if section is not None and not isinstance(section, Mapping):
        return section
    base, sources = dict(section or {}), {}
    if whole in environ:
        parsed = environment.parse_json(environ[whole], whole)
        sources = {str(key): whole for key in parsed if key not in base}
        base = {**parsed, **base}
    explicit = dict(section or {})
    own = environment.fill(kind, explicit, environ, prefix=prefix)
    if route not in given and whole not in environ and not (required and own.sources):
        return None
    base |= {key: own.values[key] for key in own.values if key not in explicit}
    return environment.Filled(base, sources | own.sources)


def _optimizer(
    given: Mapping[str, Any], environ: Mapping[str, str], *, alone: bool
) -> environment.Filled | Any | None:
    optimizer, whole = given.get("optimizer"), PREFIX + "OPTIMIZER"
    if optimizer is not None and not isinstance(optimizer, Mapping):
        return optimizer
    base, sources = dict(optimizer or {}), {}
    if not base and whole in environ and alone:
        base = environment.parse_json(environ[whole], whole)
        sources = dict.fromkeys(base, whole)
    kind = _kind(base, environ)
    skip = frozenset() if alone or not base else _OPTIMIZER_IDENTITY
    if not alone and not base:
        return None
    filled = environment.fill(kind, base, environ, skip=skip)
    if not filled.values and "optimizer" not in given:
        return None
    filled.sources = sources | filled.sources
    return filled


def _kind(
    values: Mapping[str, Any], environ: Mapping[str, str]
) -> type[AppdynamicsOptimizer | OpsaniOptimizer]:
    if not values and "APPD_OPTIMIZER_ID" in environ and "OPSANI_OPTIMIZER" not in environ:
        return AppdynamicsOptimizer
    return optimizer_type(values)


def _with_variant(model: type[C], values: Mapping[str, Any]) -> type[C]:
    """Return the model as errors shall see it: with the one kind of optimizer that the keys speak of."""
    from pydantic import create_model

    optimizer = values.get("optimizer")
    kind = optimizer_type(optimizer) if isinstance(optimizer, Mapping) else OpsaniOptimizer
    info = model.model_fields["optimizer"]
    return create_model(model.__name__, __base__=model, optimizer=(kind, info))
