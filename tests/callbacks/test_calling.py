"""Calling back: what is stored before anybody's phone rings, and of what the provider tells afterwards."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

import pytest

from callbacks import call_limits, calling
from callbacks.calling import CallWarning, State
from callbacks.db import Database
from callbacks.errors import (
    AlreadyClaimed,
    CallInProgress,
    IllegalMove,
    NeedsOverride,
    NoNumber,
    NoPhone,
    NoSuchCallback,
    NoSuchOutgoingCall,
    TooManyCalls,
)
from callbacks.lifecycle import Disposition, Status
from callbacks.staff import disable
from tests.callbacks.call_house import PHONES, CallHouse
from tests.callbacks.house import ASKED, LASTS, NOW, OFFICE

SID, OTHER_SID = "CA" + "1" * 32, "CA" + "2" * 32
ALL_WARNINGS = frozenset(CallWarning)


@pytest.fixture
def house(database: Database) -> CallHouse:
    return CallHouse(database)


def test_pressing_call_back_claims_it_and_stores_the_intent(house: CallHouse) -> None:
    asked = house.calls()
    call = house.call(house.intends(house.anna, asked))
    assert (call.state, call.is_live, call.is_still_theirs) == (State.ASKED, True, True)
    assert (call.agent_phone, call.caller_phone, call.callback_public_id) == (PHONES["anna"], ASKED.phone, asked)
    assert house.entry(asked).claimed_by == "Anna"
    assert house.happened(asked) == [("claimed", "Anna"), ("calling", "Anna")]
    live = house.live(asked)
    assert live is not None
    assert (live.by, live.by_id, live.is_live, live.asked_at) == ("Anna", house.anna.id, True, NOW)


def test_what_is_known_of_a_call_shows_no_number(house: CallHouse) -> None:
    shown = repr(house.call(house.intends(house.anna, house.calls())))
    assert PHONES["anna"] not in shown
    assert str(ASKED.phone) not in shown


def test_a_claim_is_renewed_by_calling(house: CallHouse) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wait(minutes=20)
    house.intends(house.anna, asked)
    assert house.entry(asked).claim_ends_at == house.now + LASTS


def test_a_second_click_is_told_of_the_first(house: CallHouse) -> None:
    asked = house.calls()
    house.intends(house.anna, asked)
    with pytest.raises(CallInProgress) as refused:
        house.intends(house.anna, asked)
    assert (refused.value.by, refused.value.public_id) == ("Anna", asked)
    assert len(house.rows()) == 1


def test_an_agent_calls_one_person_at_a_time(house: CallHouse) -> None:
    first, second = house.calls(), house.calls(phone="+31687654321")
    house.intends(house.anna, first)
    with pytest.raises(CallInProgress) as refused:
        house.intends(house.anna, second)
    assert refused.value.public_id == first
    assert house.entry(second).claimed_by is None


def test_a_phone_that_two_agents_share_rings_for_one_of_them(house: CallHouse) -> None:
    house.intends(house.anna, house.calls())
    bram = house.gives(house.bram, PHONES["anna"])
    with pytest.raises(CallInProgress) as refused:
        house.intends(bram, house.calls(phone="+31687654321"))
    assert refused.value.by == "Anna"


def test_a_colleague_who_has_it_is_named(house: CallHouse) -> None:
    asked = house.claims(house.bram, house.calls())
    with pytest.raises(AlreadyClaimed) as refused:
        house.intends(house.anna, asked)
    assert refused.value.by == "Bram"
    assert house.rows() == []


def test_a_call_goes_on_also_when_the_claim_has_changed_hands(house: CallHouse) -> None:
    """Whoever has it now may call when the first call is over, and not before."""
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.releases(house.anna, asked)
    house.claims(house.bram, asked)
    assert not house.call(call).is_still_theirs
    with pytest.raises(CallInProgress) as refused:
        house.intends(house.bram, asked)
    assert refused.value.by == "Anna"
    house.hears(call, State.STOPPED)
    house.intends(house.bram, asked)


def test_what_cannot_be_called_is_refused_with_the_reason(house: CallHouse) -> None:
    with pytest.raises(NoSuchCallback):
        house.intends(house.anna, "nothing")
    with pytest.raises(NoNumber):
        house.intends(house.anna, house.calls(phone=None))
    asked = house.calls()
    with pytest.raises(NoPhone):
        house.intends(house.gives(house.anna, None), asked)
    house.claims(house.anna, asked)
    house.takes_away(asked)
    with pytest.raises(IllegalMove):
        house.intends(house.anna, asked)
    assert house.rows() == []
    with pytest.raises(NoSuchOutgoingCall):
        house.call("nothing")


def test_a_refused_call_leaves_the_request_as_it_was(house: CallHouse) -> None:
    asked = house.calls(phone=None)
    with pytest.raises(NoNumber):
        house.intends(house.anna, asked)
    assert (house.entry(asked).status, house.happened(asked)) == (Status.QUEUED, [])


def test_the_warnings_are_told_and_can_be_put_aside(house: CallHouse) -> None:
    house.wait(hours=9)  # seven in the evening
    asked = house.asks_for(
        house.calls(), part_of_day="morning", not_before=house.now + timedelta(hours=1), is_confirmed=False
    )
    with pytest.raises(NeedsOverride) as told:
        house.intends(house.anna, asked, {CallWarning.OFFICE_CLOSED})
    assert set(told.value.warnings) == ALL_WARNINGS - {CallWarning.OFFICE_CLOSED}
    assert house.entry(asked).status is Status.QUEUED
    call = house.intends(house.anna, asked, ALL_WARNINGS)
    assert set(house.rows()[0].overridden) == ALL_WARNINGS
    assert house.told(asked, "calling") == [{"call": call, "overridden": [warning.value for warning in CallWarning]}]


def test_a_warning_put_aside_that_did_not_hold_is_not_written_down(house: CallHouse) -> None:
    asked = house.calls()
    house.intends(house.anna, asked, ALL_WARNINGS)
    assert house.rows()[0].overridden == []


@pytest.mark.parametrize(
    "hour, wish, minutes, is_confirmed, expected",
    [
        (9, None, 0, True, ()),
        (9, "any", 0, True, ()),
        (9, "morning", 0, True, ()),
        (9, "afternoon", 0, True, (CallWarning.OTHER_PART_OF_DAY,)),
        (12, "morning", 0, True, (CallWarning.OTHER_PART_OF_DAY,)),
        (9, None, 1, True, (CallWarning.TOO_SOON,)),
        (9, None, -1, True, ()),
        (9, None, 0, False, (CallWarning.NOT_CONFIRMED,)),
        (20, None, 0, True, (CallWarning.OFFICE_CLOSED,)),
    ],
)
def test_what_speaks_against_calling_now(
    database: Database, hour: int, wish: str | None, minutes: int, is_confirmed: bool, expected: tuple[CallWarning, ...]
) -> None:
    house = CallHouse(database)
    now = NOW.replace(hour=hour)
    asked = replace(
        house.entry(house.calls()),
        part_of_day=wish,
        not_before=now + timedelta(minutes=minutes),
        is_confirmed=is_confirmed,
    )
    assert calling.warnings(asked, now, OFFICE) == expected


def test_a_number_that_was_called_all_day_is_called_no_more(house: CallHouse) -> None:
    asked = house.calls()
    for _ in range(call_limits.MOST_TO_A_NUMBER):
        house.hears(house.intends(house.anna, asked), State.AGENT_NO_ANSWER)
        house.wait(minutes=1)
    with pytest.raises(TooManyCalls):
        house.intends(house.anna, asked)
    again = house.calls()  # the same number asks anew
    with pytest.raises(TooManyCalls):
        house.intends(house.anna, again)
    house.intends(house.bram, house.calls(phone="+31687654321"))
    house.wait(days=1)
    house.intends(house.anna, asked)


def test_the_line_as_a_whole_calls_only_so_often(house: CallHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(call_limits, "MOST_IN_ALL", 1)
    house.hears(house.intends(house.anna, house.calls()), State.AGENT_NO_ANSWER)
    with pytest.raises(TooManyCalls):
        house.intends(house.bram, house.calls(phone="+31687654321"))


def test_the_course_of_a_call_is_told_as_it_goes(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    for state in (State.RINGING_AGENT, State.AGENT_ANSWERED, State.RINGING_CALLER, State.CONNECTED):
        house.wait(seconds=10)
        assert house.hears(call, state, provider_sid=SID)
        assert house.progress(asked).state is state
    connected = house.now
    house.wait(minutes=4)
    assert house.hears(call, State.ENDED)
    done = house.progress(asked)
    assert (done.connected_at, done.ended_at, done.is_live) == (connected, house.now, False)
    assert house.told(asked, "called") == [{"call": call, "state": "ended", "seconds": 240}]
    assert house.happened(asked)[-1] == ("called", "Anna")
    assert house.live(asked) is None


def test_news_that_comes_again_or_late_changes_nothing(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.CONNECTED, State.ENDED)
    before = house.rows()
    house.wait(minutes=5)
    for late in (State.ENDED, State.RINGING_AGENT, State.NOT_PLACED, State.CALLER_BUSY, State.CONNECTED):
        assert not house.hears(call, late)
    assert house.rows() == before
    assert len(house.told(asked, "called")) == 1


def test_an_end_that_was_only_concluded_is_corrected_by_one_that_says_more(house: CallHouse) -> None:
    """The agent's call is over before the provider tells that they spoke: nobody is called again for that."""
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.RINGING_CALLER, State.AGENT_NO_ANSWER)
    ended = house.progress(asked)
    assert ended.state is State.CALLER_NO_ANSWER
    house.wait(seconds=1)
    assert house.hears(call, State.ENDED, seconds=75)
    corrected = house.progress(asked)
    assert (corrected.state, corrected.ended_at) == (State.ENDED, ended.ended_at)
    assert [event["seconds"] for event in house.told(asked, "called")] == [None, 75]


