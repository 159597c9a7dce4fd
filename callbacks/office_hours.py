"""When the office is open, in its own time zone, with the public holidays of its country (the `holidays` package).

`lifecycle` counts due times with it, and the line asks whether the office is open now. Pure: the hours come from
organisation.toml, the moment is always an argument.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from functools import cached_property
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

if TYPE_CHECKING:
    from holidays import HolidayBase

WEEKDAYS = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")
_FURTHEST = 60  # days; no office is closed for longer, and a search without an end would hang a call


class NeverOpen(ValueError):
    """The office has no opening hour within two months, so that nothing can be promised."""


@dataclass(frozen=True)
class Opening:
    """The opening hours of one day."""

    opens: time
    closes: time


@dataclass(frozen=True)
class OfficeHours:
    """Opening hours by weekday (0 is Monday), the office's zone, and its country's public holidays."""

    week: Mapping[int, Opening]
    zone: ZoneInfo = field(default_factory=lambda: ZoneInfo("Europe/Amsterdam"))
    country: str = "NL"

    def is_open(self, at: datetime) -> bool:
        """Whether somebody is at the office at this moment (aware)."""
        return any(opens <= at < closes for opens, closes in self._spans(at, days=0))

    def add(self, start: datetime, office_time: timedelta) -> datetime:
        """The moment (UTC) at which `office_time` of opening hours has passed since `start` (aware)."""
        left = office_time
        for opens, closes in self._spans(start, days=_FURTHEST):
            begin = max(opens, start)
            if begin >= closes:
                continue
            if closes - begin >= left:
                return begin + left
            left -= closes - begin
        raise NeverOpen("organisation.toml gives no opening hours in the next two months")

    def closing_after(self, start: datetime, *, working_days: int) -> datetime:
        """The closing time (UTC) of the nth working day after the day of `start` (aware)."""
        today = start.astimezone(self.zone).date()
        closings = (closes for opens, closes in self._spans(start, days=_FURTHEST) if self._day(opens) > today)
        for number, closes in enumerate(closings, start=1):
            if number == working_days:
                return closes
        raise NeverOpen("organisation.toml gives too few opening hours in the next two months")

    def _day(self, moment: datetime) -> date:
        return moment.astimezone(self.zone).date()

    def _spans(self, start: datetime, *, days: int) -> Iterator[tuple[datetime, datetime]]:
        """Each opening (from, until; UTC) from the day of `start` to `days` later, holidays left out."""
        first = self._day(start)
        for offset in range(days + 1):
            day = first + timedelta(days=offset)
            hours = self.week.get(day.weekday())
            if hours is not None and day not in self._holidays:
                yield self._at(day, hours.opens), self._at(day, hours.closes)

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, self.zone).astimezone(UTC)

    @cached_property
    def _holidays(self) -> HolidayBase:
        from holidays import country_holidays  # 40 ms and many tables: only where hours are counted

        return country_holidays(self.country)
