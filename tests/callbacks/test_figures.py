"""The figures of a month: known requests give known figures, and no figure is made up of fewer than five people."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import Connection, insert

from callbacks import figures
from callbacks.call_states import State
from callbacks.calling_views import outgoing_calls
from callbacks.db import Database
from callbacks.figures import Asked, Share
from callbacks.lifecycle import Disposition, Urgency
from tests.callbacks.house import NOW, House

HOUR = timedelta(hours=1)
DONE, NOBODY, WRONG = Disposition.INFORMATION_GIVEN, Disposition.NO_ANSWER, Disposition.WRONG_NUMBER


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def recent(house: House) -> list[Asked]:
    """The newest first."""
    return house.database.read(lambda connection: figures.recent(connection, house.now))


def asked(waited: float | None, *, due: float = 4, tries: tuple[bool, ...] = (), is_open: bool = True) -> Asked:
    """A request of NOW, due and first tried after so many hours."""
    first = None if waited is None else NOW + waited * HOUR
    return Asked(Urgency.P2, NOW, NOW + due * HOUR, is_open, first, tries)


def of_p2(requests: list[Asked], now: datetime = NOW + 100 * HOUR) -> figures.Figures:
    return next(each for each in figures.figures(requests, now) if each.urgency is Urgency.P2)


def test_ten_known_waits_give_their_median_and_the_ninth() -> None:
    told = of_p2([asked(hours) for hours in (9, 1, 2, 3, 10, 4, 5, 6, 7, 8)])
    assert (told.asked, told.median, told.slowest_tenth) == (10, 5.5 * HOUR, 9 * HOUR)


def test_on_time_counts_what_was_tried_and_what_should_have_been() -> None:
    in_time, late = [asked(3)] * 10, [asked(5)] * 5
    forgotten, closed_untried = [asked(None)] * 5, [asked(None, is_open=False)] * 5
    assert of_p2(in_time + late + forgotten + closed_untried).on_time == Share(10, 20)
    not_yet_due = of_p2([*in_time, *late, *forgotten], now=NOW + 2 * HOUR)
    assert not_yet_due.on_time == Share(10, 15)


def test_reached_within_three_attempts_counts_who_was_reached_tried_out_or_given_up() -> None:
    first, third, fourth = (True,), (False, False, True), (False, False, False, True)
    tried_out, given_up, under_way = (False, False, False), (False,), (False, False)
    requests = [asked(1, tries=tries) for tries in (first, third, fourth, tried_out, under_way)]
    assert of_p2([*requests, asked(1, tries=given_up, is_open=False)]).reached == Share(2, 5)


def test_fewer_than_five_people_make_no_figure() -> None:
    told = of_p2([asked(1)] * 4)
    assert (told.asked, told.median, told.slowest_tenth, told.on_time.may_be_told) == (None, None, None, False)
    assert of_p2([asked(1)] * 5).median == HOUR


@given(part=st.integers(0, 60), others=st.integers(0, 60))
def test_a_share_that_is_told_hides_everybody_in_it(part: int, others: int) -> None:
    share = Share(part, part + others)
    assert share.may_be_told == (share.of >= 5 and part not in range(1, 5) and others not in range(1, 5))
    if share.may_be_told:
        assert (share.percent == 100) == (others == 0)


def test_the_first_attempt_is_the_first_that_says_how_a_call_went(house: House) -> None:
    public_id = house.calls()
    house.wait(hours=1)
    house.finds_nobody(house.anna, public_id)
    house.wait(hours=24)
    house.claims(house.bram, public_id)
    house.wraps_up(house.bram, public_id, DONE)
    (told,) = recent(house)
    assert (told.first_try_at, told.tries, told.is_open) == (NOW + HOUR, (False, True), False)


def test_it_was_on_time_by_the_moment_at_which_it_was_due_then(house: House) -> None:
    """An attempt that nobody answered moves the due time: that must not make a late one look in time."""
    public_id = house.calls(urgency=1)
    due = house.entry(public_id).due_at
    house.wait(hours=3)
    moved = house.finds_nobody(house.anna, public_id)
    (told,) = recent(house)
    assert told.due_at == due
    assert moved.due_at > due
    assert told.first_try_at
    assert told.first_try_at > due


def test_a_wrap_up_that_was_taken_back_was_no_attempt(house: House) -> None:
    public_id = house.calls()
    house.finds_nobody(house.anna, public_id)
    house.undoes(house.anna, public_id)
    assert recent(house)[0].first_try_at is None


def test_a_wrong_number_was_an_attempt_and_a_duplicate_none(house: House) -> None:
    for phone, how in (("+31611111111", WRONG), ("+31622222222", Disposition.DUPLICATE)):
        house.wraps_up(house.anna, house.claims(house.anna, house.calls(phone=phone)), how)
    duplicate, wrong = recent(house)
    assert (wrong.tries, duplicate.tries, duplicate.first_try_at) == ((False,), (), None)


def test_the_caller_s_ringing_phone_is_an_attempt_and_the_agent_s_is_none(house: House) -> None:
    for number, state in enumerate((State.CALLER_NO_ANSWER, State.AGENT_NO_ANSWER)):
        house.calls(phone=f"+3161111111{number}")
        _calls_back(house, number + 1, state, NOW + (number + 2) * HOUR)
    only_agent, caller = recent(house)
    assert (caller.first_try_at, only_agent.first_try_at) == (NOW + 2 * HOUR, None)


def _calls_back(house: House, callback_id: int, state: State, at: datetime) -> None:
    values = {"public_id": f"out{callback_id}", "callback_id": callback_id, "agent_id": house.anna.id, "overridden": []}
    values |= {"state": state.value, "asked_at": at, "changed_at": at, "ended_at": at}

    def unit(connection: Connection) -> None:
        connection.execute(insert(outgoing_calls), values)

    house.database.write(unit)


def test_a_repeat_and_what_is_older_than_a_month_are_left_out(house: House) -> None:
    house.calls(phone="+31611111111")
    house.wait(days=31)
    house.calls(phone="+31622222222")
    house.calls(phone="+31622222222")  # linked to the one before
    assert [each.requested_at for each in recent(house)] == [house.now]


def test_a_flood_is_cut_off_at_its_newest(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(figures, "MOST", 2)
    for number in range(3):
        house.calls(phone=f"+3161111111{number}")
        house.wait(minutes=1)
    assert [each.requested_at for each in recent(house)] == [NOW + timedelta(minutes=2), NOW + timedelta(minutes=1)]


def test_every_urgency_has_its_own(house: House) -> None:
    told = figures.figures([replace(asked(1), urgency=Urgency.P3)] * 6, NOW)
    assert [each.asked for each in told] == [None, None, None, 6, None]
