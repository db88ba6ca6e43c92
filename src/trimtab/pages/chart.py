"""Charts as Vega-Lite describes them: values, which are drawn by `trimtab.pages.svg`.

A library that makes such values from calls takes 0.7 s to import, and the calls are as long as the values.
"""

from collections.abc import Iterable, Mapping, Sequence
from math import log10
from typing import Any, TypeAlias

__all__ = ["Chart", "category", "chart", "counting", "layered", "legend", "quantity", "scale", "span"]

Chart: TypeAlias = dict[str, Any]
"""A specification of Vega-Lite, or a part of one."""

_CROWDED = 30.0


def chart(rows: Iterable[Mapping[str, Any]], mark: str, looks: Mapping[str, Any], **encoding: Any) -> Chart:
    """Marks, one for each row.

    Args:
        rows: What is shown, by column.
        mark: Its kind: `point`, `bar`, `rule`, …
        looks: Its colour, size and so on.
        encoding: What a channel (`x`, `color`, …) shows: made by `quantity` or `category`, `{"value": …}` for the same in all
            rows, `{"field": …}` for the other end of an interval.
    """
    return {"data": {"values": list(rows)}, "mark": {"type": mark, **looks}, "encoding": encoding}


def layered(charts: Iterable[Chart], width: float, height: float) -> Chart:
    """Charts above each other, of so many pixels."""
    return {"layer": list(charts), "width": width, "height": height}


def quantity(column: str, **properties: Any) -> Chart:
    """A channel that shows the numbers of a column."""
    return {"field": column, "type": "quantitative", **properties}


def category(column: str, **properties: Any) -> Chart:
    """A channel that shows the names of a column."""
    return {"field": column, "type": "nominal", **properties}


def legend(**properties: Any) -> Chart:
    """A legend above the chart, without a title."""
    return {"title": None, "orient": "top", "symbolSize": 80, **properties}


def scale(values: Sequence[float]) -> Chart:
    """Linear, unless a few readings would press all others flat against the axis."""
    low, high = min(values), max(values)
    if low > 0 and high / low > _CROWDED:
        return {"type": "log", "nice": log10(high / low) > 1}
    return {"zero": False, "nice": True, "padding": 8}


def counting(count: int) -> Chart:
    """An axis of things that are counted from 1."""
    return {"tickMinStep": 1, "format": "d", "tickCount": min(count, 20), "grid": False}


def span(count: int) -> Chart:
    """The scale of such an axis: all of them, with half a step at either end."""
    return {"domain": [0.5, count + 0.5], "nice": False}
