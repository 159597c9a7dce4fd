"""Signing in as a person does: password, code, first time, account; and what a stranger cannot do."""

from __future__ import annotations

import html
import re
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import text
from werkzeug.test import TestResponse

from callbacks import demo_agent, passwords, staff
from callbacks.guarding import POLICY, local_target, require_coordinator
from callbacks.passwords import Passwords
from callbacks.staff import DEMO_LOGIN, Newcomer
from tests.callbacks.people import (
    CHEAP,
    MONDAY,
    PASSWORD,
    RECOVERY_CODE,
    SECRET,
    Clock,
    browser,
    console,
    csrf_token,
    database_of,
    join,
    signed_in_client,
    sqlite,
)

ONE_TIME = "k7qm-x2vp-9rtd-h4wz"
OWN = "tea with seven lemons"
LIVE = {
    "ZORGLIJN_ENV": "production",
    "PUBLIC_BASE_URL": "https://line.example.org",
    "TWILIO_ACCOUNT_SID": "AC0123456789abcdef0123456789abcdef",
    "TWILIO_AUTH_TOKEN": "89abcdef0123456789abcdef01234567",
    "SECRET_KEY": "kP3vX8mQ2tR7wY5zB9nC4dF6gH1jL0sA-_uEiO",
}
WRONG = "That is not right. Check your login and password, and try again."


@dataclass
class Visitor:
    """Somebody at a browser: opens pages, fills in what they show and presses the button."""

    client: FlaskClient
    clock: Clock
    page: TestResponse | None = None

    def opens(self, path: str, **headers: str) -> Visitor:
        self.page = self.client.get(path, headers=headers, follow_redirects=True)
        return self

    def sends(self, **fields: str) -> Visitor:
        """Send the page's form, with its hidden token, and follow where that leads."""
        assert self.page is not None
        token = re.search(r'name="csrf_token" value="([^"]+)"', self.words())
        form = {"csrf_token": token[1] if token else ""} | fields
        path = self.page.request.full_path.removesuffix("?") if "action" not in fields else form.pop("action")
        self.page = self.client.post(path, data=form, follow_redirects=True)
        return self

    def gives_password(self, login: str, password: str = PASSWORD, at: str = "/console/sign-in") -> Visitor:
        return self.opens(at).sends(login=login, password=password)

    def signs_in(self, login: str, password: str = PASSWORD, secret: str = SECRET) -> Visitor:
        return self.gives_password(login, password).sends(code=self.code(secret))

    def code(self, secret: str = SECRET) -> str:
        return passwords.totp_code(secret, int(self.clock.now.timestamp()) // 30)

    def words(self) -> str:
        assert self.page is not None
        return html.unescape(self.page.get_data(as_text=True))

    @property
    def path(self) -> str:
        assert self.page is not None
        return self.page.request.path

    @property
    def status(self) -> int:
        assert self.page is not None
        return self.page.status_code

    def is_in(self) -> bool:
        return self.client.get("/console/account").status_code == 200


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def app(tmp_path: Path, clock: Clock) -> Iterator[Flask]:
    """A line with Anna, Bram and, disabled, Chris."""
    made = console(sqlite(tmp_path), clock)
    for login in ("anna", "bram", "chris"):
        join(database_of(made), login)
    yield made
    database_of(made).close()


@pytest.fixture
def visitor(app: Flask, clock: Clock) -> Visitor:
    return Visitor(browser(app), clock)


def test_a_password_and_a_code_let_anna_in(database_url: str, clock: Clock) -> None:
    app = console(database_url, clock)
    join(database_of(app), "anna")
    anna = Visitor(browser(app), clock).gives_password("Anna ")
    assert anna.path == "/console/sign-in/code"
    assert not anna.is_in()
    anna.sends(code=anna.code())
    assert anna.path == "/console/"
    assert anna.is_in()
    database_of(app).close()


@pytest.mark.parametrize("login, password", [("anna", "wrong"), ("nobody", PASSWORD), ("chris", PASSWORD), ("", "")])
def test_whoever_may_not_come_in_hears_the_same(visitor: Visitor, login: str, password: str) -> None:
    visitor.gives_password(login, password)
    assert (visitor.status, visitor.path) == (401, "/console/sign-in")
    assert WRONG in visitor.words()


def test_an_unknown_login_takes_as_long_as_a_wrong_password(tmp_path: Path, clock: Clock) -> None:
    slow = Passwords(time_cost=1, memory_kib=32768, parallelism=1)
    hashed = slow.hash(PASSWORD)

    def seconds(stored: str | None) -> float:
        begun = time.perf_counter()
        assert not slow.is_right("wrong", stored, MONDAY)
        return time.perf_counter() - begun

    seconds(None)
    known, unknown = (min(seconds(stored) for _ in range(5)) for stored in (hashed, None))
    assert 0.5 < unknown / known < 2


def test_a_code_lets_in_once(visitor: Visitor, app: Flask) -> None:
    visitor.signs_in("anna")
    thief = Visitor(browser(app), visitor.clock).signs_in("anna")
    assert thief.status == 401
    assert "was used before" in thief.words()
    assert not thief.is_in()


def test_the_code_of_half_a_minute_ago_still_does_and_of_two_minutes_ago_does_not(visitor: Visitor) -> None:
    code = visitor.code()
    visitor.clock.now += timedelta(minutes=2)
    assert visitor.gives_password("anna").sends(code=code).status == 401
    code = visitor.code()
    visitor.clock.now += timedelta(seconds=30)
    assert visitor.sends(code=f"{code[:3]} {code[3:]}").is_in()


def test_a_recovery_code_lets_in_once_however_it_is_typed(visitor: Visitor, app: Flask) -> None:
    assert visitor.gives_password("anna").sends(code=RECOVERY_CODE.upper().replace("-", " ")).is_in()
    again = Visitor(browser(app), visitor.clock).gives_password("anna").sends(code=RECOVERY_CODE)
    assert again.status == 401


def test_four_browsers_with_one_code_let_one_in(database_url: str, clock: Clock) -> None:
    app = console(database_url, clock)
    join(database_of(app), "anna")
    visitors = []
    for _ in range(4):  # five a minute
        visitors.append(Visitor(browser(app), clock).gives_password("anna"))
        assert visitors[-1].path == "/console/sign-in/code"
    code = visitors[0].code()
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(lambda visitor: visitor.sends(code=code), visitors))
    assert sum(visitor.is_in() for visitor in visitors) == 1
    database_of(app).close()


