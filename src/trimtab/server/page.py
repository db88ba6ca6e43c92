"""The description of the API as a page for people: plain HTML, no script, nothing from elsewhere."""

from functools import cache
from typing import Any

from jinja2 import Environment

__all__ = ["page"]

TEMPLATE = """<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{{ info.title }} {{ info.version }}</title>
<style>
  :root { color-scheme: light dark; --line: #8884; --quiet: #888; }
  body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem; }
  h2 { margin-top: 2.5rem; text-transform: capitalize; }
  details { border-top: 1px solid var(--line); padding: .5rem 0; }
  summary { cursor: pointer; overflow-wrap: anywhere; }
  code, pre { font: 14px/1.5 ui-monospace, monospace; }
  pre { overflow-x: auto; padding: .75rem; border: 1px solid var(--line); border-radius: .25rem; }
  b { display: inline-block; min-width: 4.5rem; font: 600 14px ui-monospace, monospace; }
  td, th { text-align: left; padding: .15rem 1.5rem .15rem 0; vertical-align: top; }
  .quiet { color: var(--quiet); }
</style>
<h1>{{ info.title }} <span class="quiet">{{ info.version }}</span></h1>
<p>{{ info.description }} The same for programs: <a href="openapi.json">openapi.json</a>.</p>
{% for tag, operations in groups.items() %}
<h2>{{ tag }}</h2>
{% for each in operations %}
<details>
<summary><b>{{ each.method }}</b> <code>{{ each.path }}</code> <span class="quiet">{{ each.summary }}</span></summary>
<p>{{ each.description }}</p>
{% if each.parameters %}<table>
{% for one in each.parameters %}<tr><td><code>{{ one.name }}</code><td class="quiet">{{ one.in }}
<td>{{ one.description or "" }}{% if one.required %} <span class="quiet">required</span>{% endif %}</tr>
{% endfor %}</table>{% endif %}
<pre>{{ each.example }}</pre>
<table>{% for code, answer in each.responses.items() %}<tr><td><code>{{ code }}</code><td>{{ answer.description }}</tr>{% endfor %}</table>
</details>
{% endfor %}
{% endfor %}
</html>
"""


def page(description: dict[str, Any]) -> str:
    """The page of an OpenAPI description."""
    groups: dict[str, list[dict[str, Any]]] = {}
    for path, operations in description["paths"].items():
        for method, operation in operations.items():
            tag = next(iter(operation.get("tags", ())), "other")
            groups.setdefault(tag, []).append(_operation(description, path, method, operation))
    return str(_template().render(info=description["info"], groups=groups))


def _operation(
    description: dict[str, Any], path: str, method: str, operation: dict[str, Any]
) -> dict[str, Any]:
    body = " -H 'Content-Type: application/json' -d @body.json" if "requestBody" in operation else ""
    asked = "" if method == "get" else f" -X {method.upper()}"
    return {
        "path": path,
        "method": method.upper(),
        "summary": operation.get("description", "").partition(". ")[0].partition("; ")[0].rstrip("."),
        "description": operation.get("description", ""),
        "parameters": [*operation.get("parameters", []), *_fields(description, operation)],
        "responses": operation["responses"],
        "example": f'curl{asked} -H "Authorization: Bearer $TRIMTAB_TOKEN"{body} "$TRIMTAB_SERVER{path}"',
    }


def _fields(description: dict[str, Any], operation: dict[str, Any]) -> list[dict[str, Any]]:
    """Fields of the body, as parameters are shown."""
    content = operation.get("requestBody", {}).get("content", {})
    schema: dict[str, Any] = next((each["schema"] for each in content.values()), {})
    if "$ref" in schema:
        schema = description["components"]["schemas"][schema["$ref"].rpartition("/")[2]]
    required = schema.get("required", ())
    return [
        {"name": name, "in": "body", "description": each.get("description"), "required": name in required}
        for name, each in schema.get("properties", {}).items()
    ]


@cache
def _template() -> Any:
    return Environment(autoescape=True).from_string(TEMPLATE)
