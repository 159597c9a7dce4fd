"""Every change with who and when: the newest first, found again by who, what, which and day; never what was written."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import date, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, insert, select

from callbacks import access, happened
from callbacks.errors import DatabaseUnavailable
from callbacks.happened import LINE, Change, Wanted
from callbacks.happenings import events
from callbacks.lifecycle import Disposition, Urgency
from tests.callbacks import people
from tests.callbacks.house import OFFICE, House

TODAY = people.MONDAY.date()


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    made = people.console(database_url)
    yield made
    people.database_of(made).close()


@pytest.fixture
def house(app: Flask) -> House:
    made = House(people.database_of(app))
    made.now = people.MONDAY
    return made


@pytest.fixture
def anna(app: Flask, house: House, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """An agent who reads English."""
    monkeypatch.setitem(people.NEWCOMERS, "anna", replace(people.ANNA, login="anna"))
    client = people.signed_in_client(app, "anna", people.MONDAY)
    client.post("/console/language", data={"locale": "en", "csrf_token": people.csrf_token(client)})
    return client


def changes(house: House, wanted: Wanted = Wanted(), limit: int = 50) -> list[Change]:  # noqa: B008  a frozen value
    """Everything that fits, page after page."""
    found: list[Change] = []
    before: int | None = None
    while True:
        page = house.database.read(
            lambda c, before=before: happened.list_changes(c, wanted, OFFICE.zone, before=before, limit=limit)  # type: ignore[misc]
        )
        found += page.changes
        before = page.older
        if before is None:
            return found


def told(house: House, wanted: Wanted = Wanted()) -> list[tuple[str, str | None]]:  # noqa: B008
    return [(change.what, change.by) for change in changes(house, wanted)]


def day_of_work(house: House) -> tuple[str, str]:
    """Two requests, of which one was claimed, noted and wrapped up, and the other released by the clock."""
    first, second = house.calls(phone="+31611111111"), house.calls(phone="+31622222222")
    house.claims(house.anna, first)
    house.notes(house.anna, first, "a secret note")
    house.wraps_up(house.anna, first, Disposition.INFORMATION_GIVEN, note="another secret")
    house.claims(house.bram, second)
    house.wait(minutes=45)
    house.sweeps()
    return first, second


def test_everything_is_told_the_newest_first_with_who(house: House) -> None:
    day_of_work(house)
    done = [
        ("claim_expired", None),
        ("claimed", "Bram"),
        ("wrapped_up", "Anna"),
        ("noted", "Anna"),
        ("claimed", "Anna"),
    ]
    assert told(house) == done


def test_it_is_found_again_by_who_what_and_which(house: House) -> None:
    first, _ = day_of_work(house)
    reference = house.entry(first).reference
    assert told(house, Wanted(who=house.bram.id)) == [("claimed", "Bram")]
    assert told(house, Wanted(who=LINE)) == [("claim_expired", None)]
    assert told(house, Wanted(what="claimed")) == [("claimed", "Bram"), ("claimed", "Anna")]
    assert [what for what, _ in told(house, Wanted(reference=reference))] == ["wrapped_up", "noted", "claimed"]
    assert told(house, Wanted(reference="none")) == []
    assert told(house, Wanted(who=house.anna.id, what="claimed", reference=reference, day=TODAY)) == [
        ("claimed", "Anna")
    ]


def test_a_day_is_that_of_the_office_s_clock(house: House) -> None:
    late, early = house.calls(phone="+31611111111"), house.calls(phone="+31622222222")
    house.now = people.MONDAY.replace(hour=22, minute=59)  # one minute before midnight in Eindhoven
    house.notes(house.anna, late, "late")
    house.wait(minutes=1)
    house.notes(house.bram, early, "early")
    assert told(house, Wanted(day=TODAY)) == [("noted", "Anna")]
    assert told(house, Wanted(day=TODAY + timedelta(days=1))) == [("noted", "Bram")]
    assert told(house, Wanted(day=date(2020, 2, 2))) == []


def test_pages_neither_double_nor_lose_a_change(house: House) -> None:
    public_id = house.calls()
    for number in range(7):
        house.notes(house.anna, public_id, str(number))
    assert len(changes(house, limit=3)) == 7
    assert len(changes(house, limit=7)) == 7


def test_an_agent_sees_who_did_what_and_no_words(house: House, anna: FlaskClient) -> None:
    first, _ = day_of_work(house)
    house.calls(phone="+31611111111")
    page = anna.get("/console/happened").text
    assert f'<a href="/console/requests/{first}">{house.entry(first).reference}</a>' in page
    assert "The claim ran out" in page
    assert "The line itself" in page
    assert "Mon 23 Nov 10:30" in page
    assert "secret" not in page


def test_filters_are_in_the_address_and_stay_with_the_older_page(house: House, anna: FlaskClient) -> None:
    public_id = house.calls()
    for number in range(52):
        house.notes(house.anna, public_id, str(number))
    house.claims(house.bram, public_id)
    page = anna.get(f"/console/happened?who={house.anna.id}&what=noted&day={TODAY}").text
    older = re.search(r'href="(\?who=\d+&amp;what=noted&amp;day=2026-11-23&amp;before=\d+)"', page)
    assert page.count("<td><time") == 50
    assert older
    assert anna.get("/console/happened" + older[1].replace("&amp;", "&")).text.count("<td><time") == 2
    assert f'<option value="{house.anna.id}" selected>' in page
    assert 'value="2026-11-23"' in page


@pytest.mark.parametrize(
    "query",
    ["who=x", "who=99999999999999999999", "who=%C2%B2", "day=yesterday", "day=0001-01-01", "day=9999-12-31",
     "before=-1", "before=9999999999999999999999", "what=%00", "reference=%00"],
)  # fmt: skip
def test_an_address_that_makes_no_sense_still_opens(house: House, anna: FlaskClient, query: str) -> None:
    day_of_work(house)
    assert anna.get(f"/console/happened?{query}").status_code == 200


def test_nothing_that_fits_says_what_to_do(anna: FlaskClient) -> None:
    assert "Choose something else, or all." in anna.get("/console/happened?reference=0000").text


def test_each_look_is_noted_and_one_that_cannot_be_shows_nothing(
    house: House, anna: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    first, _ = day_of_work(house)
    anna.get("/console/happened")
    query = select(access.accesses.c.action, access.accesses.c["count"]).order_by(access.accesses.c.id.desc())
    assert house.database.read(lambda c: tuple(c.execute(query).all()[0])) == ("happened", 5)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("full")

    monkeypatch.setattr(access, "note", refuse)
    answer = anna.get("/console/happened")
    assert answer.status_code == 503
    assert house.entry(first).reference not in answer.text


def test_a_rare_change_is_found_among_very_many(house: House) -> None:
    public_id = house.calls()
    house.retriages(house.anna, public_id, Urgency.P1)
    house.database.write(_many)
    assert told(house, Wanted(what="retriaged")) == [("retriaged", "Anna")]


def _many(connection: Connection) -> None:
    first = connection.execute(select(events)).first()
    assert first
    same = first._asdict() | {"what": "noted"}
    del same["id"]
    connection.execute(insert(events), [same] * 2000)
