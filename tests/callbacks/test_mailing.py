"""The team's e-mails arrive, encrypted, and say nothing about anybody; whatever the mail server does, sending ends."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from callbacks import letters, outbox
from callbacks.db import Database
from callbacks.errors import MailDelayed, MailFailed, MailRefused
from callbacks.letters import Letter
from callbacks.lifecycle import Urgency
from callbacks.mail_server import MailServer, Security, parse_addresses, parse_server
from callbacks.mailing import Mailer
from callbacks.notices import Kind
from callbacks.outbox import Due
from callbacks.queue import ByHand
from tests.callbacks.house import OFFICE, House
from tests.callbacks.people import sqlite
from tests.standins.smtp_server import MailRoom, Manner, certificate, mail_room

BASE_URL = "https://line.example.org"
AMSTERDAM = ZoneInfo("Europe/Amsterdam")
NOW = datetime(2026, 11, 24, 9, 40, tzinfo=UTC)
USER, PASSWORD = "planted-user", "planted p@ss:word"
SENDER, TEAM = "line@example.org", ("team@example.org", "evening@example.org")


def due(number: int, kind: Kind, urgency: Urgency, minutes: float) -> Due:
    return Due(number, kind, f"request-{number}", urgency, NOW + timedelta(minutes=minutes), NOW)


URGENT = due(1, Kind.URGENT, Urgency.P1, 120)
DANGER = due(2, Kind.URGENT, Urgency.P0, 0)
LATE = due(3, Kind.NEARLY_OVERDUE, Urgency.P3, 20)
TOO_LATE = due(4, Kind.NEARLY_OVERDUE, Urgency.P2, -5)


def written(*told: Due) -> Letter:
    return letters.letter(told, BASE_URL, AMSTERDAM, NOW)


def mailer(room: MailRoom, security: Security | None = None, **limits: float) -> Mailer:
    user, password = next(iter(room.users.items()), ("", ""))
    server = MailServer(room.host, room.port, security or room.security, user, password)
    return Mailer(server, SENDER, TEAM, **({"timeout": 2.0, "deadline": 5.0} | limits))


def sends(room: MailRoom, security: Security | None = None, **limits: float) -> int:
    by = mailer(room, security, **limits)
    return by.send(by.message(written(URGENT), NOW, [URGENT]))


def text(message: EmailMessage) -> str:
    """What somebody reads."""
    content: str = message.get_content()
    return content.replace("\r\n", "\n")


@pytest.fixture
def trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A certificate of localhost that this machine trusts."""
    made = certificate(tmp_path)
    monkeypatch.setenv("SSL_CERT_FILE", str(made))
    return made


def test_an_e_mail_reads_well_in_both_languages_dutch_first() -> None:
    letter = written(URGENT, DANGER, LATE)
    assert letter.subject == "Zorglijn: 2 dringend, 1 bijna te laat / 2 urgent, 1 nearly overdue"
    assert letter.body == (
        """\
English below

Er wachten mensen op een telefoontje. Niemand heeft deze vragen genomen.

2 nieuwe dringende vragen:
- P0 (nu)
  https://line.example.org/console/requests/request-2
- P1 (binnen 2 kantooruren), uiterlijk dinsdag 24 november 12:40
  https://line.example.org/console/requests/request-1

1 vraag is bijna te laat:
- P3 (binnen 3 werkdagen), uiterlijk dinsdag 24 november 11:00 (over 20 minuten)
  https://line.example.org/console/requests/request-3

De hele wachtrij: https://line.example.org/console/

Log in om een vraag te lezen en te nemen.
In deze e-mail staat expres niets over de mensen zelf.

----------------------------------------

People are waiting for a phone call. Nobody has taken these requests.

2 new urgent requests:
- P0 (now)
  https://line.example.org/console/requests/request-2
- P1 (within 2 office hours), by Tuesday 24 November 12:40
  https://line.example.org/console/requests/request-1

1 request is nearly overdue:
- P3 (within 3 working days), by Tuesday 24 November 11:00 (in 20 minutes)
  https://line.example.org/console/requests/request-3

The whole queue: https://line.example.org/console/

Sign in to see a request and to take it.
On purpose, this e-mail says nothing about the people.
"""
    )


