"""Calls to callers as others see them: how far one is, and what whoever places or connects it has to know.

Only looks; `calling` changes them, and gives these names on to everybody else.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, Row, Select, Table, select

from callbacks.call_states import State, silence_of
from callbacks.errors import NoSuchOutgoingCall
from callbacks.lifecycle import Status
from callbacks.models import OutgoingCall
from callbacks.service import callbacks
from callbacks.staff import agents

outgoing_calls: Table = OutgoingCall.__table__  # type: ignore[assignment]  # declared as FromClause


@dataclass(frozen=True)
class Progress:
    """How far a call is, for whoever watches; `by` is the agent's name, `error` a code, moments are in UTC."""

    public_id: str
    state: State
    asked_at: datetime
    connected_at: datetime | None
    ended_at: datetime | None
    error: str | None
    by: str
    by_id: int

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return self.ended_at is None


@dataclass(frozen=True)
class Outgoing:
    """A call to a caller, for whoever places and connects it. Numbers are E.164, and are not shown in a log.

    `is_still_theirs`: the callback is claimed by this agent, who is still in the team. `provider_sid` is the SID of the
    call to the agent: what comes under another SID is not this call.
    """

    id: int
    public_id: str
    callback_id: int
    callback_public_id: str
    agent_id: int
    state: State
    provider_sid: str | None
    asked_at: datetime
    changed_at: datetime
    is_live: bool
    is_still_theirs: bool
    agent_locale: str
    agent_phone: str | None = field(repr=False)
    caller_phone: str | None = field(repr=False)


def live_of(connection: Connection, callback_id: int) -> Progress | None:
    """The call that goes on for this callback, if there is one."""
    query = _PROGRESS.where(outgoing_calls.c.callback_id == callback_id, outgoing_calls.c.ended_at.is_(None))
    return _progress(connection.execute(query).first())


def latest_of(connection: Connection, callback_id: int) -> Progress | None:
    """The last call that anybody asked for of this callback, whether or not it goes on."""
    query = _PROGRESS.where(outgoing_calls.c.callback_id == callback_id).order_by(outgoing_calls.c.id.desc()).limit(1)
    return _progress(connection.execute(query).first())


def find(connection: Connection, public_id: str) -> Outgoing:
    """The call with this public id; NoSuchOutgoingCall."""
    row = connection.execute(_OUTGOING.where(outgoing_calls.c.public_id == public_id)).first()
    if row is None:
        raise NoSuchOutgoingCall(public_id)
    return _outgoing(row)


def silent_for_long(connection: Connection, now: datetime, limit: int = 50) -> tuple[Outgoing, ...]:
    """The live calls of which nothing was heard for longer than their state allows, the longest silent first."""
    live = _OUTGOING.where(outgoing_calls.c.ended_at.is_(None)).order_by(outgoing_calls.c.changed_at)
    rows = [_outgoing(row) for row in connection.execute(live)]
    return tuple(one for one in rows if now - one.changed_at >= silence_of(one.state))[:limit]


def sids_of_others(connection: Connection, outgoing_id: int, sids: list[str]) -> frozenset[str]:
    """Which of these SIDs belong to other calls of ours."""
    theirs = (outgoing_calls.c.provider_sid.in_(sids), outgoing_calls.c.id != outgoing_id)
    return frozenset(connection.execute(select(outgoing_calls.c.provider_sid).where(*theirs)).scalars())


_PROGRESS: Select[Any] = select(outgoing_calls, agents.c.name).join(agents, agents.c.id == outgoing_calls.c.agent_id)
_OUTGOING: Select[Any] = (
    select(
        outgoing_calls,
        callbacks.c.public_id.label("callback_public_id"),
        callbacks.c.status.label("callback_status"),
        callbacks.c.claimed_by,
        callbacks.c.phone.label("caller_phone"),
        agents.c.phone.label("agent_phone"),
        agents.c.locale.label("agent_locale"),
        agents.c.disabled_at,
    )
    .join(callbacks, callbacks.c.id == outgoing_calls.c.callback_id)
    .join(agents, agents.c.id == outgoing_calls.c.agent_id)
)


def _progress(row: Row[Any] | None) -> Progress | None:
    if row is None:
        return None
    return Progress(
        public_id=row.public_id,
        state=State(row.state),
        asked_at=row.asked_at,
        connected_at=row.connected_at,
        ended_at=row.ended_at,
        error=row.error,
        by=row.name,
        by_id=row.agent_id,
    )


def _outgoing(row: Row[Any]) -> Outgoing:
    is_theirs = row.callback_status == Status.CLAIMED and row.claimed_by == row.agent_id and row.disabled_at is None
    return Outgoing(
        id=row.id,
        public_id=row.public_id,
        callback_id=row.callback_id,
        callback_public_id=row.callback_public_id,
        agent_id=row.agent_id,
        state=State(row.state),
        provider_sid=row.provider_sid,
        asked_at=row.asked_at,
        changed_at=row.changed_at,
        is_live=row.ended_at is None,
        is_still_theirs=is_theirs,
        agent_locale=row.agent_locale,
        agent_phone=row.agent_phone,
        caller_phone=row.caller_phone,
    )
