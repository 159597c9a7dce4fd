"""The queue as the team sees it: a page of it, how many there are of what, one entry.

Pages follow a key (urgency, moment of the request, id), not a count of rows, so that nobody is shown twice or left out
while rows above are taken away. Counts come from `tallies`, which triggers in the database keep right: they cost the
same for 50,000 open callbacks as for 500. Both decide by `queue_rows` what is queued, claimed and open at a moment.
"""

from __future__ import annotations

import re
from array import array
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Connection, Row, Select, Table, func, literal_column, select, tuple_

from callbacks.errors import NoSuchCallback
from callbacks.happenings import events
from callbacks.lifecycle import Status, Urgency
from callbacks.models import Tally
from callbacks.queue_rows import IS_OPEN, is_free, is_held, status_at
from callbacks.searching import matches
from callbacks.service import callbacks
from callbacks.staff import Member, agents

tallies: Table = Tally.__table__  # type: ignore[assignment]  # declared as FromClause; a mapped class has a Table
heads = callbacks.alias("heads")

ANY = "all"
OPEN = "open"
STATUSES = (OPEN, *(status.value for status in Status), ANY)
_HOUR = "%Y-%m-%d %H"
_MICROSECOND = timedelta(microseconds=1)


@dataclass(frozen=True)
class Filters:
    """Which callbacks somebody wants to see; all that is set must hold. `status` is one of STATUSES.

    `language` is the one to call back in. `words` is what was typed into the search box.
    """

    urgency: frozenset[int] = frozenset()
    status: str = OPEN
    language: str | None = None
    region: str | None = None
    need: str | None = None
    mine: bool = False
    overdue: bool = False
    words: str = ""
    for_coordinator: bool = False


@dataclass(frozen=True)
class Entry:
    """A callback as the list shows it, at one moment; `status` is that of this moment, moments are in UTC."""

    id: int
    public_id: str
    reference: str
    status: Status
    urgency: Urgency
    requested_at: datetime
    due_at: datetime
    is_overdue: bool
    need: str | None
    who: str | None
    was_refused: bool | None
    outcome: str
    language: str | None
    callback_language: str | None
    needs_interpreter: bool  # the language to call back in is one that nobody of the team speaks
    region: str | None
    part_of_day: str | None
    safe_message: bool | None  # None: not asked, which counts as no
    flags: tuple[str, ...]
    attempts: int
    repeats: int
    phone: str | None
    is_confirmed: bool
    claimed_by: str | None  # a name
    claimed_by_id: int | None
    claim_ends_at: datetime | None
    not_before: datetime | None
    needs_coordinator: bool
    linked_to: str | None  # the reference of the earlier one
    linked_to_id: str | None  # its public id
    disposition: str | None
    closed_at: datetime | None
    left_by: str | None = None  # whose claim ran out, where nobody has done anything since
    answers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Page:
    """A page of entries; `next` is what to ask for the page after it, None on the last."""

    entries: tuple[Entry, ...]
    next: str | None


@dataclass(frozen=True)
class Counts:
    """How many callbacks each list holds: `open` is `queued` and `claimed` together, `by_urgency` of the open ones."""

    open: int
    queued: int
    claimed: int
    mine: int
    overdue: int
    by_urgency: Mapping[Urgency, int]


def list_page(
    connection: Connection,
    filters: Filters,
    member: Member,
    now: datetime,
    *,
    after: str | None = None,
    limit: int = 50,
) -> Page:
    """A page of the callbacks that fit the filters; open ones as the queue has them, others the newest first.

    `after` is the `next` of the page before; what is no such thing gives the first page. ValueError for an unknown
    status.
    """
    # The limit is spelled out: PostgreSQL plans a parameter as if a tenth of the queue were wanted.
    newest_first = _is_newest_first(filters)
    query = _ENTRIES.where(*_conditions(filters, member, now)).limit(literal_column(str(int(limit) + 1)))
    query = _after_newest(query, after) if newest_first else _after_urgent(query, after)
    rows = connection.execute(query.order_by(*_order(filters))).all()
    shown = entries(connection, rows[:limit], now)
    return Page(shown, _key(rows[limit - 1], newest_first=newest_first) if len(rows) > limit else None)


def count_list(connection: Connection, filters: Filters, member: Member, now: datetime) -> int:
    """How many callbacks the whole list of these filters holds; its time grows with the queue."""
    return _count(connection, *_conditions(filters, member, now))


