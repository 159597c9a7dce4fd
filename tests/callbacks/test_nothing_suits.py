"""When Next gives nothing, it is known why: whose language, which part of the day, not yet, or for the coordinator."""

from __future__ import annotations

import pytest

from callbacks import nothing_suits
from callbacks.db import Database
from callbacks.lifecycle import Disposition
from callbacks.nothing_suits import NothingSuits
from callbacks.staff import Member
from tests.callbacks.house import OFFICE, House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def why(house: House, member: Member) -> NothingSuits:
    assert house.takes_next(member) is None
    return house.database.read(lambda connection: nothing_suits.why(connection, member, house.now, OFFICE))


def test_an_empty_queue_keeps_nothing_from_anybody(house: House) -> None:
    assert why(house, house.anna) == NothingSuits(0, 0, 0, 0, 0, is_office_open=True, soonest=None)


def test_what_keeps_each_request_is_counted(house: House) -> None:
    house.calls(phone="+31612340001", language="ar")
    house.calls(phone="+31612340002", answers={"part_of_day": "afternoon"})
    house.finds_nobody(house.anna, house.calls(phone="+31612340003"))
    found = why(house, house.anna)
    assert (found.free, found.other_language, found.other_part_of_day, found.later) == (3, 1, 1, 1)
    assert found.soonest is not None
    assert found.soonest > house.now


def test_what_a_colleague_has_is_not_counted(house: House) -> None:
    house.claims(house.bram, house.calls())
    assert why(house, house.anna).free == 0


def test_what_is_the_coordinators_is_said_to_the_others_only(house: House) -> None:
    asked = house.calls(urgency=1)
    for _ in range(4):
        house.finds_nobody(house.anna, asked)
        house.wait(hours=20 if house.now.hour > 10 else 2)
    entry = house.entry(asked)
    assert entry.needs_coordinator
    found = why(house, house.anna)
    assert (found.free, found.coordinators) == (1, 1)
    known = house.database.read(lambda connection: nothing_suits.why(connection, house.chris, house.now, OFFICE))
    assert known.coordinators == 0
    assert house.takes_next(house.chris) == asked


def test_a_closed_office_is_said(house: House) -> None:
    house.calls()
    house.wait(hours=10)
    assert not why(house, house.anna).is_office_open


def test_a_language_that_nobody_speaks_is_nobodys_excuse(house: House) -> None:
    asked = house.calls(language="ti")
    assert house.takes_next(house.anna) == asked
    house.wraps_up(house.anna, asked, Disposition.WITHDREW)
