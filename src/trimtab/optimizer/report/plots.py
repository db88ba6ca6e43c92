"""The plots of a report, described by Altair and drawn to SVG without a browser.

Colours are placeholders that the page's style sheet replaces, so that one drawing serves light and dark.
"""

from collections.abc import Iterator, Sequence
from typing import Any

from trimtab.optimizer.report.model import Report, Trial, same
from trimtab.pages.plot import WIDTH, Plot, counting, drawn, scale, span
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


def _course(report: Report) -> tuple[Any, str]:
    """Each trial's reading in order, the best so far, and the baseline with its spread."""
    import altair as alt

    measured = report.measured
    if not measured:
        return None, ""
    heights = scale([trial.value for trial in measured if trial.value is not None])
    x = alt.X("trial:Q", title="trial", axis=counting(len(report.trials)), scale=span(len(report.trials)))
    y = alt.Y("value:Q", title=_title(report), scale=heights, axis=alt.Axis(tickCount=6))
    points = alt.Chart(alt.Data(values=[_row(report, trial) for trial in measured])).mark_point(
        filled=True, opacity=1
    )
    layers = [
        *_baseline_band(report),
        _best_so_far(report).encode(x=x, y=y),
        points.encode(x=x, y=y, shape=_shape(), color=_color(), size=alt.value(70)),
        *_missing(report),
    ]
    text = f"The objective of {len(measured)} measured trials in the order in which they were run."
    return alt.layer(*layers).properties(width=WIDTH, height=250), text


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


def _color() -> Any:
    import altair as alt

    kinds = alt.Scale(domain=list(_KINDS), range=[color for color, _ in _KINDS.values()])
    return alt.Color("kind:N", scale=kinds, legend=alt.Legend(title=None, orient="top", symbolSize=80))


def _shape() -> Any:
    import altair as alt

    kinds = alt.Scale(domain=list(_KINDS), range=[shape for _, shape in _KINDS.values()])
    return alt.Shape("kind:N", scale=kinds, legend=alt.Legend(title=None, orient="top", symbolSize=80))


def _baseline_band(report: Report) -> Iterator[Any]:
    """The range of the baseline's readings over the whole width, and their mean."""
    import altair as alt

    readings = report.readings(report.baseline)
    if not readings:
        return
    mean = sum(readings) / len(readings)
    data = alt.Data(values=[{"low": min(readings), "high": max(readings), "mean": mean}])
    yield alt.Chart(data).mark_rect(color=BASELINE, opacity=0.13).encode(y="low:Q", y2="high:Q")
    yield alt.Chart(data).mark_rule(color=BASELINE, strokeDash=[5, 4]).encode(y="mean:Q")


def _best_so_far(report: Report) -> Any:
    import altair as alt

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
    return alt.Chart(alt.Data(values=rows)).mark_line(interpolate="step-after", color=BEST, strokeWidth=2)


def _missing(report: Report) -> Iterator[Any]:
    """Trials without a reading: a cross at the foot."""
    import altair as alt

    rows = [{"trial": trial.number + 1} for trial in report.trials if trial.value is None]
    if rows:
        mark = alt.Chart(alt.Data(values=rows)).mark_text(text="✕", color=WARN, fontSize=13)
        yield mark.encode(x="trial:Q", y=alt.value(243))


def _confidence(report: Report) -> tuple[Any, str]:
    """The readings that the comparison stands on, and their means; others, by which the candidate was chosen, hollow."""
    import altair as alt

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
    color = alt.Color("which:N", scale=alt.Scale(domain=list(groups), range=[BASELINE, BEST]), legend=None)
    axis = alt.Axis(labelFontSize=13, domain=False, ticks=False)
    y = alt.Y("which:N", title=None, sort=list(groups), axis=axis)
    x = alt.X("value:Q", title=_title(report), scale=scale([row["value"] for row in rows]))
    data = alt.Chart(alt.Data(values=rows))
    full = data.transform_filter("datum.counted").mark_point(filled=True, size=90, opacity=0.65)
    hollow = data.transform_filter("!datum.counted").mark_point(filled=False, size=80, opacity=0.8)
    centre = alt.Chart(alt.Data(values=means)).mark_tick(thickness=3, size=34)
    layers = [each.encode(x=x, y=y, color=color) for each in (full, hollow, centre)]
    text = (
        f"{len(counted['baseline'])} readings of the baseline, {len(counted['candidate'])} of the candidate."
    )
    return alt.layer(*layers).properties(width=WIDTH - 60, height=110), text


