"""Who may open and press what: every address of the console, for nobody, an agent and a coordinator, in one table.

A new address fails here until somebody has decided for whom it is. Each button is pressed with the page's own token on
a request of its own; then without that token, and by whoever holds a session that is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import NamedTuple

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection, update
from werkzeug.test import TestResponse

from callbacks import sessions, staff
from callbacks.staff import Newcomer, Role
from tests.callbacks import people
from tests.callbacks.house import House

PHONES = count(31_610_000_000)


class For(NamedTuple):
    """The status that each gets."""

    nobody: int
    agent: int
    coordinator: int


PAGE = For(302, 200, 200)  # whoever has not signed in is sent to do so
BUTTON = For(302, 303, 303)
COORDINATORS_PAGE = For(302, 403, 200)
OPEN = For(200, 200, 200)

ONE = "/console/requests/<public_id>"
TABLE: dict[str, For] = {
    "GET /console/": PAGE,
    "POST /console/next": BUTTON,
    "GET /console/add": PAGE,
    "POST /console/add": For(302, 422, 422),  # nothing was filled in
    "GET /console/alerts": PAGE,
    "POST /console/language": For(303, 303, 303),
    "GET /console/happened": PAGE,
    "GET /console/coordinator": COORDINATORS_PAGE,
    "GET /console/reports": COORDINATORS_PAGE,
    "POST /console/export": COORDINATORS_PAGE,
    f"GET {ONE}": PAGE,
    f"GET {ONE}/live": PAGE,
    f"POST {ONE}/number": PAGE,  # the request once more, with its number
    f"POST {ONE}/claim": BUTTON,
    f"POST {ONE}/release": BUTTON,
    f"POST {ONE}/wrap-up": For(302, 409, 409),  # nobody has claimed it
    f"POST {ONE}/undo": BUTTON,
    f"POST {ONE}/cancel": BUTTON,
    f"POST {ONE}/note": BUTTON,
    f"POST {ONE}/retriage": BUTTON,
    f"GET {ONE}/call": BUTTON,  # a part of the request's page: on to there
    f"POST {ONE}/call": BUTTON,
    "GET /console/account": PAGE,
    "POST /console/account/password": For(302, 401, 401),  # without the current one
    "POST /console/account/recovery-codes": For(302, 401, 401),
    "POST /console/account/sessions/revoke": For(302, 302, 302),
    "POST /console/account/sessions/revoke-all": For(302, 302, 302),
    "GET /console/sign-in": For(200, 302, 302),  # on to the queue
    "POST /console/sign-in": For(401, 401, 401),
    "GET /console/sign-in/code": For(302, 302, 302),  # nobody is half signed in
    "POST /console/sign-in/code": For(302, 302, 302),
    "GET /console/sign-in/first": For(302, 302, 302),
    "POST /console/sign-in/first": For(302, 302, 302),
    "POST /console/sign-out": For(302, 302, 302),
    "GET /console/static/<path:filename>": OPEN,
}
OPEN_TO_ALL = {name for name, row in TABLE.items() if "/sign-in" in name or "static" in name or "language" in name}
FORMS: dict[str, dict[str, str]] = {
    "POST /console/language": {"locale": "en"},
    "POST /console/export": {"format": "csv"},
    f"POST {ONE}/wrap-up": {"disposition": "information_given"},
}
GUARDED = sorted(TABLE.keys() - OPEN_TO_ALL)
BUTTONS = sorted(name for name in TABLE if name.startswith("POST"))


class Console:
    """The console with a house full of requests, and the browsers of those who come to it."""

    def __init__(self, app: Flask) -> None:
        self.app = app
        self.house = House(people.database_of(app))
        self.house.now = people.MONDAY
        self.tokens = {"made_up": "made-up" * 6} | self.house.database.write(_sessions_that_are_none)

    def browser(self, who: str) -> FlaskClient:
        logins = {"agent": "anna", "coordinator": "chris"}
        if who == "nobody":
            return people.browser(self.app)
        return people.signed_in_client(self.app, logins[who])

    def asks(self, client: FlaskClient, name: str, token: str | None = None, **headers: str) -> int:
        """Open or press this, on a request of its own; the status of the answer."""
        return self.answer(client, name, token, **headers).status_code

    def answer(self, client: FlaskClient, name: str, token: str | None, **headers: str) -> TestResponse:
        method, _, rule = name.partition(" ")
        address = rule.replace("<path:filename>", "console.css")
        if "<public_id>" in rule:
            address = rule.replace("<public_id>", self.house.calls(phone=f"+{next(PHONES)}"))
        form = FORMS.get(name, {}) | ({} if token is None else {"csrf_token": token})
        data = form if method == "POST" else None
        return client.open(address, method=method, data=data, headers=headers, buffered=True)


def _sessions_that_are_none(connection: Connection) -> dict[str, str]:
    """Tokens of coordinators, each with something wrong."""
    tokens: dict[str, str] = {}
    for kind in ("half", "ended", "old", "of_one_who_left"):
        who = staff.add(connection, Newcomer(kind, kind, Role.COORDINATOR), "-", people.MONDAY)
        staff.enrol(connection, who.id, "-", people.SECRET, 0, ())
        since = people.MONDAY - timedelta(days=kind == "old")
        is_whole = kind != "half"
        tokens[kind] = sessions.open_session(connection, who.id, since, "Firefox", has_second_factor=is_whole)
    sessions.revoke_all(connection, staff.by_login(connection, "ended").id, people.MONDAY)
    connection.execute(
        update(staff.agents).where(staff.agents.c.login == "of_one_who_left").values(disabled_at=people.MONDAY)
    )
    return tokens


@pytest.fixture(scope="module")
def console(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Console]:
    app = people.console(people.sqlite(Path(tmp_path_factory.mktemp("roles"))))
    yield Console(app)
    people.database_of(app).close()


def test_every_address_of_the_console_is_in_the_table(console: Console) -> None:
    rules = [rule for rule in console.app.url_map.iter_rules() if rule.rule.startswith("/console")]
    there = {f"{method} {rule.rule}" for rule in rules for method in rule.methods or () if method in ("GET", "POST")}
    others = {method for rule in rules for method in rule.methods or ()} - {"GET", "POST", "HEAD", "OPTIONS"}
    assert there == set(TABLE)
    assert not others


@pytest.mark.parametrize("who", ["nobody", "agent", "coordinator"])
@pytest.mark.parametrize("name", TABLE)
def test_who_may(console: Console, name: str, who: str) -> None:
    client = console.browser(who)
    token = people.csrf_token(client, "/console/sign-in" if who == "nobody" else "/console/account")
    assert console.asks(client, name, token) == getattr(TABLE[name], who)


@pytest.mark.parametrize("name", BUTTONS)
def test_no_button_works_without_the_page_s_own_token(console: Console, name: str) -> None:
    assert console.asks(console.browser("coordinator"), name) == 400
    forged = people.csrf_token(console.browser("coordinator"))  # of another browser
    assert console.asks(console.browser("coordinator"), name, forged) == 400


@pytest.mark.parametrize("kind", ["made_up", "half", "ended", "old", "of_one_who_left"])
@pytest.mark.parametrize("name", GUARDED)
def test_a_session_that_is_none_is_nobody_s(console: Console, name: str, kind: str) -> None:
    stranger = people.browser(console.app)
    stranger.set_cookie("__Host-zorglijn", console.tokens[kind])
    answer = console.answer(stranger, name, people.csrf_token(stranger, "/console/sign-in"))
    assert (answer.status_code, answer.headers["Location"].partition("?")[0]) == (302, "/console/sign-in")


@pytest.mark.parametrize("name", GUARDED)
def test_a_page_that_asks_by_itself_without_a_session_is_sent_to_sign_in_as_a_whole(
    console: Console, name: str
) -> None:
    answer = console.answer(console.browser("nobody"), name, None, **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Redirect"]) == (401, "/console/sign-in")
    assert not answer.data
