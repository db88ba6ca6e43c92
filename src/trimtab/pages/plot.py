"""Plots of a page: drawn to SVG without a browser, with what they show in words."""

from collections.abc import Mapping
from dataclasses import dataclass

from trimtab.pages.chart import Chart
from trimtab.pages.svg import draw

__all__ = ["WIDTH", "Plot", "drawn"]

WIDTH = 720
"""Pixels of a plot that is as wide as a page."""


@dataclass(frozen=True, slots=True)
class Plot:
    """A drawing, and what it shows for those who cannot see it."""

    svg: str
    text: str


def drawn(charts: Mapping[str, tuple[Chart | None, str]]) -> dict[str, Plot]:
    """Charts with their texts, as drawings; one that is None is left out."""
    return {
        name: Plot(draw(chart, name), text) for name, (chart, text) in charts.items() if chart is not None
    }