def _groups(report: Report) -> dict[str, list[Trial]]:
    candidate = report.finding.candidate or report.finding.point
    return {"baseline": report.read_at(report.baseline), "candidate": report.read_at(candidate)}


def _counted(trials: Sequence[Trial]) -> list[Trial]:
    """Those that had no part in the choice of the point: the search takes what it was lucky with."""
    fair = [trial for trial in trials if trial.purpose in {"baseline", "verify"}]
    return fair or list(trials)


def _importance(report: Report) -> tuple[Any, str]:
    import altair as alt

    shares = [(name, share) for name, share in report.importance.items() if share >= 0][:20]
    if not shares or not any(share for _, share in shares):
        return None, ""
    rows = [{"name": name, "share": share, "label": f"{share:.0%}"} for name, share in shares]
    y = alt.Y(
        "name:N",
        title=None,
        sort=[name for name, _ in shares],
        axis=alt.Axis(labelLimit=220, domain=False, ticks=False),
    )
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, x=alt.X("share:Q", axis=None))
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=3, height=16)
    labels = base.mark_text(align="left", dx=5, color=INK, fontSize=12).encode(text="label:N")
    text = "; ".join(f"{name} {share:.0%}" for name, share in shares)
    return alt.layer(bars, labels).properties(width=WIDTH - 220, height=26 * len(rows)), text


def _settings(report: Report) -> tuple[Any, str]:
    """For each setting, what was read at each of its values."""
    import altair as alt

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
        alt.hconcat(*panels[at : at + PANELS_PER_ROW], spacing=26)
        for at in range(0, len(panels), PANELS_PER_ROW)
    ]
    return alt.vconcat(*rows, spacing=18), "The objective at the values of each setting that were measured."


def _panel(report: Report, name: str, measured: Sequence[Trial], heights: Any) -> Any:
    import altair as alt

    rows = [
        {"at": trial.point[name], "value": trial.value, "which": _which(report, trial)}
        for trial in measured
        if name in trial.point
    ]
    numeric = all(isinstance(row["at"], int | float) for row in rows)
    unit = report.units.get(name, "")
    title = f"{name} ({unit})" if unit else name
    domain = {"baseline": (BASELINE, "square"), "tried": (MUTED, "circle"), "recommended": (BEST, "diamond")}
    look = {
        "color": alt.Color(
            "which:N",
            scale=alt.Scale(domain=list(domain), range=[c for c, _ in domain.values()]),
            legend=None,
        ),
        "shape": alt.Shape(
            "which:N",
            scale=alt.Scale(domain=list(domain), range=[s for _, s in domain.values()]),
            legend=None,
        ),
    }
    x: Any = (
        alt.X("at:Q", title=title, scale=alt.Scale(zero=False, nice=False, padding=10), axis=_few_ticks(rows))
        if numeric
        else alt.X("at:N", title=title, axis=alt.Axis(labelAngle=0, labelLimit=70))
    )
    y = alt.Y("value:Q", title=None, scale=heights, axis=alt.Axis(tickCount=4))
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=60, opacity=0.85)
    return points.encode(x=x, y=y, **look).properties(width=PANEL, height=130)


def _which(report: Report, trial: Trial) -> str:
    if same(trial.point, report.baseline):
        return "baseline"
    improved = report.finding.verdict == "improved"
    return "recommended" if improved and same(trial.point, report.finding.point) else "tried"


def _few_ticks(rows: Sequence[dict[str, Any]]) -> Any:
    import altair as alt

    whole = all(float(row["at"]).is_integer() for row in rows)
    return alt.Axis(tickCount=5, **({"tickMinStep": 1, "format": "d"} if whole else {}))


def _title(report: Report, limit: int = 40) -> str:
    """The objective, if there is room for it beside an axis."""
    text = report.goal.expression
    return text if len(text) <= limit else "objective"
