"""The people of the tests: the agents Anna and Bram (a coordinator), and Chris, who is no longer in the team.

`signed_in_client` is quick: it opens a session without the slow check of a password. `Visitor` in test_sign_in does it
as a person would.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import Connection

from app import create_app
from callbacks import passwords, sessions, staff
from callbacks.db import Database
from callbacks.passwords import Passwords
from callbacks.staff import Member, Newcomer, Role
from settings import Settings

MONDAY = datetime(2026, 11, 23, 9, 30, tzinfo=UTC)
CHEAP = Passwords(time_cost=1, memory_kib=8, parallelism=1)
PASSWORD = "four words of tea"
SECRET = passwords.totp_secret(b"a secret of the tests only")
RECOVERY_CODE = "abcd-efgh-jkmn-pqrs"
HASHED = CHEAP.hash(PASSWORD)

ANNA = Newcomer("anna", "Anna", languages=("nl", "en"), phone="+31611111111", locale="en")
BRAM = Newcomer("bram", "Bram", Role.COORDINATOR, ("nl",), "+31622222222")
CHRIS = Newcomer("chris", "Chris", languages=("nl",))
NEWCOMERS = {newcomer.login: newcomer for newcomer in (ANNA, BRAM, CHRIS)}


@dataclass
class Clock:
    """A clock that stands until a test turns it."""

    now: datetime = MONDAY

    def __call__(self) -> datetime:
        return self.now


def join(database: Database, login: str, now: datetime = MONDAY) -> Member:
    """Have this person in the team, with a password and an app; Chris is disabled. Harmless when they are there."""
    return database.write(partial(_join, newcomer=NEWCOMERS[login], now=now))


def _join(connection: Connection, newcomer: Newcomer, now: datetime) -> Member:
    if any(member.login == newcomer.login for member in staff.list_members(connection)):
        return staff.by_login(connection, newcomer.login)
    member = staff.add(connection, newcomer, HASHED, now)
    staff.enrol(connection, member.id, HASHED, SECRET, 0, (passwords.hash_code(RECOVERY_CODE),))
    return staff.disable(connection, "chris", now) if newcomer is CHRIS else staff.by_id(connection, member.id)


def console(database_url: str, clock: Clock | None = None, **env: str) -> Flask:
    """The web application on this database, with all its tables, and hashes that cost nothing."""
    settings = Settings.from_env({"DATABASE_URL": database_url, **env})
    app = create_app(settings, clock or Clock(), CHEAP)
    database_of(app).migrate()
    return app


def database_of(app: Flask) -> Database:
    """The database of an application."""
    database: Database = app.extensions["zorglijn"].database
    return database


def signed_in_token(database: Database, login: str, now: datetime) -> str:
    """The token of a new, whole session of this person: what their browser's cookie `__Host-zorglijn` holds."""
    member = join(database, login, now)
    opened = partial(sessions.open_session, agent_id=member.id, now=now, browser="Firefox, Linux")
    return database.write(lambda connection: opened(connection, has_second_factor=True))


def browser(app: Flask) -> FlaskClient:
    """A browser of somebody who reads English, in which nobody has signed in."""
    client = app.test_client()
    client.environ_base["HTTP_ACCEPT_LANGUAGE"] = "en"
    return client


def signed_in_client(app: Flask, login: str, now: datetime | None = None) -> FlaskClient:
    """A browser in which this person has signed in; `now` is the application's own moment where none is given."""
    moment = now or app.extensions["zorglijn"].line.switchboard.clock()
    client = browser(app)
    client.set_cookie("__Host-zorglijn", signed_in_token(database_of(app), login, moment))
    return client


def csrf_token(client: FlaskClient, page: str = "/console/account") -> str:
    """The token of a page, as its form would send it."""
    return client.get(page).get_data(as_text=True).partition('name="csrf_token" value="')[2].partition('"')[0]


def sqlite(directory: Path) -> str:
    """A database in this directory, for tests in which the engine does not matter."""
    return f"sqlite:///{directory / 'zorglijn.sqlite3'}"
