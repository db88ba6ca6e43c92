"""The plots of a report: the runs in their order, how they are spread, and what they used."""

from collections.abc import Iterator, Sequence
from typing import Any

from trimtab.inspection.report.model import Report, Run
from trimtab.inspection.report.words import measure, unit
from trimtab.inspection.statistics import HardwareGroup
from trimtab.pages.chart import Chart, category, chart, counting, layered, legend, quantity, scale, span
from trimtab.pages.plot import WIDTH, Plot, drawn
from trimtab.pages.svg import ACCENT, BASELINE, BEST, MUTED, WARN

__all__ = ["plots"]

MAX_POINTS = 1000
HISTOGRAM = 20  # runs from which on bars say more than points
MACHINES = 6
_COLORS = (ACCENT, BASELINE, BEST, MUTED)
_MEBI = 1 << 20


def plots(report: Report) -> dict[str, Plot]:
    """All plots that the report's data allow: course, spread, cpu, memory."""
    return drawn(
        {
            "course": _course(report),
            "spread": _spread(report),
            "cpu": _cpu(report),
            "memory": _memory(report),
        }
    )


def _course(report: Report) -> tuple[Chart | None, str]:
    """What each run took, in order; the median with its interval; a cross for each that failed."""
    runs = _some([each for each in report.last if each.value is not None])
    if not runs or report.primary is None:
        return None, ""
    batch = max(each.item for each in report.runs) + 1
    values = [each.value for each in runs if each.value is not None]
    machines = list(dict.fromkeys(each.machine for each in runs))
    points = chart(
        [{"run": each.item + 1, "value": each.value, "machine": each.machine} for each in runs],
        "point",
        {"filled": True, "opacity": 0.85, "size": _size(len(runs))},
        x=quantity("run", title="run", axis=counting(batch), scale=span(batch)),
        y=quantity("value", title=_title(report), scale=scale(values), axis={"tickCount": 6}),
        color=_color(machines),
    )
    text = f"{measure(report.primary)} of {len(runs)} runs in the order in which they were made."
    return layered([*_band(report), points, *_missing(report)], WIDTH, 230), text


def _band(report: Report) -> Iterator[Chart]:
    """The median and its interval over the whole width, where all runs were on one kind of machine."""
    groups, name = report.statistics.groups if report.statistics else (), report.primary or ""
    if len(groups) != 1 or name not in groups[0].measures:
        return
    rows = [_line(groups[0], name)]
    if groups[0].measures[name].summary.interval is not None:
        looks = {"color": BEST, "opacity": 0.13}
        yield chart(rows, "rect", looks, y=quantity("low"), y2={"field": "high"})
    yield chart(rows, "rule", {"color": BEST, "strokeDash": [5, 4]}, y=quantity("median"))


def _missing(report: Report) -> Iterator[Chart]:
    """Runs that are not counted: a cross at the foot."""
    rows = [{"run": each.item + 1} for each in report.last if each.value is None][:MAX_POINTS]
    if rows:
        looks = {"text": "✕", "color": WARN, "fontSize": 13}
        yield chart(rows, "text", looks, x=quantity("run"), y={"value": 223})


def _spread(report: Report) -> tuple[Chart | None, str]:
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


def _histogram(report: Report, runs: Sequence[Run]) -> Chart:
    axis = {"tickCount": 8, "labelOverlap": "greedy", "labelSeparation": 8}
    bars = chart(
        [{"value": each.value} for each in runs],
        "bar",
        {"color": ACCENT, "opacity": 0.8},
        x=quantity("value", bin={"maxbins": 40}, title=_title(report), axis=axis),
        y={
            "aggregate": "count",
            "type": "quantitative",
            "title": "runs",
            "axis": {"tickMinStep": 1, "tickCount": 5},
        },
    )
    assert report.statistics is not None, "there are runs with a value"
    rows = [_line(report.statistics.groups[0], report.primary or "")]
    band = chart(rows, "rect", {"color": BEST, "opacity": 0.2}, x=quantity("low"), x2={"field": "high"})
    line = chart(rows, "rule", {"color": BEST, "strokeWidth": 2}, x=quantity("median"))
    return layered([bars, band, line], WIDTH, 160)