def test_what_is_late_already_is_told_since_when() -> None:
    letter = written(TOO_LATE)
    assert letter.subject == "Zorglijn: 1 te laat / 1 overdue"
    assert "1 vraag is te laat:\n- P2 (volgende werkdag), te laat sinds dinsdag 24 november 10:35\n" in letter.body
    assert "1 request is overdue:\n- P2 (next working day), overdue since Tuesday 24 November 10:35\n" in letter.body


@pytest.mark.parametrize("seconds, told", [(59, "in 1 minute"), (61, "in 2 minutes"), (5401, None)])
def test_minutes_are_told_while_they_are_few(seconds: int, told: str | None) -> None:
    body = written(due(1, Kind.NEARLY_OVERDUE, Urgency.P3, seconds / 60)).body
    assert (f"({told})" in body) if told else (" minute" not in body)


def test_a_request_that_is_told_for_two_reasons_is_named_once() -> None:
    both = [due(1, kind, Urgency.P1, 20) for kind in (Kind.NEARLY_OVERDUE, Kind.URGENT)]
    letter = written(*both)
    assert letter.subject == "Zorglijn: 1 bijna te laat / 1 nearly overdue"
    assert letter.body.count("/request-1\n") == 2  # once a language


def test_a_crowd_is_counted_and_a_few_are_linked_the_most_urgent_first() -> None:
    crowd = [due(number, Kind.URGENT, Urgency.P1, 120) for number in range(10, 40)]
    late = [due(number, Kind.NEARLY_OVERDUE, Urgency.P4, 20) for number in range(50, 55)]
    letter = written(*crowd, DANGER, *late)
    assert letter.subject == "Zorglijn: 31 dringend, 5 bijna te laat / 31 urgent, 5 nearly overdue"
    assert letter.body.count("/console/requests/") == 2 * letters.MOST_LINKS
    assert letter.body.index("/request-2\n") < letter.body.index("/request-10\n")
    assert "En nog 21.\n" in letter.body
    assert "And 21 more.\n" in letter.body
    assert "5 requests are nearly overdue:\nAnd 5 more.\n" in letter.body


PLANTED = (
    "687651234",
    "76 51",
    "Kwetsbaar",
    "=cmd|calc",
    "injected@example.com",
    "pregnan",
    "zwanger",
    "Tigri",
    '"ti"',
)


def test_nothing_of_a_person_gets_into_an_e_mail(tmp_path: Path) -> None:
    """A number, a note with formulas and newlines, the need and the language of somebody at the door: none of it."""
    database = Database(sqlite(tmp_path))
    database.migrate()
    house = House(database)
    note = '=cmd|calc\r\nBcc: injected@example.com\r\n\r\n"Kwetsbaar" heeft 06 87 65 12 34'
    asked = ByHand("pregnancy", "pregnant", "ti", "+31687651234", Urgency.P1, was_refused=True, note=note)
    public_id = house.adds(house.anna, asked)
    house.calls(urgency=0, phone="+31687651234", answers={"need": "pregnancy"}, flags=["labour"])
    house.notes(house.anna, public_id, note)
    references = [entry.reference for entry in house.lists()]
    database.write(lambda c: outbox.note_due(c, house.now, OFFICE))
    taken = database.write(lambda c: outbox.take(c, house.now))
    database.close()
    assert len(taken) == 2
    with mail_room() as room:
        by = mailer(room)
        by.send(by.message(letters.letter(taken, BASE_URL, AMSTERDAM, house.now), house.now, taken))
    (message,) = room.letters
    said = text(message)
    links = [line for line in said.splitlines() if "/console/requests/" in line]
    assert any(public_id in line for line in links)
    whole = "\n".join(line for line in said.splitlines() if line not in links) + str(message.items())
    assert [planted for planted in (*PLANTED, *references) if planted in whole] == []
    assert set(room.recipients) == set(TEAM)


def test_an_e_mail_says_who_it_is_from_and_that_no_person_wrote_it() -> None:
    with mail_room() as room:
        assert sends(room) == 0
    (message,) = room.letters
    assert message["From"] == SENDER
    assert message["To"] == ", ".join(TEAM)
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["Date"].datetime == NOW
    assert text(message) == written(URGENT).body


