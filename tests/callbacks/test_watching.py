"""The team hears by e-mail of what cannot wait, once, whatever happens to the mail server, the database or a worker."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import datetime
from email.message import EmailMessage
from pathlib import Path
from threading import Event
from typing import Any

import pytest
from click.testing import CliRunner

import app
from callbacks import outbox, watching
from callbacks.clock import utc_now
from callbacks.db import Database
from callbacks.errors import DatabaseUnavailable, MailDelayed, MailFailed, MailRefused
from callbacks.lifecycle import Urgency
from callbacks.mail_server import MailServer, Security
from callbacks.mailing import Mailer
from callbacks.watching import Watcher
from ivr.logs import JsonLines
from settings import HERE
from tests.callbacks.house import OFFICE, House
from tests.callbacks.people import sqlite
from tests.standins.smtp_server import MailRoom, Manner, mail_room

BASE_URL = "https://line.example.org"
SENDER, TEAM = "line@example.org", ("team@example.org",)


@dataclass(frozen=True)
class Mailbox(Mailer):
    """Sends nowhere, and remembers; `answers` are what it says to the next ones, None is well."""

    server: MailServer = MailServer("mail.example.org", 587, Security.STARTTLS)  # noqa: RUF009  it is frozen
    sender: str = SENDER
    recipients: tuple[str, ...] = TEAM
    sent: list[EmailMessage] = field(default_factory=list)
    answers: list[MailFailed | None] = field(default_factory=list)

    def send(self, message: EmailMessage) -> int:
        answer = self.answers.pop(0) if self.answers else None
        if answer is not None:
            raise answer
        self.sent.append(message)
        return 0


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def watcher_of(house: House, mailer: Mailer) -> Watcher:
    return Watcher(house.database, mailer, OFFICE, BASE_URL, clock=lambda: house.now)


def test_what_is_new_is_told_in_one_e_mail_and_once(house: House) -> None:
    mailbox = Mailbox()
    watcher = watcher_of(house, mailbox)
    assert watcher.round() == 0
    first, second = house.calls(urgency=1, phone=None), house.calls(urgency=0, phone=None)
    house.calls(urgency=3, phone=None)
    assert watcher.round() == 2
    house.wait(hours=1)
    assert watcher.round() == 0
    (message,) = mailbox.sent
    assert message["Subject"] == "Zorglijn: 2 dringend / 2 urgent"
    assert all(f"/console/requests/{public_id}" in message.get_content() for public_id in (first, second))


def test_the_last_half_hour_is_told_once_and_only_while_nobody_has_it(house: House) -> None:
    mailbox = Mailbox()
    watcher = watcher_of(house, mailbox)
    asked, other = house.calls(urgency=1, phone=None), house.calls(urgency=1, phone=None)
    watcher.round()
    house.claims(house.anna, other)
    house.wait(minutes=90)
    house.claims(house.anna, other)
    assert watcher.round() == 1
    assert watcher.round() == 0
    assert mailbox.sent[1]["Subject"] == "Zorglijn: 1 bijna te laat / 1 nearly overdue"
    assert asked in mailbox.sent[1].get_content()
    assert other not in mailbox.sent[1].get_content()


def test_what_could_not_be_sent_is_sent_when_the_server_is_back(house: House, caplog: pytest.LogCaptureFixture) -> None:
    mailbox = Mailbox(answers=[MailDelayed("TimeoutError"), MailDelayed("SMTPDataError 451")])
    watcher = watcher_of(house, mailbox)
    house.calls(urgency=1)
    with caplog.at_level(logging.INFO, "zorglijn"):
        for minutes in (0, 1, 1):
            house.wait(minutes=minutes)
            assert watcher.round() == 0
        house.wait(minutes=1)
        assert watcher.round() == 1
    assert [record.getMessage() for record in caplog.records] == [
        "notices_not_sent",
        "notices_not_sent",
        "notices_sent",
    ]
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING", "INFO"]


def test_what_is_refused_for_good_is_an_error_and_tried_every_hour_for_a_day(
    house: House, caplog: pytest.LogCaptureFixture
) -> None:
    mailbox = Mailbox(answers=[MailRefused("SMTPAuthenticationError 535")] * 100)
    watcher = watcher_of(house, mailbox)
    house.calls(urgency=0)
    with caplog.at_level(logging.INFO, "zorglijn"):
        for _ in range(50):
            assert watcher.round() == 0
            house.wait(minutes=30)
    told = [record.getMessage() for record in caplog.records if record.levelname == "ERROR"]
    assert told == ["notices_not_sent"] * 24 + ["notices_given_up"]


def test_a_worker_that_dies_between_sending_and_marking_makes_one_more_e_mail_with_the_same_id(house: House) -> None:
    class Killed(BaseException): ...

    class Dying(Mailbox):
        def send(self, message: EmailMessage) -> int:
            super().send(message)
            raise Killed

    house.calls(urgency=0)
    dying, mailbox = Dying(), Mailbox()
    with pytest.raises(Killed):
        watcher_of(house, dying).round()
    watcher = watcher_of(house, mailbox)
    house.wait(minutes=4)
    assert watcher.round() == 0
    house.wait(minutes=1)
    assert watcher.round() == 1
    house.wait(hours=2)
    assert watcher.round() == 0
    assert [message["Message-ID"] for message in mailbox.sent] == [message["Message-ID"] for message in dying.sent]


def test_what_went_out_is_marked_when_the_database_is_away_for_a_moment(house: House) -> None:
    class Away:
        """Takes the first write and then, twice, nothing."""

        def __init__(self) -> None:
            self.read, self.writes = house.database.read, 0

        def write(self, unit: object) -> object:
            self.writes += 1
            if self.writes in (2, 3):
                raise DatabaseUnavailable("away")
            return house.database.write(unit)  # type: ignore[arg-type]

    house.calls(urgency=1)
    mailbox, pauses = Mailbox(), list[float]()
    away: Any = Away()
    watcher = replace(watcher_of(house, mailbox), database=away, pause=pauses.append)
    assert watcher.round() == 1
    assert pauses == [watching.BETWEEN_TRIES_SECONDS] * 2
    house.wait(hours=1)
    assert watcher_of(house, mailbox).round() == 0
    assert outbox.LEASE.total_seconds() > watching.TRIES_TO_MARK * (watching.BETWEEN_TRIES_SECONDS + 3)


def test_eight_workers_send_one_e_mail(house: House, database_url: str) -> None:
    """Four databases stand for four processes; each looks again and again while callers ask."""
    mailbox = Mailbox()
    asked = {house.calls(urgency=0, phone=None) for _ in range(10)}
    databases = [Database(database_url, wait_seconds=20) for _ in range(4)]

    def looks(database: Database) -> int:
        watcher = replace(watcher_of(house, mailbox), database=database)
        return sum(watcher.round() for _ in range(5))

    with ThreadPoolExecutor(8) as threads:
        told = sum(threads.map(looks, databases * 2))
    for database in databases:
        with closing(database):
            pass
    assert told == len(asked)
    said = "".join(message.get_content() for message in mailbox.sent)
    assert all(said.count(f"/{public_id}\n") == 2 for public_id in asked)  # once a language


def test_a_round_never_raises_and_tells_no_values(house: House, caplog: pytest.LogCaptureFixture) -> None:
    class Broken(Mailbox):
        def send(self, message: EmailMessage) -> int:
            raise RuntimeError("planted")

    class Gone:
        def read(self, unit: object) -> object:
            raise DatabaseUnavailable("away")

    gone: Any = Gone()
    house.calls(urgency=1)
    assert watching.watch_once(watcher_of(house, Broken())) == 0
    assert watching.watch_once(replace(watcher_of(house, Mailbox()), database=gone)) == 0
    assert [record.getMessage() for record in caplog.records] == ["watch_failed", "watch_failed"]
    assert [record.error for record in caplog.records] == ["RuntimeError", "DatabaseUnavailable"]  # type: ignore[attr-defined]


@pytest.mark.parametrize("manner", [Manner.REFUSES_LOGIN, Manner.REFUSES_SENDER, Manner.REFUSES_ONE, Manner.BABBLES])
def test_no_address_and_no_secret_gets_into_a_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, manner: Manner
) -> None:
    """Also where the mail server quotes them: the test's does."""
    database = Database(sqlite(tmp_path))
    database.migrate()
    house = House(database)
    house.calls(urgency=0, phone="+31687651234")
    with caplog.at_level(logging.DEBUG), mail_room(manner, users={"planted": "planted"}) as room:
        server = MailServer("localhost", room.port, Security.NONE, "planted", "planted")
        watching.watch_once(watcher_of(house, Mailer(server, SENDER, (*TEAM, "evening@example.org"))))
    database.close()
    logged = "\n".join(JsonLines().format(record) for record in caplog.records if record.name.startswith("zorglijn"))
    assert "notices_" in logged or "mailboxes_" in logged
    assert not [secret for secret in ("planted", "@", "687651234", "wrong password") if secret in logged]


