"""What goes out by e-mail goes out once: whoever takes it has it alone, and what failed is tried again, for a day."""

from __future__ import annotations

import random
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import datetime, timedelta
from functools import partial
from typing import Any

import pytest
from sqlalchemy import Connection, event, func, select

from callbacks import notices, outbox
from callbacks.db import Database
from callbacks.lifecycle import Disposition, Urgency
from callbacks.notices import Kind
from callbacks.outbox import Due
from tests.callbacks.house import OFFICE, House


class Office(House):
    """A house with a letter box."""

    def writes_down(self) -> int:
        return self.database.write(lambda c: outbox.note_due(c, self.now, OFFICE))

    def takes(self) -> tuple[Due, ...]:
        return self.database.write(lambda c: outbox.take(c, self.now))

    def has_work(self) -> bool:
        return self.database.read(lambda c: outbox.is_work(c, self.now, OFFICE))

    def mails(self) -> list[tuple[str, Kind]]:
        """One round in which the mail server is well: what was told."""
        self.writes_down()
        taken = self.takes()
        self.database.write(lambda c: outbox.sent(c, [due.id for due in taken], self.now))
        return [(due.public_id, due.kind) for due in taken]

    def fails(self, *, is_permanent: bool = False) -> tuple[int, int]:
        """One round in which it is not: how many were tried, and how many of them never will be again."""
        self.writes_down()
        ids = [due.id for due in self.takes()]
        return len(ids), self.database.write(lambda c: outbox.failed(c, ids, self.now, is_permanent=is_permanent))

    def pauses(self) -> None:
        """Long enough for another e-mail."""
        self.now += outbox.BETWEEN_MAILS


@pytest.fixture
def house(database: Database) -> Office:
    return Office(database)


def test_a_request_that_cannot_wait_is_told_once(house: Office) -> None:
    asked = house.calls(urgency=1)
    assert house.has_work()
    assert house.mails() == [(asked, Kind.URGENT)]
    house.pauses()
    assert not house.has_work()
    assert house.mails() == []


def test_what_can_wait_is_told_when_it_is_nearly_overdue_and_once(house: Office) -> None:
    asked = house.calls(urgency=3)
    assert not house.has_work()
    house.now = house.entry(asked).due_at - timedelta(minutes=31)
    assert house.mails() == []
    house.wait(minutes=1)
    assert house.mails() == [(asked, Kind.NEARLY_OVERDUE)]
    house.wait(hours=1)
    assert house.mails() == []


def test_what_somebody_has_is_not_told_until_it_is_given_back(house: Office) -> None:
    asked = house.calls(urgency=1)
    assert house.writes_down() == 1
    house.claims(house.bram, asked)
    assert house.takes() == ()
    house.releases(house.bram, asked)
    assert house.mails() == [(asked, Kind.URGENT)]


def test_a_request_that_was_raised_is_told_however_old_it_is(house: Office) -> None:
    asked = house.calls(urgency=2)
    house.wait(days=6)
    assert house.mails() == []
    house.retriages(house.anna, asked, Urgency.P1)
    assert house.mails() == [(asked, Kind.URGENT)]


def test_what_was_there_before_e_mails_were_switched_on_is_not_told(house: Office) -> None:
    for urgency in range(5):
        house.calls(urgency=urgency, phone=None)
    house.wait(days=14)
    assert not house.has_work()
    assert house.mails() == []


def test_danger_does_not_wait_for_the_next_e_mail_and_takes_along_what_does(house: Office) -> None:
    first = house.calls(urgency=1, phone=None)
    assert house.mails() == [(first, Kind.URGENT)]
    second = house.calls(urgency=1, phone=None)
    house.wait(minutes=1)
    assert house.mails() == []
    danger = house.calls(urgency=0, phone=None)
    assert house.mails() == [(second, Kind.URGENT), (danger, Kind.URGENT)]


def test_a_flood_of_danger_makes_an_e_mail_a_minute(house: Office) -> None:
    """As from somebody who presses 1 in a hundred calls."""
    mails = 0
    for _ in range(18):
        house.calls(urgency=0, phone=None)
        mails += bool(house.mails())
        house.wait(seconds=20)
    assert mails == 6
    house.wait(minutes=1)
    assert house.mails()


def test_what_was_told_is_forgotten_when_the_request_is_closed(house: Office) -> None:
    """So that it can be told anew when the request is opened again; and what is not kept cannot leak."""
    asked, other = house.calls(urgency=1), house.calls(urgency=0, phone=None)
    house.mails()
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    house.cancels(house.anna, other)
    house.wait(minutes=1)
    assert house.has_work()
    house.writes_down()
    assert house.database.read(noted) == 0
    assert not house.has_work()


def test_a_wrap_up_that_is_taken_back_tells_nothing_anew(house: Office) -> None:
    asked = house.calls(urgency=1)
    house.mails()
    house.claims(house.anna, asked)
    house.wraps_up(house.anna, asked, Disposition.WITHDREW)
    house.wait(seconds=30)
    house.writes_down()
    house.undoes(house.anna, asked)
    house.releases(house.anna, asked)
    house.pauses()
    assert house.mails() == []


def test_a_new_due_time_is_told_when_it_is_near_again(house: Office) -> None:
    asked = house.calls(urgency=3)
    house.now = house.entry(asked).due_at - timedelta(minutes=20)
    assert house.mails() == [(asked, Kind.NEARLY_OVERDUE)]
    house.finds_nobody(house.anna, asked)
    house.wait(minutes=10)
    assert house.mails() == []
    house.now = house.entry(asked).due_at - timedelta(minutes=20)
    assert house.mails() == [(asked, Kind.NEARLY_OVERDUE)]