def _strips(report: Report, groups: Sequence[HardwareGroup], runs: Sequence[Run]) -> Chart:
    names = {str(group.hardware): f"machine {place + 1}" for place, group in enumerate(groups)}
    label = dict.fromkeys(names, "runs") if len(groups) == 1 else names
    rows = [
        {"machine": label[each.machine], "value": each.value} for each in _some(runs) if each.machine in label
    ]
    lines = [
        {"machine": label[str(group.hardware)], **_line(group, report.primary or "")} for group in groups
    ]
    axis = {"labelFontSize": 13, "domain": False, "ticks": False}
    y = category("machine", title=None, sort=list(label.values()), axis=axis)
    values = [each.value for each in runs if each.value is not None]
    values += [_line(group, report.primary or "")[end] for group in groups for end in ("low", "high")]
    x = quantity("value", title=_title(report), scale=scale(values), axis={"tickCount": 8})
    points = chart(rows, "point", {"filled": True, "color": ACCENT, "size": 80, "opacity": 0.55}, x=x, y=y)
    interval = chart(
        lines, "rule", {"color": BEST, "strokeWidth": 3}, x=quantity("low"), x2={"field": "high"}, y=y
    )
    middle = chart(lines, "tick", {"color": BEST, "thickness": 3, "size": 34}, x=quantity("median"), y=y)
    return layered([points, interval, middle], WIDTH - 80, 40 + 34 * len(groups))


def _line(group: HardwareGroup, name: str) -> dict[str, float]:
    found = group.measures[name].summary
    low, high = (found.interval.low, found.interval.high) if found.interval else (found.median, found.median)
    return {"median": found.median, "low": low, "high": high}


def _told(group: HardwareGroup, name: str) -> str:
    found = group.measures[name].summary
    return f"{group.hardware}: median {found.median:.4g}, from {found.min:.4g} to {found.max:.4g}"


def _cpu(report: Report) -> tuple[Chart | None, str]:
    """Processor time of each run, that of the kernel apart."""
    runs = _some([each for each in report.last if each.cpu is not None and each.system is not None])
    if not any(each.cpu for each in runs):
        return None, ""
    rows = [
        {"run": each.item + 1, "seconds": seconds, "of": name}
        for each in runs
        for name, seconds in (("script", (each.cpu or 0) - (each.system or 0)), ("kernel", each.system))
    ]
    colors = {"domain": ["script", "kernel"], "range": [ACCENT, BASELINE]}
    color = category("of", scale=colors, legend=legend())
    return _bars(rows, "seconds", "CPU seconds", color=color), f"Processor time of {len(runs)} runs."


def _memory(report: Report) -> tuple[Chart | None, str]:
    """The peak of each run."""
    runs = _some([each for each in report.last if each.memory])
    if not runs:
        return None, ""
    rows = [{"run": each.item + 1, "memory": (each.memory or 0) / _MEBI} for each in runs]
    return _bars(rows, "memory", "peak memory (MiB)"), f"Peak memory of {len(runs)} runs."


def _bars(rows: Sequence[dict[str, Any]], name: str, title: str, **more: Chart) -> Chart:
    last = max(row["run"] for row in rows)
    width = max(1.0, min(36.0, 0.7 * WIDTH / last))
    x = quantity("run", title="run", axis=counting(last), scale=span(last))
    y = quantity(name, title=title, axis={"tickCount": 4})
    bars = chart(rows, "bar", {"color": ACCENT, "size": width}, x=x, y=y, **more)
    return {**bars, "width": WIDTH, "height": 130}


def _color(machines: Sequence[str]) -> Chart:
    if len(machines) < 2 or len(machines) > len(_COLORS):  # noqa: PLR2004  one needs no legend
        return {"value": ACCENT}
    colors = {"domain": list(machines), "range": list(_COLORS[: len(machines)])}
    return category("machine", scale=colors, legend=legend(columns=1, labelLimit=WIDTH))


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