def test_the_thread_goes_on_after_a_round_that_failed(tmp_path: Path) -> None:
    database = Database(sqlite(tmp_path))
    database.migrate()
    house = House(database)
    house.calls(urgency=0)
    mailbox = Mailbox(answers=[MailDelayed("TimeoutError")])

    def later() -> datetime:
        if mailbox.sent:
            is_sent.set()
            Event().wait()  # it never ends by itself: at least it does nothing any more
        house.wait(minutes=1)
        return house.now

    is_sent = Event()
    watching.start(replace(watcher_of(house, mailbox), clock=later), every_seconds=0.01)
    assert is_sent.wait(20)
    assert len(mailbox.sent) == 1
    database.close()


@pytest.fixture
def room() -> Iterator[MailRoom]:
    with mail_room() as opened:
        yield opened


def settings_of(room: MailRoom, directory: Path) -> dict[str, str]:
    return {
        "DATABASE_URL": sqlite(directory),
        "SMTP_URL": f"smtp://localhost:{room.port}",
        "MAIL_FROM": SENDER,
        "MAIL_TO": "team@example.org,evening@example.org",
    }


def tries(env: dict[str, str]) -> tuple[int, str]:
    """What `zorglijn notices try` says."""
    done = CliRunner(env=env).invoke(app.main, ["notices", "try"])
    return done.exit_code, done.output


