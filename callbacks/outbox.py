"""What goes out by e-mail, as rows: noted once, taken by one sender at a time, and marked when it is sent.

`watching` walks through it every few seconds, in every worker: first it asks whether there `is_work`, on a read, so
that callers' writes seldom wait for it. `notices` says what the team must be told of; a row is forgotten when what it
told is so no more (closed, less urgent, due later), and may then be told anew.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import (
    ColumnElement,
    CompoundSelect,
    Connection,
    Table,
    and_,
    delete,
    exists,
    func,
    literal,
    literal_column,
    or_,
    select,
    update,
)
from sqlalchemy.dialects import postgresql, sqlite

from callbacks.happenings import events
from callbacks.lifecycle import UNDO_WITHIN, Urgency
from callbacks.models import Notice
from callbacks.notices import BEFORE_DUE, Kind, is_due_between, soon, waits
from callbacks.office_hours import OfficeHours
from callbacks.queue_rows import IS_OPEN
from callbacks.service import callbacks

notices: Table = Notice.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table

KEPT_UP = timedelta(days=1)  # older news is none: it is neither noted nor tried any longer
LEASE = timedelta(minutes=5)  # longer than sending can take (`mailing.DEADLINE_SECONDS`)
BETWEEN_MAILS = timedelta(minutes=5)
BETWEEN_DANGERS = timedelta(minutes=1)  # danger (P0) waits for nothing but danger that was just told
FIRST_WAIT, LONGEST_WAIT = timedelta(minutes=1), timedelta(hours=1)
MOST_NOTED = 200  # in one transaction, while callers wait for theirs
MOST_TAKEN = 500

_ADD = {
    dialect.__name__.rpartition(".")[2]: dialect.insert(notices).on_conflict_do_nothing(
        index_elements=[notices.c.callback_id, notices.c.kind]
    )
    for dialect in (postgresql, sqlite)
}


@dataclass(frozen=True)
class Due:
    """A notice to be sent: which request, how urgent, due when (UTC), and why the team is told."""

    id: int
    kind: Kind
    public_id: str
    urgency: Urgency
    due_at: datetime
    noted_at: datetime


def note_due(connection: Connection, now: datetime, office: OfficeHours, before_due: timedelta = BEFORE_DUE) -> int:
    """Note what the team must be told of and is not noted yet, and forget what is not so any more; how many are new.

    At most MOST_NOTED, and nothing from before the last day: whoever switches the e-mails on has seen the queue.
    """
    connection.execute(delete(notices).where(_is_moot(now, office, before_due)))
    rows = connection.execute(_missing(now, office, before_due, MOST_NOTED)).all()
    if rows:
        found = [{"callback_id": row.id, "kind": row.kind, "created_at": now} for row in rows]
        connection.execute(_ADD[connection.dialect.name], found)
    return len(rows)


def is_work(connection: Connection, now: datetime, office: OfficeHours, before_due: timedelta = BEFORE_DUE) -> bool:
    """Whether there is anything to note, to forget or to send at this moment."""
    if connection.execute(_missing(now, office, before_due, 1)).first() is not None:
        return True
    if connection.execute(select(notices.c.id).where(_is_moot(now, office, before_due)).limit(1)).first() is not None:
        return True
    return bool(_takeable(connection, now))


def take(connection: Connection, now: datetime) -> tuple[Due, ...]:
    """Take what is to be sent now, the oldest first; nobody else is given it until the lease is over.

    Nothing for some minutes after an e-mail, so that a crowd of callers does not make a crowd of e-mails; danger waits
    only for danger, and for a minute. What somebody has claimed meanwhile stays until it is free again.

    Sending comes after the commit of this and before that of `sent`. A process that is killed in between leaves its
    notices leased: when the lease is over they are sent once more, at most once for each such kill, rather than never.
    """
    found = _takeable(connection, now)
    if not found:
        return ()
    ids = [due.id for due in found]
    query = (
        update(notices)
        .where(notices.c.id.in_(ids), _is_unsent(now))
        .values(leased_until=now + LEASE, attempts=notices.c.attempts + 1)
        .returning(notices.c.id)
    )
    taken = set(connection.scalars(query))
    return tuple(due for due in found if due.id in taken)


def sent(connection: Connection, ids: Collection[int], now: datetime) -> None:
    """These went out."""
    unsent = notices.c.id.in_(list(ids)), notices.c.sent_at.is_(None)
    connection.execute(update(notices).where(*unsent).values(sent_at=now, leased_until=None))


def failed(connection: Connection, ids: Collection[int], now: datetime, *, is_permanent: bool = False) -> int:
    """These did not go out: they are tried again after a minute, then two, four, at last every hour, for a day.

    Where the mail server refused for good (`is_permanent`) an hour passes at once: somebody has to mend something. How
    many of them will not be tried again.
    """
    ours = notices.c.id.in_(list(ids)), notices.c.sent_at.is_(None)
    rows = connection.execute(select(notices.c.id, notices.c.attempts, notices.c.created_at).where(*ours)).all()
    given_up = 0
    for tries in sorted({row.attempts for row in rows}):
        again = now + (LONGEST_WAIT if is_permanent else wait_after(tries))
        connection.execute(update(notices).where(*ours, notices.c.attempts == tries).values(leased_until=again))
        given_up += sum(row.attempts == tries and row.created_at + KEPT_UP <= again for row in rows)
    return given_up


def wait_after(tries: int) -> timedelta:
    """How long to wait after so many tries that failed."""
    return min(FIRST_WAIT * float(2 ** min(max(tries - 1, 0), 10)), LONGEST_WAIT)


def _missing(now: datetime, office: OfficeHours, before_due: timedelta, most: int) -> CompoundSelect[Any]:
    """The callbacks and kinds that should be noted and are not."""
    urgent = and_(callbacks.c.urgency <= int(Urgency.P1), or_(callbacks.c.due_at > now - KEPT_UP, _was_raised(now)))
    late = is_due_between(now - KEPT_UP, soon(now, office, before_due))
    parts = [
        select(callbacks.c.id, literal(kind.value).label("kind")).where(waits(now), so, ~_is_noted(kind))
        for kind, so in ((Kind.URGENT, urgent), (Kind.NEARLY_OVERDUE, late))
    ]
    return parts[0].union_all(parts[1]).limit(literal_column(str(most)))


def _was_raised(now: datetime) -> ColumnElement[bool]:
    """An old request that became urgent within the last day."""
    raising = events.c.what.in_(["asked_again", "retriaged", "reopened"])
    return exists().where(events.c.callback_id == callbacks.c.id, raising, events.c.at > now - KEPT_UP)


def _is_noted(kind: Kind) -> ColumnElement[bool]:
    return exists().where(notices.c.callback_id == callbacks.c.id, notices.c.kind == kind.value)


def _is_moot(now: datetime, office: OfficeHours, before_due: timedelta) -> ColumnElement[bool]:
    """What it told is not so any more, and nobody is sending it."""
    is_free = or_(notices.c.leased_until.is_(None), notices.c.leased_until <= now)
    # A wrap-up that is taken back within its minute makes no new request of it.
    is_over = and_(~IS_OPEN, func.coalesce(callbacks.c.closed_at, now) <= now - UNDO_WITHIN)
    calmed = and_(notices.c.kind == Kind.URGENT.value, callbacks.c.urgency > int(Urgency.P1))
    later = and_(notices.c.kind == Kind.NEARLY_OVERDUE.value, callbacks.c.due_at > soon(now, office, before_due))
    return and_(is_free, exists().where(callbacks.c.id == notices.c.callback_id, or_(is_over, calmed, later)))


def _is_unsent(now: datetime) -> ColumnElement[bool]:
    is_free = or_(notices.c.leased_until.is_(None), notices.c.leased_until <= now)
    return and_(notices.c.sent_at.is_(None), is_free)


def _takeable(connection: Connection, now: datetime) -> Sequence[Due]:
    columns = callbacks.c.public_id, callbacks.c.urgency, callbacks.c.due_at
    rows = connection.execute(
        select(notices.c.id, notices.c.kind, notices.c.created_at, *columns)
        .join(callbacks, callbacks.c.id == notices.c.callback_id)
        .where(_is_unsent(now), notices.c.created_at > now - KEPT_UP, waits(now))
        .order_by(notices.c.id)
        .limit(literal_column(str(MOST_TAKEN)))
    )
    found = [
        Due(row.id, Kind(row.kind), row.public_id, Urgency(row.urgency), row.due_at, row.created_at) for row in rows
    ]
    is_danger = any(due.kind is Kind.URGENT and due.urgency is Urgency.P0 for due in found)
    return [] if _has_just_sent(connection, now, is_danger=is_danger) else found


def _has_just_sent(connection: Connection, now: datetime, *, is_danger: bool) -> bool:
    sent_lately = select(notices.c.id).where(notices.c.sent_at > now - BETWEEN_MAILS)
    if is_danger:
        told = and_(notices.c.kind == Kind.URGENT.value, callbacks.c.urgency == int(Urgency.P0))
        sent_lately = (
            select(notices.c.id)
            .join(callbacks, callbacks.c.id == notices.c.callback_id)
            .where(notices.c.sent_at > now - BETWEEN_DANGERS, told)
        )
    return connection.execute(sent_lately.limit(1)).first() is not None
