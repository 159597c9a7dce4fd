"""Working the queue: nobody has what a colleague has, nothing is lost, and every change says who and when."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest

from callbacks.db import Database
from callbacks.errors import AlreadyClaimed, IllegalMove, Missing, NoSuchCallback, NotYours
from callbacks.lifecycle import Disposition, Status, Urgency
from callbacks.queue import ByHand
from tests.callbacks.house import LASTS, NOW, OFFICE, House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_whoever_claims_has_it_for_a_while_and_nobody_else(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    entry = house.entry(asked)
    assert (entry.status, entry.claimed_by, entry.claim_ends_at) == (Status.CLAIMED, "Anna", NOW + LASTS)
    with pytest.raises(AlreadyClaimed) as refused:
        house.claims(house.bram, asked)
    assert refused.value.by == "Anna"


def test_claiming_ones_own_again_gives_the_time_anew(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.wait(minutes=20)
    house.claims(house.anna, asked)
    assert house.entry(asked).claim_ends_at == house.now + LASTS
    assert house.happened(asked) == [("claimed", "Anna")]


def test_a_claim_left_alone_runs_out_at_once_and_visibly(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.now += LASTS
    assert house.entry(asked).status is Status.CLAIMED
    assert house.takes_next(house.bram) is None
    with pytest.raises(AlreadyClaimed):
        house.claims(house.bram, asked)
    assert house.sweeps() == 0
    house.wait(seconds=1)
    entry = house.entry(asked)
    assert (entry.status, entry.claimed_by, entry.claim_ends_at) == (Status.QUEUED, None, None)
    house.claims(house.bram, asked)
    assert house.happened(asked) == [("claimed", "Anna"), ("claim_expired", None), ("claimed", "Bram")]


def test_the_sweep_puts_back_what_ran_out_and_only_that(house: House) -> None:
    left, kept = house.calls(), house.calls(phone="+31612345679")
    house.claims(house.anna, left)
    house.wait(minutes=20)
    house.claims(house.anna, kept)
    house.wait(minutes=11)
    assert (house.sweeps(), house.sweeps()) == (1, 0)
    assert (house.entry(left).status, house.entry(kept).status) == (Status.QUEUED, Status.CLAIMED)
    assert house.happened(left) == [("claimed", "Anna"), ("claim_expired", None)]
    assert house.story(left).events[-1].details == {"claimed_by": "Anna"}


def test_a_claim_that_ran_out_can_no_longer_be_worked(house: House) -> None:
    """A colleague may have it at any moment: claim it again first."""
    asked = house.claims(house.anna, house.calls())
    house.wait(minutes=31)
    with pytest.raises(IllegalMove) as refused:
        house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN)
    assert (refused.value.status, refused.value.wanted) == ("queued", "closed")
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN)


def test_releasing_gives_it_back(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    house.releases(house.anna, asked)
    assert house.entry(asked).status is Status.QUEUED
    assert house.happened(asked) == [("claimed", "Anna"), ("released", "Anna")]
    with pytest.raises(IllegalMove):
        house.releases(house.anna, asked)


def test_only_a_coordinator_touches_what_a_colleague_has(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    for act in (house.releases, house.cancels):
        with pytest.raises(NotYours) as refused:
            act(house.bram, asked)
        assert refused.value.by == "Anna"
    with pytest.raises(NotYours):
        house.wraps_up(house.bram, asked, Disposition.WITHDREW)
    with pytest.raises(NotYours):
        house.retriages(house.bram, asked, Urgency.P1)
    house.retriages(house.chris, asked, Urgency.P1)
    house.releases(house.chris, asked)


def test_what_does_not_exist_is_said_so(house: House) -> None:
    with pytest.raises(NoSuchCallback):
        house.claims(house.anna, "nobody")
    with pytest.raises(NoSuchCallback):
        house.entry("nobody")


def test_a_cancelled_request_says_why_and_is_out_for_good(house: House) -> None:
    asked = house.calls()
    with pytest.raises(Missing) as refused:
        house.cancels(house.anna, asked, " ")
    assert refused.value.what == "reason"
    house.cancels(house.anna, asked, "came by")
    assert house.entry(asked).status is Status.CANCELLED
    assert house.entry(asked).closed_at == NOW
    assert house.story(asked).events[-1].details == {"reason": "came by"}
    with pytest.raises(IllegalMove):
        house.claims(house.anna, asked)
    with pytest.raises(IllegalMove):
        house.cancels(house.anna, asked)


def test_a_new_urgency_changes_the_due_time_and_says_so(house: House) -> None:
    """Sooner counts from now, later from the request, and the event has both."""
    asked = house.calls()
    was_due = house.entry(asked).due_at
    house.wait(hours=1)
    house.retriages(house.anna, asked, Urgency.P1, "medicine", "insulin")
    entry = house.entry(asked)
    assert (entry.urgency, entry.need, entry.due_at) == (Urgency.P1, "medicine", house.now + timedelta(hours=2))
    house.retriages(house.anna, asked, Urgency.P3, "medicine", "has enough")
    assert house.entry(asked).due_at == was_due
    (first, second) = house.story(asked).events
    assert first.details["reason"] == "insulin"
    assert (first.details["before"]["urgency"], first.details["after"]["urgency"]) == (3, 1)
    assert second.details["after"]["due_at"] == was_due.isoformat()
    with pytest.raises(Missing):
        house.retriages(house.anna, asked, Urgency.P1, reason="")


def test_a_note_is_kept_with_its_writer(house: House) -> None:
    asked = house.calls()
    house.notes(house.bram, asked, "  prefers Arabic ")
    (event,) = house.story(asked).events
    assert (event.what, event.by, event.details["note"]) == ("noted", "Bram", "prefers Arabic")
    with pytest.raises(Missing):
        house.notes(house.bram, asked, "")


def test_somebody_at_the_door_is_queued_like_a_caller(house: House) -> None:
    asked = house.adds(house.anna, ByHand(need="doctor", who="child", language="ti", note="a girl with fever"))
    entry = house.entry(asked)
    assert (entry.urgency, entry.need, entry.who, entry.phone, entry.language) == (2, "doctor", "child", None, "ti")
    assert entry.needs_interpreter
    assert len(entry.reference) == 4
    assert house.happened(asked) == [("added", "Anna")]


def test_somebody_at_the_door_who_has_called_is_linked(house: House) -> None:
    called = house.calls()
    added = house.adds(house.anna, ByHand(phone="+31612345678", urgency=Urgency.P3))
    assert house.entry(added).linked_to == house.entry(called).reference
    assert (house.entry(called).urgency, house.entry(added).urgency) == (Urgency.P2, Urgency.P2)
    assert [entry.public_id for entry in house.story(called).linked] == [added]


def test_a_number_by_hand_is_written_with_its_country() -> None:
    with pytest.raises(ValueError, match=r"\+31"):
        ByHand(phone="0612345678")


def test_next_is_the_most_urgent_and_within_a_class_the_oldest(house: House) -> None:
    asked = []
    for number, urgency in enumerate([3, 1, 2, 1, 0]):
        asked.append(house.calls(phone=f"+3161234560{number}", urgency=urgency))
        house.wait(minutes=1)
    assert [house.takes_next(house.anna) for _ in range(6)] == [asked[4], asked[1], asked[3], asked[2], asked[0], None]


def test_next_suits_the_agents_languages(house: House) -> None:
    """Arabic is for Bram; what nobody speaks is for anybody, with an interpreter."""
    arabic = house.calls(answers={"callback_language": "ar"})
    nobodys = house.calls(phone="+31612345679", answers={"callback_language": "hy"})
    assert house.takes_next(house.anna) == nobodys
    assert house.takes_next(house.bram) == arabic


def test_next_waits_for_the_callers_part_of_the_day_unless_it_is_overdue(house: House) -> None:
    asked = house.calls(answers={"part_of_day": "afternoon"})
    assert house.takes_next(house.anna) is None
    house.wait(hours=1, minutes=59)  # a minute to noon in Eindhoven
    assert house.takes_next(house.anna) is None
    house.wait(minutes=1)
    assert house.takes_next(house.anna) == asked
    house.releases(house.anna, asked)
    house.now = house.entry(asked).due_at + timedelta(hours=16, minutes=1)  # the Monday after, in the morning
    house.now += timedelta(days=2)
    assert OFFICE.is_open(house.now)
    assert house.takes_next(house.anna) == asked


def test_next_leaves_the_evening_to_danger(house: House) -> None:
    house.now = datetime.fromisoformat("2026-11-24T20:00:00+00:00")
    house.calls(urgency=1)
    assert house.takes_next(house.anna) is None
    danger = house.calls(phone="+31612345679", urgency=0)
    assert house.takes_next(house.anna) == danger


def test_next_passes_by_what_waits_and_what_is_the_coordinators(house: House) -> None:
    asked = house.calls(urgency=1)
    for _ in range(4):
        house.finds_nobody(house.anna, asked)
        assert house.takes_next(house.anna) is None
        house.now = house.entry(asked).not_before or house.now
    assert house.entry(asked).needs_coordinator
    assert house.takes_next(house.anna) is None
    assert house.takes_next(house.chris) == asked


def test_next_takes_what_a_colleague_left_alone(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    assert house.takes_next(house.bram) is None
    house.wait(minutes=31)
    assert house.takes_next(house.bram) == asked


def test_agents_who_press_next_together_never_share_one(house: House) -> None:
    asked = {house.calls(phone=f"+316123456{number:02}") for number in range(40)}
    members = [house.anna, house.bram, house.chris] * 16
    with ThreadPoolExecutor(8) as pool:
        taken = list(pool.map(house.takes_next, members))
    found = [public_id for public_id in taken if public_id is not None]
    assert len(found) == len(set(found)) == 40
    assert set(found) == asked


def test_a_call_opens_again_what_nobody_answered(house: House) -> None:
    """Three attempts on three days, closed, and then the caller phones: their request is live again, and linked."""
    asked = house.calls(urgency=4)
    for _ in range(3):
        house.finds_nobody(house.anna, asked)
        house.now = house.entry(asked).not_before or house.now
    assert house.entry(asked).status is Status.CLOSED
    again = house.calls(urgency=4)
    entry = house.entry(asked)
    assert (entry.status, entry.attempts, entry.repeats, entry.disposition) == (Status.QUEUED, 0, 1, None)
    assert house.entry(again).linked_to == entry.reference
    assert house.happened(asked)[-2:] == [("reopened", None), ("asked_again", None)]
    house.finds_nobody(house.anna, asked)
    assert house.entry(asked).attempts == 1
    assert house.entry(asked).status is Status.QUEUED
