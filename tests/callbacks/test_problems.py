"""What goes wrong under /console is told in its own look: what it is, and what to do; nothing of our insides."""

from __future__ import annotations

from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks import queue
from callbacks.errors import DatabaseUnavailable
from callbacks.guarding import POLICY
from tests.callbacks import people

SECRET = "planted in a traceback"


@pytest.fixture
def app(tmp_path: Path) -> Flask:
    return people.console(people.sqlite(tmp_path))


@pytest.fixture
def anna(app: Flask) -> FlaskClient:
    return people.signed_in_client(app, "anna")


def is_ours(answer: TestResponse, status: int, words: str) -> bool:
    """A whole page of the console, with its way back, and hardened like the others."""
    assert answer.status_code == status, answer.text
    assert words in answer.text
    assert '<a href="/console/">' in answer.text
    assert answer.headers["Content-Security-Policy"] == POLICY
    assert answer.headers["Cache-Control"] == "no-store"
    return True


def test_an_address_that_is_none_says_where_to_look(anna: FlaskClient) -> None:
    assert is_ours(anna.get("/console/nowhere"), 404, "There is nothing at this address.")


def test_it_is_said_in_the_language_of_whoever_asks(app: Flask) -> None:
    assert '<html lang="nl">' in people.signed_in_client(app, "bram").get("/console/nowhere").text


def test_a_stranger_is_told_no_more_and_sees_no_menu(app: Flask) -> None:
    answer = people.browser(app).get("/console/nowhere")
    assert is_ours(answer, 404, "There is nothing at this address.")
    assert "Sign out" not in answer.text


def test_a_button_s_address_opened_as_a_page_says_what_to_do(anna: FlaskClient) -> None:
    answer = anna.get("/console/next")
    assert is_ours(answer, 405, "press the button there once more")
    assert "POST" in answer.headers["Allow"]


def test_a_request_that_is_not_there_is_not_found(anna: FlaskClient) -> None:
    assert is_ours(anna.get("/console/requests/nobody"), 404, "There is no such request.")


def test_too_long_a_text_is_refused_with_advice(anna: FlaskClient) -> None:
    form = {"csrf_token": people.csrf_token(anna), "note": "x" * 100_000}
    assert is_ours(anna.post("/console/requests/nobody/note", data=form), 413, "make your text shorter")


def test_a_fault_of_ours_tells_nothing_of_our_insides(
    anna: FlaskClient, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def breaks(*_: object, **__: object) -> None:
        raise RuntimeError(SECRET)

    monkeypatch.setattr(queue, "counts", breaks)
    answer = anna.get("/console/")
    assert is_ours(answer, 500, "It is our fault, not yours.")
    assert SECRET not in answer.text
    assert "Traceback" not in answer.text
    assert caplog.records


def test_a_database_that_is_gone_is_one_moment(anna: FlaskClient, app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    def gone(*_: object) -> None:
        raise DatabaseUnavailable(SECRET)

    monkeypatch.setattr(people.database_of(app), "read", gone)
    answer = anna.get("/console/")
    assert is_ours(answer, 503, "Nothing is lost: please try again in a minute.")
    assert SECRET not in answer.text
    assert anna.get("/console/nowhere").status_code == 404


def test_what_is_only_for_coordinators_says_whom_to_ask(anna: FlaskClient) -> None:
    assert is_ours(anna.get("/console/reports"), 403, "for a coordinator")


def test_other_addresses_keep_their_own_answers(anna: FlaskClient) -> None:
    assert "Zorglijn</title>" not in anna.get("/nowhere").text
    assert anna.get("/nowhere").status_code == 404
    assert anna.get("/voice/nowhere").content_type.startswith("text/xml")


ODD = (
    "/console/requests/%00", "/console/requests/%00/live", "/console/?need=%00", "/console/?language=%00",
    "/console/?region=%00&words=%00&after=%00&urgency=%00&status=%00", "/console/reports?need=%00",
    "/console/happened?what=%00&reference=%00",
)  # fmt: skip


def test_what_no_database_can_look_for_is_no_fault_of_ours(database_url: str) -> None:
    app = people.console(database_url)
    bram = people.signed_in_client(app, "bram")
    assert {address: bram.get(address).status_code for address in ODD if bram.get(address).status_code >= 500} == {}
    form = {"csrf_token": people.csrf_token(bram), "note": "a\0b", "words": "\0"}
    assert bram.post("/console/requests/nobody/note", data=form).status_code == 400
    people.database_of(app).close()