def test_the_error_of_a_call_that_failed_is_kept(house: CallHouse) -> None:
    asked = house.calls()
    house.hears(house.intends(house.anna, asked), State.FAILED, error="21211")
    assert (house.progress(asked).error, house.live(asked)) == ("21211", None)


def test_news_under_another_sid_is_not_of_this_call(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    assert house.hears(call, State.RINGING_AGENT, provider_sid=SID)
    assert not house.hears(call, State.AGENT_ANSWERED, provider_sid=OTHER_SID)
    assert (house.call(call).state, house.call(call).provider_sid) == (State.RINGING_AGENT, SID)


def test_the_sid_is_learned_also_from_news_that_tells_nothing_else(house: CallHouse) -> None:
    call = house.intends(house.anna, house.calls())
    house.hears(call, State.CONNECTED)
    assert house.hears(call, State.RINGING_AGENT, provider_sid=SID)
    assert (house.call(call).state, house.call(call).provider_sid) == (State.CONNECTED, SID)


def test_one_sid_is_one_call(house: CallHouse) -> None:
    house.hears(house.intends(house.anna, house.calls()), State.RINGING_AGENT, provider_sid=SID)
    second = house.intends(house.bram, house.calls(phone="+31687654321"))
    assert not house.hears(second, State.RINGING_AGENT, provider_sid=SID)
    assert house.call(second).state is State.ASKED


def test_a_call_that_was_not_found_comes_to_life_when_it_rings_after_all(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.UNCERTAIN, State.NOT_PLACED)
    assert house.live(asked) is None
    assert house.hears(call, State.AGENT_ANSWERED, provider_sid=SID)
    assert (house.progress(asked).state, house.progress(asked).ended_at) == (State.AGENT_ANSWERED, None)


@pytest.mark.parametrize("same_request", [True, False])
def test_unless_a_newer_call_has_taken_its_place(house: CallHouse, same_request: bool) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.NOT_PLACED)
    newer = house.intends(house.anna, asked if same_request else house.calls(phone="+31687654321"))
    assert not house.hears(call, State.AGENT_ANSWERED, provider_sid=SID)
    assert not house.call(call).is_live
    assert house.call(newer).is_live
    assert sum(row.ended_at is None for row in house.rows()) == 1


