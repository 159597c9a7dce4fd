"""When one more call is one too many: somebody is on the phone already, or a number is called all day.

`calling` asks before it stores a call, and before it takes one for live again.
"""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, func, or_, select

from callbacks.calling_views import outgoing_calls
from callbacks.errors import CallInProgress, TooManyCalls
from callbacks.service import callbacks
from callbacks.staff import agents

DAY = timedelta(hours=24)
MOST_TO_A_NUMBER = 12  # in a day: more is a mistake, or somebody earns by it
MOST_IN_ALL = 500


def refuse_second(connection: Connection, asked: Row[Any], agent_id: int, agent_phone: str | None) -> None:
    """CallInProgress where this callback, another one of the same number, or this agent's phone is in a call."""
    concerned = [outgoing_calls.c.callback_id == asked.id, outgoing_calls.c.agent_id == agent_id]
    phones = ((callbacks.c.phone, asked.phone), (agents.c.phone, agent_phone))
    concerned += [column == phone for column, phone in phones if phone is not None]
    query = (
        select(agents.c.name, callbacks.c.public_id)
        .select_from(outgoing_calls)
        .join(agents, agents.c.id == outgoing_calls.c.agent_id)
        .join(callbacks, callbacks.c.id == outgoing_calls.c.callback_id)
        .where(outgoing_calls.c.ended_at.is_(None), or_(*concerned))
        .order_by(outgoing_calls.c.callback_id != asked.id)
    )
    live = connection.execute(query).first()
    if live is not None:
        raise CallInProgress(live.name, live.public_id)


def has_taken_its_place(connection: Connection, outgoing: Row[Any]) -> bool:
    """Whether a call is live in which the same caller or the same agent would be on the phone."""
    asked = connection.execute(select(callbacks).where(callbacks.c.id == outgoing.callback_id)).one()
    phone = connection.execute(select(agents.c.phone).where(agents.c.id == outgoing.agent_id)).scalar()
    try:
        refuse_second(connection, asked, outgoing.agent_id, phone)
    except CallInProgress:
        return True
    return False


def refuse_flood(connection: Connection, phone: str, now: datetime) -> None:
    """TooManyCalls where this number, or all together, were called very often within a day."""
    today = outgoing_calls.c.asked_at > now - DAY
    theirs = select(callbacks.c.id).where(callbacks.c.phone == phone)
    query = select(func.count()).select_from(outgoing_calls).where(today)
    to_number = connection.execute(query.where(outgoing_calls.c.callback_id.in_(theirs))).scalar_one()
    if to_number >= MOST_TO_A_NUMBER or connection.execute(query).scalar_one() >= MOST_IN_ALL:
        raise TooManyCalls("too many calls in a day")