def newcomer(app: Flask, clock: Clock) -> Visitor:
    hashed = CHEAP.hash_one_time(ONE_TIME, clock.now)
    database_of(app).write(lambda connection: staff.add(connection, Newcomer("dewi", "Dewi"), hashed, clock.now))
    return Visitor(browser(app), clock)


def key_of(visitor: Visitor) -> str:
    shown = re.search(r'<code class="key">([^<]+)</code>', visitor.words())
    assert shown
    return shown[1].replace(" ", "")


def test_the_first_time_asks_for_a_password_of_ones_own_and_an_app(app: Flask, clock: Clock) -> None:
    dewi = newcomer(app, clock).gives_password("dewi", ONE_TIME)
    assert dewi.path == "/console/sign-in/first"
    assert 'src="data:image/svg+xml' in dewi.words()
    key = key_of(dewi)
    dewi.sends(password=OWN, again=OWN, code=dewi.code(key))
    codes = re.findall(r"<li><code>([a-z0-9-]+)</code></li>", dewi.words())
    assert len(set(codes)) == 10
    assert dewi.is_in()
    assert codes[0] not in dewi.opens("/console/account").words()
    later = Visitor(browser(app), clock)
    assert later.gives_password("dewi", ONE_TIME).status == 401
    assert later.gives_password("dewi", OWN).sends(code=codes[3]).is_in()


