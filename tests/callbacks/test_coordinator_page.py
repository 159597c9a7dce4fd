"""The coordinator's page: what only they can solve, who has how much, what is late; for coordinators, and noted."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from callbacks import access, coordinator_page
from callbacks.errors import DatabaseUnavailable
from callbacks.lifecycle import Disposition
from tests.callbacks import people
from tests.callbacks.house import House

PAGE = "/console/coordinator"


@pytest.fixture
def app(database_url: str) -> Iterator[Flask]:
    clock = people.Clock()
    made = people.console(database_url, clock)
    made.extensions["clock"] = clock
    yield made
    people.database_of(made).close()


@pytest.fixture
def house(app: Flask) -> House:
    made = House(people.database_of(app))
    made.now = people.MONDAY
    return made


@pytest.fixture
def carla(app: Flask, house: House, monkeypatch: pytest.MonkeyPatch) -> FlaskClient:
    """A coordinator who reads English."""
    monkeypatch.setitem(people.NEWCOMERS, "carla", replace(people.BRAM, login="carla", name="Carla", locale="en"))
    return people.signed_in_client(app, "carla")


def opened(app: Flask, house: House, client: FlaskClient) -> str:
    """The page at the house's moment, on one line."""
    app.extensions["clock"].now = house.now
    client.set_cookie("__Host-zorglijn", people.signed_in_token(house.database, "carla", house.now))
    answer = client.get(PAGE)
    assert answer.status_code == 200
    return " ".join(answer.text.split())


def test_an_empty_house_is_calm(app: Flask, house: House, carla: FlaskClient) -> None:
    page = opened(app, house, carla)
    assert "No request needs a coordinator now." in page
    assert "0 requests are overdue." in page
    assert 'rect width="0.0"' in page


def test_what_is_open_and_late_is_told_in_numbers_beside_the_bars(app: Flask, house: House, carla: FlaskClient) -> None:
    for number in range(4):
        house.calls(phone=f"+3161111111{number}", urgency=2)
    house.calls(phone="+31622222222", urgency=1)
    house.wait(hours=3)
    page = opened(app, house, carla)
    assert re.search(r'urgency=P2">P2</a>.*?<rect width="100.0".*?<td>4</td><td>0</td>', page)
    assert re.search(
        r'urgency=P1">P1</a>.*?<rect width="25.0".*?class="some" width="25.0".*?<td>1</td><td>1</td>', page
    )
    assert "1 request is overdue." in page


def test_it_says_who_has_how_many_and_leaves_out_who_left(app: Flask, house: House, carla: FlaskClient) -> None:
    for number in range(2):
        house.claims(house.anna, house.calls(phone=f"+3161111111{number}"))
    people.join(house.database, "chris")
    page = opened(app, house, carla)
    assert '<th scope="row">Anna</th><td>2</td>' in page
    assert '<th scope="row">Bram</th><td>0</td>' in page
    house.wait(hours=1)  # claims that have run out are nobody's
    assert '<th scope="row">Anna</th><td>0</td>' in opened(app, house, carla)


def test_what_nobody_answered_time_after_time_is_linked(app: Flask, house: House, carla: FlaskClient) -> None:
    public_id = house.calls(urgency=1)
    while not house.finds_nobody(house.anna, public_id).needs_coordinator:
        house.wait(hours=24)
    page = opened(app, house, carla)
    assert '<a href="/console/?coordinator=1">1 request needs you.</a>' in page
    assert house.entry(public_id).reference in carla.get("/console/?coordinator=1").text


def test_a_month_is_told_by_urgency_and_few_people_not_at_all(app: Flask, house: House, carla: FlaskClient) -> None:
    many = [house.calls(phone=f"+3161111111{number}", urgency=3) for number in range(6)]
    few = house.calls(phone="+31622222222", urgency=4)
    house.wait(hours=2, minutes=10)
    for public_id in (*many, few):
        house.claims(house.anna, public_id)
        house.wraps_up(house.anna, public_id, Disposition.INFORMATION_GIVEN)
    page = opened(app, house, carla)
    cells = r"<td>6</td> <td>2 h 10 min</td> <td>2 h 10 min</td> <td>100 percent</td> <td>100 percent</td>"
    assert re.search(rf'<th scope="row">P3</th> {cells}', page)
    assert re.search(r'<th scope="row">P4</th> (<td><span class="quiet">fewer than 5</span></td> ?){5}', page)


def test_each_look_is_noted_and_one_that_cannot_be_shows_nothing(
    app: Flask, house: House, carla: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened(app, house, carla)
    query = select(access.accesses.c.action).order_by(access.accesses.c.id.desc())
    assert house.database.read(lambda c: c.execute(query).scalars().first()) == "figures"

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("full")

    monkeypatch.setattr(access, "note", refuse)
    assert carla.get(PAGE).status_code == 503


def test_the_bars_and_the_queue_s_own_counts_agree(app: Flask, house: House, carla: FlaskClient) -> None:
    for number in range(7):
        house.calls(phone=f"+3161111111{number}", urgency=number % 5)
        house.wait(hours=9)
    member = people.join(house.database, "bram")
    told = house.database.read(lambda c: coordinator_page.overview(c, member, house.now))
    assert sum(bar.overdue for bar in told.bars) == told.counts.overdue
    assert {bar.urgency: bar.open for bar in told.bars} == dict(told.counts.by_urgency)
    assert max(bar.length for bar in told.bars) == 100
