"""Numbers and moments become small prompts, in words that a caller's clock agrees with."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import spoken

AMSTERDAM = ZoneInfo("Europe/Amsterdam")
SATURDAY_EVENING = datetime(2026, 11, 21, 19, 30, tzinfo=UTC)  # 20:30 on the caller's clock


def say(names: tuple[str, ...]) -> str:
    return spoken.joined(names, lambda name: name.removeprefix("number_"))


def test_a_number_is_spelled_digit_by_digit() -> None:
    assert spoken.digits("040 25-1") == ("number_0", "number_4", "number_0", "number_2", "number_5", "number_1")


@pytest.mark.parametrize(
    "number, spelled",
    [
        ("4711", "4, 7, 1, 1"),
        ("0402512738", "0 4 0, 2 5 1, 2 7 3 8"),
        ("08000113", "0 8 0 0, 0 1 1 3"),
        ("08006464644", "0 8 0 0, 6 4 6, 4 6 4 4"),
        ("12345", "1, 2, 3, 4, 5"),
        ("7", "7"),
    ],
)
def test_digits_are_grouped_so_that_a_voice_pauses(number: str, spelled: str) -> None:
    assert say(spoken.digits(number)) == spelled


@given(st.text(alphabet="0123456789", max_size=30))
def test_no_digit_is_lost_or_moved_by_grouping(number: str) -> None:
    assert re.sub(r"\D", "", say(spoken.digits(number))) == number


def test_words_around_digits_stay_in_their_place() -> None:
    assert say(("day_monday", "number_7", "month_12", "before", "hour_17")) == "day_monday 7 month_12 before hour_17"


@pytest.mark.parametrize(
    "due_at, said",
    [
        (SATURDAY_EVENING, ("at_once",)),
        (datetime(2026, 11, 21, 20, 0, tzinfo=UTC), ("day_today", "before", "hour_21")),
        (datetime(2026, 11, 21, 20, 0, 1, tzinfo=UTC), ("day_today", "before", "hour_22")),
        (datetime(2026, 11, 22, 16, 0, tzinfo=UTC), ("day_tomorrow", "before", "hour_17")),
        (datetime(2026, 11, 23, 16, 0, tzinfo=UTC), ("day_monday", "before", "hour_17")),
        (datetime(2026, 11, 27, 16, 0, tzinfo=UTC), ("day_friday", "before", "hour_17")),
        (datetime(2026, 11, 28, 16, 0, tzinfo=UTC), ("day_saturday", "number_28", "month_11", "before", "hour_17")),
        (datetime(2026, 12, 7, 16, 0, tzinfo=UTC), ("day_monday", "number_7", "month_12", "before", "hour_17")),
    ],
)
def test_a_promise_names_the_day_and_a_whole_hour(due_at: datetime, said: tuple[str, ...]) -> None:
    assert spoken.due(due_at, SATURDAY_EVENING, AMSTERDAM) == said


@pytest.mark.parametrize("minute", [1, 0])
def test_a_promise_until_midnight_is_for_the_day_that_ends(minute: int) -> None:
    due_at = datetime(2026, 11, 21, 23 if minute == 0 else 22, minute, tzinfo=UTC)
    assert spoken.due(due_at, SATURDAY_EVENING, AMSTERDAM) == ("day_today", "before", "hour_0")


def test_the_night_when_the_clocks_go_forward_has_an_hour_less() -> None:
    now = datetime(2027, 3, 27, 12, 0, tzinfo=UTC)
    before_the_change = datetime(2027, 3, 28, 0, 30, tzinfo=UTC)  # 1:30; the next hour on the clock is 3
    assert spoken.due(before_the_change, now, AMSTERDAM) == ("day_tomorrow", "before", "hour_3")


@given(
    st.datetimes(datetime(2026, 1, 1), datetime(2027, 12, 31), timezones=st.just(UTC)),  # noqa: DTZ001  zone follows
    st.integers(min_value=1, max_value=30 * 24 * 3600),
)
def test_every_moment_can_be_said(now: datetime, seconds: int) -> None:
    due_at = datetime.fromtimestamp(now.timestamp() + seconds, UTC)
    assert set(spoken.due(due_at, now, AMSTERDAM)) <= spoken.SMALL_PROMPTS