def test_a_trial_arrives_and_says_that_it_is_one(room: MailRoom, tmp_path: Path) -> None:
    code, told = tries(settings_of(room, tmp_path))
    assert (code, told) == (
        0, "The mail server took it for team@example.org, evening@example.org: look whether it arrives.\n"
    )  # fmt: skip
    (message,) = room.letters
    assert message["Subject"] == "Zorglijn: proef / trial"
    assert "Dit is een proef." in message.get_content()
    assert "This is a trial." in message.get_content()


def test_a_trial_without_a_mail_server_says_what_is_missing() -> None:
    code, told = tries({"SMTP_URL": ""})
    assert code == 1
    assert "SMTP_URL is not set" in told


@pytest.mark.parametrize(
    "manner, hint",
    [
        (Manner.REFUSES_RECIPIENTS, "takes no e-mails to MAIL_TO"),
        (Manner.REFUSES_SENDER, "takes no e-mails from MAIL_FROM"),
        (Manner.REFUSES_MESSAGE, "Somebody has to mend this"),
        (Manner.DELAYS_MESSAGE, "Trying again later may help"),
        (Manner.REFUSES_ONE, "it refused 1 of these addresses"),
    ],
)
def test_a_trial_that_fails_says_why(tmp_path: Path, manner: Manner, hint: str) -> None:
    with mail_room(manner) as room:
        code, told = tries(settings_of(room, tmp_path))
    assert code == 1
    assert hint in told


WORKER = """
import os, sys, threading
os.environ["ZORGLIJN_ENV"] = "rehearsal"
import app
from callbacks.clock import utc_now
from callbacks import watching
watching.EVERY_SECONDS = 0.1
watching.start.__defaults__ = (0.1,)
app.wsgi()
print("ready", flush=True)
threading.Event().wait()
"""


def test_a_web_worker_tells_the_team_and_a_killed_one_leaves_it_to_the_next(room: MailRoom, tmp_path: Path) -> None:
    """Killed while the mail server has the message and has not answered: a second worker sends it once more."""
    room.manner = Manner.HANGS
    env = settings_of(room, tmp_path)
    database = Database(env["DATABASE_URL"])
    database.migrate()
    worker = subprocess.Popen(
        [sys.executable, "-c", WORKER], cwd=HERE, env={**os.environ, **env}, stdout=subprocess.PIPE, text=True
    )
    try:
        house = House(database)
        assert worker.stdout is not None
        assert worker.stdout.readline() == "ready\n"
        house.now = utc_now()
        asked = house.calls(urgency=Urgency.P0)
        wait_for(room, 1)
    finally:
        worker.send_signal(signal.SIGKILL)
        worker.wait()
        if worker.stdout is not None:
            worker.stdout.close()
    room.manner = Manner.WELL
    watcher = watcher_of(house, Mailer(MailServer("localhost", room.port, Security.NONE), SENDER, TEAM))
    assert watcher.round() == 0
    house.now = utc_now() + outbox.LEASE
    assert watcher.round() == 1
    house.wait(hours=1)
    assert watcher.round() == 0
    database.close()
    assert len(room.letters) == 2
    assert all(asked in letter.get_content() for letter in room.letters)
    assert room.letters[0]["Message-ID"] == room.letters[1]["Message-ID"]


def wait_for(room: MailRoom, letters: int) -> None:
    until = time.monotonic() + 20
    while len(room.letters) < letters and time.monotonic() < until:
        time.sleep(0.05)
    assert len(room.letters) == letters
