"""The queue as the team sees it: nothing twice, nothing left out, and every count is the length of its list."""

from __future__ import annotations

import random
from datetime import timedelta
from itertools import combinations, pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, func, select

from callbacks import access, call_log, queue
from callbacks.call_log import HeardStep, Taken
from callbacks.db import Database
from callbacks.lifecycle import Disposition, Status, Urgency
from callbacks.queue_views import STATUSES, Filters, tallies
from callbacks.service import callbacks
from tests.callbacks.house import ALL, ASKED, NOW, OFFICE, House


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def busy(house: House, seed: int, requests: int = 30) -> list[str]:
    """A queue in which much has happened; the same for the same seed."""
    rng = random.Random(seed)
    asked: list[str] = []
    team = [house.anna, house.bram, house.chris]
    for _ in range(requests):
        house.wait(minutes=rng.choice([0, 1, 45, 600]))
        answers = {
            "need": rng.choice(["doctor", "bill"]),
            "region": rng.choice(["here", "elsewhere"]),
            "callback_language": rng.choice(["nl", "ar", "ti"]),
        }
        phone = rng.choice([None, f"+316123456{rng.randrange(20):02}"])
        asked.append(house.calls(phone=phone, urgency=rng.randrange(5), answers=answers))
        member, public_id = rng.choice(team), rng.choice(asked)
        status = house.entry(public_id).status
        if status is Status.QUEUED and rng.random() < 0.7:
            house.claims(member, public_id)
        elif status is Status.CLAIMED and rng.random() < 0.6:
            house.wraps_up(house.chris, public_id, rng.choice([Disposition.NO_ANSWER, Disposition.WITHDREW]))
        elif status is Status.QUEUED and rng.random() < 0.3:
            house.cancels(member, public_id)
        elif status is Status.QUEUED:
            house.retriages(member, public_id, Urgency(rng.randrange(5)))
    return asked


@pytest.mark.parametrize("seed", [1, 2])
def test_every_count_is_the_length_of_its_list(house: House, seed: int) -> None:
    busy(house, seed)
    for _ in range(3):
        for member in (house.anna, house.bram):
            counts = house.counts(member)
            assert counts.open == len(house.lists(Filters(), member))
            assert counts.queued == len(house.lists(Filters(status="queued"), member))
            assert counts.claimed == len(house.lists(Filters(status="claimed"), member))
            assert counts.mine == len(house.lists(Filters(mine=True), member))
            assert counts.overdue == len(house.lists(Filters(overdue=True), member))
            assert counts.by_urgency == {
                urgency: len(house.lists(Filters(urgency=frozenset({urgency})), member)) for urgency in Urgency
            }
        house.wait(minutes=31)  # claims run out and due times pass


def test_the_tally_forgets_nothing_that_is_deleted(house: House) -> None:
    busy(house, 1)

    def delete_all(connection: Connection) -> None:
        connection.execute(callbacks.update().values(phone=None))  # or two open ones of a number lose their link
        connection.execute(callbacks.delete())

    house.database.write(delete_all)
    assert house.database.read(lambda c: c.execute(select(func.count()).select_from(tallies)).scalar()) == 0


def test_pages_give_everything_once_and_in_order(house: House) -> None:
    busy(house, 3)
    everything = house.lists(ALL, limit=500)
    for status in STATUSES:
        wanted = {"open": ("queued", "claimed"), "all": tuple(Status)}.get(status, (status,))
        expected = [entry for entry in everything if entry.status in wanted]
        if status in ("open", "queued", "claimed"):
            expected.sort(key=lambda entry: (entry.urgency, entry.requested_at, entry.id))
        for limit in (3, 50):
            assert house.lists(Filters(status=status), limit=limit) == expected, (status, limit)


def test_a_page_shows_nobody_twice_while_the_queue_moves(house: House) -> None:
    asked = [house.calls(phone=f"+3161234560{number}") for number in range(6)]
    first = house.page(limit=3, filters=Filters())
    house.cancels(house.anna, asked[0])
    house.cancels(house.anna, asked[4])
    second = house.page(Filters(), after=first.next, limit=3)
    assert [entry.public_id for entry in first.entries] == asked[:3]
    assert [entry.public_id for entry in second.entries] == [asked[3], asked[5]]
    assert second.next is None


def test_a_page_after_nonsense_is_the_first(house: House) -> None:
    asked = house.calls()
    for after in ("", "x", "1.2", "9.9.9", "-1", "%", "\u0661.1.1", "3.1.1\n"):
        for filters in (Filters(), ALL):
            assert [entry.public_id for entry in house.page(filters, after=after).entries] == [asked], after


def test_an_unknown_status_is_said_so(house: House) -> None:
    with pytest.raises(ValueError, match="'done' is none of open, queued"):
        house.page(Filters(status="done"))


