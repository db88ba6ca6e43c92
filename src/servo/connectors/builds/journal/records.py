"""What the journal says of builds, and the changes to it. Each function is a part of somebody's transaction."""

from __future__ import annotations

import json
import secrets
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Any

from servo.connectors.builds.build import Build, Part

__all__ = ["Copy", "Record", "State"]

_SAME_MOMENT = 5.0  # seconds that an engine's event may be away from the build that it tells of


class State(StrEnum):
    """Where a build is on its way to the backend."""

    running = "running"
    waiting = "waiting"
    submitted = "submitted"
    tombstone = "tombstone"


@dataclass(frozen=True, slots=True)
class Record:
    """A build in the journal.

    Attributes:
        sequence: Its number in the journal.
        build: What was seen.
        state: Where it is.
        seen_at, changed_at: Seconds since 1970.
        due_at: When it is tried next.
        attempts: How often it was tried.
        reason: Why it was not taken the last time, or ever.
        answer: What the backend said when it took it.
    """

    sequence: int
    build: Build
    state: State
    seen_at: float
    changed_at: float
    due_at: float | None
    attempts: int
    reason: str | None
    answer: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class Copy:
    """An image that was copied to the intermediate registry.

    Attributes:
        target: Repository and tag it was copied to.
        digest: Of what is there.
    """

    identity: str
    part: Part
    target: str
    digest: str
    copied_at: float
    expires_at: float | None


_COLUMNS = "sequence, build, state, seen_at, changed_at, due_at, attempts, reason, answer"

# By number: the index has it, and the rows of those that are left out are not read.
_NOT_IN = "sequence NOT IN (SELECT value FROM json_each(?))"


def _record(row: Sequence[Any]) -> Record:
    sequence, build, state, seen_at, changed_at, due_at, attempts, reason, answer = row
    told = json.loads(answer) if answer else None
    return Record(
        sequence, Build.from_json(build), State(state), seen_at, changed_at, due_at, attempts, reason, told
    )


def see(
    db: sqlite3.Connection, builds: Iterable[Build], source: str, position: str | None, now: float
) -> int:
    """Write down builds that were seen, and how far their source was read; return how many are new."""
    rows = [(each.identity, each.to_json(), now, now, now) for each in builds]
    new = db.executemany(
        "INSERT OR IGNORE INTO builds (identity, state, build, seen_at, changed_at, due_at) VALUES (?, 'waiting', ?, ?, ?, ?)",
        rows,
    ).rowcount
    if position is not None:
        db.execute("INSERT OR REPLACE INTO cursors VALUES (?, ?)", (source, position))
    return new


def position(db: sqlite3.Connection, source: str) -> str | None:
    """Return how far a source was read."""
    row = db.execute("SELECT position FROM cursors WHERE source = ?", (source,)).fetchone()
    return None if row is None else str(row[0])


def known(db: sqlite3.Connection, identities: Sequence[str]) -> set[str]:
    """Return those of ``identities`` (at most 500) that the journal has."""
    marks = ", ".join("?" for _ in identities)
    return {
        row[0] for row in db.execute(f"SELECT identity FROM builds WHERE identity IN ({marks})", identities)
    }


def due(db: sqlite3.Connection, now: float, count: int, without: Collection[int]) -> list[Record]:
    """Return builds that are to be tried, those first that wait the longest, but for those of some numbers."""
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM builds WHERE state = 'waiting' AND due_at <= ? AND {_NOT_IN} ORDER BY due_at LIMIT ?",
        (now, json.dumps(list(without)), count),
    )
    return [_record(row) for row in rows]


def next_due(db: sqlite3.Connection, without: Collection[int]) -> float | None:
    """Return when a build is to be tried next, but for those of some numbers."""
    row = db.execute(
        f"SELECT due_at FROM builds WHERE state = 'waiting' AND {_NOT_IN} ORDER BY due_at LIMIT 1",
        (json.dumps(list(without)),),
    ).fetchone()
    return None if row is None else float(row[0])


def submitted(db: sqlite3.Connection, answers: Iterable[tuple[int, str]], now: float) -> None:
    """Write down which builds, by their numbers, the backend took, and what it said of each."""
    db.executemany(
        "UPDATE builds SET state = 'submitted', due_at = NULL, attempts = attempts + 1, reason = NULL, answer = ?, "
        "changed_at = ? WHERE sequence = ?",
        [(answer, now, sequence) for sequence, answer in answers],
    )


def postponed(db: sqlite3.Connection, identity: str, due_at: float, reason: str, now: float) -> None:
    """Write down that a build was tried in vain, why, and when it is tried again."""
    db.execute(
        "UPDATE builds SET due_at = ?, attempts = attempts + 1, reason = ?, changed_at = ? "
        "WHERE identity = ? AND state = 'waiting'",
        (due_at, reason, now, identity),
    )


def buried(db: sqlite3.Connection, identity: str, reason: str, now: float) -> None:
    """Write down that a build is given up, and why."""
    db.execute(
        "UPDATE builds SET state = 'tombstone', due_at = NULL, attempts = attempts + 1, reason = ?, changed_at = ? "
        "WHERE identity = ?",
        (reason, now, identity),
    )


def revived(db: sqlite3.Connection, identities: Iterable[str] | None, now: float) -> int:
    """Have tombstones tried again, all or some; return how many."""
    change = "UPDATE builds SET state = 'waiting', due_at = ?, seen_at = ?, changed_at = ? WHERE state = 'tombstone'"
    if identities is None:
        return db.execute(change, (now, now, now)).rowcount
    rows = [(now, now, now, each) for each in identities]
    return db.executemany(f"{change} AND identity = ?", rows).rowcount


