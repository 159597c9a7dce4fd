"""How a callback ends: by a word of the team, after attempts that nobody answered, and back within a minute."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import Row, select

from callbacks import queue
from callbacks.db import Database
from callbacks.errors import IllegalMove, MessageNotAllowed, Missing, NotYours, TooLateToUndo, UnusableMoment
from callbacks.lifecycle import Disposition, Status, Urgency
from callbacks.service import callbacks
from callbacks.staff import Member
from callbacks.trying_again import NextTry, after_no_answer, part_of_day
from callbacks.wrapping_up import next_try
from tests.callbacks.house import NOW, OFFICE, House

SAFE = {"need": "doctor", "safe_message": "yes"}
OTHERS = [how for how in Disposition if how is not Disposition.NO_ANSWER]


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def stored(house: House, public_id: str) -> Row[tuple[object, ...]]:
    query = select(callbacks).where(callbacks.c.public_id == public_id)
    return house.database.read(lambda connection: connection.execute(query).one())


def local(moment: datetime | None) -> str | None:
    return None if moment is None else moment.astimezone(OFFICE.zone).strftime("%a %H:%M")


@pytest.mark.parametrize("how", OTHERS)
def test_a_word_of_the_team_closes_it(house: House, how: Disposition) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wraps_up(house.anna, asked, how, " spoke to her ", referral=" Kruispost ")
    entry = house.entry(asked)
    assert (entry.status, entry.disposition, entry.closed_at, entry.claimed_by) == (Status.CLOSED, how, NOW, None)
    last = house.story(asked).events[-1]
    assert (last.what, last.by, last.details["note"]) == ("wrapped_up", "Anna", "spoke to her")
    assert last.details["referral"] == "Kruispost"


def test_a_referral_names_to_whom(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    with pytest.raises(Missing) as refused:
        house.wraps_up(house.anna, asked, Disposition.REFERRED, referral=" ")
    assert refused.value.what == "referral"
    assert house.entry(asked).status is Status.CLAIMED


def test_only_what_is_claimed_can_be_wrapped_up(house: House) -> None:
    asked = house.calls()
    with pytest.raises(IllegalMove):
        house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    with pytest.raises(IllegalMove):
        house.wraps_up(house.chris, asked, Disposition.NO_ANSWER)
    house.claims(house.anna, asked)
    house.wraps_up(house.chris, asked, Disposition.WITHDREW)
    with pytest.raises(IllegalMove):
        house.wraps_up(house.anna, asked, Disposition.WITHDREW)


def test_p1_is_tried_three_times_90_minutes_apart_then_next_morning_then_by_a_coordinator(house: House) -> None:
    asked = house.calls(urgency=1)
    tries = []
    for _ in range(4):
        entry = house.finds_nobody(house.anna, asked)
        tries.append((local(entry.not_before), local(entry.due_at), entry.attempts, entry.needs_coordinator))
        house.now = entry.not_before or house.now
    assert tries == [
        ("Tue 11:30", "Tue 13:30", 1, False),
        ("Tue 13:00", "Tue 15:00", 2, False),
        ("Wed 09:00", "Wed 11:00", 3, False),
        (None, "Wed 11:00", 4, True),
    ]
    assert house.entry(asked).status is Status.QUEUED


def test_p1_goes_on_the_next_morning_when_the_day_is_too_short(house: House) -> None:
    house.wait(hours=6)  # four in the afternoon
    asked = house.calls(urgency=1)
    assert local(house.finds_nobody(house.anna, asked).not_before) == "Wed 09:00"


def test_the_others_are_tried_on_three_days_in_different_parts_of_the_day_and_then_closed(house: House) -> None:
    asked = house.calls(urgency=2)
    tries = []
    for _ in range(3):
        entry = house.finds_nobody(house.anna, asked)
        tries.append((entry.status, local(entry.not_before), entry.attempts))
        house.now = entry.not_before or house.now
    assert tries == [(Status.QUEUED, "Wed 12:00", 1), (Status.QUEUED, "Thu 09:00", 2), (Status.CLOSED, None, 3)]
    assert house.entry(asked).disposition == Disposition.NO_ANSWER


@pytest.mark.parametrize("told", [None, "no"])
def test_a_message_that_the_caller_did_not_allow_is_refused_and_changes_nothing(house: House, told: str | None) -> None:
    asked = house.claims(house.anna, house.calls(answers={"safe_message": told} if told else {}))
    before = stored(house, asked), house.happened(asked)
    with pytest.raises(MessageNotAllowed) as refused:
        house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, left_message=True)
    assert refused.value.was_asked is (told == "no")
    assert (stored(house, asked), house.happened(asked)) == before


def test_a_message_that_was_left_is_in_the_story(house: House) -> None:
    asked = house.claims(house.anna, house.calls(answers=SAFE))
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, left_message=True)
    assert house.story(asked).events[-1].details["left_message"] is True
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    assert "left_message" not in house.story(asked).events[-1].details


@pytest.mark.parametrize("urgency", [1, 3])
def test_a_moment_that_the_agent_chose_goes_before_the_rules(house: House, urgency: int) -> None:
    asked = house.claims(house.anna, house.calls(urgency=urgency))
    thursday = NOW + timedelta(days=2, hours=1)
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, again_at=thursday)
    entry = house.entry(asked)
    assert (entry.status, entry.not_before, local(entry.due_at)) == (Status.QUEUED, thursday, "Thu 13:00")


def test_a_moment_chosen_after_the_last_attempt_keeps_the_request_open(house: House) -> None:
    asked = house.calls(urgency=2)
    for _ in range(2):
        house.now = house.finds_nobody(house.anna, asked).not_before or house.now
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, again_at=house.now + timedelta(days=1))
    assert (house.entry(asked).status, house.entry(asked).attempts) == (Status.QUEUED, 3)


@pytest.mark.parametrize(
    "how, later, why",
    [
        (Disposition.NO_ANSWER, timedelta(), "past"),
        (Disposition.NO_ANSWER, timedelta(minutes=-1), "past"),
        (Disposition.NO_ANSWER, timedelta(days=14, minutes=1), "far"),
        (Disposition.INFORMATION_GIVEN, timedelta(days=1), "answered"),
    ],
)
def test_a_moment_without_sense_is_refused_and_changes_nothing(
    house: House, how: Disposition, later: timedelta, why: str
) -> None:
    asked = house.claims(house.anna, house.calls())
    before = stored(house, asked)
    with pytest.raises(ValueError, match="no moment to call again") as refused:
        house.wraps_up(house.anna, asked, how, again_at=NOW + later)
    assert isinstance(refused.value, UnusableMoment)
    assert refused.value.why == why
    assert stored(house, asked) == before


@pytest.mark.parametrize("days", [1, 9])
def test_an_undo_restores_what_a_chosen_moment_changed(house: House, days: int) -> None:
    """Also where that moment is sooner than the callback was due."""
    asked = house.claims(house.anna, house.calls(urgency=4, answers=SAFE))
    before = stored(house, asked)
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, left_message=True, again_at=NOW + timedelta(days=days))
    assert stored(house, asked) != before
    house.undoes(house.anna, asked)
    assert stored(house, asked) == before


@pytest.mark.parametrize("urgency", list(Urgency))
def test_what_is_told_before_the_choice_is_what_follows_it(house: House, urgency: Urgency) -> None:
    """Through every attempt, up to the coordinator or the end."""
    asked = house.calls(urgency=int(urgency), answers={"need": "doctor", "part_of_day": "afternoon"})
    for _ in range(4):
        entry = house.entry(asked)
        told = next_try(entry.urgency, entry.part_of_day, house.story(asked).events, house.now, OFFICE)
        entry = house.finds_nobody(house.anna, asked)
        assert (entry.not_before, entry.needs_coordinator) == (told.not_before, told.needs_coordinator)
        assert (entry.status is Status.CLOSED) is told.closes
        if told.closes:
            break
        house.now = entry.not_before or house.now


def test_a_due_time_is_never_made_earlier_by_trying(house: House) -> None:
    asked = house.calls(urgency=4)
    due = house.entry(asked).due_at
    assert house.finds_nobody(house.anna, asked).due_at == due


def test_a_part_of_the_day_that_the_caller_named_is_kept_to() -> None:
    """It may be the only one in which answering is safe."""
    tried = [NOW, NOW + timedelta(days=1)]
    again = after_no_answer(Urgency.P3, tried, "morning", OFFICE)
    assert (local(again.not_before), local(again.due_at)) == ("Thu 09:00", "Thu 12:00")
    assert local(after_no_answer(Urgency.P3, tried, "any", OFFICE).not_before) == "Thu 12:00"


def test_attempts_go_over_weekends_and_holidays() -> None:
    christmas_eve = datetime(2026, 12, 24, 9, tzinfo=UTC)
    again = after_no_answer(Urgency.P2, [christmas_eve], None, OFFICE)
    assert again == NextTry(datetime(2026, 12, 28, 11, tzinfo=UTC), datetime(2026, 12, 28, 16, tzinfo=UTC))


@pytest.mark.parametrize(
    "clock, part",
    [("00:00", "morning"), ("11:59", "morning"), ("12:00", "afternoon"), ("17:00", "evening"), ("23:59", "evening")],
)
def test_every_moment_is_in_a_part_of_the_day(clock: str, part: str) -> None:
    moment = datetime.fromisoformat(f"2026-11-24 {clock}").replace(tzinfo=OFFICE.zone)
    assert part_of_day(moment, OFFICE) == part


@pytest.mark.parametrize("how", [Disposition.INFORMATION_GIVEN, Disposition.NO_ANSWER])
@pytest.mark.parametrize("urgency", [1, 3])
def test_an_undo_restores_exactly_what_was(house: House, how: Disposition, urgency: int) -> None:
    asked = house.claims(house.anna, house.calls(urgency=urgency))
    before = stored(house, asked)
    house.wraps_up(house.anna, asked, how)
    house.wait(minutes=1)
    house.undoes(house.anna, asked)
    assert stored(house, asked) == before
    assert house.happened(asked)[-1] == ("undone", "Anna")
    with pytest.raises(TooLateToUndo):
        house.undoes(house.anna, asked)


def test_an_attempt_that_was_undone_does_not_count(house: House) -> None:
    asked = house.claims(house.anna, house.calls(urgency=2))
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    house.undoes(house.anna, asked)
    for _ in range(2):
        house.now = house.finds_nobody(house.anna, asked).not_before or house.now
    assert house.entry(asked).status is Status.QUEUED


def test_an_undo_comes_within_a_minute_and_from_the_same_person(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    with pytest.raises(TooLateToUndo):
        house.undoes(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    with pytest.raises(NotYours):
        house.undoes(house.bram, asked)
    house.wait(seconds=61)
    with pytest.raises(TooLateToUndo):
        house.undoes(house.anna, asked)


def test_nothing_is_undone_that_somebody_went_on_with(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    house.claims(house.bram, asked)
    with pytest.raises(IllegalMove):
        house.undoes(house.anna, asked)
    house.releases(house.bram, asked)
    with pytest.raises(IllegalMove):
        house.undoes(house.anna, asked)


def test_a_note_does_not_stand_in_the_way_of_an_undo(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    house.notes(house.bram, asked, "really?")
    house.undoes(house.anna, asked)
    assert house.entry(asked).claimed_by == "Anna"


def test_an_undo_keeps_the_promise_to_somebody_who_called_again_meanwhile(house: House) -> None:
    """A chosen moment may be sooner than what was promised before: a repeat call makes nothing later."""
    asked = house.claims(house.anna, house.calls(urgency=4))
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER, again_at=NOW + timedelta(hours=2))
    chosen = house.entry(asked).due_at
    house.calls()
    house.undoes(house.anna, asked)
    assert (house.entry(asked).urgency, house.entry(asked).due_at) == (Urgency.P3, chosen)


def test_what_comes_back_by_undo_is_linked_to_a_request_made_meanwhile(house: House) -> None:
    """Of one number, only one open request is not linked to another."""
    asked = house.claims(house.anna, house.calls())
    house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN)
    again = house.calls()
    house.undoes(house.anna, asked)
    assert house.entry(asked).linked_to == house.entry(again).reference
    assert house.entry(again).linked_to is None


def test_an_undo_keeps_what_a_repeat_call_made_sooner(house: House) -> None:
    asked = house.claims(house.anna, house.calls(urgency=3))
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    house.calls()
    sooner = house.entry(asked)
    house.undoes(house.anna, asked)
    entry = house.entry(asked)
    assert (entry.urgency, entry.due_at, entry.repeats) == (Urgency.P2, sooner.due_at, 1)
    assert entry.claimed_by == "Anna"


def undo_until(house: House, member: Member, public_id: str) -> datetime | None:
    entry = house.entry(public_id)
    return house.database.read(lambda c: queue.undo_until(c, entry.id, entry.status, member, house.now))


@pytest.mark.parametrize("how", [Disposition.NO_ANSWER, Disposition.WITHDREW])
def test_undo_is_offered_exactly_where_it_works(house: House, how: Disposition) -> None:
    asked = house.claims(house.anna, house.calls())
    assert undo_until(house, house.anna, asked) is None
    house.wraps_up(house.anna, asked, how)
    house.wait(seconds=59)
    assert undo_until(house, house.anna, asked) == NOW + timedelta(minutes=1)
    assert undo_until(house, house.bram, asked) is None
    assert undo_until(house, house.chris, asked) == NOW + timedelta(minutes=1)
    house.wait(seconds=2)
    assert undo_until(house, house.anna, asked) is None


def test_undo_is_not_offered_twice_nor_after_somebody_went_on(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    house.undoes(house.anna, asked)
    assert undo_until(house, house.anna, asked) is None
    house.wraps_up(house.anna, asked, Disposition.NO_ANSWER)
    house.claims(house.bram, asked)
    assert undo_until(house, house.anna, asked) is None