def list_ids(connection: Connection, filters: Filters, member: Member, now: datetime) -> array[int]:
    """Which callbacks the whole list holds, in its order: eight bytes each, so that a long queue is no burden."""
    query = select(callbacks.c.id).where(*_conditions(filters, member, now)).order_by(*_order(filters))
    return array("q", connection.execute(query).scalars())


def counts(connection: Connection, member: Member, now: datetime) -> Counts:
    """How many callbacks are open, queued, claimed, this member's and overdue, and how many of each urgency."""
    hour = now.astimezone(UTC).strftime(_HOUR)
    late = func.sum(tallies.c.open).filter(tallies.c.due_hour < hour)
    query = select(tallies.c.urgency, func.sum(tallies.c.open), late).group_by(tallies.c.urgency)
    tallied = connection.execute(query).all()
    by_urgency = {Urgency(urgency): int(number) for urgency, number, _ in tallied}
    claimed = _count(connection, is_held(now))
    total = sum(by_urgency.values())
    begins = now.astimezone(UTC).replace(minute=0, second=0, microsecond=0)
    this_hour = _count(connection, IS_OPEN, callbacks.c.due_at >= begins, callbacks.c.due_at < now)
    return Counts(
        open=total,
        queued=total - claimed,
        claimed=claimed,
        mine=_count(connection, callbacks.c.claimed_by == member.id, is_held(now)),
        overdue=sum(int(before or 0) for _, _, before in tallied) + this_hour,
        by_urgency={urgency: by_urgency.get(urgency, 0) for urgency in Urgency},
    )


def find(connection: Connection, public_id: str, now: datetime) -> Entry:
    """One callback, as it is at this moment; NoSuchCallback."""
    row = connection.execute(_ENTRIES.where(callbacks.c.public_id == public_id)).first()
    if row is None:
        raise NoSuchCallback(public_id)
    return entries(connection, [row], now)[0]


def linked_with(connection: Connection, entry: Entry, now: datetime) -> tuple[Entry, ...]:
    """The callbacks that this one is linked to, or that are linked to it or to the same one; the oldest first."""
    head = connection.execute(select(callbacks.c.linked_to).where(callbacks.c.id == entry.id)).scalar() or entry.id
    family = (callbacks.c.id == head) | (callbacks.c.linked_to == head) | (callbacks.c.linked_to == entry.id)
    query = _ENTRIES.where(family, callbacks.c.id != entry.id).order_by(callbacks.c.id)
    return entries(connection, connection.execute(query).all(), now)


def entries(connection: Connection, rows: Any, now: datetime) -> tuple[Entry, ...]:  # noqa: ANN401
    """The rows of a query of callbacks with their names, as entries."""
    team = connection.execute(select(agents.c.languages).where(agents.c.disabled_at.is_(None)))
    spoken = frozenset(language for row in team for language in row.languages)
    left = _left_alone(connection, [row.id for row in rows if row.status == Status.QUEUED])
    return tuple(_entry(row, spoken, left, now) for row in rows)


def _left_alone(connection: Connection, ids: list[int]) -> dict[int, str]:
    """Of these callbacks those whose claim ran out and that nobody has touched since, with the name of whose it was."""
    query = select(events.c.callback_id, events.c.what, events.c.details).where(
        events.c.callback_id.in_(ids), events.c.what.not_in(["noted", "asked_again", "called"])
    )
    last = {row.callback_id: row for row in connection.execute(query.order_by(events.c.id))} if ids else {}
    return {id_: str(row.details["claimed_by"]) for id_, row in last.items() if row.what == "claim_expired"}


_ENTRIES: Select[Any] = select(
    callbacks,
    agents.c.name.label("claimed_by_name"),
    heads.c.reference.label("head_reference"),
    heads.c.public_id.label("head_public_id"),
).select_from(
    callbacks.outerjoin(agents, agents.c.id == callbacks.c.claimed_by).outerjoin(
        heads, heads.c.id == callbacks.c.linked_to
    )
)


