"""One callback's whole story: how its call went, what was done since, and what else this number has asked."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from callbacks.call_log import calls, steps
from callbacks.happenings import events
from callbacks.queue_views import Entry, find, linked_with
from callbacks.service import callbacks
from callbacks.staff import agents

MOST_CALLS = 100  # a number that phoned more often is told by its newest calls


@dataclass(frozen=True)
class StepTold:
    """One step of the call: what was heard at `node` and how, then what the line said (names of prompts).

    `confidence` is how sure the recogniser was, 0 to 1, None for keys.
    """

    number: int
    at: datetime
    node: str | None
    heard: str | None
    value: str | None
    mode: str | None
    digits: str | None
    utterance: str | None
    confidence: float | None
    says: tuple[str, ...]


@dataclass(frozen=True)
class EventTold:
    """Something that happened: `by` is a name, None where the line itself did it."""

    at: datetime
    what: str
    by: str | None
    details: Mapping[str, Any]


@dataclass(frozen=True)
class OtherCall:
    """Another time this number asked: a call (`ending` says how it ended), a callback, or both."""

    at: datetime
    ending: str | None
    last_node: str | None
    public_id: str | None
    reference: str | None
    status: str | None
    outcome: str | None
    is_later: bool


@dataclass(frozen=True)
class Story:
    """All that is known of a callback; each part in the order in which it happened."""

    entry: Entry
    steps: tuple[StepTold, ...]
    events: tuple[EventTold, ...]
    linked: tuple[Entry, ...]
    other_calls: tuple[OtherCall, ...]


def story(connection: Connection, public_id: str, now: datetime) -> Story:
    """Tell the whole story of a callback; NoSuchCallback."""
    entry = find(connection, public_id, now)
    call_id = connection.execute(select(callbacks.c.call_id).where(callbacks.c.id == entry.id)).scalar()
    return Story(
        entry=entry,
        steps=_steps(connection, call_id),
        events=_events(connection, entry.id),
        linked=linked_with(connection, entry, now),
        other_calls=_other_calls(connection, entry, call_id),
    )


def _steps(connection: Connection, call_id: int | None) -> tuple[StepTold, ...]:
    rows = connection.execute(select(steps).where(steps.c.call_id == call_id).order_by(steps.c.number))
    return tuple(
        StepTold(
            number=row.number,
            at=row.at,
            node=row.node,
            heard=row.heard,
            value=row.value,
            mode=row.mode,
            digits=row.digits,
            utterance=row.utterance,
            confidence=row.confidence,
            says=tuple(json.loads(row.says)),
        )
        for row in rows
    )


def _events(connection: Connection, callback_id: int) -> tuple[EventTold, ...]:
    query = (
        select(events, agents.c.name)
        .select_from(events.outerjoin(agents, agents.c.id == events.c.agent_id))
        .where(events.c.callback_id == callback_id)
        .order_by(events.c.id)
    )
    return tuple(EventTold(row.at, row.what, row.name, row.details) for row in connection.execute(query))


def _other_calls(connection: Connection, entry: Entry, call_id: int | None) -> tuple[OtherCall, ...]:
    """Calls from this number, and callbacks to it that came from elsewhere: another phone, or the door."""
    number = entry.phone
    if number is None:
        number = connection.execute(select(calls.c.caller_number).where(calls.c.id == call_id)).scalar()
    if number is None:
        return ()
    both = select(*_ASKED).order_by(callbacks.c.id.desc()).limit(MOST_CALLS)
    from_it = (
        both.select_from(calls.outerjoin(callbacks, callbacks.c.call_id == calls.c.id))
        .where(calls.c.caller_number == number, calls.c.id != (call_id or 0))
        .order_by(None)
        .order_by(calls.c.id.desc())
    )
    to_it = both.select_from(callbacks.outerjoin(calls, callbacks.c.call_id == calls.c.id)).where(
        callbacks.c.phone == number,
        callbacks.c.id != entry.id,
        or_(calls.c.id.is_(None), calls.c.caller_number.is_distinct_from(number)),
    )
    rows = [*connection.execute(from_it), *connection.execute(to_it)]
    return tuple(sorted((_other(row, entry) for row in rows), key=lambda other: other.at))


_ASKED = (
    calls.c.started_at,
    calls.c.ending,
    calls.c.last_node,
    callbacks.c.public_id,
    callbacks.c.reference,
    callbacks.c.status,
    callbacks.c.outcome,
    callbacks.c.requested_at,
)


def _other(row: Row[Any], entry: Entry) -> OtherCall:
    at = row.started_at or row.requested_at
    return OtherCall(
        at=at,
        ending=row.ending,
        last_node=row.last_node,
        public_id=row.public_id,
        reference=row.reference,
        status=row.status,
        outcome=row.outcome,
        is_later=at > entry.requested_at,
    )
