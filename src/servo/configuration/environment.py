"""Environment variables as configuration: what the document omits, they fill.

Precedence: a value in the document, else its environment variable, else the default. Values of structured fields
are JSON. A variable reaches one level deep; what is below needs JSON in the variable of the section.
"""

from __future__ import annotations

import json
import types
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from servo.errors import ConfigurationError

__all__ = [
    "MAX_VALUE",
    "Filled",
    "env_names",
    "fill",
    "load_dotenv",
    "may_be_file",
    "parse",
    "parse_json",
    "prefix_of",
    "route_prefix",
]

MAX_VALUE = 256 * 1024
"""How many characters of a variable are parsed as JSON."""

_FILE_SUFFIX = "_FILE"
_MAX_FILE = 64 * 1024


@dataclass(slots=True)
class Filled:
    """Values of one section and the variables that some of them came from.

    Attributes:
        values: By field name.
        sources: The variable's name for each field that a variable filled.
    """

    values: dict[str, Any]
    sources: dict[str, str] = field(default_factory=dict)


def prefix_of(model: type[BaseModel]) -> str:
    """Return the prefix of a model's variables: ``VEGETA_`` for ``VegetaConfiguration``, unless it says otherwise."""
    configured = model.model_config.get("env_prefix")
    if configured is not None:
        return str(configured)
    name = model.__name__.removesuffix("Configuration") or model.__name__
    return f"{_upper_snake(name)}_"


def route_prefix(route: str, parent: str = "SERVO_") -> str:
    """Return the prefix of the variables of a connector's section: ``SERVO_STAGING_PROM_`` for ``staging_prom``."""
    return parent + "".join(character if character.isalnum() else "_" for character in route).upper() + "_"


def env_names(model: type[BaseModel], name: str, prefix: str | None = None) -> tuple[str, ...]:
    """Return the variables a field reads, first the one that wins.

    A field declares its own as ``Field(json_schema_extra={"env_names": [...]})``; they are absolute. All others
    are made of the prefix and the field's name.
    """
    declared = model.model_fields[name].json_schema_extra
    if isinstance(declared, Mapping) and "env_names" in declared:
        names = declared["env_names"]
        return tuple(str(each) for each in names) if isinstance(names, list | tuple) else (str(names),)
    return ((prefix_of(model) if prefix is None else prefix) + name.upper(),)


def fill(
    model: type[BaseModel],
    values: Mapping[str, Any],
    environment: Mapping[str, str],
    *,
    prefix: str | None = None,
    skip: frozenset[str] = frozenset(),
) -> Filled:
    """Add to ``values`` what they omit and the environment has.

    Args:
        model: Whose fields are to be filled.
        values: What is given, by field name or alias.
        environment: Where to look.
        prefix: The variables' prefix if not the model's own.
        skip: Fields that no variable may fill.
    """
    filled = Filled(dict(values))
    for name, info in model.model_fields.items():
        if name in skip or name in values or (info.alias or name) in values:
            continue
        for variable in env_names(model, name, prefix):
            if (text := _lookup(variable, info, environment)) is not None:
                filled.values[info.alias or name] = parse(text, info)
                filled.sources[name] = variable
                break
    return filled


def parse(text: str, info: FieldInfo) -> Any:
    """Parse a variable's text as its field wants it: JSON for structured fields where it is JSON, else the text."""
    if not is_structured(info.annotation) or len(text) > MAX_VALUE:
        return text
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text


def parse_json(text: str, variable: str) -> dict[str, Any]:
    """Parse a variable that holds a whole section.

    Raises:
        ConfigurationError: It is no JSON object.
    """
    try:
        value = json.loads(text) if len(text) <= MAX_VALUE else None
    except (ValueError, RecursionError):
        value = None
    if not isinstance(value, dict):
        raise ConfigurationError(
            f"the environment variable {variable} is not a JSON object",
            remedy=f"""set it to an object such as {{"key": "value"}}, or its fields as {variable}_<FIELD>""",
        )
    return value


def is_structured(annotation: Any) -> bool:
    """Return whether a field takes more than one plain value."""
    origin = get_origin(annotation)
    if origin is Annotated:
        return is_structured(get_args(annotation)[0])
    if origin in {Union, types.UnionType}:
        return any(is_structured(member) for member in get_args(annotation))
    kind = origin or annotation
    return isinstance(kind, type) and issubclass(
        kind, list | tuple | set | frozenset | dict | BaseModel | Mapping
    )


def load_dotenv(directory: Path | str | None = None) -> Path | None:
    """Load the ``.env`` file found upward from a directory; variables that exist already keep their values.

    Args:
        directory: Where to start; the working directory if None.

    Returns:
        The file that was loaded, or None if there is none.
    """
    import dotenv

    start = Path(directory or Path.cwd()).resolve()
    for folder in (start, *start.parents):
        if (file := folder / ".env").is_file():
            dotenv.load_dotenv(file, override=False)
            return file
    return None


def _lookup(variable: str, info: FieldInfo, environment: Mapping[str, str]) -> str | None:
    """Return a variable's text or, where the field allows it, that of the file which ``<VARIABLE>_FILE`` names."""
    if variable in environment:
        return environment[variable]
    pointer = variable + _FILE_SUFFIX
    if may_be_file(info) and environment.get(pointer):
        return _read_secret(pointer, environment[pointer])
    return None


def may_be_file(info: FieldInfo) -> bool:
    """Return whether the field's value may stand in a file that a variable names, as a mounted secret does."""
    return isinstance(info.json_schema_extra, Mapping) and bool(info.json_schema_extra.get("env_file"))


def _read_secret(variable: str, path: str) -> str:
    try:
        with Path(path).open("rb") as file:
            return file.read(_MAX_FILE).decode().strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is no UTF-8 text"
        raise ConfigurationError(
            f"the file {path!r} named by the environment variable {variable} cannot be read ({reason})",
            remedy=f"check the path, or set {variable.removesuffix(_FILE_SUFFIX)}",
        ) from None


def _upper_snake(name: str) -> str:
    return "".join(_words(name)).upper()


def _words(name: str) -> Iterator[str]:
    for index, character in enumerate(name):
        if (
            index
            and character.isupper()
            and (not name[index - 1].isupper() or name[index + 1 : index + 2].islower())
        ):
            yield "_"
        yield character
