"""What is done with calls and callbacks, a use case at a time.

Every function is a unit of work, or a part of one, on a connection that `db.Database.write` opened: it may be run again
after a rollback, so it touches nothing but the connection, and whoever called `write` has it durable when that returns.
Rules come from `lifecycle`; the caller's side of a call is decided in the call's own rooms and arrives here as values.
"""

from __future__ import annotations

import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, insert, select, update

from callbacks.call_log import calls
from callbacks.happenings import record
from callbacks.lifecycle import OPEN, Disposition, Status, Urgency, due_at
from callbacks.models import Callback
from callbacks.office_hours import OfficeHours

callbacks: Table = Callback.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class Request:
    """A callback that a caller asks for, with the triage's urgency; `is_confirmed`: they found the number right."""

    outcome: str
    urgency: int
    phone: str | None
    language: str | None
    answers: Mapping[str, str]
    flags: Sequence[str]
    is_confirmed: bool = True


@dataclass(frozen=True)
class Requested:
    """What became of a request: `queued`, `linked` to an open one of the number, or `already` there for this call."""

    result: str
    reference: str
    due_at: datetime


def request(connection: Connection, call_id: int, asked: Request, now: datetime, office: OfficeHours) -> Requested:
    """Queue a callback for this call, once; a repeat of an open one of the same number links to it and raises both."""
    existing = _callback_of(connection, call_id)
    if existing is not None:
        if existing.status not in OPEN:  # wrapped up while the caller was still on the line, and asked for again
            _reopen(connection, existing, now, office)
        enrich(connection, call_id, asked, now, office)
        existing = _callback_of(connection, call_id) or existing
        return Requested("already", existing.reference, existing.due_at)
    earlier = open_or_reopened(connection, asked.phone, now)
    urgency = Urgency(asked.urgency)
    if earlier is not None:
        urgency = urgency.raised()
        raise_earlier(connection, earlier, now, office)
    due, reference = due_at(urgency, now, office), free_reference(connection)
    when = {"urgency": int(urgency), "requested_at": now, "due_at": due}
    _queue(connection, call_id, asked, when | {"reference": reference, "linked_to": earlier and earlier.id})
    return Requested("queued" if earlier is None else "linked", reference, due)


def enrich(connection: Connection, call_id: int, known: Request, now: datetime, office: OfficeHours) -> None:
    """Add to this call's callback what was learned since; it only ever becomes more urgent, and is never closed."""
    callback = _callback_of(connection, call_id)
    if callback is None or callback.status not in OPEN:
        return
    values: dict[str, Any] = {
        "answers": dict(known.answers),
        "flags": list(known.flags),
        "language": known.language,
        **_told(known.answers),
    }
    linked_to, urgency, concluded = callback.linked_to, Urgency(callback.urgency), _concluded(callback, known)
    says_less = known.outcome == "incomplete" or concluded > urgency
    if callback.outcome not in (known.outcome, "incomplete") and says_less:
        values["answers"] |= callback.answers  # asked for another person or need since: the urgent one stays to be seen
    elif known.outcome not in ("incomplete", callback.outcome):
        urgency = concluded if callback.outcome == "incomplete" else min(urgency, concluded)
        values["outcome"] = known.outcome
    if known.phone not in (None, callback.phone) and (known.is_confirmed or callback.phone is None):
        values |= {"phone": known.phone, "is_confirmed": known.is_confirmed}
        earlier = _open_callback(connection, known.phone, apart_from=callback.id)
        if earlier is not None and linked_to is None:
            raise_earlier(connection, earlier, now, office)
            values["linked_to"], urgency = earlier.id, urgency.raised()
    elif known.is_confirmed and known.phone is not None:
        values["is_confirmed"] = True
    if urgency != callback.urgency:
        values |= {"urgency": int(urgency), "due_at": min(callback.due_at, due_at(urgency, now, office))}
    connection.execute(update(callbacks).where(callbacks.c.id == callback.id).values(**values))


def _concluded(callback: Row[Any], known: Request) -> Urgency:
    """The urgency of what is known now, with every call that had raised this callback a class counted in."""
    urgency = Urgency(known.urgency)
    for _ in range(callback.repeats + (callback.linked_to is not None)):
        urgency = urgency.raised()
    return urgency


def withdraw(connection: Connection, call_id: int, now: datetime) -> None:
    """Take back a callback that this call did not want after all, unless somebody is at work on it."""
    callback = _callback_of(connection, call_id)
    if callback is None or callback.status != Status.QUEUED:
        return
    ended = {"status": Status.CANCELLED.value, "disposition": Disposition.WITHDREW.value, "closed_at": now}
    connection.execute(update(callbacks).where(callbacks.c.id == callback.id).values(**ended))
    record(connection, callback.id, None, now, "withdrawn")


def _callback_of(connection: Connection, call_id: int) -> Row[Any] | None:
    return connection.execute(select(callbacks).where(callbacks.c.call_id == call_id)).first()


def _open_callback(connection: Connection, phone: str | None, *, apart_from: int = 0) -> Row[Any] | None:
    """The first open callback of this number, to which every later one links."""
    if phone is None:
        return None
    query = (
        select(callbacks)
        .where(
            callbacks.c.phone == phone,
            callbacks.c.status.in_([status.value for status in OPEN]),
            callbacks.c.id != apart_from,
        )
        .order_by(callbacks.c.linked_to.is_not(None), callbacks.c.id)
        .limit(1)
        .with_for_update()
    )
    return connection.execute(query).first()


