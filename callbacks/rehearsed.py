"""The calls that a rehearsal's stand-in for the phone company has to know of: the rows are its only memory.

Several processes serve a rehearsal, so that none of them may remember a call. `ivr.rehearsal_api` answers with these
what a provider would be asked, and the phone in the browser rings by them (`ivr.rehearsal_ringing`).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, select

from callbacks.call_states import LIVE, State
from callbacks.calling_views import outgoing_calls
from callbacks.staff import agents


@dataclass(frozen=True)
class Placed:
    """One call to an agent that was placed: under which SID, to whom and to which number (E.164), and how far it is."""

    public_id: str
    sid: str
    to: str
    agent: str
    state: State
    asked_at: datetime

    @property
    def is_live(self) -> bool:
        """Whether it goes on."""
        return self.state in LIVE


def placed(connection: Connection, to: str, since: datetime) -> tuple[Placed, ...]:
    """The calls to this number that were asked for at or after this moment (aware), the newest first."""
    return _placed(connection, agents.c.phone == to, outgoing_calls.c.asked_at >= since)


def ringing(connection: Connection, since: datetime) -> Placed | None:
    """The call that rings an agent's phone, asked for at or after this moment (aware): the newest, or None."""
    rings = outgoing_calls.c.state == State.RINGING_AGENT.value
    found = _placed(connection, rings, outgoing_calls.c.asked_at >= since)
    return found[0] if found else None


def is_ringing(connection: Connection, sid: str) -> bool:
    """Whether this call still rings, with nobody having picked it up."""
    state = select(outgoing_calls.c.state).where(outgoing_calls.c.provider_sid == sid)
    return connection.execute(state).scalar() == State.RINGING_AGENT.value


def _placed(connection: Connection, *conditions: ColumnElement[bool]) -> tuple[Placed, ...]:
    query = (
        select(outgoing_calls, agents.c.name, agents.c.phone)
        .join(agents, agents.c.id == outgoing_calls.c.agent_id)
        .where(outgoing_calls.c.provider_sid.is_not(None), agents.c.phone.is_not(None), *conditions)
        .order_by(outgoing_calls.c.id.desc())
        .limit(50)
    )
    return tuple(_one(row) for row in connection.execute(query))


def _one(row: Any) -> Placed:  # noqa: ANN401  a row of the query above
    return Placed(row.public_id, row.provider_sid, row.phone, row.name, State(row.state), row.asked_at)