def test_what_is_taken_is_given_to_nobody_else_until_the_lease_is_over(house: Office) -> None:
    """As after a kill between sending and marking: once more, and then it is done."""
    house.calls(urgency=0)
    house.writes_down()
    taken = house.takes()
    assert len(taken) == 1
    house.wait(seconds=299)
    assert house.takes() == ()
    house.wait(seconds=1)
    assert house.takes() == taken
    house.database.write(lambda c: outbox.sent(c, [taken[0].id], house.now))
    house.wait(hours=2)
    assert house.takes() == ()


def test_what_failed_is_tried_again_ever_more_seldom_and_given_up_after_a_day(house: Office) -> None:
    asked = house.calls(urgency=0)
    begin, tried, given_up = house.now, [], 0
    while house.now < begin + timedelta(hours=25):
        count, lost = house.fails()
        tried += [house.now - begin] * count
        given_up += lost
        house.now = max(house.now + timedelta(minutes=1), house.database.read(next_try))
    minutes = [int(moment.total_seconds()) // 60 for moment in tried]
    assert minutes[:8] == [0, 1, 3, 7, 15, 31, 63, 123]
    assert 28 <= len(minutes) <= 30
    assert minutes[-1] < 24 * 60
    assert given_up == 1
    assert house.entry(asked).is_overdue


def test_what_was_refused_for_good_waits_an_hour(house: Office) -> None:
    house.calls(urgency=1)
    assert house.fails(is_permanent=True) == (1, 0)
    house.wait(minutes=59)
    assert house.fails() == (0, 0)
    house.wait(minutes=1)
    assert house.fails() == (1, 0)


def test_what_went_out_cannot_fail_afterwards(house: Office) -> None:
    house.calls(urgency=1)
    house.writes_down()
    ids = [due.id for due in house.takes()]
    house.database.write(lambda c: outbox.sent(c, ids, house.now))
    assert house.database.write(lambda c: outbox.failed(c, ids, house.now)) == 0
    house.wait(hours=2)
    assert house.takes() == ()


def test_eight_at_once_send_every_notice_once(house: Office, database_url: str) -> None:
    """Four databases stand for four processes, with two threads each."""
    asked = {house.calls(urgency=random.Random(7).choice([0, 1]), phone=None) for _ in range(40)}
    told: list[str] = []

    def rounds(database: Database) -> None:
        for _ in range(10):
            database.write(lambda c: outbox.note_due(c, house.now, OFFICE))
            taken = database.write(lambda c: outbox.take(c, house.now))
            told.extend(due.public_id for due in taken)
            database.write(partial(outbox.sent, ids=[due.id for due in taken], now=house.now))

    databases = [Database(database_url, wait_seconds=20) for _ in range(4)]
    with ThreadPoolExecutor(8) as threads:
        for done in [threads.submit(rounds, database) for database in databases * 2]:
            done.result()
    for database in databases:
        with closing(database):
            pass
    assert sorted(told) == sorted(asked)
    assert house.database.read(noted) == len(asked)


QUERIES: dict[str, Callable[[Connection, Office], object]] = {
    "alerts": lambda c, house: notices.alerts(c, house.anna, house.now, OFFICE),
    "noting": lambda c, house: outbox.note_due(c, house.now, OFFICE),
    "looking": lambda c, house: outbox.is_work(c, house.now, OFFICE),
    "taking": lambda c, house: outbox.take(c, house.now),
}


@pytest.mark.parametrize("query", QUERIES)
def test_a_long_queue_is_read_by_its_indexes(house: Office, query: str) -> None:
    """Also where the database has never looked at what is in its tables."""
    plans = house.database.write(lambda c: plans_of(c, lambda: QUERIES[query](c, house)))
    assert any("ix_" in plan or "uq_" in plan for plan in plans)
    for plan in plans:
        assert "SCAN callbacks" not in plan, plan
        assert "Seq Scan on callbacks" not in plan, plan
        assert query != "alerts" or ("Sort" not in plan and "TEMP B-TREE" not in plan), plan


def plans_of(connection: Connection, use_case: Callable[[], object]) -> list[str]:
    """How the database finds what each query of this use case asks for."""
    asked: list[tuple[str, Any]] = []

    def listen(_c: object, _cursor: object, statement: str, values: Any, *_: object) -> None:  # noqa: ANN401
        asked.append((statement, values))

    event.listen(connection, "before_cursor_execute", listen)
    try:
        use_case()
    finally:
        event.remove(connection, "before_cursor_execute", listen)
    if connection.dialect.name == "postgresql":  # a few rows are read faster without an index
        connection.exec_driver_sql("SET LOCAL enable_seqscan = off")
    word = "EXPLAIN " if connection.dialect.name == "postgresql" else "EXPLAIN QUERY PLAN "
    selects = [one for one in asked if one[0].startswith("SELECT") and "callbacks" in one[0]]
    return [
        "\n".join(str(row[-1]) for row in connection.exec_driver_sql(word + sql, values)) for sql, values in selects
    ]


def noted(connection: Connection) -> int:
    """How many notices there are."""
    return connection.execute(select(func.count()).select_from(outbox.notices)).scalar_one()


def next_try(connection: Connection) -> datetime:
    """When the first notice may be tried again."""
    again: datetime = connection.execute(select(func.min(outbox.notices.c.leased_until))).scalar_one()
    return again
