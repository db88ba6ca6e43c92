"""Sessions as tables, for people."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from trimtab.optimizer.session_document import Agent, Best, Session

__all__ = ["print_session", "print_sessions"]


def print_sessions(sessions: Sequence[Session]) -> None:
    """One line for each."""
    table = Table(box=None, pad_edge=False)
    for name in ("SESSION", "APPLICATION", "STATE", "TRIALS", "BEST", "AGENT", "CREATED"):
        table.add_column(name, no_wrap=name == "SESSION")
    for each in sessions:
        table.add_row(*map(escape, _line(each)))
    # Cut to the terminal's width, but never in a pipe.
    console = Console()
    console = console if console.is_terminal else Console(width=200)
    console.print(table if sessions else "No sessions. Create one with `trimtab sessions create`.")


def _line(session: Session) -> list[str]:
    return [
        session.id,
        session.application,
        session.state,
        f"{session.trials_done}/{session.trials_budget}",
        _best(session.best),
        _agent(session.agent),
        f"{session.created_at:%Y-%m-%d %H:%M}",
    ]


def print_session(session: Session) -> None:
    """Everything that is to be said of one."""
    table = Table(box=None, show_header=False, pad_edge=False)
    table.add_column(style="bold", no_wrap=True)
    table.add_column(overflow="fold")
    for name, value in _facts(session):
        if value:
            table.add_row(name, escape(value))
    Console().print(table)


def _facts(session: Session) -> list[tuple[str, str]]:
    return [
        ("Session", session.id),
        ("Application", session.application),
        ("State", f"{session.state}{f': {session.message}' if session.message else ''}"),
        ("Goal", "; ".join([session.spec.goal.objective, *session.spec.goal.slos])),
        ("Trials", f"{session.trials_done} of {session.trials_budget}"),
        ("Trial", _trial(session)),
        ("Command", _command(session)),
        ("Best", _best(session.best)),
        ("Settings", _point(session.best.point) if session.best else ""),
        ("Verdict", _verdict(session)),
        ("Agent", _agent(session.agent)),
        ("Created", f"{session.created_at:%Y-%m-%d %H:%M:%S} UTC"),
        ("Finished", f"{session.finished_at:%Y-%m-%d %H:%M:%S} UTC" if session.finished_at else ""),
    ]


def _trial(session: Session) -> str:
    trial = session.trial
    return f"{trial.number} ({trial.purpose}): {_point(trial.point)}" if trial else ""


def _command(session: Session) -> str:
    command = session.command
    if command is None:
        return ""
    percent = command.progress.percent if command.progress else None
    done = f", {percent:.0f} %" if percent is not None else ""
    return f"{command.cmd} to {command.step}, for {command.elapsed:.0f} s{done}"


def _best(best: Best | None) -> str:
    if best is None or best.value is None:
        return ""
    beside = f" (baseline {best.baseline_value:.5g})" if best.baseline_value is not None else ""
    return f"{best.value:.5g}{beside}"


def _verdict(session: Session) -> str:
    if session.result is None:
        return ""
    found = session.result.recommendation
    gain = found.get("improvement")
    return f"{found['verdict']}{f': {gain:+.1%}' if gain is not None else ''}"


def _agent(agent: Agent | None) -> str:
    if agent is None:
        return "none yet"
    if agent.goodbye:
        return f"left ({agent.goodbye})"
    if agent.last_seen is None:
        return "not seen"
    seconds = (datetime.now(UTC) - agent.last_seen).total_seconds()
    return f"{'stale, ' if agent.stale else ''}seen {_ago(max(0.0, seconds))} ago"


def _ago(seconds: float) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length:
            return f"{seconds / length:.0f} {unit}"
    return f"{seconds:.0f} s"


def _point(point: dict[str, Any]) -> str:
    return ", ".join(f"{name}={value}" for name, value in point.items())
