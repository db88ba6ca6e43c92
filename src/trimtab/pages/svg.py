"""From a chart to an SVG that may stand in a page beside others."""

import json
import re
from typing import Any

from trimtab.pages.chart import Chart

__all__ = ["ACCENT", "BASELINE", "BEST", "COLORS", "FAINT", "INK", "MUTED", "WARN", "draw"]

# Placeholders, one for each meaning. Nothing else may have these colours.
INK, MUTED, FAINT = "#010203", "#040506", "#070809"
BASELINE, ACCENT, BEST, WARN = "#0a0b0c", "#0d0e0f", "#101112", "#131415"
COLORS = {
    INK: "ink",
    MUTED: "muted",
    FAINT: "faint",
    BASELINE: "baseline",
    ACCENT: "accent",
    BEST: "best",
    WARN: "warn",
}
"""Placeholder to the name of a CSS variable."""

MARGIN = 24
"""Room at both sides: texts are measured with another font than the reader's."""

_FONT = "system-ui, sans-serif"
_CONFIG: dict[str, Any] = {
    "background": "transparent",
    "font": _FONT,
    "view": {"stroke": None},
    "axis": {
        "labelColor": MUTED,
        "titleColor": INK,
        "domainColor": FAINT,
        "tickColor": FAINT,
        "gridColor": FAINT,
        "labelFontSize": 11,
        "titleFontSize": 12,
        "titleFontWeight": "normal",
        "titlePadding": 8,
    },
    "legend": {"labelColor": INK, "labelFontSize": 12, "symbolStrokeWidth": 0, "columnPadding": 18},
}
_ID = re.compile(r'\b(id="|url\(#|href="#)([\w-]+)')
_OPENING = re.compile(r"^<svg\b[^>]*>")
_SIZE = re.compile(r'\b(width|height)="([\d.]+)(?:px)?"')


def draw(chart: Chart, name: str) -> str:
    """Draw a chart.

    Args:
        chart: What is shown.
        name: Unique in the page; ids in the drawing begin with it.

    Returns:
        An `<svg>` element that scales with the page; the page's style sheet replaces the placeholders.
    """
    import vl_convert

    svg = vl_convert.vegalite_to_svg(json.dumps({**chart, "config": _CONFIG}), vl_version="6.4")
    return _named(_scalable(svg), name)


def _scalable(svg: str) -> str:
    """The drawing without a size of its own: as wide as there is room, at most as it was drawn."""
    opening = _OPENING.match(svg)
    assert opening is not None, "the drawing is no SVG element"
    size = {key: float(value) for key, value in _SIZE.findall(opening[0])}
    width, height = size.get("width", 800.0), size.get("height", 300.0)
    tag = (
        '<svg xmlns="http://www.w3.org/2000/svg" role="presentation" '
        f'viewBox="{-MARGIN} 0 {width + 2 * MARGIN:g} {height:g}" width="{width + 2 * MARGIN:g}">'
    )
    return tag + svg[opening.end() :]


def _named(svg: str, name: str) -> str:
    return _ID.sub(lambda match: f"{match[1]}{name}-{match[2]}", svg)
