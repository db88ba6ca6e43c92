"""The plots of a report, described by Altair and drawn to SVG without a browser."""

from collections.abc import Sequence
from typing import Any

from trimtab.pages.plot import WIDTH, Plot, counting, drawn, scale, span, unchecked
from trimtab.pages.svg import ACCENT, BASELINE, BEST, INK, MUTED, WARN
from trimtab.stacks.answers.document import Answers
from trimtab.stacks.answers.front import Front
from trimtab.stacks.answers.ranking import Best
from trimtab.stacks.proposal import Verdict
from trimtab.stacks.report.words import UNITS

__all__ = ["plots"]

_RANKED, _BARS, _TRIED = 20, 20, 1000
_DIGEST = 12
_MIB = 2**20


def plots(answers: Answers) -> dict[str, Plot]:
    """All plots that the answers allow."""
    with unchecked():
        return drawn(
            {
                "course": _course(answers),
                "ranking": _ranking(answers),
                "front": _front(answers),
                "importance": _importance(answers),
            }
        )


def _course(answers: Answers) -> tuple[Any, str]:
    """The median of each stack in the order in which they were tried; failures at the foot."""
    import altair as alt
    import numpy as np

    tried = answers.evidence[:_TRIED]
    rows, failed = [], []
    for number, each in enumerate(tried, 1):
        values = each.figures.get(answers.objective.metric)
        if each.verdict is Verdict.FAIL:
            failed.append({"stack": number})
        elif values:
            rows.append(
                {"stack": number, "value": _scaled(float(np.median(values)), answers.objective.metric)}
            )
    if not rows:
        return None, ""
    x = alt.X("stack:Q", title="stack", axis=counting(len(tried)), scale=span(len(tried)))
    y = alt.Y(
        "value:Q", title=_title(answers.objective.metric), scale=scale([each["value"] for each in rows])
    )
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=50, color=ACCENT, opacity=0.85)
    layers = [points.encode(x=x, y=y)]
    if failed:
        crosses = alt.Chart(alt.Data(values=failed)).mark_text(text="✕", color=WARN, fontSize=12)
        layers.append(crosses.encode(x="stack:Q", y=alt.value(213)))
    text = f"{len(rows)} stacks that passed, with their figure; {len(failed)} that failed, as crosses."
    return alt.layer(*layers).properties(width=WIDTH, height=220), text


def _ranking(answers: Answers) -> tuple[Any, str]:
    import altair as alt

    found = next((each for each in answers.best if each.verdict != "not enough runs"), None)
    if found is None:
        return None, ""
    metric = answers.objective.metric
    rows = [
        {
            "name": each.evidence.stack.digest[:_DIGEST],
            "value": _scaled(each.estimate, metric),
            "low": _scaled(each.low, metric),
            "high": _scaled(each.high, metric),
            "kind": _kind(found, at, answers.baseline),
        }
        for at, each in enumerate(found.ranking[:_RANKED])
    ]
    kinds = {"among the first": BEST, "baseline": BASELINE, "other": MUTED}
    color = alt.Color("kind:N", scale=alt.Scale(domain=list(kinds), range=list(kinds.values())), legend=None)
    names = [each["name"] for each in rows]
    y = alt.Y("name:N", title=None, sort=names, axis=alt.Axis(labelLimit=140, domain=False, ticks=False))
    bounds = scale([value for each in rows for value in (each["low"], each["high"])])  # type: ignore[misc] # numbers
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, color=color)
    x = alt.X("low:Q", title=_title(metric), scale=bounds)
    bars = base.mark_rule(strokeWidth=3, opacity=0.5).encode(x=x, x2="high:Q")
    points = base.mark_point(filled=True, size=80, opacity=1).encode(x=alt.X("value:Q", scale=bounds))
    text = f"The first {len(rows)} of {len(found.ranking)} stacks with their intervals at 95 %."
    return alt.layer(bars, points).properties(width=WIDTH - 160, height=22 * len(rows)), text


def _kind(found: Best, at: int, baseline: str | None) -> str:
    if found.ranking[at].evidence.stack.digest == baseline:
        return "baseline"
    return "among the first" if found.verdict != "no difference shown" and at < found.first else "other"


def _front(answers: Answers) -> tuple[Any, str]:
    """Two of the metrics against each other: time and memory, or what there is."""
    import altair as alt

    front = max(answers.fronts, key=lambda each: len(each.points), default=None)
    if front is None or len(front.metrics) < 2 or len(front.points) < 2:  # noqa: PLR2004 - two axes, two points
        return None, ""
    across, up = _axes(front)
    rows = [
        {"x": _scaled(each.figures[across], across), "y": _scaled(each.figures[up], up), "kind": "best" if each.optimal else "other"}
        for each in front.points
    ]  # fmt: skip
    kinds = alt.Scale(domain=["best", "other"], range=[BEST, MUTED])
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, size=70, opacity=0.85)
    chart = points.encode(
        x=alt.X("x:Q", title=_title(across), scale=scale([each["x"] for each in rows])),  # type: ignore[misc] # numbers
        y=alt.Y("y:Q", title=_title(up), scale=scale([each["y"] for each in rows])),  # type: ignore[misc] # numbers
        color=alt.Color("kind:N", scale=kinds, legend=None),
    )
    text = f"{across} and {up} of {len(rows)} stacks; {len(front.optimal)} are beaten by none."
    return chart.properties(width=WIDTH, height=260), text


def _axes(front: Front) -> tuple[str, str]:
    wished = [name for name in ("duration", "memory", "size") if name in front.metrics]
    return wished[0], wished[1]


def _importance(answers: Answers) -> tuple[Any, str]:
    import altair as alt

    found = answers.importance
    if found is None:
        return None, ""
    shares = list(found.shares.items())[:_BARS]
    rows = [
        {"name": name, "share": share, "label": f"{share:.0%}" if share else "noise"}
        for name, share in shares
    ]
    axis = alt.Axis(labelLimit=220, domain=False, ticks=False)
    y = alt.Y("name:N", title=None, sort=[name for name, _ in shares], axis=axis)
    most = max([found.floor, *(share for _, share in shares)]) * 1.15
    x = alt.X("share:Q", axis=None, scale=alt.Scale(domain=[0, most]))
    base = alt.Chart(alt.Data(values=rows)).encode(y=y, x=x)
    bars = base.mark_bar(color=ACCENT, cornerRadiusEnd=3, height=16)
    labels = base.mark_text(align="left", dx=5, color=INK, fontSize=12).encode(text="label:N")
    floor = alt.Chart(alt.Data(values=[{"share": found.floor}])).mark_rule(color=BASELINE, strokeDash=[5, 4])
    text = _shares_text(shares, found.floor)
    layers = [bars, floor.encode(x=x), labels]
    return alt.layer(*layers).properties(width=WIDTH - 220, height=26 * len(rows)), text


def _shares_text(shares: Sequence[tuple[str, float]], floor: float) -> str:
    named = "; ".join(f"{name} {share:.0%}" for name, share in shares if share)
    return f"{named or 'no package'}; what is below {floor:.0%} is noise"


def _scaled(value: float, metric: str) -> float:
    return value / _MIB if UNITS.get(metric) == "bytes" else value


def _title(metric: str) -> str:
    unit = UNITS.get(metric, "")
    return f"{metric[:40]} ({'MiB' if unit == 'bytes' else unit})" if unit else metric[:40]
