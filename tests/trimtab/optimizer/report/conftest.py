"""Documents of sessions, as `trimtab sessions export` writes them."""

import copy

import pytest

BASELINE = {"web.workers": 1, "web.cache": 0.5, "web.ranking": "sort"}
BEST = {"web.workers": 2, "web.cache": 4.0, "web.ranking": "sql"}


def _trial(number, purpose, point, value, **fields):
    known = {
        "number": number,
        "purpose": purpose,
        "point": point,
        "strategy": "gaussian-process",
        "why": "one of the first points",
        "predicted": None,
        "attempts": 1,
        "status": "ok",
        "metrics": {"latency_mean": value, "memory_peak": 9e7},
        "spread": {},
        "reason": None,
        "message": None,
        "seconds": 5.0,
        "started_at": "2026-11-21T08:00:00Z",
        "finished_at": "2026-11-21T08:00:05Z",
        "value": value,
        "feasible": True,
        "violations": [],
    }
    return known | fields


_WORSE = {"web.workers": 4, "web.cache": 8.0, "web.ranking": "heap"}
DOCUMENT = {
    "format": "trimtab-session/1",
    "session": {
        "id": "session-261121080000-0123456789abcdef",
        "application": "local/shop",
        "state": "finished",
        "message": "",
        "spec": {
            "application": "local/shop",
            "goal": {
                "objective": "minimize latency_mean",
                "slos": ["memory_peak <= 300MiB"],
                "prices": {"web.workers": 0.5},
            },
            "budget": {"trials": 8, "seconds": None},
            "control": {"duration": 3.0, "warmup": 1.0, "settlement": 0.0},
            "strategy": "gaussian-process",
            "seed": 0,
            "apply": True,
        },
        "result": {
            "recommendation": {
                "point": BEST,
                "verdict": "improved",
                "value": 4.0,
                "baseline_value": 10.0,
                "improvement": 0.6,
                "interval": [0.5, 0.7],
                "confidence": 0.95,
                "probability": 0.998,
                "n_baseline": 3,
                "n_candidate": 2,
                "candidate": BEST,
                "differences": {},
                "explanation": "The candidate is better.",
            },
            "importance": {"web.workers": 0.2, "web.cache": 0.5, "web.ranking": 0.3},
        },
        "created_at": "2026-11-21T08:00:00Z",
        "updated_at": "2026-11-21T08:01:30Z",
        "finished_at": "2026-11-21T08:01:30Z",
    },
    "description": {
        "application": {
            "components": {
                "web": {
                    "settings": {
                        "workers": {"type": "range", "min": 1, "max": 6, "step": 1, "value": 1},
                        "cache": {
                            "type": "range",
                            "min": 0.5,
                            "max": 16,
                            "step": 0.5,
                            "value": 0.5,
                            "unit": "MiB",
                        },
                        "ranking": {"type": "enum", "values": ["sort", "heap", "sql"], "value": "sort"},
                    }
                }
            }
        },
        "measurement": {"metrics": {"latency_mean": {"unit": "ms"}, "memory_peak": {"unit": "bytes"}}},
    },
    "baseline": BASELINE,
    "trials": [
        _trial(0, "baseline", BASELINE, 10.5),
        _trial(1, "baseline", BASELINE, 9.5),
        _trial(2, "search", BEST, 3.5),
        _trial(
            3, "search", _WORSE, 8.0, feasible=False, violations=["memory_peak is 4e8, but 300MiB is wanted"]
        ),
        _trial(
            4, "search", _WORSE, None, status="rejected", metrics={}, reason="start-failed", message="no room"
        ),
        _trial(5, "verify", BEST, 4.1),
        _trial(6, "verify", BASELINE, 10.0),
        _trial(7, "verify", BEST, 3.9),
    ],
    "commands": [{"step": "adjust", "status": "ok"}, {"step": "finish", "status": "ok"}],
    "timeline": [],
    "machine": {"Processor": "Some CPU", "Cores": "2"},
}


@pytest.fixture
def document():
    """A session that found something better; to be changed at will."""
    return copy.deepcopy(DOCUMENT)