def test_a_call_that_rings_after_all_disturbs_nobody_who_is_on_the_phone(house: CallHouse) -> None:
    """The same caller asked twice, and a colleague is speaking with them; or a colleague has the agent's phone."""
    first, again = house.calls(), house.calls()
    call = house.intends(house.anna, first)
    house.hears(call, State.NOT_PLACED)
    speaking = house.intends(house.bram, again)
    assert not house.hears(call, State.AGENT_ANSWERED, provider_sid=SID)
    house.hears(speaking, State.CONNECTED, State.ENDED)
    bram = house.gives(house.bram, PHONES["anna"])
    other = house.intends(bram, house.calls(phone="+31687654321"))
    assert not house.hears(call, State.AGENT_ANSWERED, provider_sid=SID)
    house.hears(other, State.AGENT_NO_ANSWER)
    assert house.hears(call, State.AGENT_ANSWERED, provider_sid=SID)


def test_a_claim_lasts_as_long_as_the_call_and_then_begins_anew(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.CONNECTED)
    house.claims(house.anna, asked)  # the page that is open renews it, and must not shorten it
    house.wait(minutes=59)
    assert house.sweeps() == 0
    assert house.entry(asked).claimed_by == "Anna"
    assert house.call(call).is_still_theirs
    house.hears(call, State.ENDED)
    assert house.entry(asked).claim_ends_at == house.now + LASTS
    house.wait(minutes=31)
    assert house.sweeps() == 1


