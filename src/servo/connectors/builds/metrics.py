"""What the agent counts, by the original's names, in the format that Prometheus scrapes."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field

__all__ = ["Metrics"]

LABELS = ("namespace", "kind", "outcome")
MAX_SERIES = 1_000
OTHER = "other"

HELP = {
    "build_watcher_image_submission_total": "Images of submissions, by kind (base, output) and outcome (accepted, cached, rejected, missing).",
    "build_watcher_image_pushed_registry_total": "Images copied to the intermediate registry, by kind and outcome (copied, failed, expired).",
    "build_watcher_build_log_submission_total": "Logs of submissions, by outcome (accepted, cached, rejected, missing).",
    "build_watcher_builds_failed_total": "Builds seen that did not end well, by kind (failed, cancelled, timed_out, error).",
    "build_watcher_builds_total": "Builds, by kind (the source) and outcome (seen, duplicate, submitted, postponed, tombstone).",
    "build_watcher_journal_errors_total": "Times that the journal could not be written.",
    "build_watcher_source_errors_total": "Times that a source could not be read, by kind (the source).",
}
GAUGES = {
    "build_watcher_queue_builds": "Builds that wait.",
    "build_watcher_queue_oldest_seconds": "How long the oldest of them has waited.",
    "build_watcher_source_up": "Whether a source is being read, by kind (the source).",
    "build_watcher_backend_up": "Whether the backend took the last request.",
}


@dataclass
class Metrics:
    """The counters of one agent, and what is asked when they are scraped.

    Attributes:
        counters: By name and labels. Of each name there are at most 1000 series; further ones are counted as ``other``.
        gauges: By name: what tells values by kind.
    """

    counters: dict[str, Counter[tuple[str, str, str]]] = field(
        default_factory=lambda: {name: Counter() for name in HELP}
    )
    gauges: dict[str, Callable[[], Mapping[str, float]]] = field(default_factory=dict)

    def count(
        self, name: str, kind: str = "", outcome: str = "", *, namespace: str | None = None, by: int = 1
    ) -> None:
        """Count something."""
        series = self.counters[name]
        labels = (namespace or "", kind, outcome)
        if labels not in series and len(series) >= MAX_SERIES:
            labels = (OTHER, OTHER, outcome)
        series[labels] += by

    def total(self, name: str, kind: str | None = None, outcome: str | None = None) -> int:
        """Return a sum, over all namespaces."""
        series = self.counters[name].items()
        return sum(value for (_, k, o), value in series if kind in {None, k} and outcome in {None, o})

    def text(self) -> str:
        """Return all of it as a page."""
        return "\n".join([*self._lines(), ""])

    def _lines(self) -> Iterator[str]:
        for name, series in self.counters.items():
            yield f"# HELP {name} {HELP[name]}"
            yield f"# TYPE {name} counter"
            for labels, value in sorted(series.items()):
                pairs = ",".join(
                    f'{key}="{_escaped(each)}"' for key, each in zip(LABELS, labels, strict=True)
                )
                yield f"{name}{{{pairs}}} {value}"
        for name, ask in self.gauges.items():
            yield f"# HELP {name} {GAUGES[name]}"
            yield f"# TYPE {name} gauge"
            for kind, level in sorted(ask().items()):
                yield f'{name}{{kind="{_escaped(kind)}"}} {level:g}' if kind else f"{name} {level:g}"


def _escaped(text: str) -> str:
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")
