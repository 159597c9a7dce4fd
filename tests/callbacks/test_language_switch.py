"""Choosing the console's language: on every page, before signing in too, remembered, and never a way out of here."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks import staff
from tests.callbacks import people


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return people.console(people.sqlite(tmp_path))


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    """Anna reads English."""
    return people.signed_in_client(app, "anna")


def chooses(client: FlaskClient, locale: str, back: str = "/console/", page: str = "/console/sign-in") -> TestResponse:
    token = people.csrf_token(client, page)
    return client.post("/console/language", data={"locale": locale, "next": back, "csrf_token": token})


def test_a_choice_holds_on_the_next_page_and_on_anna_s_other_browser(app: Flask, anna: FlaskClient) -> None:
    answer = chooses(anna, "nl", "/console/?words=1234", page="/console/account")
    assert (answer.status_code, answer.headers["Location"]) == (303, "/console/?words=1234")
    assert '<html lang="nl">' in anna.get("/console/").text
    assert '<html lang="nl">' in people.signed_in_client(app, "anna").get("/console/").text
    assert people.database_of(app).read(lambda c: staff.by_login(c, "anna")).locale == "nl"


def test_a_page_says_which_language_it_has_and_each_button_speaks_its_own(anna: FlaskClient) -> None:
    page = anna.get("/console/").text
    assert '<button type="submit" name="locale" value="nl" lang="nl">Nederlands</button>' in page
    assert '<button type="submit" name="locale" value="en" lang="en" aria-current="true">English</button>' in page


def test_somebody_who_has_not_signed_in_is_remembered_by_the_browser(app: Flask) -> None:
    stranger = people.browser(app)
    answer = chooses(stranger, "nl", "/console/sign-in?next=/console/account")
    assert answer.headers["Location"] == "/console/sign-in?next=/console/account"
    assert "Inloggen" in stranger.get("/console/sign-in").text


def test_the_next_person_at_this_laptop_is_not_spoken_to_in_anna_s_language(anna: FlaskClient) -> None:
    chooses(anna, "nl", page="/console/account")
    anna.post("/console/sign-out", data={"csrf_token": people.csrf_token(anna)})
    assert '<html lang="en">' in anna.get("/console/sign-in").text


@pytest.mark.parametrize(
    "back", ["", "https://evil.example/", "//evil.example", "/phone", "/console/\\evil", "nowhere"]
)
def test_it_leads_nowhere_else(anna: FlaskClient, back: str) -> None:
    assert chooses(anna, "nl", back, page="/console/account").headers["Location"] == "/console/"


@pytest.mark.parametrize("locale", ["", "fr", "NL", "../nl"])
def test_a_language_that_the_console_does_not_speak_changes_nothing(anna: FlaskClient, locale: str) -> None:
    assert chooses(anna, locale, page="/console/account").status_code == 400
    assert '<html lang="en">' in anna.get("/console/").text


def test_it_takes_the_page_s_own_token(anna: FlaskClient) -> None:
    assert anna.post("/console/language", data={"locale": "nl"}).status_code == 400
    assert '<html lang="en">' in anna.get("/console/").text


def test_what_is_shown_once_is_not_lost_to_a_choice_of_language(anna: FlaskClient) -> None:
    form = {"csrf_token": people.csrf_token(anna), "code": people.RECOVERY_CODE}
    codes = anna.post("/console/account/recovery-codes", data=form).text
    assert "recovery-codes" in codes
    assert "/console/language" not in codes


def test_half_a_sign_in_goes_on_where_it_was(app: Flask) -> None:
    people.join(people.database_of(app), "anna")
    client = people.browser(app)
    form = {"login": "anna", "password": people.PASSWORD, "csrf_token": people.csrf_token(client, "/console/sign-in")}
    assert client.post("/console/sign-in", data=form).headers["Location"] == "/console/sign-in/code"
    assert chooses(client, "nl", "/console/sign-in/code").headers["Location"] == "/console/sign-in/code"
    page = client.get("/console/sign-in/code").text
    assert 'name="code"' in page
    assert '<html lang="nl">' in page