def open_or_reopened(connection: Connection, phone: str | None, now: datetime) -> Row[Any] | None:
    """The first open callback of this number; where none is, the last one that nobody answered, opened again.

    A number is kept only until its closed callback is anonymised, so what is found here may still be opened.
    """
    earlier = _open_callback(connection, phone)
    if earlier is not None or phone is None:
        return earlier
    unanswered = (
        callbacks.c.phone == phone,
        callbacks.c.status == Status.CLOSED.value,
        callbacks.c.disposition == Disposition.NO_ANSWER.value,
    )
    query = select(callbacks).where(*unanswered).order_by(callbacks.c.closed_at.desc()).limit(1)
    found = connection.execute(query).first()
    if found is None:
        return None
    _reopen(connection, found, now)
    return _open_callback(connection, phone)


def _reopen(connection: Connection, closed: Row[Any], now: datetime, office: OfficeHours | None = None) -> None:
    """Put a callback back into the queue as if nobody had tried; with `office`, due as if it were asked for now."""
    earlier = _open_callback(connection, closed.phone, apart_from=closed.id)
    fresh: dict[str, Any] = {"status": Status.QUEUED.value, "attempts": 0}
    fresh |= dict.fromkeys(("disposition", "closed_at", "not_before", "claimed_by", "claim_ends_at"))
    if earlier is not None and closed.linked_to is None:
        fresh["linked_to"] = earlier.id
    if office is not None:
        fresh["due_at"] = due_at(Urgency(closed.urgency), now, office)
    connection.execute(update(callbacks).where(callbacks.c.id == closed.id).values(**fresh))
    record(connection, closed.id, None, now, "reopened")


def raise_earlier(connection: Connection, earlier: Row[Any], now: datetime, office: OfficeHours) -> None:
    """Phone back sooner, because this person asked again."""
    urgency = Urgency(earlier.urgency).raised()
    record(connection, earlier.id, None, now, "asked_again", before=earlier.urgency, after=int(urgency))
    connection.execute(
        update(callbacks)
        .where(callbacks.c.id == earlier.id)
        .values(
            urgency=urgency,
            due_at=min(earlier.due_at, due_at(urgency, now, office)),
            repeats=callbacks.c.repeats + 1,
            not_before=None,  # whoever phones again can be reached now
        )
    )


_TRIES = 20  # a reference grows by a digit where so many in a row were taken: four digits are enough for a small queue


def _queue(connection: Connection, call_id: int, asked: Request, decided: dict[str, Any]) -> None:
    values = {
        "public_id": secrets.token_urlsafe(16),
        "call_id": call_id,
        "status": Status.QUEUED.value,
        "outcome": asked.outcome,
        "language": asked.language,
        "phone": asked.phone,
        "answers": dict(asked.answers),
        "flags": list(asked.flags),
        "is_confirmed": asked.is_confirmed,
        **_told(asked.answers),
    }
    connection.execute(insert(callbacks), values | decided)


def free_reference(connection: Connection) -> str:
    """A reference that nobody has: four digits, more where the queue has used those up.

    Two processes may still choose the same one on PostgreSQL; the unique constraint then fails the unit, which the
    writer runs again.
    """
    for attempt in range(_TRIES * 4):
        length = 4 + attempt // _TRIES
        reference = f"{secrets.randbelow(10**length):0{length}}"
        taken = connection.execute(select(callbacks.c.id).where(callbacks.c.reference == reference)).first()
        if taken is None:
            return reference
    raise RuntimeError("no free reference was found")


def _told(answers: Mapping[str, str]) -> dict[str, Any]:
    """The columns that the team filters by, from the caller's answers."""
    plain = {name: answers.get(name) for name in ("need", "who", "region", "part_of_day", "callback_language")}
    return plain | {
        "was_refused": _yes(answers.get("refused")),
        "safe_message": _yes(answers.get("safe_message")),
    }


def _yes(answer: str | None) -> bool | None:
    return None if answer is None else answer == "yes"


_WITH_CALL: Select[Any] = select(callbacks, calls.c.sid.label("call_sid")).select_from(
    callbacks.outerjoin(calls, calls.c.id == callbacks.c.call_id)
)


def list_callbacks(
    connection: Connection, *, statuses: Sequence[Status] | None = None, after: int = 0, limit: int = 500
) -> list[Row[Any]]:
    """A page of callbacks by id, with the sid of the call each came from."""
    query = _WITH_CALL.where(callbacks.c.id > after).order_by(callbacks.c.id).limit(limit)
    if statuses is not None:
        query = query.where(callbacks.c.status.in_([status.value for status in statuses]))
    return list(connection.execute(query))


def callbacks_with(connection: Connection, ids: Sequence[int]) -> list[Row[Any]]:
    """The callbacks that have these ids, in no order, with the sid of the call each came from."""
    return list(connection.execute(_WITH_CALL.where(callbacks.c.id.in_(ids))))


def callback_of_call(connection: Connection, call_sid: str) -> Row[Any] | None:
    """The callback that the call with this sid asked for, or None."""
    query = (
        select(callbacks, calls.c.sid.label("call_sid"))
        .join(calls, calls.c.id == callbacks.c.call_id)
        .where(calls.c.sid == call_sid)
    )
    return connection.execute(query).first()


def references(connection: Connection, ids: Sequence[int]) -> dict[int | None, str]:
    """The references of callbacks by their ids."""
    rows = connection.execute(select(callbacks.c.id, callbacks.c.reference).where(callbacks.c.id.in_(ids)))
    return {row.id: row.reference for row in rows}


def list_queue(connection: Connection, limit: int) -> list[Row[Any]]:
    """The open callbacks, the most urgent first and within a class the oldest first."""
    query = (
        select(callbacks)
        .where(callbacks.c.status.in_([status.value for status in OPEN]))
        .order_by(callbacks.c.urgency, callbacks.c.requested_at, callbacks.c.id)
        .limit(limit)
    )
    return list(connection.execute(query))
