"""Working the queue: take a callback, give it back, move it, and say why; a use case at a time, without a web page.

Every function is a unit of work, or a part of one, on a connection of `db.Database.write`; what changes is guarded by
what it was and written down as an event. Lists and counts are in `queue_views`, one callback's whole story in `story`,
finishing in `wrapping_up`, and a request that came without a call in `by_hand`: all of them are at this counter.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, func, or_, select, update

from callbacks.by_hand import ByHand, add_by_hand
from callbacks.errors import AlreadyClaimed, IllegalMove, Missing
from callbacks.happenings import record
from callbacks.lifecycle import CLAIM_LASTS, Status, Urgency, due_at
from callbacks.office_hours import OfficeHours
from callbacks.queue_rows import (
    IS_OPEN,
    claimed_row,
    find_row,
    has_run_out,
    is_free,
    move,
    name_of,
    open_row,
    status_at,
)
from callbacks.queue_views import Counts, Entry, Filters, Page, counts, find, list_page
from callbacks.service import callbacks
from callbacks.staff import Member, agents
from callbacks.story import Story, story
from callbacks.trying_again import part_of_day
from callbacks.wrapping_up import undo, undo_until, wrap_up

__all__ = [
    "ByHand",
    "Counts",
    "Entry",
    "Filters",
    "Page",
    "Story",
    "add_by_hand",
    "add_note",
    "cancel",
    "claim",
    "counts",
    "expire_claims",
    "find",
    "list_page",
    "release",
    "retriage",
    "story",
    "take_next",
    "undo",
    "undo_until",
    "wrap_up",
]

_FREE = {"claimed_by": None, "claim_ends_at": None}


def claim(
    connection: Connection, public_id: str, member: Member, now: datetime, lasts: timedelta = CLAIM_LASTS
) -> None:
    """Give this callback to an agent, unless somebody has it; whoever has it already gets the time anew.

    NoSuchCallback; AlreadyClaimed with the name of the colleague; IllegalMove where it is not in the queue any more.
    """
    row = find_row(connection, public_id)
    status = status_at(row, now)
    if status is Status.CLAIMED and row.claimed_by == member.id:
        # Never sooner than it was: while they are on the phone a claim lasts longer (`calling.advance`).
        move(connection, row, {"claim_ends_at": max(row.claim_ends_at or now, now + lasts)})
        return
    if not _take(connection, row, member, now, lasts):
        if status is Status.CLAIMED:
            raise AlreadyClaimed(name_of(connection, row.claimed_by))
        raise IllegalMove(status, Status.CLAIMED)


def take_next(
    connection: Connection, member: Member, now: datetime, office: OfficeHours, lasts: timedelta = CLAIM_LASTS
) -> str | None:
    """Give an agent the topmost callback of the queue that nobody has and that suits; its public id, None for nothing.

    It suits when its moment has come (`not_before`), when it is in a language of the agent or in one that nobody in the
    team speaks, when it is the caller's part of the day or overdue, and when no coordinator is needed or the agent is
    one. While the office is closed, only P0 suits.
    """
    query = select(callbacks).where(IS_OPEN, is_free(now), *_suits(connection, member, now, office))
    topmost = query.order_by(callbacks.c.urgency, callbacks.c.requested_at, callbacks.c.id).limit(1).with_for_update()
    row = connection.execute(topmost).first()
    if row is None or not _take(connection, row, member, now, lasts):
        return None
    public_id: str = row.public_id
    return public_id


def _suits(connection: Connection, member: Member, now: datetime, office: OfficeHours) -> list[ColumnElement[bool]]:
    team = connection.execute(select(agents.c.id, agents.c.languages).where(agents.c.disabled_at.is_(None)))
    others = {language for row in team for language in row.languages} - set(member.languages)
    wanted = func.coalesce(callbacks.c.callback_language, callbacks.c.language, "")
    part = part_of_day(now, office)
    suits = [
        or_(callbacks.c.not_before.is_(None), callbacks.c.not_before <= now),
        wanted.not_in(sorted(others)),
        or_(func.coalesce(callbacks.c.part_of_day, "any").in_(["any", part]), callbacks.c.due_at < now),
    ]
    if not member.is_coordinator:
        suits.append(callbacks.c.needs_coordinator.is_(False))
    if not office.is_open(now):
        suits.append(callbacks.c.urgency == int(Urgency.P0))
    return suits


def _take(connection: Connection, row: Row[Any], member: Member, now: datetime, lasts: timedelta) -> bool:
    """The claim itself: one row changed means it is theirs."""
    taken = connection.execute(
        update(callbacks)
        .where(callbacks.c.id == row.id, is_free(now))
        .values(status=Status.CLAIMED.value, claimed_by=member.id, claim_ends_at=now + lasts)
    )
    if taken.rowcount != 1:
        return False
    if row.status == Status.CLAIMED:
        record(connection, row.id, None, now, "claim_expired", claimed_by=name_of(connection, row.claimed_by))
    record(connection, row.id, member.id, now, "claimed")
    return True


def release(connection: Connection, public_id: str, member: Member, now: datetime) -> None:
    """Give a callback back to the queue. NoSuchCallback, NotYours, or IllegalMove where nobody has it."""
    row = claimed_row(connection, public_id, member, now, Status.QUEUED)
    move(connection, row, {"status": Status.QUEUED.value, **_FREE})
    record(connection, row.id, member.id, now, "released")


def expire_claims(connection: Connection, now: datetime) -> int:
    """Put back, visibly, what was claimed and left alone until the claim's time was over; how many there were."""
    rows = connection.execute(select(callbacks.c.id, callbacks.c.claimed_by).where(has_run_out(now)).with_for_update())
    expired = rows.all()
    for row in expired:
        still_so = (callbacks.c.id == row.id, has_run_out(now))
        connection.execute(update(callbacks).where(*still_so).values(status=Status.QUEUED.value, **_FREE))
        record(connection, row.id, None, now, "claim_expired", claimed_by=name_of(connection, row.claimed_by))
    return len(expired)


