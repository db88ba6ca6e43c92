"""Plots of a page: drawn to SVG without a browser, with what they show in words."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from math import log10
from typing import Any

from trimtab.pages.svg import draw

__all__ = ["WIDTH", "Plot", "counting", "drawn", "scale", "span", "unchecked"]

WIDTH = 720
"""Pixels of a plot that is as wide as a page."""
_CROWDED = 30.0


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing, and what it shows for those who cannot see it."""

    svg: str
    text: str


@contextmanager
def unchecked() -> Iterator[None]:
    """Charts are made without Altair's check of each part against its schema: of ten thousand points that takes half a minute."""
    from altair.utils.schemapi import debug_mode

    with debug_mode(False):
        yield


def drawn(charts: Mapping[str, tuple[Any, str]]) -> dict[str, Plot]:
    """The charts of Altair with their texts, as drawings; a chart that is None is left out."""
    return {
        name: Plot(draw(chart, name), text) for name, (chart, text) in charts.items() if chart is not None
    }


def scale(values: Sequence[float]) -> Any:
    """Linear, unless a few readings would press all others flat against the axis."""
    import altair as alt

    low, high = min(values), max(values)
    if low > 0 and high / low > _CROWDED:
        return alt.Scale(type="log", nice=log10(high / low) > 1)
    return alt.Scale(zero=False, nice=True, padding=8)


def counting(count: int) -> Any:
    """An axis of things that are counted from 1."""
    import altair as alt

    return alt.Axis(tickMinStep=1, format="d", tickCount=min(count, 20), grid=False)


def span(count: int) -> Any:
    """The scale of such an axis: all of them, with half a step at either end."""
    import altair as alt

    return alt.Scale(domain=[0.5, count + 0.5], nice=False)