def test_the_key_stays_the_same_when_the_first_page_is_sent_again(app: Flask, clock: Clock) -> None:
    dewi = newcomer(app, clock).gives_password("dewi", ONE_TIME)
    key = key_of(dewi)
    assert dewi.sends(password=OWN, again=OWN, code="000000").status == 422
    assert key_of(dewi) == key


@pytest.mark.parametrize(
    "password, again, said",
    [
        ("short", "short", "longer password"),
        ("dewi dewi dewi dewi", "dewi dewi dewi dewi", "longer password"),
        ("123456789012", "123456789012", "longer password"),
        ("abcdefghijklmnop", "abcdefghijklmnop", "longer password"),
        (OWN, OWN + "!", "not the same"),
        (ONE_TIME, ONE_TIME, "password you were given"),
    ],
)
def test_a_password_that_is_no_good_is_told_kindly(
    app: Flask, clock: Clock, password: str, again: str, said: str
) -> None:
    dewi = newcomer(app, clock).gives_password("dewi", ONE_TIME)
    dewi.sends(password=password, again=again, code=dewi.code(key_of(dewi)))
    assert dewi.status == 422
    assert said in dewi.words()
    assert not dewi.is_in()


def test_a_one_time_password_ends_after_a_week(app: Flask, clock: Clock) -> None:
    dewi = newcomer(app, clock)
    clock.now += timedelta(days=7)
    assert dewi.gives_password("dewi", ONE_TIME).status == 401


def test_a_first_time_that_is_not_finished_lets_nobody_in(app: Flask, clock: Clock) -> None:
    dewi = newcomer(app, clock).gives_password("dewi", ONE_TIME)
    assert not dewi.is_in()
    assert dewi.opens("/console/sign-in/code").path == "/console/sign-in"
    clock.now += timedelta(minutes=10)
    assert dewi.opens("/console/sign-in/first").path == "/console/sign-in"


def test_each_step_gives_the_browser_another_token(visitor: Visitor) -> None:
    visitor.gives_password("anna")
    half = visitor.client.get_cookie("__Host-zorglijn")
    visitor.sends(code=visitor.code())
    whole = visitor.client.get_cookie("__Host-zorglijn")
    assert half
    assert whole
    assert half.value != whole.value
    visitor.client.set_cookie("__Host-zorglijn", half.value)
    assert not visitor.is_in()
    assert visitor.opens("/console/sign-in/code").path == "/console/sign-in"


def test_the_database_holds_no_token_password_or_code(visitor: Visitor, app: Flask) -> None:
    visitor.signs_in("anna")
    cookie = visitor.client.get_cookie("__Host-zorglijn")
    assert cookie
    assert len(cookie.value) >= 43
    stored = database_of(app).read(
        lambda connection: [
            str(row)
            for table in ("sessions", "agents", "throttles")
            for row in connection.execute(text(f"SELECT * FROM {table}"))  # noqa: S608  three names of ours
        ]
    )
    kept = " ".join(stored)
    for secret in (cookie.value, PASSWORD, RECOVERY_CODE, "127.0.0.1"):
        assert secret not in kept
    assert "$argon2id$" in kept


def test_the_cookies_are_out_of_reach(app: Flask, clock: Clock) -> None:
    answer = browser(app).get("/console/sign-in")
    page = answer.headers["Set-Cookie"]
    assert page.startswith("__Host-zorglijn-page=")
    client = browser(app)
    token = csrf_token(client, "/console/sign-in")
    answer = client.post("/console/sign-in", data={"csrf_token": token, "login": "anna", "password": PASSWORD})
    own = next(value for value in answer.headers.getlist("Set-Cookie") if value.startswith("__Host-zorglijn="))
    for cookie in (page, own):
        for attribute in ("Secure", "HttpOnly", "Path=/", "SameSite=Lax"):
            assert attribute in cookie
        assert "Domain" not in cookie


