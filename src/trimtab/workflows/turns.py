"""Whose turn it is in a queue: callers by turns, however much each of them submits.

Each piece of work has a turn, and the least is taken first; of equal ones the older. A caller's first has the turn that is served now,
each further one the next: a hundred of one caller wait for one another, and another caller's single one for one of them. This is
start-time fair queueing (Goyal, Vin, Cheng 1996) with all work of one size. To count what each caller has waiting would not do: who
submits one after another would be first each time, and starve those who submitted all at once.
"""

import sqlalchemy as sa

__all__ = ["turn"]

WAITING, TAKEN = "ENQUEUED", "PENDING"
LAST = 2**31 - 1


def turn(connection: sa.Connection, queue: str, caller: str) -> int:
    """The turn of the next piece of work of a caller, from 1.

    Args:
        connection: In a transaction.
        queue: Which.
        caller: Who submits.
    """
    # DBOS's own table of what is in queues; `priority` has the turn, `authenticated_user` the caller.
    names = ("queue_name", "status", "priority", "authenticated_user")
    schema = None if connection.dialect.name == "sqlite" else "dbos"
    table = sa.table("workflow_status", *map(sa.column, names), schema=schema)
    status, priority = table.c.status, table.c.priority
    served = sa.func.max(sa.case((status == TAKEN, priority)))
    waiting = sa.func.min(sa.case((status == WAITING, priority)))
    mine = sa.func.max(sa.case((table.c.authenticated_user == caller, priority)))
    query = sa.select(served, waiting, mine).where(table.c.queue_name == queue, status.in_([WAITING, TAKEN]))
    found = connection.execute(query).one()
    # What was served last may be over already: then the least that waits is the next.
    now = max(found[0] or 0, (found[1] or 1) - 1)
    return min(LAST, max(now, found[2] or 0) + 1)
