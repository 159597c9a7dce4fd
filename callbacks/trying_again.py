"""When to try again after nobody answered. Pure; `wrapping_up` asks here, the classes are those of `lifecycle`.

P0 and P1: three attempts, each at least 90 minutes after the one before and the same day as far as the office is still
open; then one on the next working morning; then a coordinator decides. P2 to P4: three attempts on three working days,
in different parts of the day, and then the callback closes; a new call opens it again (`service.request`). A caller who
named a part of the day is tried in that part: it may be the only one in which answering is safe.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta

from callbacks.lifecycle import P1_OFFICE_HOURS, Urgency, due_at
from callbacks.office_hours import OfficeHours

PATIENCE = 3  # attempts before the class's last resort
BETWEEN_ATTEMPTS = timedelta(minutes=90)
FURTHEST = timedelta(days=14)  # an agent may choose no moment after that

# Begins and ends on the office's clock. The line asks callers for the first two.
PARTS_OF_DAY: dict[str, tuple[time, time]] = {
    "morning": (time(0), time(12)),
    "afternoon": (time(12), time(17)),
    "evening": (time(17), time.max),
}


@dataclass(frozen=True)
class NextTry:
    """What follows an attempt that nobody answered: not before and due when, or to a coordinator, or closed."""

    not_before: datetime | None = None
    due_at: datetime | None = None
    needs_coordinator: bool = False
    closes: bool = False


def part_of_day(at: datetime, office: OfficeHours) -> str:
    """The part of the day at this moment (aware), on the office's clock."""
    clock = at.astimezone(office.zone).time()
    return next(name for name, (begins, ends) in PARTS_OF_DAY.items() if begins <= clock < ends or ends == time.max)


def after_no_answer(urgency: Urgency, tried: Sequence[datetime], wish: str | None, office: OfficeHours) -> NextTry:
    """What comes after these attempts (aware, oldest first, the last is the one just made).

    `wish` is the part of the day that the caller named, if any. Times are in UTC.
    """
    now = tried[-1]
    if urgency <= Urgency.P1:
        return _soon(urgency, len(tried), now, office)
    if len(tried) >= PATIENCE:
        return NextTry(closes=True)
    return _another_day(tried, wish, office)


def at_chosen_moment(rules: NextTry, at: datetime, office: OfficeHours) -> NextTry:
    """What follows where an agent has chosen the next moment (aware) instead of the rules: due two office hours later.

    The rules still say whether a coordinator must look; what they would close stays open for this attempt.
    """
    return replace(rules, not_before=at, due_at=office.add(at, P1_OFFICE_HOURS), closes=False)


def _soon(urgency: Urgency, attempts: int, now: datetime, office: OfficeHours) -> NextTry:
    if attempts > PATIENCE:
        return NextTry(due_at=due_at(Urgency.P1, now, office), needs_coordinator=True)
    again = _next_opening(now, office) if attempts == PATIENCE else office.add(now + BETWEEN_ATTEMPTS, timedelta())
    return NextTry(not_before=again, due_at=due_at(urgency, again, office))


def _another_day(tried: Sequence[datetime], wish: str | None, office: OfficeHours) -> NextTry:
    opens = _next_opening(tried[-1], office)
    closes = office.closing_after(tried[-1], working_days=1)
    spans = {name: span for name in PARTS_OF_DAY if (span := _within(name, opens, closes, office)) is not None}
    before = [part_of_day(moment, office) for moment in tried]
    # Not tried yet first, then whichever is longest ago.
    part = wish if wish in spans else min(spans, key=lambda name: _last_index(before, name))
    begins, ends = spans[part]
    return NextTry(not_before=begins, due_at=ends)


def _within(name: str, opens: datetime, closes: datetime, office: OfficeHours) -> tuple[datetime, datetime] | None:
    """This part of the day as far as the office is open; None where it is not."""
    day = opens.astimezone(office.zone).date()
    begins, ends = (datetime.combine(day, clock, office.zone).astimezone(UTC) for clock in PARTS_OF_DAY[name])
    begins, ends = max(begins, opens), min(ends, closes)
    return (begins, ends) if begins < ends else None


def _last_index(parts: Sequence[str], name: str) -> int:
    return max((index for index, part in enumerate(parts) if part == name), default=-1)


def _next_opening(now: datetime, office: OfficeHours) -> datetime:
    """When the office opens on the next working day after the day of `now`."""
    day = office.closing_after(now, working_days=1).astimezone(office.zone).date()
    return office.add(datetime.combine(day, time(), office.zone), timedelta())