def _conditions(filters: Filters, member: Member, now: datetime) -> list[ColumnElement[bool]]:
    # What somebody has is found by whose it is: told that it is open as well, SQLite would walk through the queue.
    conditions = [] if filters.mine and filters.status == OPEN else _of_status(filters.status, now)
    if filters.urgency:
        conditions.append(callbacks.c.urgency.in_(sorted(filters.urgency)))
    if filters.language:
        wanted = func.coalesce(callbacks.c.callback_language, callbacks.c.language)
        conditions.append(wanted == filters.language)
    if filters.region:
        conditions.append(callbacks.c.region == filters.region)
    if filters.need:
        conditions.append(callbacks.c.need == filters.need)
    if filters.mine:
        conditions += [callbacks.c.claimed_by == member.id, is_held(now)]
    if filters.overdue:
        conditions += [IS_OPEN, due_in_order < now]
    if filters.for_coordinator:
        conditions.append(callbacks.c.needs_coordinator.is_(True))
    return conditions + matches(filters.words)


# Not to be looked up by its index: what is overdue would have to be sorted before the first page of it is there.
due_in_order = func.coalesce(callbacks.c.due_at, callbacks.c.due_at)


def _of_status(status: str, now: datetime) -> list[ColumnElement[bool]]:
    match status:
        case "all":
            return []
        case "open":
            return [IS_OPEN]
        case Status.QUEUED:
            return [IS_OPEN, is_free(now)]
        case Status.CLAIMED:
            return [is_held(now)]
        case Status.CLOSED | Status.CANCELLED:
            return [callbacks.c.status == status]
        case _:
            raise ValueError(f"{status!r} is none of {', '.join(STATUSES)}")


def _is_newest_first(filters: Filters) -> bool:
    return filters.status in (Status.CLOSED, Status.CANCELLED, ANY)


def _order(filters: Filters) -> tuple[ColumnElement[Any], ...]:
    if _is_newest_first(filters):
        return (callbacks.c.id.desc(),)
    return callbacks.c.urgency, callbacks.c.requested_at, callbacks.c.id


_URGENT_KEY = re.compile(r"([0-4])\.([0-9]{1,17})\.([0-9]{1,18})")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _key(row: Row[Any], *, newest_first: bool) -> str:
    if newest_first:
        return str(row.id)
    microseconds = (row.requested_at - _EPOCH) // _MICROSECOND
    return f"{row.urgency}.{microseconds}.{row.id}"


def _after_urgent(query: Select[Any], after: str | None) -> Select[Any]:
    key = _URGENT_KEY.fullmatch(after or "")
    if key is None:
        return query
    try:
        asked = _EPOCH + int(key[2]) * _MICROSECOND
    except OverflowError:
        return query
    columns = tuple_(callbacks.c.urgency, callbacks.c.requested_at, callbacks.c.id)
    return query.where(columns > (int(key[1]), asked, int(key[3])))


def _after_newest(query: Select[Any], after: str | None) -> Select[Any]:
    return query.where(callbacks.c.id < int(after)) if re.fullmatch(r"[0-9]{1,18}", after or "") and after else query


def _count(connection: Connection, *conditions: ColumnElement[bool]) -> int:
    return connection.execute(select(func.count()).select_from(callbacks).where(*conditions)).scalar_one()


def _entry(row: Row[Any], spoken: frozenset[str], left: Mapping[int, str], now: datetime) -> Entry:
    status = status_at(row, now)
    is_open = status in (Status.QUEUED, Status.CLAIMED)
    is_claimed = status is Status.CLAIMED
    wanted = row.callback_language or row.language
    kept = {name: getattr(row, name) for name in _AS_STORED}
    return Entry(
        **kept,
        status=status,
        urgency=Urgency(row.urgency),
        is_overdue=is_open and row.due_at < now,
        needs_interpreter=wanted is not None and wanted not in spoken,
        safe_message=row.safe_message,
        flags=tuple(row.flags),
        claimed_by=row.claimed_by_name if is_claimed else None,
        claimed_by_id=row.claimed_by if is_claimed else None,
        claim_ends_at=row.claim_ends_at if is_claimed else None,
        left_by=row.claimed_by_name if row.status != status else left.get(row.id),
        linked_to=row.head_reference,
        linked_to_id=row.head_public_id,
    )


_AS_STORED = (
    "id", "public_id", "reference", "requested_at", "due_at", "need", "who", "was_refused", "outcome", "language",
    "callback_language", "region", "part_of_day", "attempts", "repeats", "phone", "is_confirmed", "not_before",
    "needs_coordinator", "disposition", "closed_at", "answers",
)  # fmt: skip