def test_a_call_changes_nobody_elses_claim(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.releases(house.anna, asked)
    house.claims(house.bram, asked)
    his = house.entry(asked).claim_ends_at
    house.wait(minutes=1)
    house.hears(call, State.CONNECTED, State.ENDED)
    assert (house.entry(asked).claimed_by, house.entry(asked).claim_ends_at) == ("Bram", his)


def test_a_request_that_was_taken_away_or_an_agent_who_left_is_not_connected(house: CallHouse) -> None:
    first, second = house.calls(), house.calls(phone="+31687654321")
    call, other = house.intends(house.anna, first), house.intends(house.bram, second)
    house.takes_away(first)
    house.database.write(lambda c: disable(c, "bram", house.now))
    assert not house.call(call).is_still_theirs
    assert not house.call(other).is_still_theirs


def test_a_wrap_up_is_undone_also_when_the_call_ended_after_it(house: CallHouse) -> None:
    asked = house.calls()
    call = house.intends(house.anna, asked)
    house.hears(call, State.CONNECTED)
    house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN)
    house.hears(call, State.ENDED)
    house.undoes(house.anna, asked)
    assert house.entry(asked).claimed_by == "Anna"


def test_a_call_is_taken_for_placing_once(house: CallHouse) -> None:
    call = house.intends(house.anna, house.calls())

    def take() -> calling.Outgoing | None:
        return house.database.write(lambda c: calling.take_to_place(c, call, house.now))

    taken = take()
    assert taken is not None
    assert taken.public_id == call
    assert take() is None


def test_a_call_that_was_heard_of_or_given_up_is_not_placed(house: CallHouse) -> None:
    call = house.intends(house.anna, house.calls())
    house.hears(call, State.NOT_PLACED)
    assert house.database.write(lambda c: calling.take_to_place(c, call, house.now)) is None


def test_the_database_itself_refuses_a_second_live_call(house: CallHouse, monkeypatch: pytest.MonkeyPatch) -> None:
    """Should two transactions look at the same moment: the index decides, and the error is the same."""
    asked = house.calls()
    house.intends(house.anna, asked)
    looked: list[int] = []
    really = call_limits.refuse_second

    def look_too_early(*known: object) -> None:
        looked.append(1)
        if len(looked) % 2 == 0:
            really(*known)  # type: ignore[arg-type]

    monkeypatch.setattr("callbacks.calling.refuse_second", look_too_early)
    with pytest.raises(CallInProgress):
        house.intends(house.anna, asked)
    assert len(house.rows()) == 1


def test_a_clock_that_is_behind_harms_nothing(house: CallHouse) -> None:
    """The news may be taken in by another machine than the click was."""
    call = house.intends(house.anna, house.calls())
    house.wait(seconds=-3)
    assert house.hears(call, State.RINGING_AGENT, provider_sid=SID)
    assert house.call(call).changed_at > house.call(call).asked_at
