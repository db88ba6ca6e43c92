"""Between rows of the catalog and what they stand for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection

from trimtab.catalog import sessions as catalog
from trimtab.catalog.schema import commands, events, trials
from trimtab.catalog.sessions import Row
from trimtab.optimizer import session_document as document
from trimtab.optimizer.errors import EvaluationError
from trimtab.optimizer.objective import Goal
from trimtab.optimizer.session_course import Agent, Course
from trimtab.optimizer.session_description import Description
from trimtab.optimizer.session_journal import Journal
from trimtab.optimizer.session_machine import Machine, Step
from trimtab.optimizer.session_search import History, Prior, Search
from trimtab.optimizer.session_spec import ControlSpec, SessionSpec
from trimtab.optimizer.trial import Outcome, Trial

__all__ = ["View", "agent_of", "changes", "first_row", "to_course", "to_document", "to_prior", "to_session"]


@dataclass(frozen=True, slots=True)
class View:
    """When something is looked at, and after how many seconds of silence an agent is stale."""

    now: float
    stale_after: float


# Rows to courses, and back


def first_row(course: Course, now: float) -> dict[str, Any]:
    """The row of a session that has just been created."""
    return {
        "id": course.id,
        "application": course.spec.application,
        "version": 0,
        "spec": course.spec.model_dump(mode="json"),
        "created_at": now,
        "updated_at": now,
        **course.to_values(),
    }


def changes(course: Course) -> dict[str, Any]:
    """What of a session's row is new after a post."""
    seen = {"last_seen": course.now, "progress": course.progress} if course.heard else {}
    if not course.changed:
        return seen or {"updated_at": course.now}
    over = {"finished_at": course.now} if course.machine.over and not course.was_over else {}
    return {**seen, "updated_at": course.now, **over, **course.to_values()}


def to_course(connection: Connection, row: Row) -> Course:
    """The course a row stands for; its trials are replayed, unless it is over and needs no search any more.

    Raises:
        OptimizerError: It needs what is not installed, such as a strategy.
    """
    kept = row["machine"]
    machine = Machine.from_dict(kept["machine"])
    spec = SessionSpec.model_validate(row["spec"])
    search = None if machine.over else _search(connection, row, spec)
    return Course(
        row["id"],
        spec,
        machine,
        Agent(**kept["agent"]),
        search,
        row["result"],
        row["best"],
        kept["begun_at"],
        Journal(kept["seen"]),
        progress=row["progress"],
    )


def _search(connection: Connection, row: Row, spec: SessionSpec) -> Search | None:
    if row["description"] is None:
        return None
    described = Description.parse(row["description"])
    prior = [(point, Outcome.from_dict(outcome)) for point, outcome in row["prior"] or ()]
    return Search(
        spec, described, prior=prior, history=_history(catalog.children(connection, row["id"], trials))
    )


def _history(rows: Sequence[Row]) -> History:
    return [(_trial(row), _outcome(row) if row["status"] else None) for row in rows]


def _trial(row: Row) -> Trial:
    names = ("number", "purpose", "point", "strategy", "predicted")
    return Trial.from_dict({name: row[name] for name in names} | {"reason": row["why"]})


def _outcome(row: Row) -> Outcome:
    names = ("status", "metrics", "spread", "reason", "message", "seconds")
    return Outcome.from_dict({name: row[name] for name in names})


def to_prior(rows: Sequence[Row]) -> Prior:
    """What earlier sessions measured."""
    return [(dict(row["point"]), _outcome(row)) for row in rows]


def agent_of(row: Row | None) -> Agent:
    """The agent that served an application's earlier session serves the next one."""
    return Agent(**row["machine"]["agent"]) if row is not None else Agent()


# Rows to documents


def to_session(connection: Connection, row: Row, view: View) -> document.Session:
    """A session as it stands."""
    return to_sessions(connection, [row], view)[0]


def to_sessions(connection: Connection, rows: Sequence[Row], view: View) -> list[document.Session]:
    """Sessions as they stand."""
    done = catalog.concluded(connection, [row["id"] for row in rows])
    return [_session(connection, row, done.get(row["id"], 0), view) for row in rows]


