"""The plots of a campaign's report: the course, the ranking, what is beaten by none, and which packages matter."""

from collections.abc import Sequence

import numpy as np

from trimtab.pages.chart import Chart, category, chart, counting, layered, quantity, scale, span
from trimtab.pages.plot import WIDTH, Plot, drawn
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
    return drawn(
        {
            "course": _course(answers),
            "ranking": _ranking(answers),
            "front": _front(answers),
            "importance": _importance(answers),
        }
    )


def _course(answers: Answers) -> tuple[Chart | None, str]:
    """The median of each stack in the order in which they were tried; failures at the foot."""
    metric, tried = answers.objective.metric, answers.evidence[:_TRIED]
    rows, failed = [], []
    for number, each in enumerate(tried, 1):
        values = each.figures.get(metric)
        if each.verdict is Verdict.FAIL:
            failed.append({"stack": number})
        elif values:
            rows.append({"stack": number, "value": _scaled(float(np.median(values)), metric)})
    if not rows:
        return None, ""
    x = quantity("stack", title="stack", axis=counting(len(tried)), scale=span(len(tried)))
    y = quantity("value", title=_title(metric), scale=scale([each["value"] for each in rows]))
    looks = {"filled": True, "size": 50, "color": ACCENT, "opacity": 0.85}
    layers = [chart(rows, "point", looks, x=x, y=y)]
    if failed:
        crosses = {"text": "✕", "color": WARN, "fontSize": 12}
        layers.append(chart(failed, "text", crosses, x=quantity("stack"), y={"value": 213}))
    text = f"{len(rows)} stacks that passed, with their figure; {len(failed)} that failed, as crosses."
    return layered(layers, WIDTH, 220), text


def _ranking(answers: Answers) -> tuple[Chart | None, str]:
    found = next((each for each in answers.best if each.verdict != "not enough runs"), None)
    if found is None:
        return None, ""
    metric = answers.objective.metric
    ranked = found.ranking[:_RANKED]
    rows = [
        {
            "name": each.evidence.stack.digest[:_DIGEST],
            "value": _scaled(each.estimate, metric),
            "low": _scaled(each.low, metric),
            "high": _scaled(each.high, metric),
            "kind": _kind(found, at, answers.baseline),
        }
        for at, each in enumerate(ranked)
    ]
    kinds = {"among the first": BEST, "baseline": BASELINE, "other": MUTED}
    color = category("kind", scale={"domain": list(kinds), "range": list(kinds.values())}, legend=None)
    axis = {"labelLimit": 140, "domain": False, "ticks": False}
    y = category("name", title=None, sort=[each["name"] for each in rows], axis=axis)
    bounds = scale([_scaled(value, metric) for each in ranked for value in (each.low, each.high)])
    x = quantity("low", title=_title(metric), scale=bounds)
    rule, dot = {"strokeWidth": 3, "opacity": 0.5}, {"filled": True, "size": 80, "opacity": 1}
    bars = chart(rows, "rule", rule, x=x, x2={"field": "high"}, y=y, color=color)
    points = chart(rows, "point", dot, x=quantity("value", scale=bounds), y=y, color=color)
    text = f"The first {len(rows)} of {len(found.ranking)} stacks with their intervals at 95 %."
    return layered([bars, points], WIDTH - 160, 22 * len(rows)), text


def _kind(found: Best, at: int, baseline: str | None) -> str:
    if found.ranking[at].evidence.stack.digest == baseline:
        return "baseline"
    return "among the first" if found.verdict != "no difference shown" and at < found.first else "other"


def _front(answers: Answers) -> tuple[Chart | None, str]:
    """Two of the metrics against each other: time and memory, or what there is."""
    front = max(answers.fronts, key=lambda each: len(each.points), default=None)
    if front is None or len(front.metrics) < 2 or len(front.points) < 2:  # noqa: PLR2004 - two axes, two points
        return None, ""
    across, up = _axes(front)
    places = [(_scaled(each.figures[across], across), _scaled(each.figures[up], up)) for each in front.points]
    rows = [
        {"x": x, "y": y, "kind": "best" if each.optimal else "other"}
        for (x, y), each in zip(places, front.points, strict=True)
    ]
    kinds = {"domain": ["best", "other"], "range": [BEST, MUTED]}
    points = chart(
        rows,
        "point",
        {"filled": True, "size": 70, "opacity": 0.85},
        x=quantity("x", title=_title(across), scale=scale([x for x, _ in places])),
        y=quantity("y", title=_title(up), scale=scale([y for _, y in places])),
        color=category("kind", scale=kinds, legend=None),
    )
    text = f"{across} and {up} of {len(rows)} stacks; {len(front.optimal)} are beaten by none."
    return layered([points], WIDTH, 260), text


def _axes(front: Front) -> tuple[str, str]:
    wished = [name for name in ("duration", "memory", "size") if name in front.metrics]
    return wished[0], wished[1]


def _importance(answers: Answers) -> tuple[Chart | None, str]:
    found = answers.importance
    if found is None:
        return None, ""
    shares = list(found.shares.items())[:_BARS]
    rows = [
        {"name": name, "share": share, "label": f"{share:.0%}" if share else "noise"}
        for name, share in shares
    ]
    axis = {"labelLimit": 220, "domain": False, "ticks": False}
    y = category("name", title=None, sort=[name for name, _ in shares], axis=axis)
    most = max([found.floor, *(share for _, share in shares)]) * 1.15
    x = quantity("share", axis=None, scale={"domain": [0, most]})
    bars = chart(rows, "bar", {"color": ACCENT, "cornerRadiusEnd": 3, "height": 16}, x=x, y=y)
    label = {"align": "left", "dx": 5, "color": INK, "fontSize": 12}
    labels = chart(rows, "text", label, x=x, y=y, text={"field": "label", "type": "nominal"})
    floor = chart([{"share": found.floor}], "rule", {"color": BASELINE, "strokeDash": [5, 4]}, x=x)
    return layered([bars, floor, labels], WIDTH - 220, 26 * len(rows)), _shares_text(shares, found.floor)


def _shares_text(shares: Sequence[tuple[str, float]], floor: float) -> str:
    named = "; ".join(f"{name} {share:.0%}" for name, share in shares if share)
    return f"{named or 'no package'}; what is below {floor:.0%} is noise"


def _scaled(value: float, metric: str) -> float:
    return value / _MIB if UNITS.get(metric) == "bytes" else value


def _title(metric: str) -> str:
    unit = UNITS.get(metric, "")
    return f"{metric[:40]} ({'MiB' if unit == 'bytes' else unit})" if unit else metric[:40]
