"""What every use case of the queue is made of: finding the row, asking whose it is, moving it.

`queue`, `queue_views` and `wrapping_up` share it; `happenings` writes down what was done. A claim whose time is over is
free, whether or not `queue.expire_claims` has put it back yet: only these expressions decide so.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal_column, or_, select, update

from callbacks.errors import IllegalMove, NoSuchCallback, NotYours
from callbacks.lifecycle import LEGAL_MOVES, Status
from callbacks.service import callbacks
from callbacks.staff import Member, agents

# Spelled out, without parameters: only then do both databases see that the indexes of open callbacks hold all of them.
IS_OPEN: ColumnElement[bool] = callbacks.c.status.in_([literal_column("'queued'"), literal_column("'claimed'")])
_QUEUED: ColumnElement[bool] = callbacks.c.status == literal_column("'queued'")
_CLAIMED: ColumnElement[bool] = callbacks.c.status == literal_column("'claimed'")


def is_held(now: datetime) -> ColumnElement[bool]:
    """Somebody has it at this moment."""
    return and_(_CLAIMED, callbacks.c.claim_ends_at >= now)


def has_run_out(now: datetime) -> ColumnElement[bool]:
    """Somebody had claimed it, and the time of that is over."""
    return and_(_CLAIMED, callbacks.c.claim_ends_at < now)


def is_free(now: datetime) -> ColumnElement[bool]:
    """Nobody has it at this moment, and it waits for somebody."""
    return or_(_QUEUED, has_run_out(now))


def status_at(row: Row[Any], now: datetime) -> Status:
    """Where a callback stands at this moment: a claim that has run out is no claim."""
    is_over = row.status == Status.CLAIMED and row.claim_ends_at is not None and row.claim_ends_at < now
    return Status.QUEUED if is_over else Status(row.status)


def find_row(connection: Connection, public_id: str) -> Row[Any]:
    """The row of this callback, held until the end of the transaction; NoSuchCallback."""
    row = connection.execute(select(callbacks).where(callbacks.c.public_id == public_id).with_for_update()).first()
    if row is None:
        raise NoSuchCallback(public_id)
    return row


def name_of(connection: Connection, agent_id: int | None) -> str:
    """What an agent is called."""
    return connection.execute(select(agents.c.name).where(agents.c.id == agent_id)).scalar() or "?"


def open_row(connection: Connection, public_id: str, member: Member, now: datetime, wanted: Status) -> Row[Any]:
    """A callback that this member may move to `wanted`: free, their own, or anybody's for a coordinator.

    NoSuchCallback, IllegalMove, or NotYours where a colleague has it.
    """
    row = find_row(connection, public_id)
    status = status_at(row, now)
    if wanted not in LEGAL_MOVES[status]:
        raise IllegalMove(status, wanted)
    if status is Status.CLAIMED and row.claimed_by != member.id and not member.is_coordinator:
        raise NotYours(name_of(connection, row.claimed_by))
    return row


def claimed_row(connection: Connection, public_id: str, member: Member, now: datetime, wanted: Status) -> Row[Any]:
    """As `open_row`, for what only whoever has claimed it may do: IllegalMove where nobody has."""
    row = open_row(connection, public_id, member, now, wanted)
    if status_at(row, now) is not Status.CLAIMED:
        raise IllegalMove(Status.QUEUED, wanted)
    return row


def move(connection: Connection, row: Row[Any], values: dict[str, Any]) -> None:
    """Change a callback that is still as it was read; IllegalMove where it is not."""
    unchanged = (
        callbacks.c.id == row.id,
        callbacks.c.status == row.status,
        callbacks.c.claimed_by.is_not_distinct_from(row.claimed_by),
    )
    if connection.execute(update(callbacks).where(*unchanged).values(**values)).rowcount != 1:
        raise IllegalMove(row.status, str(values.get("status", row.status)))
