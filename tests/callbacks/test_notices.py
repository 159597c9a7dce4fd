"""The team is told of what cannot wait, while nobody has it: on the page at once, by e-mail once."""

from __future__ import annotations

from datetime import timedelta

import pytest

from callbacks import notices
from callbacks.db import Database
from callbacks.lifecycle import Disposition, Urgency
from callbacks.notices import Kind
from callbacks.staff import Member
from tests.callbacks.house import OFFICE, House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def alerted(house: House, member: Member | None = None, looking_at: str | None = None) -> list[tuple[str, Kind]]:
    """What this member's page sounds."""
    who = member or house.anna
    found = house.database.read(lambda c: notices.alerts(c, who, house.now, OFFICE, looking_at=looking_at))
    return [(alert.public_id, alert.kind) for alert in found.new]


@pytest.mark.parametrize("urgency, is_told", [(0, True), (1, True), (2, False), (3, False), (4, False)])
def test_a_request_that_cannot_wait_is_an_alert_at_once(house: House, urgency: int, is_told: bool) -> None:
    asked = house.calls(urgency=urgency)
    assert alerted(house) == ([(asked, Kind.URGENT)] if is_told else [])


def test_what_somebody_has_alerts_nobody_until_it_is_given_back(house: House) -> None:
    asked = house.calls(urgency=1)
    house.claims(house.bram, asked)
    assert alerted(house) == []
    house.releases(house.bram, asked)
    assert alerted(house) == [(asked, Kind.URGENT)]
    house.claims(house.bram, asked)
    house.wait(minutes=31)
    assert alerted(house) == [(asked, Kind.URGENT)]


@pytest.mark.parametrize("how", ["cancelled", "closed"])
def test_what_is_done_with_alerts_nobody(house: House, how: str) -> None:
    asked = house.calls(urgency=1)
    house.claims(house.anna, asked)
    if how == "cancelled":
        house.cancels(house.anna, asked)
    else:
        house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    assert alerted(house) == []


def test_a_request_that_became_urgent_is_an_alert(house: House) -> None:
    asked, other = house.calls(urgency=2), house.calls(urgency=4, phone="+31687654321")
    again = house.calls(urgency=2)
    assert dict(alerted(house)) == {asked: Kind.URGENT, again: Kind.URGENT}
    house.retriages(house.anna, other, Urgency.P0)
    assert alerted(house)[0] == (other, Kind.URGENT)


def test_a_request_is_nearly_overdue_half_an_hour_of_the_office_before_its_time(house: House) -> None:
    asked = house.calls(urgency=1)
    house.wait(minutes=89)
    assert alerted(house) == [(asked, Kind.URGENT)]
    house.wait(minutes=1)
    assert alerted(house) == [(asked, Kind.NEARLY_OVERDUE)]
    house.wait(minutes=90)
    assert alerted(house) == [(asked, Kind.URGENT)]


def test_what_is_due_first_thing_tomorrow_is_told_while_somebody_is_there(house: House) -> None:
    house.wait(hours=5, minutes=15)  # a quarter past three: due at a quarter past nine
    house.calls(urgency=4)
    asked = house.calls(urgency=1, phone="+31687654321")
    house.wait(hours=1)
    assert alerted(house) == [(asked, Kind.URGENT)]
    house.now = house.entry(asked).due_at - timedelta(hours=16, minutes=30)
    assert alerted(house) == [(asked, Kind.NEARLY_OVERDUE)]


def test_whom_nobody_could_reach_alerts_again_when_the_next_try_has_come(house: House) -> None:
    asked = house.calls(urgency=1)
    house.finds_nobody(house.anna, asked)
    house.wait(minutes=89)
    assert alerted(house) == []
    house.wait(minutes=1)
    assert alerted(house) == [(asked, Kind.URGENT)]


def test_what_needs_a_coordinator_alerts_only_coordinators(house: House) -> None:
    asked = house.calls(urgency=1)
    for _ in range(4):
        house.now = house.entry(asked).not_before or house.now
        house.finds_nobody(house.chris, asked)
    assert house.entry(asked).needs_coordinator
    assert alerted(house) == []
    assert [public_id for public_id, _ in alerted(house, house.chris)] == [asked]


def test_what_somebody_is_looking_at_does_not_sound(house: House) -> None:
    asked = house.calls(urgency=1)
    assert alerted(house, looking_at=asked) == []


def test_a_crowd_gives_a_few_alerts_danger_first_and_then_the_newest(house: House) -> None:
    danger = house.calls(urgency=0, phone=None)
    asked = []
    for _ in range(notices.MOST + 5):
        house.wait(seconds=1)
        asked.append(house.calls(urgency=1, phone=None))
    told = [public_id for public_id, _ in alerted(house)]
    assert told == [danger, *reversed(asked)][: notices.MOST]
