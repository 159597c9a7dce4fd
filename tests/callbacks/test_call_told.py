"""What the team reads of a call back afterwards, in the story of the request."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from html import unescape
from pathlib import Path

import pytest

from callbacks import console_words
from callbacks.calling import CallWarning, State
from tests.callbacks.call_house import CallHouse
from tests.callbacks.people import MONDAY, Clock, console, database_of, join, signed_in_client, sqlite


class Office(CallHouse):
    """The office of the tests' people; its clock is the application's."""

    def __init__(self, path: Path) -> None:
        self.clock = Clock(MONDAY)
        self.app = console(sqlite(path), self.clock)
        self.database, self.now = database_of(self.app), MONDAY
        self.anna = join(self.database, "anna")

    def reads(self, asked: str) -> str:
        """The page of the request, as one line."""
        shown = signed_in_client(self.app, "anna").get(f"/console/requests/{asked}").get_data(as_text=True)
        return " ".join(unescape(shown).split())


@pytest.fixture
def office(tmp_path: Path) -> Iterator[Office]:
    working = Office(tmp_path)
    yield working
    working.database.close()


def test_the_story_says_how_the_call_went_and_how_long_they_spoke(office: Office) -> None:
    asked = office.calls()
    call = office.intends(office.anna, asked)
    office.hears(call, State.CONNECTED)
    office.wait(minutes=3, seconds=10)
    office.hears(call, State.ENDED)
    assert "<strong>That call ended</strong> (Anna): they spoke (4 min)" in office.reads(asked)


def test_the_story_says_what_spoke_against_calling(office: Office) -> None:
    asked = office.asks_for(office.calls(), part_of_day="afternoon", not_before=MONDAY + timedelta(hours=1))
    office.hears(office.intends(office.anna, asked, CallWarning), State.CALLER_BUSY)
    shown = office.reads(asked)
    told = "although: asked for another time of the day, too soon after the last attempt"
    assert f"<strong>Calls back through the line</strong> (Anna), {told} <" in shown
    assert "<strong>That call ended</strong> (Anna): the caller's phone was busy <" in shown


def test_every_state_and_every_warning_has_words() -> None:
    assert set(console_words.CALL_STATES) == set(State)
    assert set(console_words.CALL_WARNINGS) == set(CallWarning)
