"""Moments are said as somebody at work reads them: how long too late, how long ago; in both languages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta

import pytest
from flask import Flask
from flask_babel import force_locale

from callbacks import languages, moments

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # ten in the morning in Amsterdam


@pytest.fixture(autouse=True)
def page() -> Iterator[None]:
    """A page that is being made in Amsterdam."""
    app = Flask(__name__)
    languages.install(app, "Europe/Amsterdam")
    with app.test_request_context():
        yield


@pytest.mark.parametrize(
    "span, english, dutch",
    [
        (timedelta(seconds=-5), "less than a minute", "minder dan een minuut"),
        (timedelta(0), "less than a minute", "minder dan een minuut"),
        (timedelta(seconds=59), "less than a minute", "minder dan een minuut"),
        (timedelta(minutes=1), "1 min", "1 min"),
        (timedelta(minutes=59, seconds=59), "59 min", "59 min"),
        (timedelta(hours=1), "1 h", "1 uur"),
        (timedelta(hours=2, minutes=10), "2 h 10 min", "2 uur 10 min"),
        (timedelta(hours=23, minutes=59), "23 h 59 min", "23 uur 59 min"),
        (timedelta(days=1), "1 day", "1 dag"),
        (timedelta(days=1, minutes=40), "1 day", "1 dag"),
        (timedelta(days=1, hours=4), "1 day 4 h", "1 dag 4 uur"),
        (timedelta(days=2, hours=4), "2 days", "2 dagen"),
        (timedelta(days=400), "400 days", "400 dagen"),
    ],
)
def test_a_length_has_at_most_two_words_that_matter(span: timedelta, english: str, dutch: str) -> None:
    with force_locale("en"):
        assert moments.length(span) == english
    with force_locale("nl"):
        assert moments.length(span) == dutch


@pytest.mark.parametrize(
    "minutes, english, dutch",
    [
        (-130, "overdue by 2 h 10 min", "2 uur 10 min te laat"),
        (-0.2, "overdue by less than a minute", "minder dan een minuut te laat"),
        (0, "due now", "nu bellen"),
        (0.5, "due now", "nu bellen"),
        (40, "due in 40 min", "nog 40 min"),
        (60 * 24 * 3, "due in 3 days", "nog 3 dagen"),
    ],
)
def test_what_is_due_says_how_long_still_or_by_how_long_it_is_late(minutes: float, english: str, dutch: str) -> None:
    due_at = NOW + timedelta(minutes=minutes)
    with force_locale("en"):
        assert moments.due(due_at, NOW) == english
    with force_locale("nl"):
        assert moments.due(due_at, NOW) == dutch


@pytest.mark.parametrize(
    "said, minutes, english, dutch",
    [
        (moments.waiting, 180, "waiting 3 h", "wacht 3 uur"),
        (moments.ago, 0.5, "just now", "zojuist"),
        (moments.ago, 61, "1 h 1 min ago", "1 uur 1 min geleden"),
    ],
)
def test_what_was_says_how_long_ago(
    said: Callable[[datetime, datetime], str], minutes: float, english: str, dutch: str
) -> None:
    moment = NOW - timedelta(minutes=minutes)
    with force_locale("en"):
        assert said(moment, NOW) == english
    with force_locale("nl"):
        assert said(moment, NOW) == dutch


def test_the_exact_time_is_that_of_the_office_in_summer_and_winter() -> None:
    with force_locale("en"):
        assert moments.exact(NOW) == "Tue 24 Nov 10:00"
        assert moments.exact(datetime(2026, 7, 1, 9, 0, tzinfo=UTC)) == "Wed 1 Jul 11:00"
    with force_locale("nl"):
        assert moments.exact(NOW) == "di 24 nov 10:00"


def test_a_time_of_today_needs_no_day() -> None:
    with force_locale("en"):
        assert moments.clock(NOW + timedelta(hours=1), NOW) == "11:00"
        assert moments.clock(NOW + timedelta(hours=14), NOW) == "Wed 25 Nov 00:00"
