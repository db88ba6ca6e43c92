"""Whether a handler fits its event: signatures compared where the handler is declared, not when it is called.

What a handler takes and returns, ``self`` apart:

==========  ==============================================================================
*on*        the event's parameters; returns what the event returns, or a subclass
*before*    the event's parameters; returns None
*after*     ``results: list[EventResult]``; returns None
==========  ==============================================================================

``**kwargs`` absorbs what a handler does not name. Annotations that are missing, or that name what only a type checker
imports, are believed.
"""

from __future__ import annotations

import inspect
import re
import types
import typing
from collections import ChainMap
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from servo.utilities.strings import join_to_series

_EMPTY = inspect.Parameter.empty
_VARIABLE = (inspect.Parameter.VAR_POSITIONAL, inspect.Parameter.VAR_KEYWORD)
_POSITIONAL_ONLY = inspect.Parameter.POSITIONAL_ONLY
_WORD = re.compile(r"[A-Za-z_]\w*(?![\w.])")
_UNTOLD_WORDS = {"Optional", "Union", "None", "NoneType"}
_CALLERS_SEARCHED = 8


def require_fit(
    function: Callable[..., Any], title: str, expected: inspect.Signature, kwargs: Mapping[str, Any]
) -> None:
    """Make sure that ``function`` can be called as a handler of ``expected``.

    Args:
        function: The handler.
        title: What it is, for the error, e.g. ``event handler "measure"``.
        expected: What it shall take and return.
        kwargs: What it is given beside the event's arguments.

    Raises:
        TypeError: It lacks a parameter, has one too many, or returns something else.
    """
    problem = _problem(resolved(function), expected, kwargs)
    if problem:
        raise TypeError(f"invalid {title}: {problem}")


def resolved(function: Callable[..., Any]) -> inspect.Signature:
    """Return a function's signature, annotations that are strings replaced by what they name.

    Names are looked up in the function's module and in the scopes that were open where it is being declared. What
    is not found there stays a string.
    """
    signature = inspect.signature(function)
    scopes = Scopes(function)
    parameters = [
        parameter.replace(annotation=scopes.evaluate(parameter.annotation))
        for parameter in signature.parameters.values()
    ]
    return signature.replace(
        parameters=parameters, return_annotation=scopes.evaluate(signature.return_annotation)
    )


def require_no_variable_positional(name: str, signature: inspect.Signature) -> None:
    """Reject ``*args``: an event's arguments have names.

    Raises:
        TypeError: It has it.
    """
    if any(parameter.kind is parameter.VAR_POSITIONAL for parameter in signature.parameters.values()):
        raise TypeError(
            f'invalid event "{name}": events cannot declare variable positional arguments (*args)'
        )


def require_only_self(name: str, signature: inspect.Signature) -> None:
    """Reject set-up and tear-down that cannot be called with a connector alone.

    Raises:
        TypeError: It has another parameter without a default.
    """
    missing = [p.name for p in _named(signature).values() if p.default is _EMPTY]
    if missing:
        raise TypeError(
            f'invalid event "{name}": its async generator is called with self alone, '
            f'give "{join_to_series(missing)}" a default'
        )


def same_call(function: Callable[..., Any], signature: inspect.Signature) -> bool:
    """Whether whatever arguments fit ``signature`` can be handed to ``function`` as they are."""
    ours, theirs = list(inspect.signature(function).parameters.values()), list(signature.parameters.values())
    return len(ours) == len(theirs) and all(map(_takes_as_is, ours[1:], theirs[1:]))


def named_arguments(bound: inspect.BoundArguments) -> dict[str, Any]:
    """Return bound arguments by name, without the first, which is ``self``."""
    arguments: dict[str, Any] = {}
    for index, (name, value) in enumerate(bound.arguments.items()):
        if bound.signature.parameters[name].kind is inspect.Parameter.VAR_KEYWORD:
            arguments |= value
        elif index:
            arguments[name] = value
    return arguments


def compatible(actual: Any, expected: Any) -> bool:
    """Whether every value of the annotated type ``actual`` is one of ``expected``, as far as annotations tell."""
    if _unknown(actual) or _unknown(expected) or actual == expected:
        return True
    if isinstance(actual, str) or isinstance(expected, str):
        return _words(actual) == _words(expected)
    expected_members = _members(expected)
    return all(any(_subtype(one, other) for other in expected_members) for one in _members(actual))


