"""The queue's page: every fact that decides, filters to be seen and taken away, and counts that are their lists."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import update

from callbacks.lifecycle import Disposition, Urgency
from callbacks.queue import ByHand
from callbacks.service import Request, callbacks
from callbacks.staff import Member, Role
from tests.callbacks import people
from tests.callbacks.house import ASKED, NOW, House
from tests.callbacks.people import Clock, console, database_of, sqlite

PAYLOAD = '<img src=x onerror=alert(1)>"'


@pytest.fixture
def clock() -> Clock:
    return Clock(NOW)


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    made = console(sqlite(tmp_path), clock)
    yield made
    database_of(made).close()


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    """Anna reads English and speaks Dutch and English; nobody of the team speaks Tigrinya."""
    return people.signed_in_client(app, "anna")


@pytest.fixture
def house(app: Flask, anna: FlaskClient) -> House:
    """The office; Anna is in the team before it opens."""
    return Office(database_of(app))


class Office(House):
    """The house of the queue's tests, with the Anna who has signed in."""

    def join(
        self, login: str, name: str, *, languages: tuple[str, ...] = ("nl", "en"), role: Role = Role.AGENT
    ) -> Member:
        if login == "anna":
            return people.join(self.database, login)
        return super().join(login, name, languages=languages, role=role)


def opens(client: FlaskClient, address: str = "/console/") -> str:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return answer.text


