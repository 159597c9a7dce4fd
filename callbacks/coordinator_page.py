"""The coordinator's page: what only they can solve, who has how many, what is late, and how the last month went."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING

from flask import Blueprint, render_template
from sqlalchemy import Connection, func, select

from callbacks import access, figures, moments, queue_views, staff
from callbacks.desk import Desk
from callbacks.figures import Figures
from callbacks.guarding import current_member, require_coordinator
from callbacks.lifecycle import Urgency
from callbacks.queue_rows import IS_OPEN, is_held
from callbacks.queue_views import Counts, Filters
from callbacks.service import callbacks
from callbacks.staff import Member

if TYPE_CHECKING:
    from flask.typing import ResponseReturnValue


@dataclass(frozen=True)
class Bar:
    """One row of the picture of what is open: how many, how many of them late, both as parts of a hundred too."""

    urgency: Urgency
    open: int
    overdue: int
    most: int

    @property
    def length(self) -> float:
        """How long the bar is."""
        return self.open * 100 / self.most if self.most else 0.0

    @property
    def late_length(self) -> float:
        """How much of it is late."""
        return self.overdue * 100 / self.most if self.most else 0.0


@dataclass(frozen=True)
class Overview:
    """All that the page tells, at one moment. `team` has whoever may sign in, and how many they have claimed."""

    counts: Counts
    for_coordinator: int
    bars: Sequence[Bar]
    team: Sequence[tuple[Member, int]]
    figures: Sequence[Figures]


def add_routes(pages: Blueprint, desk: Desk) -> None:
    """The page's address."""

    @require_coordinator
    def coordinator() -> ResponseReturnValue:
        return _page(desk)

    pages.add_url_rule("/coordinator", "coordinator", coordinator)


def _page(desk: Desk) -> ResponseReturnValue:
    member, now = current_member(), desk.clock()
    # Reading a month takes its time: not where everybody else waits to write.
    told = desk.database.read(lambda connection: overview(connection, member, now))
    desk.do(lambda connection, moment: access.note(connection, member, "figures", moment))
    return render_template(
        "coordinator.html",
        told=told,
        fewest=figures.FEWEST,
        within=figures.WITHIN,
        days=figures.PERIOD.days,
        length=moments.length,
    )


def overview(connection: Connection, member: Member, now: datetime) -> Overview:
    """What a coordinator wants to know at this moment."""
    counts = queue_views.counts(connection, member, now)
    wanted = Filters(for_coordinator=True)
    return Overview(
        counts=counts,
        for_coordinator=queue_views.count_list(connection, wanted, member, now),
        bars=_bars(counts.by_urgency, _overdue(connection, now)),
        team=_team(connection, now),
        figures=figures.figures(figures.recent(connection, now), now),
    )


def _overdue(connection: Connection, now: datetime) -> Mapping[int, int]:
    query = select(callbacks.c.urgency, func.count()).where(IS_OPEN, callbacks.c.due_at < now)
    return {row.urgency: row[1] for row in connection.execute(query.group_by(callbacks.c.urgency))}


def _bars(open_: Mapping[Urgency, int], overdue: Mapping[int, int]) -> tuple[Bar, ...]:
    most = max(open_.values(), default=0)
    return tuple(Bar(urgency, number, overdue.get(urgency, 0), most) for urgency, number in open_.items())


def _team(connection: Connection, now: datetime) -> tuple[tuple[Member, int], ...]:
    query = select(callbacks.c.claimed_by, func.count()).where(is_held(now)).group_by(callbacks.c.claimed_by)
    held = {row.claimed_by: row[1] for row in connection.execute(query)}
    there = [member for member in staff.list_members(connection) if not member.is_disabled or member.id in held]
    return tuple((member, held.get(member.id, 0)) for member in there)