def cancel(connection: Connection, public_id: str, member: Member, reason: str, now: datetime) -> None:
    """Take a callback out of the queue for good, saying why.

    NoSuchCallback; NotYours where a colleague has it; IllegalMove where it is not open; Missing without a reason.
    """
    row = open_row(connection, public_id, member, now, Status.CANCELLED)
    move(connection, row, {"status": Status.CANCELLED.value, "closed_at": now, **_FREE})
    record(connection, row.id, member.id, now, "cancelled", reason=_said("reason", reason))


def retriage(
    connection: Connection,
    public_id: str,
    member: Member,
    now: datetime,
    office: OfficeHours,
    *,
    urgency: Urgency,
    need: str | None,
    reason: str,
) -> None:
    """Change how soon somebody phones back, and what for, saying why; the due time follows, and all of it is kept.

    More urgent counts from now and never makes the due time later; less urgent counts from the request. NoSuchCallback;
    NotYours where a colleague has it; IllegalMove where it is not open; Missing where no reason is given.
    """
    row = open_row(connection, public_id, member, now, Status.CANCELLED)  # whatever is open may still be cancelled
    due = row.due_at
    if urgency < row.urgency:
        due = min(due, due_at(urgency, now, office))
    elif urgency > row.urgency:
        due = due_at(urgency, row.requested_at, office)
    move(connection, row, {"urgency": int(urgency), "need": need, "due_at": due})
    before = {"urgency": row.urgency, "need": row.need, "due_at": row.due_at.isoformat()}
    after = {"urgency": int(urgency), "need": need, "due_at": due.isoformat()}
    record(connection, row.id, member.id, now, "retriaged", reason=_said("reason", reason), before=before, after=after)


def add_note(connection: Connection, public_id: str, member: Member, note: str, now: datetime) -> None:
    """Keep a note at a callback, whoever has it and however it ended. NoSuchCallback; Missing where it is empty."""
    row = find_row(connection, public_id)
    record(connection, row.id, member.id, now, "noted", note=_said("note", note))


def _said(what: str, words: str) -> str:
    if not words.strip():
        raise Missing(what)
    return words.strip()