def test_the_same_notices_have_the_same_message_id_and_others_another() -> None:
    by = Mailer(MailServer("localhost", 25, Security.NONE), SENDER, TEAM)
    first, again = (by.message(written(URGENT), NOW + timedelta(hours=hour), [URGENT]) for hour in (0, 1))
    other = by.message(written(LATE), NOW, [LATE])
    assert first["Message-ID"] == again["Message-ID"] != other["Message-ID"]
    assert first["Message-ID"].endswith("@example.org>")
    trials = {by.message(letters.trial(), NOW + timedelta(seconds=second))["Message-ID"] for second in (0, 1)}
    assert len(trials) == 2


@pytest.mark.parametrize("words", ["Zorglijn\r\nBcc: injected@example.com", "Zorglijn\nX", "Zorglijn\rX"])
def test_no_header_can_be_smuggled_in(words: str) -> None:
    by = Mailer(MailServer("localhost", 25, Security.NONE), SENDER, TEAM)
    with pytest.raises(ValueError, match=r"linefeed|carriage"):
        by.message(Letter(words, "body"), NOW)


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
def test_an_e_mail_goes_out_encrypted_and_signed_in(trusted: Path, security: Security) -> None:
    with mail_room(security=security, certificate=trusted, users={USER: PASSWORD}) as room:
        assert sends(room) == 0
    assert len(room.letters) == 1
    begun = room.said.index("STARTTLS") if security is Security.STARTTLS else -1
    assert not any(word.startswith(("AUTH", "MAIL")) for word in room.said[: max(begun, 0)])


@pytest.mark.parametrize("security", [Security.STARTTLS, Security.TLS])
@pytest.mark.parametrize("name", ["localhost", "other.example.org"])
def test_a_server_that_cannot_prove_its_name_gets_neither_password_nor_e_mail(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, security: Security, name: str
) -> None:
    """A certificate that nobody vouches for, and a trusted one of somebody else."""
    made = certificate(tmp_path, name)
    if name != "localhost":
        monkeypatch.setenv("SSL_CERT_FILE", str(made))
    with (
        mail_room(security=security, certificate=made, users={USER: PASSWORD}) as room,
        pytest.raises(MailRefused, match="SSLCertVerificationError"),
    ):
        sends(room)
    assert not room.letters
    assert not any(word.startswith(("AUTH", "MAIL")) for word in room.said)


def test_a_server_without_encryption_gets_neither_password_nor_e_mail() -> None:
    with (
        mail_room(Manner.WITHOUT_TLS, users={USER: PASSWORD}) as room,
        pytest.raises(MailRefused, match="NotSupported"),
    ):
        sends(room, Security.STARTTLS)
    assert not room.letters
    assert not any(word.startswith(("AUTH", "MAIL")) for word in room.said)


@pytest.mark.parametrize(
    "manner, error, reason",
    [
        (Manner.BUSY, MailDelayed, "421"),
        (Manner.CLOSED, MailRefused, "554"),
        (Manner.REFUSES_LOGIN, MailRefused, "535"),
        (Manner.REFUSES_SENDER, MailRefused, "550"),
        (Manner.REFUSES_RECIPIENTS, MailRefused, "550"),
        (Manner.DELAYS_RECIPIENTS, MailDelayed, "451"),
        (Manner.REFUSES_MESSAGE, MailRefused, "554"),
        (Manner.DELAYS_MESSAGE, MailDelayed, "452"),
        (Manner.CUTS_OFF, MailDelayed, "Disconnected"),
        (Manner.BABBLES, MailDelayed, "-1"),
    ],
)
def test_what_is_refused_for_good_is_told_from_what_may_work_later(
    manner: Manner, error: type[MailFailed], reason: str
) -> None:
    with mail_room(manner, users={USER: PASSWORD}) as room, pytest.raises(error, match=reason) as raised:
        sends(room)
    told = str(raised.value)
    assert "planted" not in told
    assert "@" not in told


def test_nobody_there_may_be_there_later() -> None:
    with mail_room() as room:
        pass
    with pytest.raises(MailDelayed, match="ConnectionRefusedError"):
        sends(room)


def test_one_mailbox_of_two_that_is_refused_keeps_the_other_from_nothing() -> None:
    with mail_room(Manner.REFUSES_ONE) as room:
        assert sends(room) == 1
    assert len(room.letters) == 1