def one(db: sqlite3.Connection, identity: str) -> Record | None:
    """Return what the journal says of a build."""
    row = db.execute(f"SELECT {_COLUMNS} FROM builds WHERE identity = ?", (identity,)).fetchone()
    return None if row is None else _record(row)


def newest(db: sqlite3.Connection, state: State | None, count: int) -> list[Record]:
    """Return the builds that were seen last."""
    where, values = ("WHERE state = ?", [str(state)]) if state else ("", [])
    rows = db.execute(
        f"SELECT {_COLUMNS} FROM builds {where} ORDER BY sequence DESC LIMIT ?", [*values, count]
    )
    return [_record(row) for row in rows]


def counts(db: sqlite3.Connection) -> dict[str, int]:
    """Return how many builds there are by state."""
    return dict(db.execute("SELECT state, count(*) FROM builds GROUP BY state").fetchall())


def length(db: sqlite3.Connection) -> int:
    """Return how many builds wait."""
    return int(db.execute("SELECT count(*) FROM builds WHERE state = 'waiting'").fetchone()[0])


def waiting(db: sqlite3.Connection) -> tuple[int, float | None]:
    """Return how many builds wait, and when the first of them was seen."""
    count, oldest = db.execute("SELECT count(*), min(seen_at) FROM builds WHERE state = 'waiting'").fetchone()
    return int(count), oldest


def pruned(db: sqlite3.Connection, before: float, count: int) -> int:
    """Forget builds that have been over since ``before``; return how many."""
    return db.execute(
        "DELETE FROM builds WHERE sequence IN (SELECT sequence FROM builds WHERE state IN ('submitted', 'tombstone') "
        "AND changed_at < ? AND identity NOT IN (SELECT identity FROM copies) LIMIT ?)",
        (before, count),
    ).rowcount


def begun(db: sqlite3.Connection, build: Build, engine: str | None, now: float) -> None:
    """Write down a build that we run ourselves, before it runs."""
    db.execute(
        "INSERT INTO builds (identity, state, build, seen_at, changed_at, wrapped) VALUES (?, 'running', ?, ?, ?, ?)",
        (build.identity, build.to_json(), now, now, engine),
    )


def ended(db: sqlite3.Connection, build: Build, now: float) -> bool:
    """Write down how a build that we ran ended; whether nobody had done so."""
    done = db.execute(
        "UPDATE builds SET state = 'waiting', build = ?, changed_at = ?, due_at = ? WHERE identity = ? AND state = 'running'",
        (build.to_json(), now, now, build.identity),
    )
    return done.rowcount == 1


def running(db: sqlite3.Connection) -> list[Build]:
    """Return the builds that we run ourselves."""
    return [Build.from_json(row[0]) for row in db.execute("SELECT build FROM builds WHERE state = 'running'")]


def wraps(db: sqlite3.Connection, engine: str, image: str | None, at: float) -> bool | None:
    """Whether an engine's event tells of a build that we ran ourselves; None if that is not known yet.

    Each such build takes one event.
    """
    rows = db.execute("SELECT sequence, state, build FROM builds WHERE wrapped = ?", (engine,)).fetchall()
    for sequence, state, text in rows:
        build = Build.from_json(text)
        if (build.started_at or 0) - _SAME_MOMENT > at:
            continue
        if state == State.running:
            return None
        if build.labels.get("image_id") == image and at <= (build.finished_at or 0) + _SAME_MOMENT:
            db.execute("UPDATE builds SET wrapped = NULL WHERE sequence = ?", (sequence,))
            return True
    return False


def copied(db: sqlite3.Connection, copy: Copy) -> None:
    """Write down a copy in the intermediate registry."""
    db.execute(
        "INSERT OR REPLACE INTO copies VALUES (?, ?, ?, ?, ?, ?)",
        (copy.identity, str(copy.part), copy.target, copy.digest, copy.copied_at, copy.expires_at),
    )


def copies(db: sqlite3.Connection, identity: str) -> dict[Part, Copy]:
    """Return the copies that were made for a build."""
    rows = db.execute("SELECT * FROM copies WHERE identity = ?", (identity,))
    return {Part(row[1]): Copy(row[0], Part(row[1]), *row[2:]) for row in rows}


def expired(db: sqlite3.Connection, now: float, count: int) -> list[Copy]:
    """Return copies that are past their time and whose builds are over, the oldest first."""
    rows = db.execute(
        "SELECT c.* FROM copies c LEFT JOIN builds b USING (identity) WHERE c.expires_at < ? "
        "AND coalesce(b.state, '') <> 'waiting' ORDER BY c.expires_at LIMIT ?",
        (now, count),
    )
    return [Copy(row[0], Part(row[1]), *row[2:]) for row in rows]


def shared(db: sqlite3.Connection, copy: Copy, now: float) -> bool:
    """Whether another copy that is still wanted is the same manifest in the same repository."""
    repository = copy.target.rpartition(":")[0]
    rows = db.execute(
        "SELECT target FROM copies WHERE digest = ? AND (identity <> ? OR part <> ?) AND (expires_at IS NULL OR expires_at >= ?)",
        (copy.digest, copy.identity, str(copy.part), now),
    )
    return any(row[0].rpartition(":")[0] == repository for row in rows)


def uncopied(db: sqlite3.Connection, copy: Copy) -> None:
    """Forget a copy."""
    db.execute("DELETE FROM copies WHERE identity = ? AND part = ?", (copy.identity, str(copy.part)))


def agent(db: sqlite3.Connection) -> str:
    """Return what tells this journal's agent from others; made once."""
    db.execute("INSERT OR IGNORE INTO facts VALUES ('agent', ?)", (secrets.token_hex(8),))
    return str(db.execute("SELECT value FROM facts WHERE name = 'agent'").fetchone()[0])
