"""Calls, steps and callbacks in a real database: once is once, and nothing that was asked for is lost."""

from __future__ import annotations

import secrets
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, update
from sqlalchemy.exc import IntegrityError

from callbacks import call_log, export, service
from callbacks.call_log import HeardStep, Taken
from callbacks.db import Database
from callbacks.errors import StepAlreadyTaken
from callbacks.models import Base
from callbacks.office_hours import OfficeHours, Opening
from callbacks.service import Request, Requested

NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # a Tuesday, ten in the morning in Eindhoven
OFFICE = OfficeHours({day: Opening(time(9), time(17)) for day in range(5)})
PHONE = "+31612345678"
ASKED = Request("likely_intake", 3, PHONE, "nl", {"need": "doctor"}, [])


def sid(number: int) -> str:
    return f"CA{number:032x}"


def call(database: Database, number: int) -> int:
    return database.write(lambda connection: call_log.open_call(connection, sid(number), PHONE, NOW)).id


def ask(database: Database, number: int, asked: Request = ASKED, now: datetime = NOW) -> Requested:
    call_id = call(database, number)
    return database.write(lambda connection: service.request(connection, call_id, asked, now, OFFICE))


def queue(database: Database) -> list[dict[str, object]]:
    return list(export.records(database))


def test_the_migrations_make_exactly_the_tables_of_the_models(database: Database) -> None:
    """A column that is added to one and forgotten in the other is noticed."""

    def differences(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), Base.metadata))

    assert database.write(differences) == []
    assert database.is_ready()


def test_a_call_is_opened_once_whichever_webhook_comes_first(database: Database) -> None:
    """Ring and status may cross; both find the same call."""
    with ThreadPoolExecutor(8) as pool:
        ids = set(pool.map(lambda _: call(database, 1), range(16)))
    assert len(ids) == 1


def test_a_turn_is_answered_once(database: Database) -> None:
    """The second answer to the same turn is refused, and the first one stands."""
    call_id = call(database, 1)

    def step(says: str) -> None:
        database.write(lambda c: call_log.record_step(c, call_id, Taken(0, NOW, HeardStep(), "{}", says)))

    step('["first"]')
    with pytest.raises(StepAlreadyTaken) as refused:
        step('["second"]')
    assert (refused.value.call_id, refused.value.number) == (call_id, 0)
    assert database.read(lambda c: call_log.find_step(c, call_id, 0)) == ("{}", '["first"]')


def test_a_request_is_queued_with_its_urgency_and_due_time(database: Database) -> None:
    """P3: the end of the third working day."""
    done = ask(database, 1)
    assert done.result == "queued"
    assert done.due_at == datetime(2026, 11, 27, 16, 0, tzinfo=UTC)
    (record,) = queue(database)
    assert record["reference"] == done.reference
    assert (record["status"], record["urgency"], record["phone"]) == ("queued", "P3", PHONE)


def test_asking_twice_in_one_call_is_one_callback(database: Database) -> None:
    """A doubled webhook, or a caller who asks again."""
    first, second = ask(database, 1), ask(database, 1)
    assert second.result == "already"
    assert first.reference == second.reference
    assert len(queue(database)) == 1


def test_a_second_call_from_the_number_links_and_raises_both(database: Database) -> None:
    """Never merged silently, because phones are shared; the earlier one is phoned sooner too."""
    first, second = ask(database, 1), ask(database, 2)
    assert second.result == "linked"
    earlier, later = queue(database)
    assert later["linked_to"] == first.reference
    assert (earlier["urgency"], later["urgency"], earlier["repeats"]) == ("P2", "P2", 1)
    assert earlier["due_at"] == "2026-11-25T16:00:00.000+00:00"


def test_repeats_raise_to_p1_and_no_further(database: Database) -> None:
    """And a P0 stays one: nothing is ever made less urgent."""
    ask(database, 1, replace(ASKED, urgency=0, outcome="emergency"))
    for number in range(2, 6):
        ask(database, number)
    assert [record["urgency"] for record in queue(database)] == ["P0", "P2", "P2", "P2", "P2"]
    for number in range(12, 17):
        ask(database, number, replace(ASKED, phone="+31612345679"))
    assert [record["urgency"] for record in queue(database)][5] == "P1"


