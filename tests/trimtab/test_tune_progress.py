"""What is seen of a session while it runs."""

import io

import pytest
from rich.console import Console

from trimtab.cli.progress import show_progress
from trimtab.optimizer.session_document import Best, InFlight, Session, Trial

NOW = 1_795_248_000.0
SPEC = {
    "application": "local/shop",
    "goal": {"objective": "minimize latency", "slos": ["error_rate <= 1%"]},
    "budget": {"trials": 4, "seconds": 600},
    "control": {"duration": 3, "warmup": 1},
}


def _trial(number, purpose, knob, value, **fields):
    values = {
        "number": number,
        "purpose": purpose,
        "point": {"app.knob": knob, "app.mode": "fast"},
        "strategy": "",
        "why": "",
        "predicted": None,
        "attempts": 1,
        "status": "ok",
        "metrics": None,
        "spread": None,
        "reason": None,
        "message": None,
        "seconds": 4.0,
        "started_at": NOW,
        "finished_at": NOW,
        "value": value,
    }
    return Trial.model_validate(values | fields)


BASELINE = _trial(0, "baseline", 1, 20.0)
BETTER = _trial(1, "search", 6, 5.0, metrics={"memory": 3.0, "error_rate": 0.0, "latency": 5.0})
REJECTED = _trial(2, "search", 9, None, status="rejected", reason="start-failed")


def _session(done=0, trial=None, **fields):
    values = {
        "id": "session-1",
        "application": "local/shop",
        "state": "running",
        "message": "",
        "spec": SPEC,
        "trials_done": done,
        "trials_budget": 4,
        "trial": trial,
        "attempt": 1,
        "command": None,
        "best": None,
        "result": None,
        "agent": None,
        "created_at": NOW,
        "updated_at": NOW + 4 * done,
        "finished_at": None,
    }
    return Session.model_validate(values | fields)


def _best(value):
    return Best(point={"app.knob": 6, "app.mode": "fast"}, value=value, baseline_value=20.0)


def _lines(*steps, terminal=False):
    console = Console(
        file=io.StringIO(), force_terminal=terminal, width=120, color_system=None, legacy_windows=False
    )
    with show_progress(_session(), console=console) as show:
        for session, finished in steps:
            show(session, finished)
    return console.file.getvalue()


def test_without_a_terminal_each_trial_is_one_line():
    lines = _lines(
        (_session(1, best=_best(20.0)), [BASELINE]),
        (_session(1, best=_best(20.0)), []),
        (_session(3, best=_best(5.0)), [BETTER, REJECTED]),
    ).splitlines()
    assert lines[0] == "Tuning local/shop: minimize latency; error_rate <= 1%"
    assert lines[1] == "session-1, 4 trials or 10 min, 3 s each after 1 s of warm-up"
    assert lines[2].split() == ["1/4", "baseline", "20", "the", "settings", "as", "they", "were"]
    assert lines[3].split() == ["2/4", "search", "5", "\N{MINUS SIGN}75", "%", "knob=6"]
    assert lines[4].split() == ["3/4", "search", "rejected", "knob=9", "start-failed"]
    assert len(lines) == 5


def test_in_a_file_no_line_is_cut_and_none_holds_an_escape():
    long = _trial(1, "search", 6, 5.0, violations=["latency is 5, but " + "less " * 100 + "is wanted"])
    text = _lines((_session(2, best=_best(5.0)), [BASELINE, long]))
    assert "is wanted" in text.splitlines()[-1]
    assert "\x1b" not in text


def test_in_a_terminal_the_phase_the_best_and_the_time_left_are_live():
    flight = InFlight(cmd="MEASURE", step="measure", issued_at=NOW, elapsed=2.0, planned=4.0, progress=None)
    shown = _lines(
        (_session(1, best=_best(20.0)), [BASELINE]),
        (
            _session(2, trial=_trial(2, "search", 7, None, status=None), command=flight, best=_best(5.0)),
            [BETTER],
        ),
        terminal=True,
    )
    assert "2/4 trials" in shown
    assert "about 8 s left" in shown
    assert "trial 3 (search): measuring 2.0/4.0 s" in shown
    assert "trial 2 measured: latency 5, error_rate 0" in shown
    assert "best so far 5 (\N{MINUS SIGN}75 %)" in shown


def test_names_are_no_markup():
    session = _session(1, best=_best(20.0))
    odd = _trial(0, "baseline", 1, 20.0).model_copy(update={"violations": ["[red]oops[/nope]"]})
    assert "[red]oops[/nope]" in _lines((session, [odd]))


@pytest.mark.parametrize(
    ("step", "words"),
    [
        ("describe", "asking what can be set"),
        ("adjust", "putting the settings in place"),
        ("measure", "measuring"),
        ("restore", "putting the last good settings back"),
        ("finish", "putting the final settings in place"),
    ],
)
def test_every_step_has_words(step, words):
    flight = InFlight(cmd="X", step=step, issued_at=NOW, elapsed=0.0, planned=0.0, progress=None)
    assert words in _lines((_session(0, command=flight), []), terminal=True)
