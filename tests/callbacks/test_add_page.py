"""Somebody at the door is added by hand: what cannot be is said kindly, and nothing that was typed is lost."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks.queue_views import Entry, Filters, list_page
from tests.callbacks import people
from tests.callbacks.people import Clock, console, database_of, sqlite

FILLED = {"need": "doctor", "language": "ti", "urgency": "P2", "refused": "yes", "region": "here", "note": "knows Anna"}


@pytest.fixture
def app(tmp_path: Path) -> Iterator[Flask]:
    made = console(sqlite(tmp_path), Clock())
    yield made
    database_of(made).close()


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    return people.signed_in_client(app, "anna")


def adds(client: FlaskClient, **form: str) -> TestResponse:
    """The form filled in and sent, as its page gave it."""
    page = client.get("/console/add").text
    once = re.search(r'name="once" value="([^"]+)"', page)
    assert once
    form = {"once": once[1], "csrf_token": people.csrf_token(client), **form}
    return client.post("/console/add", data=form, follow_redirects=True)


def entries(app: Flask) -> tuple[Entry, ...]:
    database = database_of(app)
    member = people.join(database, "anna")
    return database.read(lambda connection: list_page(connection, Filters(status="all"), member, people.MONDAY).entries)


def test_somebody_at_the_door_is_in_the_queue_with_all_that_was_asked(app: Flask, anna: FlaskClient) -> None:
    page = adds(anna, phone="06 1234 5678", who="child", safe_message="yes", part_of_day="morning", **FILLED).text
    (entry,) = entries(app)
    assert f"Added. The reference is {entry.reference}." in page
    assert (entry.phone, entry.is_confirmed, entry.safe_message) == ("+31612345678", True, True)
    assert (entry.need, entry.who, entry.callback_language) == ("doctor", "child", "ti")
    assert (entry.was_refused, entry.region, entry.part_of_day) == (True, "here", "morning")
    for words in ("knows Anna", "Added by hand", "Whoever added it chose the urgency.", "Tigrinya"):
        assert words in page


def test_nobody_needs_a_phone(app: Flask, anna: FlaskClient) -> None:
    page = adds(anna, safe_message="yes", **FILLED).text
    (entry,) = entries(app)
    assert (entry.phone, entry.safe_message) == (None, None)
    assert "There is no number: write the reference down for them" in page


@pytest.mark.parametrize("phone", ["0900 1234567", "+1 876 555 0123", "12", "my sister's", "+8816 1234 5678"])
def test_a_number_that_the_line_does_not_dial_is_refused_kindly_and_nothing_is_lost(
    app: Flask, anna: FlaskClient, phone: str
) -> None:
    answer = adds(anna, phone=phone, who="pregnant", safe_message="no", **FILLED)
    assert answer.status_code == 422
    assert "The line does not call this number." in answer.text
    assert "Nothing was stored yet." in answer.text
    for kept in (
        'value="ti" selected',
        'value="pregnant" selected',
        "knows Anna</textarea>",
        'name="safe_message" value="no" checked',
        f'value="{phone}"'.replace("'", "&#39;"),
    ):
        assert kept in answer.text
    assert entries(app) == ()


def test_each_error_leads_to_its_field_and_stands_beside_it(app: Flask, anna: FlaskClient) -> None:
    answer = adds(anna, phone="12", note="x" * 2001)
    assert answer.status_code == 422
    for name in ("phone", "need", "language", "urgency", "note"):
        assert f'href="#{name}"' in answer.text
        assert f'id="{name}-error"' in answer.text
        assert re.search(rf'id="{name}"[^>]*aria-describedby="[^"]*{name}-error"[^>]*aria-invalid="true"', answer.text)
    assert "5 things are not right yet" in answer.text
    assert entries(app) == ()


def test_a_form_that_is_sent_twice_adds_one_request(app: Flask, anna: FlaskClient) -> None:
    first = adds(anna, once="a" * 22, **FILLED)
    assert adds(anna, once="a" * 22, **FILLED).request.path == first.request.path
    assert len(entries(app)) == 1


def test_somebody_who_had_called_is_linked_and_both_are_sooner(app: Flask, anna: FlaskClient) -> None:
    adds(anna, phone="0612345678", **FILLED)
    page = adds(anna, phone="06-12345678", **FILLED).text
    second, first = entries(app)
    assert f"This number had an open request already ({first.reference})" in page
    assert (first.urgency.name, second.urgency.name, second.linked_to) == ("P1", "P1", first.reference)


def test_what_nobody_offers_is_not_stored(app: Flask, anna: FlaskClient) -> None:
    adds(anna, who="<b>", part_of_day="midnight", safe_message="maybe", **FILLED | {"region": "moon"})
    (entry,) = entries(app)
    assert (entry.who, entry.part_of_day, entry.region, entry.safe_message) == (None, None, None, None)


@pytest.mark.parametrize("field", ["phone", "note", "need", "who", "language", "urgency", "region", "once", "refused"])
def test_nothing_that_is_typed_becomes_code(anna: FlaskClient, field: str) -> None:
    payload = '"><script>alert(1)</script><img src=x onerror=alert(1)>'
    page = adds(anna, **FILLED | {"urgency": "never", field: payload}).text
    assert "<script>alert" not in page
    assert "<img" not in page


def test_the_page_says_what_is_never_written_down(anna: FlaskClient) -> None:
    page = anna.get("/console/add").text
    for words in ("BSN or V-number", "diagnosis", "sleeping place", "names of helpers"):
        assert words in page


def test_a_stranger_adds_nothing(app: Flask) -> None:
    stranger = people.browser(app)
    assert stranger.get("/console/add").status_code == 302
    assert stranger.post("/console/add", data=FILLED).status_code in (302, 400)
    assert entries(app) == ()
