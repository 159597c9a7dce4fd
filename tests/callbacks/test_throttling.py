"""Guessing is slow: per account and per address, counted together by all threads and processes."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import partial
from pathlib import Path
from threading import Event, Semaphore

import pytest
from argon2 import PasswordHasher
from argon2.exceptions import VerificationError
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks import throttling
from callbacks.db import Database
from callbacks.passwords import MOST_AT_THE_DOOR
from callbacks.throttling import Limit, network
from tests.callbacks.people import (
    CHEAP,
    MONDAY,
    PASSWORD,
    SECRET,
    Clock,
    browser,
    console,
    csrf_token,
    database_of,
    join,
    sqlite,
)

FIVE = Limit("account:hash", 5, timedelta(minutes=1))
WIDE = Limit("address:hash", 20, timedelta(minutes=1))


def tries(database: Database, *limits: Limit, after: timedelta = timedelta(0)) -> timedelta | None:
    """Try once; how long to wait, or None where the try was granted."""
    return database.write(partial(throttling.take_try, limits=limits, now=MONDAY + after))


def guess(client: FlaskClient, login: str, password: str = "wrong", **headers: str) -> TestResponse:
    token = csrf_token(client, "/console/sign-in")
    form = {"csrf_token": token, "login": login, "password": password}
    return client.post("/console/sign-in", data=form, headers=headers)


def test_the_sixth_try_within_a_minute_waits_for_the_rest_of_it(database: Database) -> None:
    assert [tries(database, FIVE) for _ in range(5)] == [None] * 5
    assert tries(database, FIVE, after=timedelta(seconds=20)) == timedelta(seconds=40)
    assert tries(database, FIVE, after=timedelta(minutes=1)) is None


def test_a_refused_try_makes_nobody_wait_longer(database: Database) -> None:
    for second in range(59):
        tries(database, FIVE, after=timedelta(seconds=second))
    assert tries(database, FIVE, after=timedelta(minutes=1)) is None


def test_a_try_that_one_limit_refuses_counts_for_no_other(database: Database) -> None:
    for _ in range(30):
        tries(database, FIVE, WIDE)
    assert [tries(database, WIDE) is None for _ in range(16)] == [True] * 15 + [False]


def test_who_proved_themselves_begins_anew(database: Database) -> None:
    for _ in range(5):
        tries(database, FIVE)
    database.write(partial(throttling.forgive, limits=(FIVE,), now=MONDAY))
    assert tries(database, FIVE) is None


def test_a_crowd_gets_no_more_tries_than_one_in_turn(database_url: str) -> None:
    databases = [Database(database_url) for _ in range(2)]
    databases[0].migrate()
    with ThreadPoolExecutor(16) as pool:
        granted = list(pool.map(lambda number: tries(databases[number % 2], FIVE) is None, range(64)))
    assert sum(granted) == 5
    for one in databases:
        one.close()


def test_what_is_over_is_forgotten(database: Database) -> None:
    tries(database, FIVE)
    later = MONDAY + timedelta(days=3)
    tries(database, WIDE, after=later - MONDAY)
    database.write(partial(throttling.forgive, limits=(), now=later))
    kept = database.read(lambda connection: connection.execute(throttling.throttles.select()).all())
    assert [row.key for row in kept] == [WIDE.key]


def test_a_key_tells_nobody_who_it_was() -> None:
    made = throttling.limit("secret", "account", "anna", 5, timedelta(minutes=1))
    assert "anna" not in made.key
    assert made.key != throttling.limit("another", "account", "anna", 5, timedelta(minutes=1)).key
    assert len(made.key) <= 100


@pytest.mark.parametrize(
    "address, counted",
    [
        ("192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("nonsense", "unknown"),
    ],
)
def test_an_address_counts_as_what_one_subscriber_has(address: str, counted: str) -> None:
    assert network(address) == counted


@pytest.mark.parametrize("login", ["anna", "nobody"])
def test_guessing_at_an_account_stops_after_five_also_with_the_right_password(tmp_path: Path, login: str) -> None:
    clock = Clock()
    app = console(sqlite(tmp_path), clock)
    join(database_of(app), "anna")
    client = browser(app)
    assert [guess(client, login).status_code for _ in range(6)] == [401] * 5 + [429]
    refused = guess(client, login, PASSWORD)
    assert refused.status_code == 429
    assert refused.headers["Retry-After"] == "60"
    assert "Too many tries" in refused.text
    clock.now += timedelta(minutes=1)
    assert guess(client, "anna", PASSWORD).status_code == 302


def test_an_address_cannot_go_through_all_accounts(tmp_path: Path) -> None:
    app = console(sqlite(tmp_path))
    client = browser(app)
    answers = [guess(client, f"agent{number}").status_code for number in range(21)]
    assert answers == [401] * 20 + [429]


def test_behind_our_proxy_each_asker_counts_alone_and_cannot_make_up_another(tmp_path: Path) -> None:
    app = console(sqlite(tmp_path))
    client = browser(app)
    for number in range(20):
        told = f"198.51.100.{number}, 203.0.113.9"
        assert guess(client, f"agent{number}", **{"X-Forwarded-For": told}).status_code == 401
    assert guess(client, "agent", **{"X-Forwarded-For": "203.0.113.9"}).status_code == 429
    assert guess(client, "agent", **{"X-Forwarded-For": "203.0.113.10"}).status_code == 401


def test_codes_cannot_be_guessed(tmp_path: Path) -> None:
    clock = Clock()
    app = console(sqlite(tmp_path), clock)
    join(database_of(app), "anna")
    client = browser(app)
    answers = []
    for _ in range(12):  # minutes
        assert guess(client, "anna", PASSWORD).status_code == 302
        for _ in range(5):
            token = csrf_token(client, "/console/sign-in/code")
            form = {"csrf_token": token, "code": "000000"}
            answers.append(client.post("/console/sign-in/code", data=form).status_code)
        clock.now += timedelta(minutes=1)
    assert answers == [401] * 50 + [429] * 10
    assert SECRET not in guess(client, "anna", PASSWORD).text


def test_a_crowd_at_the_door_leaves_threads_to_the_callers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    app = console(sqlite(tmp_path))
    inside, go = Semaphore(0), Event()

    def slow(*_: object) -> None:
        inside.release()
        assert go.wait(20)
        raise VerificationError

    monkeypatch.setattr(PasswordHasher, "verify", slow)
    with ThreadPoolExecutor(MOST_AT_THE_DOOR) as pool:
        crowd = range(MOST_AT_THE_DOOR)
        waiting = [pool.submit(guess, browser(app), f"agent{number}") for number in crowd]
        for _ in range(2):
            assert inside.acquire(timeout=20)
        while CHEAP._room._value:  # until all others wait as well
            time.sleep(0.01)
        answer = guess(browser(app), "anna")
        go.set()
        assert answer.status_code == 503
        assert "Very busy here" in answer.text
        assert [one.result().status_code for one in waiting] == [401] * MOST_AT_THE_DOOR
