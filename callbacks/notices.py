"""What the team must be told of without looking: a request that cannot wait, or one that is about to be overdue.

Only what nobody has and somebody could be phoned for now: whoever has claimed a request knows of it. `alerts` is what a
page of the console shows and sounds; `outbox` keeps what goes out by e-mail, and decides with the conditions of this
module. Both read the partial indexes of open callbacks, so that a long queue costs no more than a short one.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, and_, literal_column, or_, select

from callbacks.lifecycle import Urgency
from callbacks.office_hours import NeverOpen, OfficeHours
from callbacks.queue_rows import IS_OPEN, is_free
from callbacks.service import callbacks
from callbacks.staff import Member

BEFORE_DUE = timedelta(minutes=30)  # of opening hours, where no setting says otherwise
JUST_PASSED = timedelta(hours=1)
MOST = 20
URGENT = (Urgency.P0, Urgency.P1)


class Kind(StrEnum):
    """Why the team is told."""

    URGENT = "urgent"
    NEARLY_OVERDUE = "nearly_overdue"


@dataclass(frozen=True)
class Alert:
    """A request that somebody should take now."""

    public_id: str
    reference: str
    urgency: Urgency
    kind: Kind


@dataclass(frozen=True)
class Alerts:
    """What to show and to sound on a page: danger first, then the newest request first; at most MOST."""

    new: tuple[Alert, ...] = ()


def alerts(
    connection: Connection,
    member: Member,
    now: datetime,
    office: OfficeHours,
    *,
    before_due: timedelta = BEFORE_DUE,
    looking_at: str | None = None,
) -> Alerts:
    """What this member should hear of at this moment; what they are `looking_at` (a public id) they know already.

    A request is told once: as nearly overdue where it is, also when it is urgent.
    """
    theirs = [callbacks.c.public_id != looking_at] if looking_at else []
    if not member.is_coordinator:
        theirs.append(callbacks.c.needs_coordinator.is_(False))
    late = {row.id: row for row in _nearly_overdue(connection, now, office, before_due, theirs)}
    urgent = {row.id: row for urgency in URGENT for row in _urgent(connection, now, urgency, theirs)}
    rows = sorted((late | urgent).values(), key=lambda row: (row.urgency != Urgency.P0, -row.requested_at.timestamp()))
    return Alerts(tuple(_alert(row, Kind.NEARLY_OVERDUE if row.id in late else Kind.URGENT) for row in rows[:MOST]))


def waits(now: datetime) -> ColumnElement[bool]:
    """Open, nobody has it, and its moment has come."""
    has_come = or_(callbacks.c.not_before.is_(None), callbacks.c.not_before <= now)
    return and_(IS_OPEN, is_free(now), has_come)


def is_due_between(begins: datetime, ends: datetime) -> ColumnElement[bool]:
    """Promised for this stretch of time; what is for now (P0) was told when it came."""
    # Not by the index that begins with the urgency: it would go through the whole queue.
    is_later = callbacks.c.urgency + literal_column("0") > int(Urgency.P0)
    return and_(callbacks.c.due_at > begins, callbacks.c.due_at <= ends, is_later)


def soon(now: datetime, office: OfficeHours, before_due: timedelta) -> datetime:
    """The moment until which a due time is near: counted in opening hours, for at night nobody could act on it."""
    try:
        return office.add(now, before_due)
    except NeverOpen:
        return now + before_due


def _nearly_overdue(
    connection: Connection, now: datetime, office: OfficeHours, before_due: timedelta, theirs: list[ColumnElement[bool]]
) -> list[Row[Any]]:
    is_near = is_due_between(now - JUST_PASSED, soon(now, office, before_due))
    query = select(*_TOLD).where(waits(now), is_near, *theirs).order_by(callbacks.c.due_at)
    return list(connection.execute(query.limit(literal_column(str(MOST)))))


def _urgent(
    connection: Connection, now: datetime, urgency: Urgency, theirs: list[ColumnElement[bool]]
) -> list[Row[Any]]:
    """The newest of one class: a class at a time, so that the index gives them in their order."""
    query = select(*_TOLD).where(waits(now), callbacks.c.urgency == int(urgency), *theirs)
    newest = query.order_by(callbacks.c.requested_at.desc(), callbacks.c.id.desc())
    return list(connection.execute(newest.limit(literal_column(str(MOST)))))


_TOLD = tuple(callbacks.c[name] for name in ("id", "public_id", "reference", "urgency", "requested_at"))


def _alert(row: Row[Any], kind: Kind) -> Alert:
    return Alert(row.public_id, row.reference, Urgency(row.urgency), kind)