def test_a_rehearsal_on_another_machine_has_a_cookie_that_plain_http_keeps(tmp_path: Path, clock: Clock) -> None:
    app = console(sqlite(tmp_path), clock, PUBLIC_BASE_URL="http://192.168.1.5:8000")
    cookie = browser(app).get("/console/sign-in").headers["Set-Cookie"]
    assert cookie.startswith("zorglijn-page=")
    assert "Secure" not in cookie


def test_half_an_hour_without_a_move_ends_a_session(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    for _ in range(3):
        clock.now += timedelta(minutes=29)
        assert anna.is_in()
    clock.now += timedelta(minutes=30)
    assert not anna.is_in()


def test_a_page_that_refreshes_itself_keeps_nobody_in(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    for _ in range(5):
        clock.now += timedelta(minutes=5)
        assert anna.opens("/console/account", **{"Zorglijn-Background": "1"}).path == "/console/account"
    clock.now += timedelta(minutes=5)
    assert not anna.is_in()


def test_eight_hours_end_a_session_also_of_the_busy(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    while clock.now < MONDAY + timedelta(hours=7, minutes=50):
        clock.now += timedelta(minutes=10)
        assert anna.is_in()
    clock.now += timedelta(minutes=10)
    assert not anna.is_in()


def test_who_is_disabled_is_out_at_once(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    assert anna.is_in()
    database_of(app).write(lambda connection: staff.disable(connection, "anna", clock.now))
    assert not anna.is_in()


def test_signing_out_ends_the_session_on_the_server(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    cookie = anna.client.get_cookie("__Host-zorglijn")
    assert cookie
    anna.opens("/console/account").sends(action="/console/sign-out")
    assert anna.path == "/console/sign-in"
    anna.client.set_cookie("__Host-zorglijn", cookie.value)
    assert not anna.is_in()


def test_sessions_are_listed_and_ended_one_by_one(app: Flask, clock: Clock) -> None:
    here, there = (Visitor(signed_in_client(app, "anna"), clock) for _ in range(2))
    bram = Visitor(signed_in_client(app, "bram"), clock)
    ids = re.findall(r'name="session" value="(\w+)"', here.opens("/console/account").words())
    assert len(ids) == 2
    assert here.words().count("Firefox, Linux") >= 2
    bram.opens("/console/account").sends(action="/console/account/sessions/revoke", session=ids[0])
    assert here.is_in()
    assert there.is_in()
    own = re.search(r"this one.*?value=\"(\w{64})\"", here.words(), re.DOTALL)
    assert own
    other = next(one for one in ids if one != own[1])
    here.opens("/console/account").sends(action="/console/account/sessions/revoke", session=other)
    assert here.is_in()
    assert not there.is_in()


def test_all_sessions_are_ended_at_once(app: Flask, clock: Clock) -> None:
    here, there = (Visitor(signed_in_client(app, "anna"), clock) for _ in range(2))
    here.opens("/console/account").sends(action="/console/account/sessions/revoke-all")
    assert not here.is_in()
    assert not there.is_in()


def test_another_password_ends_the_other_sessions_and_asks_for_the_old_one(app: Flask, clock: Clock) -> None:
    here, there = (Visitor(signed_in_client(app, "anna"), clock) for _ in range(2))
    change = {"action": "/console/account/password", "password": OWN, "again": OWN}
    assert here.opens("/console/account").sends(**change, current="wrong").status == 401
    assert there.is_in()
    here.opens("/console/account").sends(**change, current=PASSWORD)
    assert "Your password is changed" in here.words()
    assert here.is_in()
    assert not there.is_in()
    assert Visitor(browser(app), clock).gives_password("anna", OWN).path == "/console/sign-in/code"


def test_new_recovery_codes_ask_for_a_code_and_replace_the_old_ones(app: Flask, clock: Clock) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    make = "/console/account/recovery-codes"
    assert anna.opens("/console/account").sends(action=make, code="000000").status == 401
    anna.opens("/console/account").sends(action=make, code=anna.code())
    assert len(re.findall(r"<li><code>", anna.words())) == 10
    assert anna.is_in()
    again = Visitor(browser(app), clock).gives_password("anna").sends(code=RECOVERY_CODE)
    assert again.status == 401


@pytest.mark.parametrize(
    "path",
    ["/console/sign-in", "/console/sign-out", "/console/account/password", "/console/account/sessions/revoke-all"],
)
def test_no_form_is_taken_without_the_token_of_our_page(app: Flask, clock: Clock, path: str) -> None:
    anna = Visitor(signed_in_client(app, "anna"), clock)
    token = csrf_token(anna.client)
    foreign = {"Sec-Fetch-Site": "cross-site"}
    for data, headers in (({}, {}), ({"csrf_token": "made-up"}, {}), ({"csrf_token": token}, foreign)):
        assert anna.client.post(path, data=data, headers=headers).status_code == 400
    assert anna.is_in()
    assert anna.client.post(path, headers={"X-CSRFToken": token}).status_code != 400


def test_the_token_of_a_page_from_before_signing_in_is_not_taken(visitor: Visitor) -> None:
    token = csrf_token(visitor.client, "/console/sign-in")
    visitor.signs_in("anna")
    assert visitor.client.post("/console/sign-out", data={"csrf_token": token}).status_code == 400
    assert visitor.is_in()


def test_the_token_of_somebody_elses_page_is_not_taken(app: Flask, clock: Clock) -> None:
    anna, bram = (signed_in_client(app, login) for login in ("anna", "bram"))
    assert anna.get("/console/account").status_code == 200
    assert anna.post("/console/sign-out", data={"csrf_token": csrf_token(bram)}).status_code == 400


@pytest.mark.parametrize("path", ["/console/sign-in", "/console/account", "/console/nowhere", "/console/sign-in/code"])
def test_every_answer_is_kept_by_nobody_and_framed_by_nobody(app: Flask, path: str) -> None:
    for client in (browser(app), signed_in_client(app, "anna")):
        headers = client.get(path).headers
        assert headers["Content-Security-Policy"] == POLICY
        assert "unsafe" not in POLICY
        assert headers["Cache-Control"] == "no-store"
        assert headers["X-Frame-Options"] == "DENY"
        assert headers["X-Content-Type-Options"] == "nosniff"
        assert headers["Referrer-Policy"] == "same-origin"


def test_the_pages_have_neither_scripts_nor_styles_in_them(visitor: Visitor) -> None:
    pages = [visitor.opens("/console/sign-in").words(), visitor.gives_password("anna").words()]
    pages += [visitor.sends(code=visitor.code()).words(), visitor.opens("/console/account").words()]
    for page in pages:
        assert not re.search(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page)


def test_after_signing_in_one_is_where_one_wanted_to_be(visitor: Visitor) -> None:
    visitor.opens("/console/account?sort=a%2Fb")
    assert visitor.path == "/console/sign-in"
    visitor.sends(login="anna", password=PASSWORD).sends(code=visitor.code())
    assert visitor.page is not None
    assert visitor.page.request.full_path == "/console/account?sort=a%2Fb"


@pytest.mark.parametrize(
    "target",
    [
        "//evil.example",
        "https://evil.example/console/",
        "/console//../..//evil.example\\",
        "/\\evil.example",
        "/consoles",
        "/console\r\nSet-Cookie: a=b",
        "/console/\u2028",
        "javascript:alert(1)",
        "/console/sign-out",
        "",
        None,
    ],
)
def test_nobody_is_led_elsewhere(target: str | None) -> None:
    assert local_target(target) == "/console/"


def test_a_foreign_target_is_forgotten(visitor: Visitor) -> None:
    visitor.gives_password("anna", at="/console/sign-in?next=//evil.example/console/").sends(code=visitor.code())
    assert visitor.path == "/console/"


def test_a_part_of_a_page_leads_the_whole_page_to_sign_in(visitor: Visitor) -> None:
    headers = {"HX-Request": "true", "HX-Current-URL": "http://localhost/console/account?urgency=1"}
    answer = visitor.client.get("/console/account", headers=headers)
    assert answer.status_code == 401
    assert answer.headers["HX-Redirect"] == "/console/sign-in?next=/console/account?urgency%3D1"


def test_a_page_that_somebody_adds_is_guarded_without_a_thought(tmp_path: Path, clock: Clock) -> None:
    app = console(sqlite(tmp_path), clock)
    app.add_url_rule("/console/new", view_func=lambda: "secret", endpoint="new", methods=["GET", "POST"])
    app.add_url_rule("/console/export", view_func=require_coordinator(lambda: "list"), endpoint="export")
    assert browser(app).get("/console/new").status_code == 302
    assert browser(app).post("/console/new").status_code == 302
    anna, bram = (signed_in_client(app, login) for login in ("anna", "bram"))
    assert anna.get("/console/new").text == "secret"
    assert anna.post("/console/new").status_code == 400
    assert anna.get("/console/export").status_code == 403
    assert bram.get("/console/export").text == "list"


def test_the_webhooks_need_no_token_and_set_no_cookie(app: Flask) -> None:
    answer = browser(app).post("/voice/incoming")
    assert answer.status_code == 403
    assert "Set-Cookie" not in answer.headers
    assert "Content-Security-Policy" not in answer.headers


def test_a_rehearsal_shows_how_its_invented_agent_signs_in(visitor: Visitor, app: Flask, clock: Clock) -> None:
    assert DEMO_LOGIN not in visitor.opens("/console/sign-in").words()
    for _ in range(2):
        demo_agent.ensure(database_of(app), CHEAP, clock.now)
    assert demo_agent.DEMO_PASSWORD in visitor.opens("/console/sign-in").words()
    for _ in range(2):  # also twice within the same half minute
        guest = Visitor(browser(app), clock).gives_password(DEMO_LOGIN, demo_agent.DEMO_PASSWORD)
        shown = re.search(r"<code>(\d{6})</code>", guest.words())
        assert shown
        assert guest.sends(code=shown[1]).is_in()


def test_production_lets_the_invented_agent_in_no_more(tmp_path: Path, clock: Clock) -> None:
    app = console(sqlite(tmp_path), clock, **LIVE)
    demo_agent.ensure(database_of(app), CHEAP, clock.now)
    guest = Visitor(browser(app), clock)
    assert demo_agent.DEMO_PASSWORD not in guest.opens("/console/sign-in").words()
    assert guest.gives_password(DEMO_LOGIN, demo_agent.DEMO_PASSWORD).status == 401
    assert "max-age" in browser(app).get("/console/sign-in").headers["Strict-Transport-Security"]


def test_the_access_log_knows_who_came_in_and_the_logs_do_not(
    visitor: Visitor, app: Flask, caplog: pytest.LogCaptureFixture
) -> None:
    visitor.gives_password("a secret typed as login", "and another")
    visitor.gives_password("anna").sends(code="000000").sends(code=visitor.code())
    accesses = database_of(app).read(lambda connection: connection.execute(text("SELECT * FROM accesses")).all())
    assert [(row.agent_id, row.action, row.callback_id) for row in accesses if row.action != "list"] == [
        (join(database_of(app), "anna").id, "signed_in", None)
    ]
    assert [record.msg for record in caplog.records] == ["sign_in_refused"] * 2
    told = " ".join(str(vars(record)) for record in caplog.records)
    for secret in ("a secret typed", "and another", "anna", PASSWORD, visitor.code(), SECRET):
        assert secret not in told


def test_a_database_that_does_not_answer_is_told_kindly(app: Flask, tmp_path: Path) -> None:
    client = signed_in_client(app, "anna")
    database_of(app).close()
    (tmp_path / "zorglijn.sqlite3").write_bytes(b"this is no database, and never was one " * 100)
    answer = client.get("/console/account")
    assert answer.status_code == 503
    assert "Wait a minute" in answer.text
