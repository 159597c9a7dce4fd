"""What happened in calls: each call once, and its steps, only ever added to.

`service` has the callbacks that calls ask for, `prepared` says the hot statements to the driver itself, and
`ivr.switchboard` takes a call from one of these steps to the next. Every function is a part of a unit of work on a
connection that `db.Database` opened; see `service` for what that means.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Table, bindparam, func, insert, select, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.exc import IntegrityError

from callbacks.errors import StepAlreadyTaken
from callbacks.models import Call, Step
from callbacks.prepared import Prepared

calls: Table = Call.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table
steps: Table = Step.__table__  # type: ignore[assignment]


@dataclass(frozen=True)
class CallState:
    """A call as it stands: `step` is the number of its newest step, -1 where there is none yet."""

    id: int
    sid: str
    caller_number: str | None
    started_at: datetime
    ended_at: datetime | None
    ending: str | None
    step: int
    step_at: datetime | None
    position: str
    says: str


@dataclass(frozen=True)
class HeardStep:
    """What a step keeps of what was heard, and how."""

    node: str | None = None
    heard: str | None = None
    value: str | None = None
    mode: str | None = None
    digits: str | None = None
    utterance: str | None = None
    confidence: float | None = None


_FIND_CALL = Prepared(
    select(
        calls.c.id,
        calls.c.sid,
        calls.c.caller_number,
        calls.c.started_at,
        calls.c.ended_at,
        calls.c.ending,
        steps.c.number,
        steps.c.at.label("step_at"),
        steps.c.position,
        steps.c.says,
    )
    .select_from(calls.outerjoin(steps, steps.c.call_id == calls.c.id))
    .where(calls.c.sid == bindparam("sid"))
    .order_by(steps.c.number.desc())
    .limit(1)
)


def find_call(connection: Connection, sid: str) -> CallState | None:
    """The call as it stands, with its newest step; None for a call that we do not know."""
    row = _FIND_CALL.first(connection, {"sid": sid})
    if row is None:
        return None
    id_, sid, caller_number, started_at, ended_at, ending, number, step_at, position, says = row
    step = -1 if number is None else number
    return CallState(id_, sid, caller_number, started_at, ended_at, ending, step, step_at, position or "", says or "")


def open_call(connection: Connection, sid: str, caller_number: str | None, at: datetime) -> CallState:
    """Take down that this call exists, whichever of its webhooks comes first; then the call as it stands."""
    known = find_call(connection, sid)
    if known is not None:
        return known
    added = _OPEN_CALL.first(connection, {"sid": sid, "caller_number": caller_number, "started_at": at})
    if added is not None:
        return CallState(added[0], sid, caller_number, at, None, None, -1, None, "", "")
    state = find_call(connection, sid)  # the other webhook of this call was faster: the row is there
    if state is None:
        raise LookupError(sid)
    return state


_OPEN_CALL = Prepared(
    {
        dialect.__name__.rpartition(".")[2]: dialect.insert(calls)
        .on_conflict_do_nothing(index_elements=[calls.c.sid])
        .returning(calls.c.id)
        for dialect in (postgresql, sqlite)
    },
    columns=("sid", "caller_number", "started_at"),
)


@dataclass(frozen=True)
class Taken:
    """A step as it is stored: what was heard, the position it led to (JSON), and what we said there (JSON)."""

    number: int
    at: datetime
    heard: HeardStep
    position: str
    says: str


def record_step(connection: Connection, call_id: int, step: Taken) -> None:
    """Keep one step; StepAlreadyTaken when another webhook answered this turn first."""
    values = {
        "call_id": call_id,
        "number": step.number,
        "at": step.at,
        "position": step.position,
        "says": step.says,
        **step.heard.__dict__,
    }
    try:
        _RECORD_STEP.do(connection, values)
    except IntegrityError as error:
        raise StepAlreadyTaken(call_id, step.number) from error


_RECORD_STEP = Prepared(
    insert(steps),
    columns=("call_id", "number", "at", "position", "says", *HeardStep.__dataclass_fields__),
)


def find_step(connection: Connection, call_id: int, number: int) -> tuple[str, str] | None:
    """The position and the words with which a turn was answered before; None when it was not."""
    row = connection.execute(
        select(steps.c.position, steps.c.says).where(steps.c.call_id == call_id, steps.c.number == number)
    ).first()
    return None if row is None else (row.position, row.says)


def end_call(connection: Connection, call_id: int, at: datetime, ending: str, last_node: str | None) -> None:
    """Label how a call ended. The first moment stays; the label follows what was learned last."""
    connection.execute(
        update(calls)
        .where(calls.c.id == call_id)
        .values(ended_at=func.coalesce(calls.c.ended_at, bindparam("at")), ending=ending, last_node=last_node),
        {"at": at},
    )


def silent_calls(connection: Connection, since: datetime, limit: int, after: int = 0) -> list[tuple[int, str]]:
    """Ids and sids of calls that are not ended and in which nothing has happened since; a page of them, by id."""
    newest = select(func.max(steps.c.at)).where(steps.c.call_id == calls.c.id).scalar_subquery()
    query = (
        select(calls.c.id, calls.c.sid)
        .where(calls.c.id > after, calls.c.ended_at.is_(None), func.coalesce(newest, calls.c.started_at) < since)
        .order_by(calls.c.id)
        .limit(limit)
    )
    return [(row.id, row.sid) for row in connection.execute(query)]


def steps_of(connection: Connection, call_ids: Sequence[int]) -> Iterator[Row[Any]]:
    """The steps of these calls, by call and number."""
    query = select(steps).where(steps.c.call_id.in_(call_ids)).order_by(steps.c.call_id, steps.c.number)
    yield from connection.execute(query)
