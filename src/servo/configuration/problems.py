"""What pydantic found wrong, said with place and remedy.

The values themselves are never part of a message: any of them may be a secret that stands in the wrong place.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from servo.configuration import environment
from servo.configuration.document import Document
from servo.errors import ConfigurationError

__all__ = ["explain"]

MAX_PROBLEMS = 10
_SHOWN_KEYS = 12

Path = tuple[str | int, ...]


def explain(
    error: ValidationError,
    model: type[BaseModel],
    document: Document,
    sources: Mapping[Path, str] | None = None,
    prefixes: Mapping[Path, str] | None = None,
) -> ConfigurationError:
    """Turn pydantic's error into one that says where in the file, what, and what to do.

    Args:
        error: What pydantic raised.
        model: What was to be validated.
        document: What the values came from.
        sources: The variable that a value came from, by path.
        prefixes: The prefix of the variables of a section, by path.

    Returns:
        The first problem with its place as attributes; the text has a line for each, at most ten.
    """
    problems = [
        _problem(each, model, document, sources or {}, prefixes or {})
        for each in error.errors(include_input=False, include_context=True, include_url=False)
    ]
    problems.sort(key=lambda problem: (problem.line or 0, problem.column or 0))
    first, shown = problems[0], [str(problem) for problem in problems[:MAX_PROBLEMS]]
    if len(problems) > MAX_PROBLEMS:
        shown.append(f"... and {len(problems) - MAX_PROBLEMS} more")
    first.args = ("\n".join(shown),)
    return first


def _problem(
    error: Any,
    model: type[BaseModel],
    document: Document,
    sources: Mapping[Path, str],
    prefixes: Mapping[Path, str],
) -> ConfigurationError:
    loc: Path = tuple(error["loc"])
    position, found = document.locate(loc)
    owner, path = _owner(model, loc)
    field = _dotted(path)
    problem, remedy = _say(error, owner, path, prefixes)
    variable = next((sources[path[:end]] for end in range(len(path), 0, -1) if path[:end] in sources), None)
    if variable is not None and len(found) < len(path):
        return ConfigurationError(
            problem, file=f"environment variable {variable}", field=field, remedy=remedy
        )
    return ConfigurationError(
        problem,
        file=document.file,
        line=position.line,
        column=position.column,
        field=field or None,
        remedy=remedy,
    )


def _say(
    error: Any, owner: type[BaseModel] | None, path: Path, prefixes: Mapping[Path, str]
) -> tuple[str, str | None]:
    kind, message = error["type"], str(error["msg"])
    if kind == "missing":
        return "is required and missing", _how_to_set(owner, path, prefixes)
    if kind == "extra_forbidden":
        return "is no key that is known here", _similar(owner, path)
    if kind in {"value_error", "assertion_error"}:
        text = message.removeprefix("Value error, ").removeprefix("Assertion failed, ")
        problem, _, remedy = text.partition("; ")
        return problem, remedy or _expected(owner, path)
    return message.replace("Input should", "should", 1), _expected(owner, path)


def _how_to_set(owner: type[BaseModel] | None, path: Path, prefixes: Mapping[Path, str]) -> str:
    name = str(path[-1]) if path else ""
    if owner is None or (field := _field_of(owner, name)) is None:
        return "add it"
    prefix = prefixes.get(path[:-1])
    if prefix is None and not _declares_names(owner, field):
        description = _description(owner, name)
        return f"add it ({description})" if description else "add it"
    variables = list(environment.env_names(owner, field, prefix))
    if environment.may_be_file(owner.model_fields[field]):
        variables += [f"{variable}_FILE" for variable in variables]
    return f"add it, or set the environment variable {' or '.join(variables)}"


def _similar(owner: type[BaseModel] | None, path: Path) -> str:
    known = sorted({info.alias or name for name, info in owner.model_fields.items()}) if owner else []
    near = difflib.get_close_matches(str(path[-1]), known, n=1, cutoff=0.6)
    if near:
        return f"did you mean {near[0]!r}?"
    shown = ", ".join(known[:_SHOWN_KEYS]) + (", ..." if len(known) > _SHOWN_KEYS else "")
    return f"remove it, or use one of: {shown}" if known else "remove it"


def _expected(owner: type[BaseModel] | None, path: Path) -> str | None:
    names = [str(step) for step in path if not isinstance(step, int)]
    description = _description(owner, names[-1]) if owner is not None and names else ""
    return f"what belongs here: {description}" if description else "see `servo schema` for what belongs here"


def _description(owner: type[BaseModel], name: str) -> str:
    field = _field_of(owner, name)
    text = owner.model_fields[field].description if field else None
    return (text or "").rstrip(".")


def _owner(model: type[BaseModel], loc: Path) -> tuple[type[BaseModel] | None, Path]:
    """Follow a location through models; return the innermost one that holds its end, and the plain path.

    Steps that are names of models or validators, not keys, are left out of the path.
    """
    owner: type[BaseModel] | None = model
    inside: tuple[type[BaseModel], ...] = (model,)
    path: list[str | int] = []
    for index, step in enumerate(loc):
        holder = next((each for each in inside if _field_of(each, step)), None)
        last = index == len(loc) - 1
        if holder is None and not last and _is_tag(step, inside):
            continue
        if holder is None and last and path and _is_tag(step, inside):
            continue
        path.append(step)
        owner = holder or (inside[0] if inside else owner)
        inside = (
            tuple(_models(holder.model_fields[str(_field_of(holder, step))].annotation)) if holder else inside
        )
    return owner, tuple(path)


def _is_tag(step: str | int, inside: Sequence[type[BaseModel]]) -> bool:
    """Whether a step is pydantic's name of a variant or validator rather than a key."""
    text = str(step)
    return isinstance(step, str) and (
        any(text == each.__name__ for each in inside)
        or "[" in text
        or text in {"bool", "str", "int", "float", "path", "none", "constrained-str"}
    )


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models(argument)


def _field_of(owner: type[BaseModel], key: object) -> str | None:
    for name, info in owner.model_fields.items():
        if key in (name, info.alias):
            return name
    return None


def _declares_names(owner: type[BaseModel], field: str) -> bool:
    extra = owner.model_fields[field].json_schema_extra
    return isinstance(extra, Mapping) and "env_names" in extra


def _dotted(path: Path) -> str:
    text = ""
    for step in path:
        text += f"[{step}]" if isinstance(step, int) else f".{step}" if text else str(step)
    return text
