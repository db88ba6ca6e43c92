"""Commands about ``servo.yaml``: ``servo config``, ``schema``, ``validate`` and ``generate``."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from servo.cli.context import Context
from servo.cli.failures import fail
from servo.cli.generation import generate, validate
from servo.cli.groups import CLI
from servo.cli.options import choice
from servo.cli.sections import Section

if TYPE_CHECKING:
    from servo.servo import Servo

cli = CLI()

CONFIG_FORMATS = ("yaml", "json", "dict", "text", "configmap")
SCHEMA_FORMATS = ("json", "text", "dict", "html")

OutputFile = Annotated[
    Path | None, typer.Option("-o", "--output", metavar="FILE", help="Write to a file instead")
]


@cli.command(
    section=Section.config,
    examples=(
        "servo config",
        "servo config optimizer.id checks",
        "servo config -f json -o effective.json",
        "servo config -f configmap | kubectl apply -f -",
    ),
)
def config(
    context: Context,
    keys: Annotated[
        list[str] | None,
        typer.Argument(metavar="KEYS", help="Keys to display, dotted or not; by default all"),
    ] = None,
    *,
    form: Annotated[
        str,
        typer.Option("-f", "--format", help="Select output format", **choice(*CONFIG_FORMATS)),
    ] = "yaml",
    output: OutputFile = None,
    show_secrets: Annotated[
        bool, typer.Option("--show-secrets", help="Display secrets, which are masked otherwise")
    ] = False,
) -> None:
    """Display configured settings."""
    servos = context.servos
    if form == "configmap":
        from servo.cli.configmap import configmap

        write("".join(configmap(servo) for servo in servos), output, private=False)
        return
    found = [select(effective(servo, show_secrets=show_secrets), keys) for servo in servos]
    write(_render_all(found, _RENDERERS[form], form), output, private=show_secrets)


def effective(servo: Servo, *, show_secrets: bool) -> dict[str, Any]:
    """Return what was configured, without what is unset or default."""
    plain: dict[str, Any] = servo.config.plain(
        reveal_secrets=show_secrets, exclude_unset=True, exclude_defaults=True, exclude_none=True
    )
    return plain


def select(values: Mapping[str, Any], keys: list[str] | None) -> dict[str, Any]:
    """Return the part of ``values`` at ``keys``, each at its place; a dot goes one level down.

    Raises:
        typer.BadParameter: there is nothing at a key.
    """
    if not keys:
        return dict(values)
    chosen: dict[str, Any] = {}
    for key in keys:
        *above, last = key.split(".")
        source: Any = values
        target = chosen
        for step in above:
            source = _step(source, step, key)
            target = target.setdefault(step, {})
        target[last] = _step(source, last, key)
    return chosen


def _step(source: Any, step: str, key: str) -> Any:
    if not isinstance(source, Mapping) or step not in source:
        there = f" (there are: {', '.join(map(str, source))})" if isinstance(source, Mapping) else ""
        raise typer.BadParameter(f"nothing is configured at '{key}'{there}", param_hint="'KEYS'")
    return source[step]


def _render_all(found: list[dict[str, Any]], render: Callable[[Any], str], form: str) -> str:
    if len(found) == 1:
        return render(found[0])
    # Several servos: as many documents, or one list, so that what is printed can be read back.
    return render(found) if form in {"json", "dict"} else "---\n".join(render(each) for each in found)


def _yaml(values: Any) -> str:
    from servo.configuration import dump_yaml

    return dump_yaml(values, sort_keys=True)


def _json(values: Any) -> str:
    import json

    return json.dumps(values, indent=2, ensure_ascii=False) + "\n"


def _dict(values: Any) -> str:
    import pprint

    return pprint.pformat(values, sort_dicts=False) + "\n"


def _text(values: Any) -> str:
    return "".join(f"{key}: {value}\n" for key, value in sorted(_flat(values, ())))


def _flat(value: Any, path: tuple[str, ...]) -> list[tuple[str, Any]]:
    if isinstance(value, Mapping) and value:
        items = [(str(key), each) for key, each in value.items()]
    elif isinstance(value, list) and value:
        items = [(str(index), each) for index, each in enumerate(value)]
    else:
        return [(".".join(path), value)]
    return [pair for key, each in items for pair in _flat(each, (*path, key))]


_RENDERERS: Mapping[str, Callable[[Any], str]] = {"yaml": _yaml, "json": _json, "dict": _dict, "text": _text}


def write(text: str, output: Path | None, *, private: bool) -> None:
    """Print ``text``, or write it to a file; a file with secrets is readable by its owner only."""
    if output is None:
        typer.echo(text)
        return
    try:
        descriptor = os.open(output, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600 if private else 0o666)
        if private:
            os.fchmod(descriptor, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
            stream.write(text)
    except OSError as error:
        fail(f"cannot write '{output}': {error.strerror}")


@cli.command(
    section=Section.config,
    examples=(
        "servo schema",
        "servo schema wait",
        "servo schema load -f text",
        "servo schema --all -f html -o all.html",
    ),
)
def schema(
    context: Context,
    connector: Annotated[
        str | None, typer.Argument(metavar="CONNECTOR", help="Connector to describe, by default the servo")
    ] = None,
    *,
    every: Annotated[
        bool, typer.Option("-a", "--all", help="Include connectors that are not active")
    ] = False,
    top_level: Annotated[bool, typer.Option("--top-level", help="Display the top-level schema")] = False,
    form: Annotated[
        str,
        typer.Option("-f", "--format", help="Select output format", **choice(*SCHEMA_FORMATS)),
    ] = "json",
    output: OutputFile = None,
) -> None:
    """Display configuration schema."""
    found = _schema_of(context, connector, every=every, top_level=top_level)
    write(_render_schema(found, form), output, private=False)


def _schema_of(context: Context, connector: str | None, *, every: bool, top_level: bool) -> dict[str, Any]:
    if connector is not None:
        from servo.cli.catalogue import find_type

        return _model_schema(find_type(connector).config_model())
    servo = context.servo
    if servo is None:
        names = ", ".join(repr(it.name) for it in context.servos)
        fail(
            f"schema can only be output for a single servo: choose one of {names} with 'servo --name NAME schema'"
        )
    if every or top_level:
        return servo.top_level_schema(all=every)
    return _model_schema(type(servo.config))


def _model_schema(model: Any) -> dict[str, Any]:
    found: dict[str, Any] = model.model_json_schema()
    return found


def _render_schema(found: Mapping[str, Any], form: str) -> str:
    if form == "dict":
        return _dict(dict(found))
    if form == "json":
        return _json(found)
    from servo.cli.schema_pages import schema_html, schema_text

    return (schema_text(found) if form == "text" else schema_html(found)) + "\n"


cli.command(
    section=Section.config,
    examples=(
        "servo validate",
        "servo validate -f other.yaml",
        "servo validate -f servo.yaml web:process load",
    ),
)(validate)
cli.command(
    section=Section.config,
    examples=(
        "servo generate",
        "servo generate process load",
        "servo generate web:process load --defaults --force",
    ),
)(generate)
