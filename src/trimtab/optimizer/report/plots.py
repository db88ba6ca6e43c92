"""The plots of a report.

Colours are placeholders that the page's style sheet replaces, so that one drawing serves light and dark.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from trimtab.optimizer.report.model import Report, Trial, same
from trimtab.pages.chart import Chart, category, chart, counting, layered, legend, quantity, scale, span
from trimtab.pages.plot import WIDTH, Plot, drawn
from trimtab.pages.svg import ACCENT, BASELINE, BEST, INK, MUTED, WARN

__all__ = ["plots"]

PANEL = 205
PANELS_PER_ROW = 3
MAX_PANELS = 12


def plots(report: Report) -> dict[str, Plot]:
    """All plots that the report's data allow: course, confidence, importance, settings."""
    return drawn(
        {
            "course": _course(report),
            "confidence": _confidence(report),
            "importance": _importance(report),
            "settings": _settings(report),
        }
    )


def _course(report: Report) -> tuple[Chart | None, str]:
    """Each trial's reading in order, the best so far, and the baseline with its spread."""
    measured = report.measured
    if not measured:
        return None, ""
    count = len(report.trials)
    heights = scale([trial.value for trial in measured if trial.value is not None])
    x = quantity("trial", title="trial", axis=counting(count), scale=span(count))
    y = quantity("value", title=_title(report), scale=heights, axis={"tickCount": 6})
    best = {"interpolate": "step-after", "color": BEST, "strokeWidth": 2}
    layers = [
        *_baseline_band(report),
        chart(_best_so_far(report), "line", best, x=x, y=y),
        chart(
            [_row(report, trial) for trial in measured],
            "point",
            {"filled": True, "opacity": 1},
            x=x,
            y=y,
            shape=_shape(),
            color=_color(),
            size={"value": 70},
        ),
        *_missing(report),
    ]
    text = f"The objective of {len(measured)} measured trials in the order in which they were run."
    return layered(layers, WIDTH, 250), text


def _row(report: Report, trial: Trial) -> dict[str, Any]:
    return {"trial": trial.number + 1, "value": trial.value, "kind": _kind(report, trial)}


_KINDS = {
    "baseline": (BASELINE, "square"),
    "search": (ACCENT, "circle"),
    "confirmed": (BEST, "diamond"),
    "breaks an SLO": (WARN, "triangle-up"),
}


def _kind(report: Report, trial: Trial) -> str:
    if trial.feasible is False or trial.status == "aborted":
        return "breaks an SLO"
    if same(trial.point, report.baseline):
        return "baseline"
    return "confirmed" if trial.purpose in {"confirm", "verify"} else "search"


def _color() -> Chart:
    kinds = {"domain": list(_KINDS), "range": [color for color, _ in _KINDS.values()]}
    return category("kind", scale=kinds, legend=legend())


def _shape() -> Chart:
    kinds = {"domain": list(_KINDS), "range": [shape for _, shape in _KINDS.values()]}
    return category("kind", scale=kinds, legend=legend())


def _baseline_band(report: Report) -> Iterator[Chart]:
    """The range of the baseline's readings over the whole width, and their mean."""
    readings = report.readings(report.baseline)
    if not readings:
        return
    mean = sum(readings) / len(readings)
    rows = [{"low": min(readings), "high": max(readings), "mean": mean}]
    looks = {"color": BASELINE, "opacity": 0.13}
    yield chart(rows, "rect", looks, y=quantity("low"), y2={"field": "high"})
    yield chart(rows, "rule", {"color": BASELINE, "strokeDash": [5, 4]}, y=quantity("mean"))


def _best_so_far(report: Report) -> list[dict[str, Any]]:
    best: float | None = None
    rows = []
    for trial in report.trials:
        if (
            trial.accepted
            and trial.value is not None
            and (best is None or report.goal.better(trial.value, best))
        ):
            best = trial.value
        if best is not None:
            rows.append({"trial": trial.number + 1, "value": best})
    return rows


def _missing(report: Report) -> Iterator[Chart]:
    """Trials without a reading: a cross at the foot."""
    rows = [{"trial": trial.number + 1} for trial in report.trials if trial.value is None]
    if rows:
        looks = {"text": "✕", "color": WARN, "fontSize": 13}
        yield chart(rows, "text", looks, x=quantity("trial"), y={"value": 243})


def _confidence(report: Report) -> tuple[Chart | None, str]:
    """The readings that the comparison stands on, and their means; others, by which the candidate was chosen, hollow."""
    found = report.finding
    candidate = found.candidate or found.point
    if same(report.baseline, candidate):
        return None, ""
    rows: list[dict[str, Any]] = [
        {"which": name, "value": trial.value, "counted": trial in _counted(trials)}
        for name, trials in _groups(report).items()
        for trial in trials
    ]
    groups = {
        name: [row["value"] for row in rows if row["which"] == name] for name in ("baseline", "candidate")
    }
    if not all(groups.values()):
        return None, ""
    counted = {
        name: [t.value for t in _counted(trials) if t.value is not None]
        for name, trials in _groups(report).items()
    }
    means = [{"which": name, "value": sum(values) / len(values)} for name, values in counted.items()]
    shown = {
        "x": quantity("value", title=_title(report), scale=scale([row["value"] for row in rows])),
        "y": category(
            "which",
            title=None,
            sort=list(groups),
            axis={"labelFontSize": 13, "domain": False, "ticks": False},
        ),
        "color": category("which", scale={"domain": list(groups), "range": [BASELINE, BEST]}, legend=None),
    }
    full = [row for row in rows if row["counted"]]
    hollow = [row for row in rows if not row["counted"]]
    layers = [
        chart(full, "point", {"filled": True, "size": 90, "opacity": 0.65}, **shown),
        chart(hollow, "point", {"filled": False, "size": 80, "opacity": 0.8}, **shown),
        chart(means, "tick", {"thickness": 3, "size": 34}, **shown),
    ]
    text = (
        f"{len(counted['baseline'])} readings of the baseline, {len(counted['candidate'])} of the candidate."
    )
    return layered(layers, WIDTH - 60, 110), text


