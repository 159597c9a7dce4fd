"""Everything that happened in the queue, the newest first: which change, to which request, by whom, when. Never words.

Events are only ever added, one after the other, so their ids are in the order of time: a page follows the id, and
nobody is shown a change twice while new ones arrive. Notes and reasons stay with their request.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import ColumnElement, Connection, literal_column, select

from callbacks.happenings import events
from callbacks.service import callbacks
from callbacks.staff import agents

LINE = 0  # who did what no agent did
LIMIT = 50


@dataclass(frozen=True)
class Wanted:
    """Which changes somebody wants to see; all that is set must hold. `who` is an agent's id, or LINE."""

    who: int | None = None
    what: str | None = None
    reference: str | None = None
    day: date | None = None


@dataclass(frozen=True)
class Change:
    """One change; `by` is a name, None where the line itself did it."""

    at: datetime
    what: str
    by: str | None
    public_id: str
    reference: str


@dataclass(frozen=True)
class Changes:
    """A page of them; `older` is what to ask for the page after it, None on the last."""

    changes: tuple[Change, ...]
    older: int | None


def list_changes(
    connection: Connection, wanted: Wanted, zone: ZoneInfo, *, before: int | None = None, limit: int = LIMIT
) -> Changes:
    """A page of what happened, the newest first; days begin and end on the clock of `zone`."""
    conditions = _conditions(wanted, zone)
    if before is not None:
        conditions.append(events.c.id < before)
    # First the page, then its names: joined before, PostgreSQL would begin at the callbacks.
    newest = select(events).where(*conditions).order_by(events.c.id.desc())
    page = newest.limit(literal_column(str(int(limit) + 1))).subquery()
    named = (
        select(page.c.id, page.c.at, page.c.what, agents.c.name, callbacks.c.public_id, callbacks.c.reference)
        .select_from(page.join(callbacks, callbacks.c.id == page.c.callback_id))
        .outerjoin(agents, agents.c.id == page.c.agent_id)
        .order_by(page.c.id.desc())
    )
    rows = connection.execute(named).all()
    shown = tuple(Change(row.at, row.what, row.name, row.public_id, row.reference) for row in rows[:limit])
    return Changes(shown, rows[limit - 1].id if len(rows) > limit else None)


def _conditions(wanted: Wanted, zone: ZoneInfo) -> list[ColumnElement[bool]]:
    conditions: list[ColumnElement[bool]] = []
    if wanted.who is not None:
        conditions.append(events.c.agent_id.is_(None) if wanted.who == LINE else events.c.agent_id == wanted.who)
    if wanted.what:
        conditions.append(events.c.what == wanted.what)
    if wanted.reference:
        found = select(callbacks.c.id).where(callbacks.c.reference == wanted.reference).scalar_subquery()
        conditions.append(events.c.callback_id == found)
    if wanted.day:
        begins, ends = (datetime.combine(day, time(), zone) for day in (wanted.day, wanted.day + timedelta(days=1)))
        conditions += [events.c.at >= begins, events.c.at < ends]
    return conditions
