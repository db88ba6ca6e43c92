"""The plots of a report: the runs in their order, how they are spread, and what they used."""

from collections.abc import Iterator, Sequence
from typing import Any

from trimtab.inspection.report.model import Report, Run
from trimtab.inspection.report.words import measure, unit
from trimtab.inspection.statistics import HardwareGroup
from trimtab.pages.plot import WIDTH, Plot, counting, drawn, scale, span, unchecked
from trimtab.pages.svg import ACCENT, BASELINE, BEST, MUTED, WARN

__all__ = ["plots"]

MAX_POINTS = 1000
HISTOGRAM = 20  # runs from which on bars say more than points
MACHINES = 6
_COLORS = (ACCENT, BASELINE, BEST, MUTED)
_MEBI = 1 << 20


def plots(report: Report) -> dict[str, Plot]:
    """All plots that the report's data allow: course, spread, cpu, memory."""
    with unchecked():
        return drawn(
            {
                "course": _course(report),
                "spread": _spread(report),
                "cpu": _cpu(report),
                "memory": _memory(report),
            }
        )


def _course(report: Report) -> tuple[Any, str]:
    """What each run took, in order; the median with its interval; a cross for each that failed."""
    import altair as alt

    runs = _some([each for each in report.last if each.value is not None])
    if not runs or report.primary is None:
        return None, ""
    batch = max(each.item for each in report.runs) + 1
    x = alt.X("run:Q", title="run", axis=counting(batch), scale=span(batch))
    values = [each.value for each in runs if each.value is not None]
    y = alt.Y("value:Q", title=_title(report), scale=scale(values), axis=alt.Axis(tickCount=6))
    machines = list(dict.fromkeys(each.machine for each in runs))
    rows = [{"run": each.item + 1, "value": each.value, "machine": each.machine} for each in runs]
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, opacity=0.85, size=_size(len(rows)))
    layers = [*_band(report), points.encode(x=x, y=y, color=_color(machines)), *_missing(report)]
    text = f"{measure(report.primary)} of {len(runs)} runs in the order in which they were made."
    return alt.layer(*layers).properties(width=WIDTH, height=230), text


def _band(report: Report) -> Iterator[Any]:
    """The median and its interval over the whole width, where all runs were on one kind of machine."""
    import altair as alt

    groups, name = report.statistics.groups if report.statistics else (), report.primary or ""
    if len(groups) != 1 or name not in groups[0].measures:
        return
    found = groups[0].measures[name].summary
    data = alt.Data(values=[_line(groups[0], name)])
    if found.interval is not None:
        yield alt.Chart(data).mark_rect(color=BEST, opacity=0.13).encode(y="low:Q", y2="high:Q")
    yield alt.Chart(data).mark_rule(color=BEST, strokeDash=[5, 4]).encode(y="median:Q")


def _missing(report: Report) -> Iterator[Any]:
    """Runs that are not counted: a cross at the foot."""
    import altair as alt

    rows = [{"run": each.item + 1} for each in report.last if each.value is None][:MAX_POINTS]
    if rows:
        mark = alt.Chart(alt.Data(values=rows)).mark_text(text="✕", color=WARN, fontSize=13)
        yield mark.encode(x="run:Q", y=alt.value(223))


def _spread(report: Report) -> tuple[Any, str]:
    """How the runs are spread, with the median and its interval, for each kind of machine."""
    told = report.statistics.groups[:MACHINES] if report.statistics else ()
    runs = [each for each in report.last if each.value is not None]
    if len(runs) < 2 or report.primary is None:  # noqa: PLR2004  one run has no spread
        return None, ""
    groups = [group for group in told if report.primary in group.measures]
    text = "; ".join(_told(group, report.primary) for group in groups)
    if len(groups) == 1 and len(runs) >= HISTOGRAM:
        return _histogram(report, runs), text
    return _strips(report, groups, runs), text


def _histogram(report: Report, runs: Sequence[Run]) -> Any:
    import altair as alt

    rows = [{"value": each.value} for each in runs]
    axis = alt.Axis(tickCount=8, labelOverlap="greedy", labelSeparation=8)
    x = alt.X("value:Q", bin=alt.Bin(maxbins=40), title=_title(report), axis=axis)
    y = alt.Y("count():Q", title="runs", axis=alt.Axis(tickMinStep=1, tickCount=5))
    bars = alt.Chart(alt.Data(values=rows)).mark_bar(color=ACCENT, opacity=0.8).encode(x=x, y=y)
    assert report.statistics is not None, "there are runs with a value"
    data = alt.Data(values=[_line(report.statistics.groups[0], report.primary or "")])
    band = alt.Chart(data).mark_rect(color=BEST, opacity=0.2).encode(x="low:Q", x2="high:Q")
    line = alt.Chart(data).mark_rule(color=BEST, strokeWidth=2).encode(x="median:Q")
    return alt.layer(bars, band, line).properties(width=WIDTH, height=160)