def test_what_was_taken_is_sent_however_the_server_says_goodbye() -> None:
    with mail_room(Manner.LEAVES) as room:
        assert sends(room) == 0
    assert len(room.letters) == 1


@pytest.mark.parametrize("manner", [Manner.SILENT, Manner.HANGS, Manner.DRIBBLES])
@pytest.mark.parametrize("security", [Security.NONE, Security.TLS])
def test_a_server_that_hangs_or_dribbles_holds_up_nobody(trusted: Path, manner: Manner, security: Security) -> None:
    with limited(20), mail_room(manner, security, certificate=trusted) as room, pytest.raises(MailDelayed):
        sends(room, timeout=0.7, deadline=1.2)


def test_encryption_that_never_gets_going_holds_up_nobody() -> None:
    """It dribbles where the encryption should begin."""
    with limited(20), mail_room(Manner.DRIBBLES) as room, pytest.raises(MailDelayed):
        sends(room, Security.TLS, timeout=0.7, deadline=1.2)


@contextmanager
def limited(seconds: float) -> Iterator[None]:
    begun = time.monotonic()
    yield
    assert time.monotonic() - begun < seconds


@pytest.mark.parametrize(
    "url, host, port, security, user, password",
    [
        ("smtp://anna:secret@mail.example.org:587", "mail.example.org", 587, Security.STARTTLS, "anna", "secret"),
        ("smtp://a%40b.org:s%3Ae%2F@mail.example.org", "mail.example.org", 587, Security.STARTTLS, "a@b.org", "s:e/"),
        ("smtps://mail.example.org", "mail.example.org", 465, Security.TLS, "", ""),
        ("smtp://localhost:25", "localhost", 25, Security.NONE, "", ""),
        ("smtp://[::1]:25", "::1", 25, Security.NONE, "", ""),
        ("smtp+plain://mailbox:1025", "mailbox", 1025, Security.NONE, "", ""),
    ],
)
def test_where_e_mails_go_is_read_from_one_address(
    url: str, host: str, port: int, security: Security, user: str, password: str
) -> None:
    assert parse_server(url) == MailServer(host, port, security, user, password)


@pytest.mark.parametrize(
    "url",
    [
        "mail.example.org", "http://mail.example.org", "smtp://", "smtp://:587", "smtp://mail.example.org:nought",
        "smtp://mail.example.org:99999", "smtp://mail.example.org/inbox", "smtp://mail.example.org?tls=no",
        "smtp://planted@mail.example.org", "smtp://:planted@mail.example.org", "smtp://anna:pl nted@mail.example.org",
        "smtp://anna:plänted@mail.example.org", "smtp://anna:%C3%A9planted@mail.example.org",
    ],
)  # fmt: skip
def test_an_address_of_a_server_that_cannot_be_is_refused_without_its_secrets(url: str) -> None:
    with pytest.raises(ValueError, match=r"must|no URL") as raised:
        parse_server(url)
    assert "planted" not in str(raised.value)


def test_a_server_shows_its_password_to_nobody() -> None:
    assert "secret" not in repr(parse_server("smtps://anna:secret@mail.example.org"))


@pytest.mark.parametrize(
    "url, is_exposed", [("smtp+plain://mail", True), ("smtp://127.0.0.1", False), ("smtp://m", False)]
)
def test_only_what_leaves_this_machine_unencrypted_is_exposed(url: str, is_exposed: bool) -> None:
    assert parse_server(url).is_exposed is is_exposed


def test_the_addresses_of_the_team_are_a_list() -> None:
    assert parse_addresses(" team@example.org, evening@example.org,team@example.org ") == TEAM


@pytest.mark.parametrize(
    "addresses",
    ["", ",", "team", "team@", "@example.org", "Team <team@example.org>", "a@b\r\nBcc: c@d", "a@b c@d", "é@b.org"],
)
def test_what_is_no_address_is_refused(addresses: str) -> None:
    with pytest.raises(ValueError, match="must be addresses"):
        parse_addresses(addresses)


def test_certificates_are_checked_by_what_the_machine_trusts() -> None:
    assert ssl.create_default_context().verify_mode is ssl.CERT_REQUIRED
