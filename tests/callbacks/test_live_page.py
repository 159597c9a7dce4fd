"""What the console's pages ask by themselves: parts that changed, alerts, and nothing where nothing is new."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path

import pytest
from flask.testing import FlaskClient
from sqlalchemy import select
from werkzeug.test import TestResponse

from callbacks import access
from tests.callbacks import people
from tests.callbacks.people import Clock
from tests.ivr.line import Line, settings_for, sqlite

ORDINARY, TODAY = "113133422111131", "113113422111131"  # can wait: P3; a doctor today: P1
QUEUE = "/console/"


@dataclass
class Agent:
    """Somebody with a page of the console open, which refreshes its parts."""

    client: FlaskClient
    page: str = QUEUE
    seen: str = ""

    def refreshes(self, address: str, part: str) -> TestResponse:
        """What the page asks by itself, with the seal of what it has shown."""
        told = {"HX-Request": "true", "HX-Target": part, "HX-Current-URL": f"http://localhost{self.page}"}
        answer = self.client.get(address, headers=told | {"Zorglijn-Background": "1", "Zorglijn-Seen": self.seen})
        assert answer.status_code in (200, 204), answer.text
        found = re.search(r'data-seen="(\w*)"', answer.text)
        self.seen = found[1] if found else self.seen
        return answer

    def opens(self, address: str) -> str:
        """A whole page, and the seal of its list where it has one."""
        self.page = address
        text = self.client.get(address).text
        found = re.search(r'id="queue-list" data-seen="(\w*)"', text)
        self.seen = found[1] if found else ""
        return text

    def presses(self, address: str, **form: str) -> str:
        """A button."""
        form["csrf_token"] = people.csrf_token(self.client)
        return self.client.post(address, data=form, follow_redirects=True).text


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def line(tmp_path: Path, clock: Clock) -> Iterator[Line]:
    """A line with a console, on a Monday morning."""
    made = Line(settings_for(sqlite(tmp_path)), clock=clock)
    yield made
    made.close()


@pytest.fixture
def anna(line: Line) -> Agent:
    return Agent(people.signed_in_client(line.app, "anna"))


@pytest.fixture
def bram(line: Line, anna: Agent) -> Agent:
    """A coordinator, who reads Dutch."""
    return Agent(people.signed_in_client(line.app, "bram"))


def asked(line: Line, anna: Agent, keys: str = ORDINARY, number: str = "+31612345678") -> str:
    """The address of a request that a call has just left."""
    reference = (line.dial(number).presses(*keys).callback() or {})["reference"]
    found = re.search(rf'href="(/console/requests/[^"]+)">{reference}<', anna.opens(f"/console/?words={reference}"))
    assert found
    return found[1]


def live(anna: Agent, address: str) -> str:
    """The address by which an open page of this request refreshes itself."""
    found = re.search(r'id="request-live"[^>]* hx-get="([^"]+)"', anna.opens(address))
    assert found
    return found[1].replace("&amp;", "&")


def looked(line: Line) -> list[str]:
    """What the access log says was done."""
    query = select(access.accesses.c.action).order_by(access.accesses.c.id)
    return line.house.database.read(lambda connection: list(connection.execute(query).scalars()))


def test_a_list_in_which_nothing_changed_is_not_sent_and_not_logged(line: Line, anna: Agent) -> None:
    asked(line, anna)
    anna.opens(QUEUE)
    before = looked(line)
    answer = anna.refreshes(QUEUE, "queue-list")
    assert (answer.status_code, answer.text) == (204, "")
    assert looked(line) == before


def test_a_list_that_changed_is_sent_with_its_counts_and_logged(line: Line, anna: Agent) -> None:
    anna.opens(QUEUE)
    reference = (line.dial().presses(*ORDINARY).callback() or {})["reference"]
    answer = anna.refreshes(QUEUE, "queue-list")
    assert f'id="request-{reference}"' in answer.text
    assert 'id="queue-counts"' in answer.text
    assert "<html" not in answer.text
    assert looked(line)[-1] == "list"
    assert anna.refreshes(QUEUE, "queue-list").status_code == 204


def test_times_are_brought_up_to_date_once_a_minute(line: Line, anna: Agent, clock: Clock) -> None:
    anna.opens(QUEUE)
    clock.now += timedelta(seconds=61)
    assert anna.refreshes(QUEUE, "queue-list").status_code == 200
    assert anna.refreshes(QUEUE, "queue-list").status_code == 204


def test_a_list_is_refreshed_with_its_own_filters(line: Line, anna: Agent) -> None:
    asked(line, anna)
    page = anna.opens("/console/?urgency=P1")
    found = re.search(r'id="queue-list"[^>]* hx-get="([^"]+)"', page)
    assert found
    anna.seen = ""
    assert "request-" not in anna.refreshes(found[1].replace("&amp;", "&"), "queue-list").text


def test_the_seal_gives_nothing_away_and_is_the_same_for_the_same(line: Line, anna: Agent) -> None:
    asked(line, anna)
    anna.opens(QUEUE)
    first = anna.seen
    anna.opens(QUEUE)
    assert anna.seen == first
    assert re.fullmatch(r"[0-9a-f]{24}", first)


def test_a_request_that_is_urgent_is_told_on_every_page_until_somebody_has_it(line: Line, anna: Agent) -> None:
    assert "<li>" not in anna.refreshes("/console/alerts", "alerts").text
    address = asked(line, anna, TODAY)
    anna.seen = ""
    told = anna.refreshes("/console/alerts", "alerts").text
    assert f'href="{address}">New: P1' in told
    assert looked(line)[-1] == "alerts"
    assert anna.refreshes("/console/alerts", "alerts").status_code == 204
    anna.presses(f"{address}/claim")
    assert "<li>" not in anna.refreshes("/console/alerts", "alerts").text


def test_nobody_is_told_of_the_request_at_which_they_look(line: Line, anna: Agent) -> None:
    anna.page = asked(line, anna, TODAY)
    anna.seen = ""
    assert "<li>" not in anna.refreshes("/console/alerts", "alerts").text


def test_many_alerts_are_three_and_a_number(line: Line, anna: Agent) -> None:
    for number in range(5):
        line.dial(f"+3161234000{number}").presses(*TODAY)
    told = anna.refreshes("/console/alerts", "alerts").text
    assert told.count("New: P1") == 3
    assert "and 2 more" in told


def test_a_page_says_who_took_its_request_and_that_a_note_is_not_lost(line: Line, anna: Agent, bram: Agent) -> None:
    address = asked(line, anna)
    anna.presses(f"{address}/claim")
    part = live(anna, address)
    assert "request-news" not in anna.refreshes(part, "request-live").text
    bram.presses(f"{address}/release")
    assert (
        "back in the queue: nobody has it. What you have typed stays here" in anna.refreshes(part, "request-live").text
    )
    bram.presses(f"{address}/claim")
    told = anna.refreshes(part, "request-live").text
    assert "Bram has this request now." in told
    assert 'id="request-events"' in told
    assert "<textarea" not in told
    assert looked(line)[-1] == "refresh"


def test_a_page_says_that_its_claim_ran_out_and_what_to_do(line: Line, anna: Agent, clock: Clock) -> None:
    address = asked(line, anna)
    anna.presses(f"{address}/claim")
    part = live(anna, address)
    assert re.search(r'data-claim-left="1[78]\d\d"', anna.refreshes(part, "request-live").text)
    clock.now += timedelta(minutes=16)
    anna.client.get("/console/account")  # on another page, or the session would end as well
    clock.now += timedelta(minutes=15)
    told = anna.refreshes(part, "request-live").text
    assert "Your time for this request is over" in told
    assert "Claim it again" in told
    assert "data-claim-left" not in told


@pytest.mark.parametrize(
    "button, form, said",
    [
        ("claim", {}, "Bram has this request now."),
        ("cancel", {"reason": "came to the door"}, "This request was cancelled: nobody will phone."),
    ],
)
def test_a_page_that_only_looks_hears_what_became_of_its_request(
    line: Line, anna: Agent, bram: Agent, button: str, form: dict[str, str], said: str
) -> None:
    address = asked(line, anna)
    part = live(anna, address)
    bram.presses(f"{address}/{button}", **form)
    told = anna.refreshes(part, "request-live").text
    assert said in told
    assert "typed" not in told


def test_a_note_of_a_colleague_comes_without_a_word_of_change(line: Line, anna: Agent, bram: Agent) -> None:
    address = asked(line, anna)
    part = live(anna, address)
    anna.refreshes(part, "request-live")
    bram.presses(f"{address}/note", note="She phones from a neighbour.")
    told = anna.refreshes(part, "request-live").text
    assert "She phones from a neighbour." in told
    assert "request-news" not in told


def test_what_a_page_claims_to_have_shown_is_not_believed(line: Line, anna: Agent) -> None:
    part = live(anna, asked(line, anna)).partition("?")[0]
    for nonsense in ("", "?shown=", "?shown=a", "?shown=%3Cb%3E.%00.9", "?shown=queued.0.99"):
        assert "<b>" not in anna.refreshes(part + nonsense, "request-live").text
    assert anna.client.get("/console/requests/nobody/live").status_code == 404


def test_a_part_without_a_session_leads_to_the_sign_in_and_back(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    stranger = people.browser(line.app)
    for part in ("/console/alerts", live(anna, address), QUEUE):
        told = {"HX-Request": "true", "HX-Current-URL": f"http://localhost{address}"}
        answer = stranger.get(part, headers=told)
        assert answer.status_code == 401
        assert answer.headers["HX-Redirect"] == f"/console/sign-in?next={address}"


def test_only_a_form_that_did_its_work_lets_the_page_forget_its_text(line: Line, anna: Agent) -> None:
    address = asked(line, anna)
    sent = f'data-form="{address}/note"'
    assert sent not in anna.presses(f"{address}/note", note=" ")
    assert sent in anna.presses(f"{address}/note", note="She phones from a neighbour.")
    assert sent not in anna.opens(address)


def test_a_page_asks_for_its_alerts_at_once(line: Line, anna: Agent) -> None:
    for page in (QUEUE, asked(line, anna), "/console/account"):
        assert 'id="alerts" data-refresh="15" data-seen=""' in anna.opens(page)


def test_a_request_in_which_nothing_changed_is_not_sent_and_not_logged(line: Line, anna: Agent) -> None:
    part = live(anna, asked(line, anna))
    anna.refreshes(part, "request-live")
    before = looked(line)
    assert anna.refreshes(part, "request-live").status_code == 204
    assert looked(line) == before
