"""Decorators that make checks of methods."""

from __future__ import annotations

import inspect
import typing
from collections.abc import Callable, Collection
from typing import Any, cast

from servo import signatures
from servo.types.checks import Check, CheckHandlerResult
from servo.types.metadata import ErrorSeverity
from servo.utilities.strings import join_to_series

__all__ = ["Method", "check", "formatted", "fresh", "multicheck", "require", "warn"]

Method = Callable[..., Any]
Tags = Collection[str]


def check(
    name: str,
    *,
    description: str | None = None,
    id: str | None = None,  # noqa: A002  the original's name
    severity: ErrorSeverity = ErrorSeverity.common,
    tags: Tags | None = None,
) -> Callable[[Method], Method]:
    """Make a check of a method that returns whether it passed, a message, both, or nothing.

    Args:
        name: What is verified, for people. Attributes of the object are filled in: ``"{self.config.url} answers"``.
        description: More about it.
        id: The same for programs; the name of the method by default.
        severity: How grave a failure is.
        tags: By which it can be chosen.

    Raises:
        TypeError: The method takes or returns something else.
    """

    def decorate(function: Method) -> Method:
        _require_check_signature(function)
        spec = Check(
            name=name,
            description=description,
            id=id or function.__name__,
            severity=severity,
            tags=set(tags) if tags is not None else None,
        )
        return _checking(function, spec)

    return decorate


def require(
    name: str,
    *,
    description: str | None = None,
    id: str | None = None,  # noqa: A002  as above
    tags: Tags | None = None,
) -> Callable[[Method], Method]:
    """Make a critical check of a method: unless it passes, those after it are not tried. See :func:`check`."""
    return check(name, description=description, id=id, severity=ErrorSeverity.critical, tags=tags)


def warn(
    name: str,
    *,
    description: str | None = None,
    id: str | None = None,  # noqa: A002  as above
    tags: Tags | None = None,
) -> Callable[[Method], Method]:
    """Make a check of a method that may fail. See :func:`check`."""
    return check(name, description=description, id=id, severity=ErrorSeverity.warning, tags=tags)


def multicheck(
    base_name: str,
    *,
    description: str | None = None,
    severity: ErrorSeverity = ErrorSeverity.common,
    tags: Tags | None = None,
) -> Callable[[Method], Method]:
    """Make a check for each of the items that a method returns together with the code that checks one.

    The n-th, from 0, has the id ``<method>_item_<n>``.

    Args:
        base_name: What is verified, with the item filled in: ``"Series {item.name} exists"``.
        description: More about it.
        severity: How grave a failure is.
        tags: By which they can be chosen.

    Raises:
        TypeError: The method takes something, or is annotated to return something else.
    """

    def decorate(function: Method) -> Method:
        _require_multicheck_signature(function)
        spec = Check(
            name=base_name,
            description=description,
            id=function.__name__,
            severity=severity,
            tags=set(tags) if tags is not None else None,
        )
        function.__multicheck__ = spec  # type: ignore[attr-defined] # read below
        return function

    return decorate


def fresh(spec: Check, name: str) -> Check:
    """Return a check that has not run yet, made as ``spec`` says."""
    return Check(name=name, id=spec.id, description=spec.description, severity=spec.severity, tags=spec.tags)


def formatted(name: str, **values: Any) -> str:
    """Return a name with its placeholders filled in, or as it is if its braces are none."""
    try:
        return name.format(**values)
    except (AttributeError, IndexError, KeyError, ValueError):
        return name


def _checking(function: Method, spec: Check) -> Method:
    """Return the method that runs ``function`` and returns its check."""
    wrapper: Method
    if inspect.iscoroutinefunction(function):

        async def run_check(self: Any) -> Check:
            found = fresh(spec, formatted(spec.name, self=self))
            await found.complete(function, self)
            return found

        wrapper = run_check
    else:

        def run_check_now(self: Any) -> Check:
            found = fresh(spec, formatted(spec.name, self=self))
            found.complete_now(function, self)
            return found

        wrapper = run_check_now
    for attribute in ("__module__", "__name__", "__qualname__", "__doc__"):
        setattr(wrapper, attribute, getattr(function, attribute))
    cast("Any", wrapper).__check__ = spec  # the original's interface
    return wrapper


def _require_check_signature(function: Method) -> None:
    found = signatures.resolved(function)
    _require_no_parameters(function, found)
    annotation = found.return_annotation
    if annotation is not inspect.Signature.empty and not signatures.compatible(
        annotation, CheckHandlerResult
    ):
        raise TypeError(
            f'invalid check handler "{function.__name__}": incompatible return type annotation in signature '
            f'"{found}", expected bool, str, tuple[bool, str], None, or a union of them'
        )


def _require_multicheck_signature(function: Method) -> None:
    found = signatures.resolved(function)
    _require_no_parameters(function, found)
    annotation = found.return_annotation
    is_pair = tuple in {annotation, typing.get_origin(annotation)}
    if not (is_pair or annotation is inspect.Signature.empty or isinstance(annotation, str)):
        raise TypeError(
            f'invalid multicheck handler "{function.__name__}": incompatible return type annotation in signature '
            f'"{found}", expected tuple[Iterable, CheckHandler]'
        )


def _require_no_parameters(function: Method, found: inspect.Signature) -> None:
    variable = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
    unexpected = [p.name for p in list(found.parameters.values())[1:] if p.kind not in variable]
    if unexpected:
        raise TypeError(
            f'invalid check handler "{function.__name__}": unexpected parameter '
            f'"{join_to_series(unexpected)}" in signature "{found}", expected "(self)"'
        )
