"""Why Next gave nothing, so that the page can say what an agent may do instead.

`queue.take_next` decides what suits; the same conditions are counted here, one by one, and only when it found nothing:
this looks at the whole queue.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, false, func, select, true

from callbacks.office_hours import OfficeHours
from callbacks.queue_rows import IS_OPEN, is_free
from callbacks.service import callbacks
from callbacks.staff import Member, agents
from callbacks.trying_again import part_of_day


@dataclass(frozen=True)
class NothingSuits:
    """How many wait and do not suit, by the reason; one request may have several. `soonest` is when the first may."""

    free: int
    other_language: int
    other_part_of_day: int
    later: int
    coordinators: int
    is_office_open: bool
    soonest: datetime | None


def why(connection: Connection, member: Member, now: datetime, office: OfficeHours) -> NothingSuits:
    """What keeps the requests that nobody has from this member at this moment."""
    later = callbacks.c.not_before > now
    wished = func.coalesce(callbacks.c.part_of_day, "any").not_in(["any", part_of_day(now, office)])
    kept = (
        _of_others(connection, member),
        and_(wished, callbacks.c.due_at >= now),
        later,
        and_(callbacks.c.needs_coordinator.is_(True), false() if member.is_coordinator else true()),
    )
    soonest = func.min(callbacks.c.not_before).filter(later)
    columns: list[ColumnElement[Any]] = [func.count(), *(func.count().filter(reason) for reason in kept), soonest]
    row = connection.execute(select(*columns).where(IS_OPEN, is_free(now))).one()
    return NothingSuits(row[0], row[1], row[2], row[3], row[4], office.is_open(now), row[5])


def _of_others(connection: Connection, member: Member) -> ColumnElement[bool]:
    """In a language that colleagues speak and this member does not."""
    team = connection.execute(select(agents.c.languages).where(agents.c.disabled_at.is_(None)))
    others = {language for row in team for language in row.languages} - set(member.languages)
    return func.coalesce(callbacks.c.callback_language, callbacks.c.language, "").in_(sorted(others))