def test_filters_combine(house: House) -> None:
    """Every pair of two filters gives what both of them give."""
    busy(house, 3)
    house.wait(days=2)
    house.claims(house.anna, house.lists(Filters(overdue=True))[0].public_id)
    single = {
        "urgency": frozenset({1, 2}),
        "language": "ar",
        "region": "here",
        "need": "doctor",
        "overdue": True,
        "mine": True,
        "words": "likely",
        "for_coordinator": True,
    }
    found = {name: ids(house, **{name: value}) for name, value in single.items()}
    for one, two in combinations(single, 2):
        assert ids(house, **{one: single[one], two: single[two]}) == found[one] & found[two], (one, two)
    assert found["language"] & found["region"]


def ids(house: House, **filters: object) -> set[int]:
    return {entry.id for entry in house.lists(Filters(**filters))}  # type: ignore[arg-type]  # any of its fields


def test_the_language_filter_takes_the_one_to_call_back_in(house: House) -> None:
    dutch, arabic = house.calls(), house.calls(phone="+31612345679", answers={"callback_language": "ar"})
    found = {language: house.lists(Filters(language=language)) for language in ("nl", "ar")}
    assert [entry.public_id for entry in found["nl"]] == [dutch]
    assert [entry.public_id for entry in found["ar"]] == [arabic]


def test_an_entry_has_what_the_list_shows(house: House) -> None:
    answers = {
        "need": "pregnancy",
        "refused": "yes",
        "callback_language": "ti",
        "part_of_day": "morning",
        "safe_message": "no",
        "region": "here",
    }
    first = house.calls(answers=answers, flags=["bleeding"], outcome="refused_priority", urgency=1)
    second = house.calls(answers={"safe_message": "yes", "callback_language": "ar"})
    house.claims(house.bram, second)
    house.wait(hours=3)
    one, two = house.entry(first), house.entry(second)
    assert (one.status, one.urgency, one.is_overdue, one.requested_at) == (Status.QUEUED, Urgency.P1, True, NOW)
    assert (one.need, one.was_refused, one.outcome, one.flags) == ("pregnancy", True, "refused_priority", ("bleeding",))
    assert (one.language, one.callback_language, one.needs_interpreter) == ("nl", "ti", True)
    assert (one.part_of_day, one.region, one.safe_message, one.repeats) == ("morning", "here", False, 1)
    assert (two.needs_interpreter, two.safe_message, two.linked_to) == (False, True, one.reference)
    assert two.linked_to_id == one.public_id


def test_a_message_that_was_not_talked_about_is_told_from_one_that_was_refused(house: House) -> None:
    """Neither may be left; the console says why not."""
    assert house.entry(house.calls()).safe_message is None
    assert house.entry(house.calls(phone="+31698765432", answers={"safe_message": "no"})).safe_message is False


def test_a_number_is_found_in_any_notation(house: House) -> None:
    asked = house.calls()
    house.calls(phone="+31698765432")
    same = ("+31612345678", "0031 6 12345678", "06-12 34 56 78", "(06) 12345678", "345678", "+31 (0)6 1234 5678")
    for typed in same:
        assert [entry.public_id for entry in house.lists(Filters(words=typed))] == [asked], typed


def test_a_reference_is_found_by_how_it_begins(house: House) -> None:
    asked = [house.calls(phone=None) for _ in range(20)]
    for public_id in asked[:4]:
        reference = house.entry(public_id).reference
        assert public_id in [entry.public_id for entry in house.lists(Filters(words=reference))]
        found = house.lists(Filters(words=reference[:2]))
        assert all(entry.reference.startswith(reference[:2]) for entry in found)
        assert public_id in [entry.public_id for entry in found]


def test_words_are_found_in_notes_flags_needs_and_outcomes(house: House) -> None:
    noted, flagged = house.calls(), house.calls(phone=None, flags=["chest_pain"], outcome="today_open")
    house.notes(house.anna, noted, "Prefers the Évening, 100% sure")
    search = {
        "evening": [],
        "Évening": [noted],
        "évening": [noted],
        "PREFERS": [noted],
        "the prefers": [noted],
        "prefers nothing": [],
        "chest": [flagged],
        "Chest pain": [flagged],
        "today": [flagged],
        "doctor": [noted, flagged],
        "100%": [noted],
        "1%0": [],
        "likely_": [noted],
        "li_ely": [],
        "'": [],
        "\\": [],
    }
    found = {words: [entry.public_id for entry in house.lists(Filters(words=words))] for words in search}
    assert {words: sorted(ids) for words, ids in found.items()} == {words: sorted(ids) for words, ids in search.items()}


@settings(max_examples=40)
@given(st.text(max_size=20))
def test_whatever_is_typed_is_a_search(typed: str) -> None:
    """Never an error of the database, whichever characters somebody pastes."""
    from sqlalchemy.dialects import postgresql, sqlite

    from callbacks.searching import matches

    for dialect in (sqlite.dialect(), postgresql.dialect()):  # type: ignore[no-untyped-call]
        for condition in matches(typed):
            assert str(condition.compile(dialect=dialect))


