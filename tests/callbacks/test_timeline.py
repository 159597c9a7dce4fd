"""Calls of one number and what the team did are one history, in the order in which it happened."""

from __future__ import annotations

import pytest

from callbacks import timeline
from callbacks.db import Database
from callbacks.lifecycle import Urgency
from callbacks.queue import ByHand
from callbacks.timeline import Kind
from tests.callbacks.house import House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_calls_before_and_after_stand_between_what_the_team_did(house: House) -> None:
    first = house.calls()
    house.wait(minutes=5)
    asked = house.calls()
    house.wait(minutes=5)
    house.notes(house.anna, asked, "rang twice")
    house.wait(minutes=5)
    house.calls()
    moments = timeline.of(house.story(asked))
    assert [moment.kind for moment in moments] == [Kind.CALL, Kind.ASKED, Kind.EVENT, Kind.CALL]
    earlier, _, noted, later = moments
    assert earlier.call is not None
    assert earlier.call.public_id == first
    assert noted.event is not None
    assert noted.event.what == "noted"
    assert later.call is not None
    assert later.call.is_later


def test_somebody_at_the_door_did_not_call(house: House) -> None:
    asked = house.adds(house.anna, ByHand("doctor"))
    assert [moment.kind for moment in timeline.of(house.story(asked))] == [Kind.EVENT]


def test_what_an_event_changed_and_when_somebody_tries_again_is_known(house: House) -> None:
    asked = house.calls()
    house.retriages(house.chris, asked, Urgency.P1, need="medicine")
    again_at = house.finds_nobody(house.anna, asked).not_before
    *_, retriaged, _claimed, unanswered = timeline.of(house.story(asked))
    assert retriaged.change is not None
    assert (retriaged.change.before, retriaged.change.after) == (Urgency.P3, Urgency.P1)
    assert (retriaged.change.need_before, retriaged.change.need_after) == ("doctor", "medicine")
    assert again_at is not None
    assert unanswered.again_at == again_at