def _session(connection: Connection, row: Row, done: int, view: View) -> document.Session:
    machine = Machine.from_dict(row["machine"]["machine"])
    spec = SessionSpec.model_validate(row["spec"])
    current = None if machine.trial is None else catalog.trial(connection, row["id"], machine.trial)
    return document.Session(
        **{
            name: row[name]
            for name in ("id", "application", "state", "best", "result", "created_at", "updated_at")
        },
        finished_at=row["finished_at"],
        message=machine.message,
        spec=spec,
        trials_done=done,
        trials_budget=spec.budget.trials,
        trial=document.Trial.model_validate(dict(current)) if current else None,
        attempt=machine.attempt,
        command=_in_flight(machine, row, spec.control, view),
        agent=_agent(row, view),
    )


def _in_flight(machine: Machine, row: Row, control: ControlSpec, view: View) -> document.InFlight | None:
    if (command := machine.command) is None:
        return None
    planned = {Step.describe: 0.0, Step.measure: control.warmup + control.duration}
    return document.InFlight(
        cmd=command.step.cmd,
        step=command.step,
        issued_at=command.issued_at,
        elapsed=max(0.0, view.now - command.issued_at),
        planned=planned.get(command.step, control.settlement),
        progress=row["progress"],
    )


def _agent(row: Row, view: View) -> document.Agent | None:
    agent = Agent(**row["machine"]["agent"])
    if not agent.known:
        return None
    seen = row["last_seen"]
    stale = row["active"] and (seen is None or view.now - seen > view.stale_after)
    return document.Agent(
        servo_uid=agent.servo_uid,
        name=agent.name,
        hello_at=agent.hello_at,
        goodbye=agent.goodbye,
        last_seen=seen,
        stale=stale,
    )


def to_document(connection: Connection, row: Row, view: View) -> document.Document:
    """All of a session."""
    session = to_session(connection, row, view)
    described = Description.parse(row["description"]) if row["description"] else None
    goal = Goal.from_dict(session.spec.goal.model_dump())
    goal = goal.bound(described.units) if described else goal
    orders = [
        document.Command.model_validate(dict(each))
        for each in catalog.children(connection, row["id"], commands)
    ]
    moments = [
        document.Event.model_validate(dict(each)) for each in catalog.children(connection, row["id"], events)
    ]
    return document.Document(
        session=session,
        description=row["description"],
        baseline=described.values(described.space) if described else None,
        trials=[_evaluated(dict(each), goal) for each in catalog.children(connection, row["id"], trials)],
        commands=orders,
        timeline=_timeline(orders, moments),
        exported_at=view.now,
    )


def _evaluated(row: Mapping[str, Any], goal: Goal) -> document.Trial:
    """A trial seen through the goal, where it was measured."""
    seen: dict[str, Any] = {}
    if row["status"] in {"ok", "aborted"}:
        try:
            evaluation = goal.evaluate(row["metrics"], row["point"])
        except EvaluationError:
            pass
        else:
            broken = [str(each) for each in evaluation.violations]
            seen = {"value": evaluation.value, "feasible": evaluation.feasible, "violations": broken}
    return document.Trial.model_validate({**row, **seen})


def _timeline(orders: Sequence[document.Command], moments: Sequence[document.Event]) -> list[document.Event]:
    """Commands, their answers and all else, in the order they happened."""
    lines = list(moments)
    for order in orders:
        which = {"number": order.number, "step": order.step, "trial": order.trial}
        lines.append(document.Event(at=order.issued_at, kind="command", data={**which, "cmd": order.cmd}))
        if order.answered_at is not None:
            answer = {**which, "status": order.status, "reason": order.reason}
            lines.append(document.Event(at=order.answered_at, kind="answer", data=answer))
    return sorted(lines, key=lambda each: (each.at, _ORDER.index(each.kind) if each.kind in _ORDER else 0))


# What one post brings about bears one time.
_ORDER = ("answer", "hello", "goodbye", "cancelled", "ending", "command", "over")