def test_whatever_is_pasted_into_the_search_is_answered(house: House) -> None:
    asked = house.calls()
    for typed in ("a\x00b", "x\ud800", "٣٤٥", "²", "%", "i_n", "x" * 5000, "0" * 500, "++31", "'; --"):
        assert house.lists(Filters(words=typed)) == [], typed
    for typed in ("", " ", "\x00", "\ud800", "doctor\x00", "_"):
        assert [entry.public_id for entry in house.lists(Filters(words=typed))] == [asked], typed


def test_a_story_tells_the_call_and_what_was_done_since(house: House) -> None:
    asked = house.calls()

    def steps(connection: Connection) -> None:
        call_id = connection.execute(select(callbacks.c.call_id).where(callbacks.c.public_id == asked)).scalar_one()
        heard = HeardStep("triage_need", "match", "doctor", "speech", None, "a doctor please", 0.87)
        call_log.record_step(connection, call_id, Taken(1, NOW, heard, "{}", '["triage_wait"]'))
        call_log.record_step(connection, call_id, Taken(0, NOW, HeardStep(), "{}", '["opening_who","menu_main"]'))

    house.database.write(steps)
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.INFORMATION_GIVEN, "told about the scheme")
    story = house.story(asked)
    assert [step.says for step in story.steps] == [("opening_who", "menu_main"), ("triage_wait",)]
    assert (story.steps[1].utterance, story.steps[1].confidence) == ("a doctor please", 0.87)
    assert [(event.what, event.by) for event in story.events] == [("claimed", "Anna"), ("wrapped_up", "Anna")]


def test_a_story_has_the_earlier_and_later_calls_of_the_number(house: House) -> None:
    first = house.calls()
    house.wait(hours=1)
    second = house.calls()
    house.wait(hours=1)
    added = house.adds(house.anna, queue.ByHand(phone=ASKED.phone))
    house.calls(phone="+31698765432")
    house.database.write(lambda c: call_log.open_call(c, "CA" + "f" * 32, ASKED.phone, house.now))
    story = house.story(second)
    told = [(other.public_id, other.is_later) for other in story.other_calls]
    assert sorted(told, key=str) == sorted([(first, False), (None, True), (added, True)], key=str)
    assert [entry.public_id for entry in story.linked] == [first, added]
    assert [entry.public_id for entry in house.story(added).linked] == [first, second]


def test_without_a_number_there_are_no_other_calls(house: House) -> None:
    first, _ = house.calls(phone=None), house.calls(phone=None)
    assert house.story(first).other_calls == ()


def test_a_look_is_written_down_without_what_was_seen(house: House) -> None:
    entry = house.entry(house.calls())
    house.database.write(lambda c: access.note(c, house.anna, "view", house.now, callback_id=entry.id))
    house.database.write(lambda c: access.note(c, house.chris, "export", house.now, count=3))
    rows = house.database.read(lambda c: c.execute(select(access.accesses).order_by(access.accesses.c.id)).all())
    assert [tuple(row)[1:] for row in rows] == [
        (NOW, house.anna.id, "view", entry.id, None),
        (NOW, house.chris.id, "export", None, 3),
    ]


def test_what_is_due_this_hour_is_overdue_from_its_minute_on(house: House) -> None:
    """The tally knows hours; within one, rows are counted."""
    house.calls(urgency=1)  # due at noon
    house.wait(hours=2)
    assert (house.counts().overdue, len(house.lists(Filters(overdue=True)))) == (0, 0)
    house.now += timedelta(seconds=1)
    assert (house.counts().overdue, len(house.lists(Filters(overdue=True)))) == (1, 1)
    assert OFFICE.is_open(house.now)


def test_entries_are_in_the_order_in_which_next_gives_them(house: House) -> None:
    busy(house, 4)
    listed = house.lists(Filters())
    assert all((one.urgency, one.requested_at) <= (two.urgency, two.requested_at) for one, two in pairwise(listed))


def test_a_claim_that_ran_out_is_seen_until_somebody_does_something(house: House) -> None:
    asked = house.claims(house.anna, house.calls())
    assert house.entry(asked).left_by is None
    house.wait(minutes=31)
    assert house.lists()[0].left_by == "Anna"
    house.sweeps()
    house.notes(house.bram, asked, "a note changes nothing about it")
    assert house.lists()[0].left_by == "Anna"
    house.claims(house.bram, asked)
    assert house.entry(asked).left_by is None
    house.releases(house.bram, asked)
    assert house.entry(asked).left_by is None


def test_a_note_with_a_nul_ends_nobodys_search(house: House) -> None:
    asked = house.calls()
    house.notes(house.anna, asked, "insulin\0 in the fridge")
    assert [entry.public_id for entry in house.lists(Filters(words="fridge"))] == [asked]
    assert house.story(asked).events[-1].details["note"] == "insulin in the fridge"
