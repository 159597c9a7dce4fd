"""Calling back through the line: what is stored before the provider is asked, and of what it tells afterwards.

`call_states` says which news outweighs which, `ringing` asks the provider, the line's webhooks report here what happens
on the phone; who only looks finds `calling_views` here too. All functions are parts of a unit of work on a connection
of `db.Database`. The row is the truth: one live row of a callback and one of an agent, or the database refuses it.
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Protocol

from sqlalchemy import Connection, Row, exists, insert, select, update
from sqlalchemy.exc import IntegrityError

from callbacks.call_limits import has_taken_its_place, refuse_flood, refuse_second
from callbacks.call_states import LIVE, PATIENCE, RING_SECONDS, TIME_LIMIT, State, after, silence_of
from callbacks.calling_views import Outgoing, Progress, find, latest_of, live_of, outgoing_calls
from callbacks.errors import NeedsOverride, NoNumber, NoPhone
from callbacks.happenings import record
from callbacks.lifecycle import CLAIM_LASTS, Status
from callbacks.office_hours import OfficeHours
from callbacks.queue import claim
from callbacks.queue_rows import find_row
from callbacks.service import callbacks
from callbacks.staff import Member
from callbacks.trying_again import PARTS_OF_DAY, part_of_day

__all__ = [
    "LIVE",
    "RING_SECONDS",
    "TIME_LIMIT",
    "CallWarning",
    "Outgoing",
    "Progress",
    "State",
    "advance",
    "find",
    "intend",
    "latest_of",
    "live_of",
    "take_to_place",
    "warnings",
]

_TICK = timedelta(microseconds=1)


class CallWarning(StrEnum):
    """What speaks against calling now; an agent may know better."""

    OFFICE_CLOSED = "office_closed"
    OTHER_PART_OF_DAY = "other_part_of_day"  # than the caller asked for: it may not be safe to answer
    TOO_SOON = "too_soon"  # after the last attempt
    NOT_CONFIRMED = "not_confirmed"  # the caller did not say that the number is right


class Wishes(Protocol):
    """What a callback says about when to call; an entry of the queue has it."""

    @property
    def part_of_day(self) -> str | None: ...

    @property
    def not_before(self) -> datetime | None: ...

    @property
    def is_confirmed(self) -> bool: ...


def warnings(asked: Wishes | Row[Any], now: datetime, office: OfficeHours) -> tuple[CallWarning, ...]:
    """What speaks against calling at this moment (aware); an entry of the queue or a row of it is asked."""
    wish = asked.part_of_day
    found = {
        CallWarning.OFFICE_CLOSED: not office.is_open(now),
        CallWarning.OTHER_PART_OF_DAY: wish in PARTS_OF_DAY and wish != part_of_day(now, office),
        CallWarning.TOO_SOON: asked.not_before is not None and asked.not_before > now,
        CallWarning.NOT_CONFIRMED: not asked.is_confirmed,
    }
    return tuple(warning for warning, holds in found.items() if holds)


def intend(
    connection: Connection,
    public_id: str,
    member: Member,
    now: datetime,
    office: OfficeHours,
    overridden: Iterable[CallWarning] = (),
    *,
    lasts: timedelta = CLAIM_LASTS,
) -> str:
    """Store that an agent calls this caller back, and claim the callback for them; the public id of the outgoing call.

    Only after the commit is the provider asked (`ringing`). NoSuchCallback; AlreadyClaimed where a colleague has it;
    IllegalMove where it is not open; NoNumber, NoPhone; CallInProgress where this callback or this agent's phone is in
    a call; TooManyCalls; NeedsOverride with the warnings that were not put aside.
    """
    claim(connection, public_id, member, now, lasts)
    row = find_row(connection, public_id)
    if row.phone is None:
        raise NoNumber("the caller left no number")
    if member.phone is None:
        raise NoPhone("the agent has no phone")
    refuse_second(connection, row, member.id, member.phone)
    refuse_flood(connection, row.phone, now)
    against, put_aside = warnings(row, now, office), frozenset(overridden)
    if not put_aside.issuperset(against):
        raise NeedsOverride(tuple(warning for warning in against if warning not in put_aside))
    known = [warning.value for warning in against]
    outgoing = _store(connection, row, member, now, known)
    record(connection, row.id, member.id, now, "calling", call=outgoing, overridden=known)
    return outgoing


def take_to_place(connection: Connection, public_id: str, now: datetime) -> Outgoing | None:
    """Take a call that is to be placed: only the first who asks gets it, so that it is never placed twice."""
    outgoing = find(connection, public_id)
    untouched = (
        outgoing_calls.c.id == outgoing.id,
        outgoing_calls.c.state == State.ASKED.value,
        outgoing_calls.c.changed_at == outgoing_calls.c.asked_at,
    )
    touched = max(now, outgoing.asked_at + _TICK)
    taken = connection.execute(update(outgoing_calls).where(*untouched).values(changed_at=touched))
    return outgoing if taken.rowcount == 1 else None


def advance(
    connection: Connection,
    outgoing_id: int,
    state: State,
    now: datetime,
    *,
    provider_sid: str | None = None,
    error: str | None = None,
    seconds: int | None = None,
    lasts: timedelta = CLAIM_LASTS,
) -> bool:
    """Take in news of a call, in whatever order and however often it comes; whether it changed anything.

    `provider_sid` is that of the call to the agent: news under another than is known changes nothing. `seconds` is how
    long they spoke, where the provider says so. NOT_PLACED is revived by news of the call itself, unless a newer call
    has taken its place: then it stays ended, and whoever answers that call should hang up (`Outgoing.is_live`).
    """
    row = connection.execute(select(outgoing_calls).where(outgoing_calls.c.id == outgoing_id).with_for_update()).one()
    before = State(row.state)
    becomes = after(before, state)
    is_other = provider_sid is not None and row.provider_sid not in (None, provider_sid)
    learns = provider_sid is not None and row.provider_sid is None
    is_revived = before not in LIVE and becomes in LIVE
    if is_other or (becomes is before and not learns) or (is_revived and has_taken_its_place(connection, row)):
        return False
    values = {"provider_sid": provider_sid} if learns else {}
    if becomes is not before:
        values |= _values(row, becomes, now, error)
    if not _change(connection, row.id, values):
        return False
    if becomes is not before:
        _follow(connection, row, becomes, now, seconds, lasts)
    return True


def _store(connection: Connection, asked: Row[Any], member: Member, now: datetime, overridden: list[str]) -> str:
    """The new row, if no other has come in between; its public id."""
    public_id = secrets.token_hex(16)
    values = {
        "public_id": public_id,
        "callback_id": asked.id,
        "agent_id": member.id,
        "state": State.ASKED.value,
        "overridden": overridden,
        "asked_at": now,
        "changed_at": now,
    }
    try:
        with connection.begin_nested():
            connection.execute(insert(outgoing_calls).values(**values))
    except IntegrityError:
        refuse_second(connection, asked, member.id, member.phone)
        raise
    return public_id


def _values(row: Row[Any], becomes: State, now: datetime, error: str | None) -> dict[str, Any]:
    """What a change of state changes in the row; a call that had ended keeps the moment of its end."""
    is_live = becomes in LIVE
    values = {
        "state": becomes.value,
        # Never back to the moment of asking, which means that nobody has taken it to place it.
        "changed_at": max(now, row.asked_at + _TICK),
        "ended_at": None if is_live else row.ended_at or now,
        "error": error if becomes in (State.FAILED, State.NOT_PLACED) else None,
    }
    if becomes is State.CONNECTED:
        values["connected_at"] = now
    return values


def _change(connection: Connection, outgoing_id: int, values: dict[str, Any]) -> bool:
    """Write it, unless a newer call is live in its place or its SID is another's."""
    try:
        with connection.begin_nested():
            connection.execute(update(outgoing_calls).where(outgoing_calls.c.id == outgoing_id).values(**values))
    except IntegrityError:
        return False
    return True


def _follow(
    connection: Connection, row: Row[Any], becomes: State, now: datetime, seconds: int | None, lasts: timedelta
) -> None:
    """What comes of a change: the claim lasts as long as the call and then begins anew, and an end is written down.

    Late news of a call that was given up leaves the claim alone while a newer call of the callback goes on.
    """
    holds = silence_of(becomes) + PATIENCE + lasts if becomes in LIVE else lasts
    is_newer = outgoing_calls.c.id > row.id
    theirs = (
        callbacks.c.id == row.callback_id,
        callbacks.c.status == Status.CLAIMED.value,
        callbacks.c.claimed_by == row.agent_id,
        ~exists().where(outgoing_calls.c.callback_id == row.callback_id, is_newer, outgoing_calls.c.ended_at.is_(None)),
    )
    connection.execute(update(callbacks).where(*theirs).values(claim_ends_at=now + holds))
    if becomes in LIVE:
        return
    if seconds is None and becomes is State.ENDED and row.connected_at is not None and row.ended_at is None:
        seconds = int((now - row.connected_at).total_seconds())
    details = {"call": row.public_id, "state": becomes.value, "seconds": seconds}
    record(connection, row.callback_id, row.agent_id, now, "called", **details)
