"""When somebody phones back: counted in office hours, without weekends and Dutch public holidays."""

from __future__ import annotations

from datetime import UTC, datetime, time
from zoneinfo import ZoneInfo

import pytest

from callbacks.lifecycle import LEGAL_MOVES, Status, Urgency, due_at
from callbacks.office_hours import NeverOpen, OfficeHours, Opening

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
WEEKDAYS_9_TO_17 = OfficeHours({day: Opening(time(9), time(17)) for day in range(5)})


def at(text: str) -> datetime:
    """A moment on the office's clock."""
    return datetime.fromisoformat(text).replace(tzinfo=AMSTERDAM)


def due(urgency: Urgency, asked: str) -> str:
    """The due time on the office's clock."""
    return due_at(urgency, at(asked), WEEKDAYS_9_TO_17).astimezone(AMSTERDAM).strftime("%Y-%m-%d %H:%M")


@pytest.mark.parametrize(
    "urgency,asked,expected",
    [
        (Urgency.P0, "2026-11-24 10:00", "2026-11-24 10:00"),
        (Urgency.P1, "2026-11-24 10:00", "2026-11-24 12:00"),
        (Urgency.P1, "2026-11-24 16:30", "2026-11-25 10:30"),  # the rest of two hours on the next morning
        (Urgency.P1, "2026-11-20 16:30", "2026-11-23 10:30"),  # over the weekend
        (Urgency.P1, "2026-11-21 19:00", "2026-11-23 11:00"),  # on Saturday evening
        (Urgency.P1, "2026-11-24 06:00", "2026-11-24 11:00"),  # before opening
        (Urgency.P2, "2026-11-24 10:00", "2026-11-25 17:00"),
        (Urgency.P2, "2026-11-20 10:00", "2026-11-23 17:00"),
        (Urgency.P3, "2026-11-24 10:00", "2026-11-27 17:00"),
        (Urgency.P4, "2026-11-24 10:00", "2026-12-01 17:00"),
        (Urgency.P2, "2026-12-24 10:00", "2026-12-28 17:00"),  # both Christmas days and a weekend
        (Urgency.P1, "2027-04-26 16:00", "2027-04-28 10:00"),  # King's Day is a Tuesday
        (Urgency.P2, "2027-03-27 23:59", "2027-03-30 17:00"),  # Easter Monday, and the clocks go forward
    ],
)
def test_due_times_count_office_hours_and_working_days(urgency: Urgency, asked: str, expected: str) -> None:
    """Each class has its own measure."""
    assert due(urgency, asked) == expected


def test_a_due_time_is_in_utc_and_never_before_the_request() -> None:
    """What is stored compares with every other moment."""
    for urgency in Urgency:
        moment = due_at(urgency, datetime(2026, 11, 24, 9, tzinfo=UTC), WEEKDAYS_9_TO_17)
        assert moment >= datetime(2026, 11, 24, 9, tzinfo=UTC)
        assert moment.utcoffset() is not None


def test_the_office_is_open_from_its_first_minute_until_its_last() -> None:
    """Opening hours are half open: at 17:00 nobody picks up any more."""
    states = {
        clock: WEEKDAYS_9_TO_17.is_open(at(f"2026-11-24 {clock}")) for clock in ("08:59", "09:00", "16:59", "17:00")
    }
    assert states == {"08:59": False, "09:00": True, "16:59": True, "17:00": False}
    assert not WEEKDAYS_9_TO_17.is_open(at("2026-12-25 10:00"))


def test_an_office_that_never_opens_is_said_so_instead_of_searched_for_ever() -> None:
    """A mistake in organisation.toml must not hang a call."""
    with pytest.raises(NeverOpen):
        due_at(Urgency.P1, at("2026-11-24 10:00"), OfficeHours({}))


def test_a_repeat_raises_one_class_but_never_to_p0() -> None:
    """Only danger that a caller names is P0."""
    assert [urgency.raised().name for urgency in Urgency] == ["P0", "P1", "P1", "P2", "P3"]


def test_every_status_has_its_legal_moves() -> None:
    """A new status cannot be forgotten, and what is cancelled stays so."""
    assert set(LEGAL_MOVES) == set(Status)
    assert not LEGAL_MOVES[Status.CANCELLED]