def text(page: str) -> str:
    """What somebody reads, with a space where an element ends."""
    return html.unescape(re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", page)))


def rows(page: str) -> list[str]:
    """The requests of a list, as text."""
    return [text(row) for row in re.findall(r'<li id="request-.*?</li>\s*(?=<li id="request-|</ol>)', page, re.DOTALL)]


def test_a_row_says_everything_that_decides(house: House, anna: FlaskClient) -> None:
    answers = {
        "need": "pregnancy", "who": "pregnant", "refused": "yes", "safe_message": "yes", "callback_language": "ti",
        "part_of_day": "morning", "region": "here",
    }  # fmt: skip
    house.calls(replace(ASKED, outcome="refused_priority", urgency=1, answers=answers, flags=["bleeding"]))
    house.wait(hours=3)
    row = rows(opens(anna, "/console/"))[0]
    assert "P1" in row
    for words in (
        "within 2 office hours", "due in", "waiting less than a minute", "Pregnancy or baby", "Somebody pregnant",
        "refused care", "Child or pregnancy, refused: mediate", "Words of danger:", "bleeding", "Tigrinya",
        "(interpreter needed)", "In the morning", "a message may be left", "In our region", "Claim",
    ):  # fmt: skip
        assert words in row, words


def later(app: Flask, clock: Clock, **time_passed: float) -> FlaskClient:
    """Anna comes back after this time, and signs in again."""
    clock.now += timedelta(**time_passed)
    return people.signed_in_client(app, "anna")


def test_times_are_relative_and_exact(house: House, app: Flask, clock: Clock) -> None:
    house.calls(urgency=1)
    page = opens(later(app, clock, minutes=80))
    assert "due in 40 min (12:00) · waiting 1 h 20 min (since 10:00)" in text(page)
    assert 'datetime="2026-11-24T11:00:00+00:00" title="Tue 24 Nov 12:00"' in page
    assert "overdue by 2 h 10 min (12:00)" in text(opens(later(app, clock, minutes=170)))


def test_what_happened_to_a_request_is_seen_in_its_row(
    house: House, app: Flask, anna: FlaskClient, clock: Clock
) -> None:
    first = house.calls(phone="+31612340001", urgency=3)
    house.calls(phone="+31612340001", urgency=4)
    house.calls(phone=None)
    left = house.claims(house.bram, house.calls(phone="+31612340002"))
    house.finds_nobody(house.bram, house.calls(phone="+31612340003", urgency=2))
    with_anna = house.claims(house.anna, house.calls(phone="+31612340004"))
    found = {row.split()[0]: row for row in rows(opens(anna))}
    by_id = {public_id: found[house.entry(public_id).reference] for public_id in (first, left, with_anna)}
    assert "called 1 more time" in by_id[first]
    assert f"same number as {house.entry(first).reference}" in " ".join(found.values())
    assert "no number" in " ".join(found.values())
    assert re.search(r"1 attempt without answer next attempt from Wed 25 Nov \d\d:\d\d", " ".join(found.values()))
    assert "Bram has it until 10:30" in by_id[left]
    assert "Anna has it (you) until 10:30" in by_id[with_anna]
    assert "Bram's claim ran out" in text(opens(later(app, clock, minutes=31)))


def test_what_is_the_coordinators_is_said(house: House, anna: FlaskClient) -> None:
    asked = house.calls()
    unit = update(callbacks).where(callbacks.c.public_id == asked).values(needs_coordinator=True)
    house.database.write(lambda connection: connection.execute(unit).rowcount)
    house.calls(phone="+31612340009")
    listed = rows(opens(anna, "/console/?coordinator=1"))
    assert len(listed) == 1
    assert "for the coordinator" in listed[0]


def test_a_closed_request_says_how_it_ended(house: House, anna: FlaskClient) -> None:
    house.wraps_up(house.anna, house.claims(house.anna, house.calls()), Disposition.INFORMATION_GIVEN)
    (row,) = rows(opens(anna, "/console/?status=closed"))
    assert "Closed 10:00: Information given" in row
    assert "due" not in row


def test_every_count_is_the_length_of_the_list_that_it_leads_to(house: House, anna: FlaskClient, clock: Clock) -> None:
    for number in range(12):
        asked = house.calls(phone=f"+3161234{number:04}", urgency=number % 5)
        if number % 3 == 0:
            house.claims(house.anna if number % 2 else house.bram, asked)
    clock.now += timedelta(minutes=10)
    for page in (opens(anna), opens(anna, "/console/?overdue=1"), opens(anna, "/console/?mine=1&urgency=P3")):
        nav = re.search(r'<nav id="queue-counts".*?</nav>', page, re.DOTALL)
        assert nav
        links = re.findall(r'href="([^"]+)"[^>]*>([^<]+) <strong>(\d+)</strong>', nav[0])
        assert [name.strip() for _, name, _ in links[:5]] == ["Open", "Waiting", "Claimed", "Mine", "Overdue"]
        assert len(links) == 5 + len(Urgency)
        for address, name, number in links:
            assert len(rows(opens(anna, html.unescape(address)))) == int(number), name
    assert 'href="/console/?mine=1" aria-current="page"' in opens(anna, "/console/?mine=1")


def test_every_filter_is_shown_and_can_be_taken_away_alone(house: House, anna: FlaskClient) -> None:
    house.calls(answers={"need": "bill", "region": "here", "callback_language": "ar"})
    asked = "urgency=P2&urgency=P3&need=bill&language=ar&region=here&mine=1&overdue=1&coordinator=1&words=so+what"
    page = opens(anna, f"/console/?status=queued&{asked}")
    chosen = re.search(r'<div class="chosen">.*?</div>', page, re.DOTALL)
    assert chosen
    links = {text(label).strip(" ✕"): html.unescape(link) for link, label in re.findall(
        r'<li><a href="([^"]+)"[^>]*>(.*?)</a>', chosen[0], re.DOTALL)}  # fmt: skip
    assert list(links) == [
        "Waiting", "P2", "P3", "A bill", "Arabic", "In our region", "Mine", "Overdue", "For the coordinator",
        "“so what”",
    ]  # fmt: skip
    assert links["P2"] == "/console/?status=queued&urgency=P3&" + asked.partition("urgency=P3&")[2]
    assert "words" not in links["“so what”"]
    assert 'href="/console/">Clear all' in chosen[0]
    for checked in ('value="P3" checked', 'value="ar" selected', 'name="mine" value="1" checked', 'value="so what"'):
        assert checked in page
    assert 'class="chosen"' not in opens(anna)


def test_filters_choose(house: House, anna: FlaskClient) -> None:
    house.calls(phone="+31612340001", answers={"region": "here", "need": "bill"})
    house.calls(phone="+31612340002", answers={"region": "elsewhere", "need": "doctor"})
    for query, number in {"region=here": 1, "region=elsewhere&need=doctor": 1, "region=here&need=doctor": 0}.items():
        assert len(rows(opens(anna, f"/console/?{query}"))) == number, query


def test_more_keeps_the_filters_and_leads_back(house: House, anna: FlaskClient) -> None:
    for number in range(52):
        house.calls(phone=f"+3161234{number:04}")
    page = opens(anna, "/console/?urgency=P3&words=doctor")
    assert "The first 50, the most urgent at the top." in page
    more = re.search(r'href="([^"]+)" rel="next"', page)
    assert more
    rest = opens(anna, html.unescape(more[1]))
    assert (len(rows(rest)), 'value="P3" checked' in rest) == (2, True)
    assert 'href="/console/?urgency=P3&amp;words=doctor">Back to the top' in rest


def test_nothing_found_says_what_to_do(house: House, anna: FlaskClient) -> None:
    assert "Somebody at the door? Use Add request." in opens(anna)
    house.wraps_up(house.anna, house.claims(house.anna, house.calls()), Disposition.WITHDREW)
    page = opens(anna, "/console/?words=doctor")
    assert "Nothing was found for “doctor”." in page
    closed = re.search(r'href="([^"]+)">Search in closed requests too', page)
    assert closed
    assert len(rows(opens(anna, html.unescape(closed[1])))) == 1
    assert "Remove a filter above" in opens(anna, "/console/?urgency=P0")


@pytest.mark.parametrize(
    "asked, told",
    [
        (replace(ASKED, language="ar"), "1 is in a language that a colleague speaks."),
        (replace(ASKED, answers={"part_of_day": "afternoon"}), "1 asked for another part of the day."),
    ],
)
def test_next_says_why_it_gave_nothing_and_what_to_do(
    house: House, anna: FlaskClient, asked: Request, told: str
) -> None:
    house.calls(asked)
    page = text(takes_next(anna))
    assert "Nobody is waiting whom you can phone now." in page
    assert told in page
    assert "choose one from the list, read it, and press Claim" in page


def test_next_in_an_empty_queue_and_in_the_evening(house: House, app: Flask, anna: FlaskClient, clock: Clock) -> None:
    assert "The queue is empty, or colleagues have what is in it." in takes_next(anna)
    house.calls()
    assert "The office is closed" in takes_next(later(app, clock, hours=9))


def takes_next(client: FlaskClient) -> str:
    token = people.csrf_token(client)
    return client.post("/console/next", data={"csrf_token": token}, follow_redirects=True).text


@pytest.mark.parametrize("name", ["need", "who", "region", "part_of_day", "callback_language"])
def test_nothing_that_a_caller_or_an_agent_wrote_becomes_code(house: House, anna: FlaskClient, name: str) -> None:
    house.calls(answers={name: PAYLOAD[:19]}, language=None)
    house.calls(phone=None, flags=[PAYLOAD], outcome=PAYLOAD)
    page = opens(anna, "/console/")
    assert "<img" not in page
    assert "&lt;img src=x onerro" in page


@pytest.mark.parametrize("query", ["words", "need", "language", "region", "status", "urgency", "after", "mine"])
def test_nothing_in_the_address_becomes_code(house: House, anna: FlaskClient, query: str) -> None:
    house.adds(house.anna, ByHand("doctor"))
    assert "<img" not in anna.get("/console/", query_string={query: PAYLOAD}).text
