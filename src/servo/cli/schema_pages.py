"""A JSON Schema for people: as indented text, and as a page of HTML."""

from __future__ import annotations

import html
import json
from collections.abc import Iterator, Mapping
from typing import Any

DEPTH = 12  # schemas may refer to themselves


def schema_text(schema: Mapping[str, Any]) -> str:
    """Return one line per field: its name, type, default and variables; below it its description and own fields."""
    title = schema.get("title", "Schema")
    return "\n".join([title, "=" * len(title), *_field_lines(schema, schema, 0)])


def schema_html(schema: Mapping[str, Any]) -> str:
    """Return a page of HTML that needs no other file."""
    title = html.escape(str(schema.get("title", "Schema")))
    return (
        f'<!doctype html>\n<html lang="en">\n<head><meta charset="utf-8"><title>{title}</title>\n'
        "<style>body{font:16px/1.5 system-ui,sans-serif;max-width:60rem;margin:2rem auto;padding:0 1rem}"
        "code{background:#eee;padding:0 .2em}dd{margin-bottom:.6em}</style></head>\n"
        f"<body><h1>{title}</h1>\n{''.join(_html_fields(schema, schema, 0))}</body>\n</html>"
    )


def _fields(schema: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any], bool]]:
    required = schema.get("required", ())
    for name, field in schema.get("properties", {}).items():
        yield name, field, name in required


def _field_lines(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[str]:
    indent = "  " * depth
    for name, field, required in _fields(schema):
        yield f"{indent}{name}: {', '.join(_facts(field, root, required=required))}"
        if field.get("description"):
            yield f"{indent}    {' '.join(str(field['description']).split())}"
        nested = _nested(field, root)
        if nested is not None and depth < DEPTH:
            yield from _field_lines(nested, root, depth + 1)


def _html_fields(schema: Mapping[str, Any], root: Mapping[str, Any], depth: int) -> Iterator[str]:
    yield "<dl>\n"
    for name, field, required in _fields(schema):
        facts = html.escape(", ".join(_facts(field, root, required=required)))
        yield f"<dt><code>{html.escape(name)}</code> {facts}</dt>\n"
        yield f"<dd>{html.escape(' '.join(str(field.get('description', '')).split()))}"
        nested = _nested(field, root)
        if nested is not None and depth < DEPTH:
            yield from _html_fields(nested, root, depth + 1)
        yield "</dd>\n"
    yield "</dl>\n"


def _facts(field: Mapping[str, Any], root: Mapping[str, Any], *, required: bool) -> Iterator[str]:
    yield _type(field, root)
    if required:
        yield "required"
    if field.get("default") is not None:
        yield f"default {json.dumps(field['default'], ensure_ascii=False)}"
    if names := field.get("env_names"):
        yield f"env {' or '.join(names)}"


def _type(field: Mapping[str, Any], root: Mapping[str, Any]) -> str:
    field = _resolved(field, root)
    if "enum" in field:
        return " | ".join(json.dumps(value, ensure_ascii=False) for value in field["enum"])
    if "const" in field:
        return json.dumps(field["const"], ensure_ascii=False)
    for key in ("anyOf", "oneOf"):
        if key in field:
            kinds = [_type(variant, root) for variant in field[key] if variant.get("type") != "null"]
            return " | ".join(dict.fromkeys(kinds))
    if field.get("type") == "array":
        return f"list of {_type(field.get('items', {}), root)}"
    return str(field.get("format") or field.get("type") or "anything")


def _nested(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any] | None:
    for variant in (field, *field.get("anyOf", ()), *field.get("allOf", ())):
        resolved = _resolved(variant, root)
        resolved = _resolved(resolved.get("items", resolved), root)
        if "properties" in resolved:
            return resolved
    return None


def _resolved(field: Mapping[str, Any], root: Mapping[str, Any]) -> Mapping[str, Any]:
    for _ in range(DEPTH):
        reference = field.get("$ref") or (field.get("allOf") or [{}])[0].get("$ref")
        if not reference:
            break
        found: Any = root
        for step in str(reference).removeprefix("#/").split("/"):
            found = found.get(step, {})
        field = found
    return field
