"""The report's page: one HTML file with everything in it, and nothing that could run."""

import hashlib
from base64 import b64encode
from functools import cache
from importlib.resources import files
from typing import Any

from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from trimtab.optimizer.report import numbers, words
from trimtab.optimizer.report.model import Change, Report, Trial, named, same
from trimtab.optimizer.report.plots import plots
from trimtab.optimizer.report.svg import COLORS

__all__ = ["render"]

MAX_TRIALS_SHOWN = 500
MAX_METRICS = 5
PLOTS = ("course", "confidence", "importance", "settings")


def render(report: Report) -> str:
    """The page. What comes from outside is escaped; only our own drawings are inserted as they are."""
    drawn: dict[str, Any] = dict.fromkeys(PLOTS)
    drawn |= {name: (Markup(plot.svg), plot.text) for name, plot in plots(report).items()}  # noqa: S704  drawn by us; Vega escapes its texts
    style = _resource("style.css") + _placeholders()
    digest = b64encode(hashlib.sha256(style.encode()).digest()).decode()
    page: str = _template().render(
        report=report,
        plots=drawn,
        style=Markup(style),  # noqa: S704  ours
        policy=f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'",
        trials=report.trials[:MAX_TRIALS_SHOWN],
        metrics=_metrics(report),
        broken=list(words.broken(report)),
        violations=[(trial, each) for trial in report.trials for each in trial.violations],
    )
    return page


@cache
def _template() -> Any:
    environment = Environment(
        autoescape=True, undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True
    )
    environment.filters |= {
        "amount": numbers.amount,
        "number": numbers.number,
        "value": numbers.value,
        "percent": numbers.percent,
        "signed": numbers.signed_percent,
        "duration": numbers.duration,
    }
    environment.globals |= {"words": words, "differences": _differences, "where": _where, "same": same}
    return environment.from_string(_resource("page.html"))


def _resource(name: str) -> str:
    return files("trimtab.optimizer.report").joinpath(name).read_text(encoding="utf-8")


def _placeholders() -> str:
    """Rules that give the drawings the colours of the page."""
    return "".join(
        f'svg [fill="{color}"]{{fill:var(--{name})}}svg [stroke="{color}"]{{stroke:var(--{name})}}'
        for color, name in COLORS.items()
    )


def _differences(report: Report, trial: Trial) -> list[tuple[str, Any]]:
    """The settings of a trial that differ from the baseline; their component is left out if there is but one."""
    alone = len({name.partition(".")[0] for name in report.baseline}) == 1
    return [
        (name.partition(".")[2] if alone else name, each)
        for name, each in trial.point.items()
        if report.baseline.get(name) != each
    ]


def _where(change: Change) -> tuple[float, float] | None:
    """Where the values before and after lie in their range, in percent."""
    low, high = change.least, change.most
    if low is None or high is None or high <= low:
        return None
    places = [
        round(100 * (float(each) - low) / (high - low), 1)
        for each in (change.before, change.after)
        if isinstance(each, int | float)
    ]
    return (places[0], places[1]) if len(places) == 2 else None  # noqa: PLR2004  before and after


def _metrics(report: Report) -> list[str]:
    """The metrics worth a column: those of the objective and the SLOs, as far as they were measured."""
    known = {name for trial in report.trials for name in trial.metrics}
    return named([report.goal.expression, *report.goal.slos], known)[:MAX_METRICS]
