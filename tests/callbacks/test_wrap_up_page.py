"""Wrapping up at the console: what is told before the choice, what is refused, and that nothing typed is ever lost."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from flask_babel import force_locale
from werkzeug.test import TestResponse

from callbacks import queue
from callbacks.by_hand import ByHand
from callbacks.console_words import DISPOSITIONS
from callbacks.db import Database
from callbacks.desk import Desk
from callbacks.errors import DatabaseUnavailable
from callbacks.script_files import Kind
from callbacks.script_part import HEADINGS
from callbacks.scripts import library
from callbacks.trying_again import NextTry
from callbacks.wrap_up_part import in_words
from tests.callbacks import people
from tests.callbacks.house import OFFICE
from tests.ivr.line import Line, settings_for

TUESDAY = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # ten in the morning in Amsterdam
# Dutch, a doctor, it can wait ... call me on this number; then a message is safe, or is not, or the call is over.
SAFE, UNSAFE, NOT_ASKED = "113133422111131", "113133422112131", "11313342211"
NOTE = "Told her where to go, and <b>why</b>."


@dataclass
class Console:
    """A line and its console, at a moment that a test turns."""

    database_url: str
    now: datetime = TUESDAY
    line: Line = field(init=False)

    def __post_init__(self) -> None:
        self.line = Line(settings_for(self.database_url), lambda: self.now)

    @property
    def database(self) -> Database:
        return self.line.house.database

    def agent(self, login: str) -> FlaskClient:
        return people.signed_in_client(self.line.app, login, self.now)

    def request(self, keys: str = SAFE) -> str:
        """Somebody calls; the address of their request."""
        self.line.dial().presses(*keys)
        reference = self.line.queue()[-1]["reference"]
        page = self.agent("anna").get(f"/console/?words={reference}").text
        found = re.search(r"/console/requests/[\w-]+", page)
        assert found
        return found[0]

    def claimed(self, client: FlaskClient, keys: str = SAFE) -> str:
        address = self.request(keys)
        presses(client, f"{address}/claim")
        return address

    def entry(self, address: str) -> queue.Entry:
        return self.database.read(lambda c: queue.find(c, address.rpartition("/")[2], self.now))

    def last(self, address: str) -> queue.Story:
        return self.database.read(lambda c: queue.story(c, address.rpartition("/")[2], self.now))


@pytest.fixture
def console(tmp_path: Path) -> Iterator[Console]:
    """On one database: what a wrap-up does on each is in test_wrapping_up."""
    made = Console(people.sqlite(tmp_path))
    yield made
    made.line.close()


@pytest.fixture
def anna(console: Console) -> FlaskClient:
    return console.agent("anna")


def presses(client: FlaskClient, address: str, **form: str) -> TestResponse:
    """A button, without following where it leads."""
    return client.post(address, data=form | {"csrf_token": people.csrf_token(client)})


def words(answer: TestResponse) -> str:
    """The page as somebody reads it."""
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", answer.text)).split())


def read(client: FlaskClient, address: str) -> str:
    return words(client.get(address))


def test_what_follows_is_told_before_the_choice(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    assert "If nobody answered: Next attempt: tomorrow afternoon, from 12:00." in read(anna, address)
    answer = presses(anna, f"{address}/wrap-up", disposition="no_answer", note="Rang long.", left_message="1")
    assert (answer.status_code, answer.headers["Location"]) == (303, address)
    entry = console.entry(address)
    assert entry.not_before == datetime(2026, 11, 25, 11, tzinfo=UTC)
    assert console.last(address).events[-1].details["left_message"] is True


def test_bram_reads_in_dutch_what_follows(console: Console) -> None:
    bram = console.agent("bram")
    address = console.claimed(bram)
    page = read(bram, address)
    assert "Als niemand opnam: Volgende poging: morgenmiddag, vanaf 12:00 uur." in page
    assert "Belscript" in page


def test_an_organisation_is_chosen_from_the_directory(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    assert "Kruispost, Amsterdam (verify first)" in read(anna, address)
    presses(anna, f"{address}/wrap-up", disposition="referred", referral="kruispost")
    assert console.last(address).events[-1].details["referral"] == "Kruispost, Amsterdam"


def test_an_organisation_that_the_directory_lacks_is_written_down(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    presses(anna, f"{address}/wrap-up", disposition="referred", referral="other", referral_other=" The food bank ")
    assert console.last(address).events[-1].details["referral"] == "The food bank"


REFUSED = {
    "nothing chosen": ({}, 400, "Choose how it ended."),
    "made up": ({"disposition": "healed"}, 400, "Choose how it ended."),
    "to nobody": ({"disposition": "referred"}, 400, "Choose the organisation, or fill in another."),
    "to another, unnamed": ({"disposition": "referred", "referral": "other"}, 400, "Choose the organisation"),
    "to one that is gone": ({"disposition": "referred", "referral": "gone"}, 400, "Choose the organisation"),
    "in the past": ({"disposition": "no_answer", "again_at": "2026-11-24T09:59"}, 400, "That moment has passed"),
    "too far": ({"disposition": "no_answer", "again_at": "2026-12-08T10:01"}, 400, "more than 14 days away"),
    "no moment": ({"disposition": "no_answer", "again_at": "soon"}, 400, "That is no moment"),
    "long ago": ({"disposition": "no_answer", "again_at": "0001-01-01T00:00"}, 400, "That is no moment"),
    "answered": ({"disposition": "withdrew", "again_at": "2026-11-25T10:00"}, 400, "A next moment is only for"),
    "a message": (
        {"disposition": "no_answer", "left_message": "1"}, 409, "The caller said that a message is not safe: leave"
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_done_says_why_and_keeps_what_was_typed(console: Console, anna: FlaskClient, name: str) -> None:
    form, status, told = REFUSED[name]
    address = console.claimed(anna, UNSAFE)
    before = console.last(address)
    answer = presses(anna, f"{address}/wrap-up", note=NOTE, referral_other=form.pop("referral_other", ""), **form)
    assert answer.status_code == status
    assert told in words(answer)
    assert html.escape(NOTE) in answer.text
    for value in form.values():
        assert value in ("1", "healed", "gone") or f'value="{value}"' in answer.text
    assert "<b>why" not in answer.text
    assert (console.last(address).entry, console.last(address).events) == (before.entry, before.events)


def test_a_form_that_was_refused_can_be_sent_again(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    refused = presses(anna, f"{address}/wrap-up", disposition="referred", note=NOTE)
    assert re.search(r'<option value="referred" selected>', refused.text)
    presses(anna, f"{address}/wrap-up", disposition="referred", note=NOTE, referral="gza")
    assert console.entry(address).disposition == "referred"
    assert console.last(address).events[-1].details["note"] == NOTE


def test_a_claim_that_ran_out_while_typing_can_be_taken_again_with_one_button(
    console: Console, anna: FlaskClient
) -> None:
    address = console.claimed(anna)
    console.now += timedelta(minutes=29)
    anna.get(address)
    console.now += timedelta(minutes=2)
    refused = presses(anna, f"{address}/wrap-up", disposition="information_given", note=NOTE)
    assert refused.status_code == 409
    assert html.escape(NOTE) in refused.text
    assert "Claim and wrap up" in refused.text
    assert console.entry(address).status == "queued"
    presses(anna, f"{address}/wrap-up", disposition="information_given", note=NOTE, claims="1")
    assert console.entry(address).disposition == "information_given"


def test_what_was_typed_when_a_colleague_has_it_becomes_a_note(console: Console, anna: FlaskClient) -> None:
    bram = console.agent("bram")
    address = console.claimed(anna)
    presses(anna, f"{address}/release")
    presses(bram, f"{address}/claim")
    refused = presses(anna, f"{address}/wrap-up", disposition="information_given", note=NOTE)
    assert refused.status_code == 409
    assert "Keep it as a note" in refused.text
    assert html.escape(NOTE) in refused.text
    presses(anna, f"{address}/note", note=NOTE)
    assert console.last(address).events[-1].details["note"] == NOTE
    assert console.entry(address).claimed_by == "Bram"


def test_a_database_that_is_away_keeps_what_was_typed(
    console: Console, anna: FlaskClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    address = console.claimed(anna)
    token = people.csrf_token(anna)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("locked")

    form = {"disposition": "referred", "referral": "kruispost", "note": NOTE, "csrf_token": token}
    with monkeypatch.context() as patched:
        patched.setattr(queue, "wrap_up", refuse)
        answer = anna.post(f"{address}/wrap-up", data=form)
    assert answer.status_code == 503
    assert html.escape(NOTE) in answer.text
    kept = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', answer.text))
    presses(anna, f"{address}/wrap-up", note=NOTE, **{name: kept[name] for name in ("disposition", "referral")})
    assert console.last(address).events[-1].details["referral"] == "Kruispost, Amsterdam"


@pytest.mark.parametrize("button, name", [("note", "note"), ("cancel", "reason")])
def test_whatever_else_was_typed_is_shown_again_when_the_database_is_away(
    console: Console, anna: FlaskClient, monkeypatch: pytest.MonkeyPatch, button: str, name: str
) -> None:
    address = console.claimed(anna)
    token = people.csrf_token(anna)

    def refuse(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("locked")

    monkeypatch.setattr(Desk, "do", refuse)
    answer = anna.post(f"{address}/{button}", data={name: NOTE, "csrf_token": token})
    assert answer.status_code == 503
    assert html.escape(NOTE) in answer.text
    assert token not in answer.text.partition("<main")[2]


@pytest.mark.parametrize("typed", ["2026-11-26T14:30", "2026-11-26T14:30:00", "26-11-2026 14:30"])
def test_a_chosen_moment_is_on_the_clock_of_the_office(console: Console, anna: FlaskClient, typed: str) -> None:
    address = console.claimed(anna)
    presses(anna, f"{address}/wrap-up", disposition="no_answer", again_at=typed)
    entry = console.entry(address)
    assert entry.not_before == datetime(2026, 11, 26, 13, 30, tzinfo=UTC)
    assert entry.due_at == datetime(2026, 11, 26, 15, 30, tzinfo=UTC)


def test_an_undo_brings_back_what_a_chosen_moment_and_a_message_changed(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    before = console.entry(address)
    presses(anna, f"{address}/wrap-up", disposition="no_answer", again_at="2026-11-24T14:30", left_message="1")
    assert console.entry(address) != before
    presses(anna, f"{address}/undo")
    assert console.entry(address) == before


@pytest.mark.parametrize(
    "keys, reason", [(UNSAFE, "The caller said that a message is not safe."), (NOT_ASKED, "was not asked whether")]
)
def test_without_leave_there_is_a_block_and_its_reason_and_nothing_to_tick(
    console: Console, anna: FlaskClient, keys: str, reason: str
) -> None:
    address = console.claimed(anna, keys)
    page = anna.get(address)
    assert "Leave no message." in words(page)
    assert reason in words(page)
    assert "Do not say who you are to somebody else." in words(page)
    assert "You asked us to call" not in page.text
    assert "U vroeg ons te bellen" not in page.text
    assert 'name="left_message"' not in page.text


def test_with_leave_the_message_is_a_first_name_and_that_they_asked(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    page = anna.get(address)
    assert '<q lang="nl">Dit is Anna. U vroeg ons te bellen.</q>' in page.text
    assert 'name="left_message"' in page.text
    assert "Leave no message." not in words(page)


def test_the_script_is_open_beside_the_call_and_closed_for_who_only_reads(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    reference = console.entry(address).reference
    page = anna.get(address)
    assert "<details open><summary>Call script: Likely eligible</summary>" in page.text
    assert '<q lang="nl">Goedendag. Heeft u gevraagd om gebeld te worden?</q>' in page.text
    assert f"The code is {reference}." in words(page)
    assert "van Vluchtelingen in de Knel" in words(page)
    assert "<details><summary>Belscript" in console.agent("bram").get(address).text


def test_a_language_that_the_agent_does_not_speak_asks_for_somebody_who_does(
    console: Console, anna: FlaskClient
) -> None:
    """Anna speaks Dutch and English; nobody of the team speaks Arabic."""
    asked = ByHand(language="ar", phone="+31611112222")
    member = people.join(console.database, "anna")
    office = console.line.settings.organisation.hours
    public_id = console.database.write(lambda c: queue.add_by_hand(c, member, asked, console.now, office))
    page = read(anna, f"/console/requests/{public_id}")
    assert "Language of the caller: Arabic. Phone with an interpreter" in page
    assert "Language of the caller" not in read(anna, console.claimed(anna))


def test_a_script_whose_facts_are_old_says_so(console: Console, anna: FlaskClient) -> None:
    address = console.claimed(anna)
    assert "Look this up before you tell it" not in read(anna, address)
    console.now = datetime(2027, 1, 21, 9, tzinfo=UTC)
    later = console.agent("anna")
    assert "nobody has reviewed these facts since 21 November 2026" in read(later, address)


@pytest.mark.parametrize(
    "again, said",
    [
        (NextTry(datetime(2026, 11, 24, 10, 30, tzinfo=UTC)), "Next attempt: today, from 11:30."),
        (NextTry(datetime(2026, 11, 25, 8, tzinfo=UTC)), "Next attempt: tomorrow morning, from 09:00."),
        (NextTry(datetime(2026, 11, 25, 18, tzinfo=UTC)), "Next attempt: tomorrow evening, from 19:00."),
        (NextTry(datetime(2026, 11, 27, 11, tzinfo=UTC)), "Next attempt: Friday in the afternoon, from 12:00."),
        (NextTry(datetime(2026, 12, 4, 8, tzinfo=UTC)), "Next attempt: Friday 4 December in the morning, from 09:00."),
        (NextTry(needs_coordinator=True), "A coordinator decides what comes next."),
        (NextTry(closes=True), "This was the last attempt: the request is closed. A new call opens it again."),
    ],
)
def test_what_follows_reads_as_somebody_would_say_it(console: Console, again: NextTry, said: str) -> None:
    with console.line.app.test_request_context(), force_locale("en"):
        assert in_words(again, TUESDAY, OFFICE) == said


@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_a_script_names_on_the_page_is_there_by_that_name(console: Console, language: str) -> None:
    """Instructions quote the words of other controls: a control that is renamed must be renamed there too."""
    with console.line.app.test_request_context(), force_locale(language):
        there = {str(label) for label in (*DISPOSITIONS.values(), *HEADINGS.values())}
    notes = [
        step.text
        for script in library().scripts[language].values()
        for part in script.parts
        for step in part.steps
        if step.kind is Kind.NOTE
    ]
    named = {quoted for note in notes for quoted in re.findall(r"“([^”]+)”", note)}
    sentences = {quoted for quoted in named if quoted.endswith(".") or quoted[0].islower()}
    assert named - sentences
    assert named - sentences <= there