class Scopes:
    """Where the names in a function's annotations are looked up."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._globals: dict[str, Any] = getattr(inspect.unwrap(function), "__globals__", {})
        self._locals: Mapping[str, Any] | None = None

    def evaluate(self, annotation: Any) -> Any:
        """Return what a string annotation names, or the annotation as it is."""
        if annotation in {None, "None"}:
            return None
        if annotation is _EMPTY or isinstance(annotation, type):
            return annotation
        for scope in (dict, self._callers):
            # Whatever the annotations that only a type checker reads may raise.
            with suppress(Exception):
                return self._evaluate(annotation, scope())
        return annotation

    def _evaluate(self, annotation: Any, scope: Mapping[str, Any]) -> Any:
        holder = types.SimpleNamespace(__annotations__={"value": annotation})
        return typing.get_type_hints(holder, self._globals, typing.cast("Any", scope))["value"]

    def _callers(self) -> Mapping[str, Any]:
        # A connector declared inside a function refers to names of that function and of its own body, which are
        # nowhere but in the frames that are declaring it.
        if self._locals is None:
            frames = (frame for frame in _frames() if frame.f_globals is self._globals)
            self._locals = ChainMap(*(dict(frame.f_locals) for frame in frames))
        return self._locals


def _problem(found: inspect.Signature, expected: inspect.Signature, kwargs: Mapping[str, Any]) -> str | None:
    shown = f'in callable signature "{found}", expected "{expected}"'
    if not found.parameters:
        return f'missing required parameter "self" {shown}'
    ours, theirs = _named(found), _named(expected)
    absorbs = any(p.kind is p.VAR_KEYWORD for p in found.parameters.values())
    open_ended = any(p.kind is p.VAR_KEYWORD for p in expected.parameters.values())
    for name in theirs if not absorbs else ():
        if name not in ours:
            return f'missing required parameter "{name}" {shown}'
    unexpected = [name for name in ours if name not in theirs and name not in kwargs]
    if unexpected and not open_ended:
        plural = "s" if len(unexpected) > 1 else ""
        return f'encountered unexpected parameter{plural} "{join_to_series(unexpected)}" {shown}'
    for name in ours.keys() & theirs.keys():
        problem = _unlike(ours[name], theirs[name])
        if problem:
            return f'{problem} "{name}" {shown}'
    if not compatible(found.return_annotation, expected.return_annotation):
        returned = inspect.formatannotation(found.return_annotation)
        return f'incompatible return type annotation "{returned}" {shown}'
    return None


def _unlike(ours: inspect.Parameter, theirs: inspect.Parameter) -> str | None:
    if ours.kind is _POSITIONAL_ONLY is not theirs.kind:
        return "positional-only parameter"
    if not _exchangeable(ours.annotation, theirs.annotation):
        return "incompatible type annotation of parameter"
    return None


def _named(signature: inspect.Signature) -> dict[str, inspect.Parameter]:
    parameters = list(signature.parameters.values())[1:]
    return {parameter.name: parameter for parameter in parameters if parameter.kind not in _VARIABLE}


def _takes_as_is(ours: inspect.Parameter, theirs: inspect.Parameter) -> bool:
    required_only_here = ours.default is _EMPTY and theirs.default is not _EMPTY
    return ours.name == theirs.name and ours.kind is theirs.kind and not required_only_here


def _exchangeable(one: Any, other: Any) -> bool:
    # A handler may well take more than the event gives, or leave out that something can be None.
    one, other = _without_none(one), _without_none(other)
    return compatible(one, other) or compatible(other, one)


def _without_none(annotation: Any) -> Any:
    members = [member for member in _members(annotation) if member is not type(None)]
    if len(members) < 2:  # noqa: PLR2004  no union is left
        return members[0] if members else annotation
    return typing.Union[tuple(members)]  # noqa: UP007  members are known at run time only


def _members(annotation: Any) -> tuple[Any, ...]:
    if typing.get_origin(annotation) in {typing.Union, types.UnionType}:
        return typing.get_args(annotation)
    return (type(None) if annotation is None else annotation,)


def _unknown(annotation: Any) -> bool:
    return any(annotation is one for one in (Any, _EMPTY, object)) or isinstance(annotation, typing.TypeVar)


def _subtype(actual: Any, expected: Any) -> bool:
    if _unknown(actual) or _unknown(expected) or actual == expected:
        return True
    try:
        if not issubclass(typing.get_origin(actual) or actual, typing.get_origin(expected) or expected):
            return False
    except TypeError:  # what is no class: Literal, Callable, NewType, ...
        return _words(actual) == _words(expected)
    ours, theirs = typing.get_args(actual), typing.get_args(expected)
    return not ours or not theirs or all(map(compatible, ours, theirs))


def _words(annotation: Any) -> set[str]:
    text = annotation if isinstance(annotation, str) else inspect.formatannotation(annotation)
    words = set(_WORD.findall(text)) - _UNTOLD_WORDS
    return {word.lower() if word in {"List", "Dict", "Set", "Tuple", "Type"} else word for word in words}


def _frames() -> Iterator[types.FrameType]:
    frame = inspect.currentframe()
    while frame is not None and frame.f_globals is globals():
        frame = frame.f_back
    for _ in range(_CALLERS_SEARCHED):
        if frame is None:
            return
        yield frame
        frame = frame.f_back