def test_two_first_calls_of_a_number_at_the_same_moment_are_linked(database: Database) -> None:
    """Only one can be the first; the database itself says so."""

    def try_to_ask(number: int) -> str:
        while True:
            try:
                return ask(database, number).result
            except IntegrityError:
                continue

    with ThreadPoolExecutor(8) as pool:
        results = sorted(pool.map(try_to_ask, range(8)))
    assert results == ["linked"] * 7 + ["queued"]


def test_requests_without_a_number_are_not_linked_to_each_other(database: Database) -> None:
    """A withheld number is nobody's identity: two of them are two people."""
    nameless = replace(ASKED, phone=None)
    assert [ask(database, number, nameless).result for number in (1, 2)] == ["queued", "queued"]


def test_what_is_learned_later_enriches_the_callback(database: Database) -> None:
    """A person who asked first and answered then gets the urgency of the answers."""
    ask(database, 1, Request("incomplete", 2, PHONE, None, {}, []))
    known = Request("today_open", 1, PHONE, "nl", {"safe_message": "yes", "part_of_day": "morning"}, ["bleeding"])
    call_id = call(database, 1)
    database.write(lambda connection: service.enrich(connection, call_id, known, NOW, OFFICE))
    (record,) = queue(database)
    assert (record["outcome"], record["urgency"], record["safe_message"]) == ("today_open", "P1", True)
    assert (record["flags"], record["part_of_day"]) == (["bleeding"], "morning")
    assert record["due_at"] == "2026-11-24T11:00:00.000+00:00"


def test_a_later_triage_never_makes_a_callback_less_urgent(database: Database) -> None:
    """Also when the new answers alone would be."""
    ask(database, 1, replace(ASKED, outcome="today_open", urgency=1))
    ask(database, 1, replace(ASKED, outcome="teeth", urgency=4))
    assert queue(database)[0]["urgency"] == "P1"


def test_a_number_given_later_completes_the_request(database: Database) -> None:
    """And links it when that number has asked before."""
    first = ask(database, 1)
    ask(database, 2, replace(ASKED, phone=None))
    ask(database, 2)
    assert [record["phone"] for record in queue(database)] == [PHONE, PHONE]
    assert queue(database)[1]["linked_to"] == first.reference


def test_a_request_without_a_number_takes_one_that_nobody_confirmed(database: Database) -> None:
    """Better than none; but it never replaces a number that the team already has."""
    ask(database, 1, replace(ASKED, phone=None))
    unsure = replace(ASKED, is_confirmed=False)
    ask(database, 1, unsure)
    ask(database, 1, replace(unsure, phone="+31612345679"))
    (record,) = queue(database)
    assert (record["phone"], record["number_confirmed"]) == (PHONE, False)


def test_who_asks_again_after_it_was_closed_is_called_again(database: Database) -> None:
    """A colleague wrapped it up or cancelled it while the caller was still on the line."""
    first = ask(database, 1)
    for status in ("closed", "cancelled"):
        closing = update(service.callbacks).values(status=status, disposition="information_given", closed_at=NOW)
        database.write(lambda connection, closing=closing: connection.execute(closing).rowcount)  # type: ignore[misc]
        later = NOW + timedelta(days=1)
        again = ask(database, 1, now=later)
        (record,) = queue(database)
        assert (again.result, again.reference, record["status"]) == ("already", first.reference, "queued")
        assert again.due_at == datetime(2026, 11, 30, 16, 0, tzinfo=UTC)


def test_references_are_four_digits_and_grow_when_those_are_used_up(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Short enough to say, and never given twice."""
    monkeypatch.setattr(secrets, "randbelow", lambda most: 7)
    references = [ask(database, number, replace(ASKED, phone=None)).reference for number in range(3)]
    assert references == ["0007", "00007", "000007"]


def test_the_queue_is_by_urgency_and_then_by_age(database: Database) -> None:
    """Within a class, oldest first."""
    for number, (urgency, hours) in enumerate([(3, 0), (1, 2), (3, -1), (1, 1)]):
        ask(database, number, replace(ASKED, urgency=urgency, phone=None), NOW + timedelta(hours=hours))
    rows = database.read(lambda connection: service.list_queue(connection, 10))
    assert [row.call_id for row in rows] == [4, 2, 3, 1]


def test_an_export_of_many_pages_lists_every_callback_once(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """However long the queue is."""
    monkeypatch.setattr(export, "PAGE", 3)
    references = [ask(database, number, replace(ASKED, phone=None)).reference for number in range(10)]
    assert [record["reference"] for record in queue(database)] == references