def _groups(report: Report) -> dict[str, list[Trial]]:
    candidate = report.finding.candidate or report.finding.point
    return {"baseline": report.read_at(report.baseline), "candidate": report.read_at(candidate)}


def _counted(trials: Sequence[Trial]) -> list[Trial]:
    """Those that had no part in the choice of the point: the search takes what it was lucky with."""
    fair = [trial for trial in trials if trial.purpose in {"baseline", "verify"}]
    return fair or list(trials)


def _importance(report: Report) -> tuple[Chart | None, str]:
    shares = [(name, share) for name, share in report.importance.items() if share >= 0][:20]
    if not shares or not any(share for _, share in shares):
        return None, ""
    rows = [{"name": name, "share": share, "label": f"{share:.0%}"} for name, share in shares]
    axis = {"labelLimit": 220, "domain": False, "ticks": False}
    y = category("name", title=None, sort=[name for name, _ in shares], axis=axis)
    x = quantity("share", axis=None)
    bars = chart(rows, "bar", {"color": ACCENT, "cornerRadiusEnd": 3, "height": 16}, x=x, y=y)
    looks = {"align": "left", "dx": 5, "color": INK, "fontSize": 12}
    labels = chart(rows, "text", looks, x=x, y=y, text=category("label"))
    text = "; ".join(f"{name} {share:.0%}" for name, share in shares)
    return layered([bars, labels], WIDTH - 220, 26 * len(rows)), text


def _settings(report: Report) -> tuple[Chart | None, str]:
    """For each setting, what was read at each of its values."""
    measured = [trial for trial in report.measured if trial.status == "ok"]
    free = [
        each.name for each in report.settings if len({trial.point.get(each.name) for trial in measured}) > 1
    ]
    names = sorted(free, key=lambda name: -report.importance.get(name, 0.0))[:MAX_PANELS]
    if len(measured) < 3 or not names:  # noqa: PLR2004  two points are no shape
        return None, ""
    heights = scale([trial.value for trial in measured if trial.value is not None])
    panels = [_panel(report, name, measured, heights) for name in names]
    rows = [
        {"hconcat": panels[at : at + PANELS_PER_ROW], "spacing": 26}
        for at in range(0, len(panels), PANELS_PER_ROW)
    ]
    text = "The objective at the values of each setting that were measured."
    return {"vconcat": rows, "spacing": 18}, text


def _panel(report: Report, name: str, measured: Sequence[Trial], heights: Chart) -> Chart:
    rows = [
        {"at": trial.point[name], "value": trial.value, "which": _which(report, trial)}
        for trial in measured
        if name in trial.point
    ]
    numeric = all(isinstance(row["at"], int | float) for row in rows)
    unit = report.units.get(name, "")
    title = f"{name} ({unit})" if unit else name
    domain = {"baseline": (BASELINE, "square"), "tried": (MUTED, "circle"), "recommended": (BEST, "diamond")}
    colors = {"domain": list(domain), "range": [color for color, _ in domain.values()]}
    shapes = {"domain": list(domain), "range": [shape for _, shape in domain.values()]}
    panel = chart(
        rows,
        "point",
        {"filled": True, "size": 60, "opacity": 0.85},
        x=_numbers(rows, title) if numeric else _names(title),
        y=quantity("value", title=None, scale=heights, axis={"tickCount": 4}),
        color=category("which", scale=colors, legend=None),
        shape=category("which", scale=shapes, legend=None),
    )
    return {**panel, "width": PANEL, "height": 130}


def _numbers(rows: Sequence[dict[str, Any]], title: str) -> Chart:
    """A few ticks, where there are settings to have."""
    whole = all(float(row["at"]).is_integer() for row in rows)
    axis = {"tickCount": 5, **({"tickMinStep": 1, "format": "d"} if whole else {})}
    return quantity("at", title=title, scale={"zero": False, "nice": False, "padding": 10}, axis=axis)


def _names(title: str) -> Chart:
    return category("at", title=title, axis={"labelAngle": 0, "labelLimit": 70})


def _which(report: Report, trial: Trial) -> str:
    if same(trial.point, report.baseline):
        return "baseline"
    improved = report.finding.verdict == "improved"
    return "recommended" if improved and same(trial.point, report.finding.point) else "tried"


def _title(report: Report, limit: int = 40) -> str:
    """The objective, if there is room for it beside an axis."""
    text = report.goal.expression
    return text if len(text) <= limit else "objective"
