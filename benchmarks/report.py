"""What was measured, as tables for a terminal and for Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

Result = Mapping[str, Any]
"""What a benchmark's ``run`` returns."""


def plain(result: Result) -> str:
    """Lay out a result for a terminal."""
    columns, lines = _cells(result["rows"])
    widths = [max(len(line[index]) for line in [columns, *lines]) for index in range(len(columns))]
    table = [
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
        for line in [columns, *lines]
    ]
    verdicts = [f"{aim}: {verdict}" for aim, verdict in _verdicts(result)]
    return "\n".join([f"# {result['name']}", *table, *verdicts])


def markdown(results: Sequence[Result]) -> str:
    """Lay out several results as a page: first each aim and what was measured, then the tables."""
    aims = [[result["name"], *verdict] for result in results for verdict in _verdicts(result)]
    parts = ["# Benchmarks\n", "Written by `make bench`; the JSON files beside this have the same numbers."]
    parts.append(_card(results))
    parts.append(_markdown_table(["benchmark", "aim", "measured"], aims))
    for result in results:
        parts += [f"\n## {result['name']}\n", _markdown_table(*_cells(result["rows"]))]
        if result.get("notes"):
            parts.append(f"\n{result['notes']}")
    return "\n".join(parts) + "\n"


def reached(result: Result) -> bool:
    """Whether all aims of a benchmark were reached."""
    return all(_is_reached(value) for value in result.get("aims", {}).values())


def _verdicts(result: Result) -> list[tuple[str, str]]:
    return [(aim, _verdict(value)) for aim, value in result.get("aims", {}).items()]


def _verdict(value: Any) -> str:
    word = "reached" if _is_reached(value) else "**not reached**"
    return f"{word} ({value['measured']})" if isinstance(value, Mapping) and "measured" in value else word


def _is_reached(value: Any) -> bool:
    return bool(value.get("reached") if isinstance(value, Mapping) else value)


def _card(results: Sequence[Result]) -> str:
    cards = [result["card"] for result in results if "card" in result]
    if not cards:
        return ""
    newest = max(cards, key=lambda card: card["date"])
    return "\n" + "\n".join(f"- {key}: {value}" for key, value in newest.items()) + "\n"


def _cells(rows: Sequence[Mapping[str, Any]]) -> tuple[list[str], list[list[str]]]:
    columns = list(dict.fromkeys(key for row in rows for key in row))
    return columns, [[_cell(row.get(column)) for column in columns] for row in rows]


def _cell(value: Any) -> str:
    if value is None:
        return ""
    return f"{value:.4g}" if isinstance(value, float) else str(value)


def _markdown_table(columns: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    table = [columns, ["---"] * len(columns), *lines]
    return "\n".join("| " + " | ".join(cell.replace("|", "\\|") for cell in line) + " |" for line in table)