def _strips(report: Report, groups: Sequence[HardwareGroup], runs: Sequence[Run]) -> Any:
    import altair as alt

    names = {str(group.hardware): f"machine {place + 1}" for place, group in enumerate(groups)}
    alone = len(groups) == 1
    label = dict.fromkeys(names, "runs") if alone else names
    rows = [
        {"machine": label[each.machine], "value": each.value} for each in _some(runs) if each.machine in label
    ]
    lines = [
        {"machine": label[str(group.hardware)], **_line(group, report.primary or "")} for group in groups
    ]
    axis = alt.Axis(labelFontSize=13, domain=False, ticks=False)
    y = alt.Y("machine:N", title=None, sort=list(label.values()), axis=axis)
    values = [each.value for each in runs if each.value is not None]
    values += [_line(group, report.primary or "")[end] for group in groups for end in ("low", "high")]
    x = alt.X("value:Q", title=_title(report), scale=scale(values), axis=alt.Axis(tickCount=8))
    points = alt.Chart(alt.Data(values=rows)).mark_point(filled=True, color=ACCENT, size=80, opacity=0.55)
    data = alt.Chart(alt.Data(values=lines))
    interval = data.mark_rule(color=BEST, strokeWidth=3).encode(x="low:Q", x2="high:Q", y=y)
    middle = data.mark_tick(color=BEST, thickness=3, size=34).encode(x="median:Q", y=y)
    layers = [points.encode(x=x, y=y), interval, middle]
    return alt.layer(*layers).properties(width=WIDTH - 80, height=40 + 34 * len(groups))


def _line(group: HardwareGroup, name: str) -> dict[str, float]:
    found = group.measures[name].summary
    low, high = (found.interval.low, found.interval.high) if found.interval else (found.median, found.median)
    return {"median": found.median, "low": low, "high": high}


def _told(group: HardwareGroup, name: str) -> str:
    found = group.measures[name].summary
    return f"{group.hardware}: median {found.median:.4g}, from {found.min:.4g} to {found.max:.4g}"


def _cpu(report: Report) -> tuple[Any, str]:
    """Processor time of each run, that of the kernel apart."""
    import altair as alt

    runs = _some([each for each in report.last if each.cpu is not None and each.system is not None])
    if not any(each.cpu for each in runs):
        return None, ""
    rows = [
        {"run": each.item + 1, "seconds": seconds, "of": name}
        for each in runs
        for name, seconds in (("script", (each.cpu or 0) - (each.system or 0)), ("kernel", each.system))
    ]
    color = alt.Scale(domain=["script", "kernel"], range=[ACCENT, BASELINE])
    chart = _bars(rows, "seconds", "CPU seconds").encode(
        color=alt.Color("of:N", scale=color, legend=alt.Legend(title=None, orient="top", symbolSize=80))
    )
    return chart.properties(width=WIDTH, height=130), f"Processor time of {len(runs)} runs."


def _memory(report: Report) -> tuple[Any, str]:
    """The peak of each run."""
    runs = _some([each for each in report.last if each.memory])
    if not runs:
        return None, ""
    rows = [{"run": each.item + 1, "memory": (each.memory or 0) / _MEBI} for each in runs]
    chart = _bars(rows, "memory", "peak memory (MiB)").encode()
    return chart.properties(width=WIDTH, height=130), f"Peak memory of {len(runs)} runs."


def _bars(rows: Sequence[dict[str, Any]], name: str, title: str) -> Any:
    import altair as alt

    last = max(row["run"] for row in rows)
    width = max(1.0, min(36.0, 0.7 * WIDTH / last))
    x = alt.X("run:Q", title="run", axis=counting(last), scale=span(last))
    y = alt.Y(f"{name}:Q", title=title, axis=alt.Axis(tickCount=4))
    return alt.Chart(alt.Data(values=list(rows))).mark_bar(color=ACCENT, size=width).encode(x=x, y=y)


def _color(machines: Sequence[str]) -> Any:
    import altair as alt

    if len(machines) < 2 or len(machines) > len(_COLORS):  # noqa: PLR2004  one needs no legend
        return alt.value(ACCENT)
    colors = alt.Scale(domain=list(machines), range=list(_COLORS[: len(machines)]))
    legend = alt.Legend(title=None, orient="top", symbolSize=80, columns=1, labelLimit=WIDTH)
    return alt.Color("machine:N", scale=colors, legend=legend)


def _some(runs: Sequence[Run]) -> list[Run]:
    """At most so many as can be told apart, evenly over all of them."""
    step = -(-len(runs) // MAX_POINTS)
    return list(runs[:: max(1, step)])


def _size(count: int) -> int:
    return 80 if count <= 50 else 40 if count <= 200 else 20  # noqa: PLR2004  so that they do not cover each other


def _title(report: Report) -> str:
    name = report.primary or ""
    unit_ = unit(name)
    text = measure(name).partition(",")[0].lower() if measure(name) != name else name
    text = text if len(text) <= 40 else f"…{text[-39:]}"  # noqa: PLR2004  as much as there is room for
    return f"{text} ({unit_})" if unit_ else text
