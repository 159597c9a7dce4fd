"""How it goes: how soon somebody tried to phone back, whether in time, and whom they reached. For coordinators.

Of the requests that were asked for in the last thirty days, by urgency. A later request of the same caller is worked
with the first one and not counted. An attempt is a call on which the caller's phone rang, or a wrap-up that says how a
call went. A number that fewer than five people make up is not told, so that nobody can be recognised in it, and there
are no totals from which it could be worked out.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from math import ceil
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from callbacks.call_states import State
from callbacks.calling_views import outgoing_calls
from callbacks.happenings import events
from callbacks.lifecycle import OPEN, Disposition, Urgency
from callbacks.service import callbacks

PERIOD = timedelta(days=30)
MOST = 10_000  # requests, the newest: a flood must not make the page wait
FEWEST = 5  # people who make up a number that may be told
WITHIN = 3  # attempts

REACHED = frozenset(
    {
        Disposition.INFORMATION_GIVEN,
        Disposition.APPOINTMENT_ARRANGED,
        Disposition.MEDIATION_OPENED,
        Disposition.REFERRED,
        Disposition.OTHER_SCHEME,
        Disposition.NOT_ELIGIBLE,
        Disposition.EMERGENCY_REDIRECTED,
    }
)
MISSED = frozenset({Disposition.NO_ANSWER, Disposition.WRONG_NUMBER})
_RANG = (State.RINGING_CALLER, State.CONNECTED, State.CALLER_NO_ANSWER, State.CALLER_BUSY, State.ENDED)


@dataclass(frozen=True)
class Asked:
    """One request: when it was asked for, until when somebody had to try, when they first did, and what came of it.

    `tries` is the outcome of each attempt that was wrapped up, in their order: whether the caller was reached.
    """

    urgency: Urgency
    requested_at: datetime
    due_at: datetime
    is_open: bool
    first_try_at: datetime | None
    tries: tuple[bool, ...]


@dataclass(frozen=True)
class Share:
    """How many of how many."""

    part: int
    of: int

    @property
    def may_be_told(self) -> bool:
        """Whether neither those that are meant nor the others are so few that somebody could be recognised."""
        return self.of >= FEWEST and not 0 < self.part < FEWEST and not 0 < self.of - self.part < FEWEST

    @property
    def percent(self) -> int:
        """The share, of a hundred, rounded down: "100" is said of all only."""
        return self.part * 100 // self.of


@dataclass(frozen=True)
class Figures:
    """How it went with one urgency. What may not be told is None, or a Share that says so itself."""

    urgency: Urgency
    asked: int | None
    median: timedelta | None
    slowest_tenth: timedelta | None  # nine of ten were sooner
    on_time: Share
    reached: Share


def figures(asked: Sequence[Asked], now: datetime) -> tuple[Figures, ...]:
    """The figures of each urgency, the most urgent first."""
    return tuple(_of(urgency, [each for each in asked if each.urgency is urgency], now) for urgency in Urgency)


def _of(urgency: Urgency, asked: Sequence[Asked], now: datetime) -> Figures:
    waits = sorted(each.first_try_at - each.requested_at for each in asked if each.first_try_at is not None)
    told = waits if len(waits) >= FEWEST else []
    return Figures(
        urgency=urgency,
        asked=len(asked) if len(asked) >= FEWEST else None,
        median=(told[(len(told) - 1) // 2] + told[len(told) // 2]) / 2 if told else None,
        slowest_tenth=told[ceil(len(told) * 0.9) - 1] if told else None,
        on_time=_on_time(asked, now),
        reached=_reached(asked),
    )


def _on_time(asked: Sequence[Asked], now: datetime) -> Share:
    """Of all that somebody tried, or should have tried by now."""
    tried = [each.first_try_at <= each.due_at for each in asked if each.first_try_at is not None]
    too_late = sum(each.first_try_at is None and each.is_open and each.due_at < now for each in asked)
    return Share(sum(tried), len(tried) + too_late)


def _reached(asked: Sequence[Asked]) -> Share:
    """Of all whom somebody reached, or tried three times, or gave up."""
    within = [any(each.tries[:WITHIN]) for each in asked]
    decided = [
        was_reached
        for each, was_reached in zip(asked, within, strict=True)
        if was_reached or len(each.tries) >= WITHIN or (each.tries and not each.is_open)
    ]
    return Share(sum(decided), len(decided))


_TOLD = tuple(callbacks.c[name] for name in ("id", "urgency", "requested_at", "due_at", "status"))


def recent(connection: Connection, now: datetime) -> list[Asked]:
    """The requests of the last thirty days, at most MOST of them."""
    those = (
        select(*_TOLD)
        .where(callbacks.c.requested_at >= now - PERIOD, callbacks.c.linked_to.is_(None))
        .order_by(callbacks.c.id.desc())
        .limit(MOST)
    )
    rang, wrapped = _rang(connection, those), _wrapped_up(connection, those)
    nothing = _WrappedUp()
    return [_asked(row, rang.get(row.id), wrapped.get(row.id, nothing)) for row in connection.execute(those)]


@dataclass
class _WrappedUp:
    """The wrap-ups of one request that count as attempts and were not taken back."""

    done: list[Row[Any]] = field(default_factory=list)

    def note(self, event: Row[Any]) -> None:
        """Take the next event."""
        if event.what == "undone":
            del self.done[-1:]
        else:
            self.done.append(event)

    @property
    def attempts(self) -> list[Row[Any]]:
        """Those that say how a call went."""
        return [event for event in self.done if event.details["disposition"] in REACHED | MISSED]


def _wrapped_up(connection: Connection, those: Select[Any]) -> Mapping[int, _WrappedUp]:
    within = those.subquery()
    query: Select[Any] = (
        select(events.c.callback_id, events.c.at, events.c.what, events.c.details)
        .join(within, within.c.id == events.c.callback_id)
        .where(events.c.what.in_(["wrapped_up", "undone"]))
        .order_by(events.c.id)
    )
    found: defaultdict[int, _WrappedUp] = defaultdict(_WrappedUp)
    for event in connection.execute(query):
        found[event.callback_id].note(event)
    return found


def _rang(connection: Connection, those: Select[Any]) -> Mapping[int, datetime]:
    """When somebody first made the caller's phone ring through the line."""
    within = those.subquery()
    query = (
        select(outgoing_calls.c.callback_id, outgoing_calls.c.asked_at)
        .join(within, within.c.id == outgoing_calls.c.callback_id)
        .where(outgoing_calls.c.state.in_([state.value for state in _RANG]))
        .order_by(outgoing_calls.c.id.desc())
    )
    return {row.callback_id: row.asked_at for row in connection.execute(query)}


def _asked(row: Row[Any], rang_at: datetime | None, wrapped: _WrappedUp) -> Asked:
    attempts = wrapped.attempts
    tried = [moment for moment in (rang_at, *(event.at for event in attempts)) if moment is not None]
    # A wrap-up may move the due time: what counts is when it was due before the first one.
    due = datetime.fromisoformat(attempts[0].details["before"]["due_at"]) if attempts else row.due_at
    return Asked(
        urgency=Urgency(row.urgency),
        requested_at=row.requested_at,
        due_at=due,
        is_open=row.status in OPEN,
        first_try_at=min(tried, default=None),
        tries=tuple(event.details["disposition"] in REACHED for event in attempts),
    )
