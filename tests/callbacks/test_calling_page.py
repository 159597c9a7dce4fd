"""The panel for calling back: what an agent may do now, what to do where they may not, and how the call goes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import partial

import pytest
from flask.testing import FlaskClient
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from callbacks import access, calling, queue
from callbacks.call_states import LIVE, State
from callbacks.calling import CallWarning
from callbacks.calling_views import outgoing_calls
from callbacks.ringing import Ringer
from callbacks.staff import Member, agents
from tests.callbacks import people
from tests.ivr.line import Line, settings_for

CALLER = "+31687654321"
SATURDAY = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
PRESSES = "113133422111131"
FOR_A_PAGE = {"HX-Request": "true"}


@dataclass
class Agent:
    """Somebody of the team, at the page of a request."""

    member: Member
    client: FlaskClient
    address: str

    def panel(self) -> str:
        """The panel on the page of the request."""
        page = self.client.get(self.address)
        assert page.status_code == 200
        found = re.search(r'<section id="call-back".*?</section>', page.text, re.DOTALL)
        return found[0] if found else ""

    def button(self) -> str | None:
        found = re.search(r'<button id="call-button"[^>]*>([^<]*)', self.panel())
        return found[1].strip() if found else None

    def presses(self, *override: str) -> TestResponse:
        """Call back, with these warnings put aside; the page that comes next."""
        token = people.csrf_token(self.client)
        return self.client.post(
            f"{self.address}/call", data={"csrf_token": token, "override": list(override)}, follow_redirects=True
        )

    def looks(self, seen: str = "") -> TestResponse:
        """What the page asks by itself."""
        return self.client.get(f"{self.address}/call", headers={**FOR_A_PAGE, "Zorglijn-Seen": seen})


@dataclass
class Office:
    """A line with a request of a caller, and a provider that is never asked."""

    line: Line
    clock: people.Clock
    rung: list[str]

    def asked(self, from_: str = CALLER, keys: str = PRESSES) -> str:
        """A caller asks to be called back: the public id."""
        anna = people.join(self.line.house.database, "anna")
        before = set(self.requests(anna))
        self.line.dial(from_).presses(*keys).hangs_up()
        (new,) = set(self.requests(anna)) - before
        return new

    def requests(self, member: Member) -> list[str]:
        page = self.line.house.database.read(lambda c: queue.list_page(c, queue.Filters(), member, self.clock()))
        return [entry.public_id for entry in page.entries]

    def agent(self, login: str, request: str) -> Agent:
        member = people.join(self.line.house.database, login)
        client = people.signed_in_client(self.line.app, login)
        return Agent(member, client, f"/console/requests/{request}")

    def news(self, *states: State, error: str | None = None) -> None:
        """What the provider tells of the last call."""
        for state in states:
            self.line.house.database.write(partial(self._tell, state=state, error=error))

    def _tell(self, connection: object, state: State, error: str | None) -> None:
        row = connection.execute(select(func.max(outgoing_calls.c.id))).scalar_one()  # type: ignore[attr-defined]
        calling.advance(connection, row, state, self.clock(), error=error)  # type: ignore[arg-type]

    def calls(self) -> int:
        count = select(func.count()).select_from(outgoing_calls)
        return self.line.house.database.read(lambda c: c.execute(count).scalar_one())

    def looked(self) -> int:
        """How often somebody looked at a request."""
        count = select(func.count()).select_from(access.accesses).where(access.accesses.c.action == "view")
        return self.line.house.database.read(lambda c: c.execute(count).scalar_one())


@pytest.fixture
def office(database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    rung: list[str] = []
    monkeypatch.setattr(Ringer, "ring", lambda ringer, public_id: rung.append(public_id))
    clock = people.Clock()
    line = Line(settings_for(database_url), clock)
    yield Office(line, clock, rung)
    line.close()


@pytest.fixture
def request_id(office: Office) -> str:
    return office.asked()


@pytest.fixture
def anna(office: Office, request_id: str) -> Agent:
    return office.agent("anna", request_id)


def test_one_button_claims_the_request_and_has_the_agents_phone_ring(office: Office, anna: Agent) -> None:
    assert anna.button() == "Call back"
    page = anna.presses()
    assert page.request.path.startswith("/console/requests/")
    assert "In a moment your phone will ring." in page.text
    assert "Anna" in page.text
    assert len(office.rung) == office.calls() == 1
    assert anna.button() is None


def test_a_second_press_makes_no_second_call(office: Office, anna: Agent) -> None:
    anna.presses()
    assert "Your phone is in another call." in anna.presses().text
    assert office.calls() == 1


def test_what_speaks_against_calling_is_read_before_it_is_put_aside(office: Office, anna: Agent) -> None:
    office.clock.now = SATURDAY
    people.join(office.line.house.database, "anna")
    anna = office.agent("anna", anna.address.rpartition("/")[2])
    assert "The office is closed now." in anna.panel()
    assert anna.button() == "Call back anyway"
    assert "Something speaks against calling now" in anna.presses("made_up").text
    assert office.calls() == 0
    anna.presses(*(warning for warning in CallWarning))
    assert office.calls() == 1


def test_the_course_of_a_call_is_told_in_words_that_say_what_to_do(office: Office, anna: Agent) -> None:
    anna.presses()
    steps = {
        State.UNCERTAIN: "not clear whether your phone will ring",
        State.RINGING_AGENT: "Your phone is ringing. Pick up and press 1.",
        State.AGENT_ANSWERED: "You picked up. Press 1",
        State.RINGING_CALLER: "phone is ringing.",
        State.CONNECTED: "You are connected with the caller.",
    }
    shown = ""
    for state, words in steps.items():
        office.news(state)
        shown = anna.looks().text
        assert words in shown
        assert 'data-refresh="2"' in shown
        assert 'id="call-refresh"' in shown
        assert 'id="call-button"' not in shown
    assert "Since" in shown
    office.news(State.ENDED)
    shown = anna.looks().text
    assert "You spoke with each other. Wrap up how it went." in shown
    assert 'data-refresh="15"' in shown
    assert 'id="call-button"' in shown


@pytest.mark.parametrize("state", [state for state in State if state not in LIVE])
def test_every_end_says_what_to_do_and_lets_the_agent_call_again(office: Office, anna: Agent, state: State) -> None:
    anna.presses()
    if state is not State.NOT_PLACED:
        office.news(State.RINGING_AGENT)
    office.news(state)
    if state is State.NOT_PLACED:
        assert "The call was not made" in anna.panel()
    assert anna.button() == "Call back"
    assert 'class="course"' in anna.panel()


def test_a_failure_names_whose_phone_it_was(office: Office, anna: Agent) -> None:
    anna.presses()
    office.news(State.FAILED, error="caller_failed")
    assert "The caller&#39;s number cannot be called." in anna.panel()


def test_a_colleague_reads_who_calls_and_cannot_call_too(office: Office, anna: Agent, request_id: str) -> None:
    bram = office.agent("bram", request_id)
    anna.presses()
    assert "Anna belt deze beller nu." in bram.panel()
    assert bram.button() is None
    assert "Anna heeft deze vraag al" in bram.presses().text
    office.news(State.CALLER_NO_ANSWER)
    assert "Anna belde: de beller nam niet op." in bram.panel()
    assert "Anna heeft deze vraag en belt terug." in bram.panel()
    assert bram.button() is None
    assert office.calls() == 1


def test_an_agent_in_a_call_is_told_so_at_another_request(office: Office, anna: Agent) -> None:
    anna.presses()
    other = office.agent("anna", office.asked("+31612345679"))
    assert "Your phone is in another call." in other.presses().text
    assert office.calls() == 1


def test_a_request_without_a_number_says_what_may_be_done(office: Office) -> None:
    anna = office.agent("anna", office.asked("anonymous", "201"))
    assert "left no number" in anna.panel()
    assert anna.button() is None
    assert "left no number" in anna.presses().text
    assert office.calls() == 0


def test_an_agent_without_a_phone_is_told_who_can_help(office: Office, anna: Agent) -> None:
    office.line.house.database.write(lambda c: c.execute(agents.update().values(phone=None)))
    assert "knows no phone of yours" in anna.panel()
    assert anna.button() is None
    assert "knows no phone of yours" in anna.presses().text


def test_a_line_without_a_number_says_so(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = {
        "ZORGLIJN_ENV": "production",
        "PUBLIC_BASE_URL": "https://line.example.org",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "2" * 31 + "a",
    }
    line = Line(settings_for(database_url, **real), people.Clock())
    office = Office(line, people.Clock(), [])
    anna = office.agent("anna", office.asked())
    assert "The line has no number to call with." in anna.panel()
    assert anna.button() is None
    assert office.calls() == 0
    line.close()


def test_a_request_that_is_over_cannot_be_called_and_still_tells_how_it_was(
    office: Office, anna: Agent, request_id: str
) -> None:
    anna.presses()
    office.news(State.CALLER_BUSY)
    office.line.house.database.write(
        lambda c: queue.cancel(c, request_id, anna.member, "came to the door", office.clock())
    )
    assert "was busy" in anna.panel()
    assert anna.button() is None
    assert "the request has changed meanwhile" in anna.presses().text


def test_looking_how_it_goes_is_no_new_look_at_the_request_and_shows_nothing_of_the_caller(
    office: Office, anna: Agent
) -> None:
    anna.presses()
    before = office.looked()
    seen = ""
    for state in (State.RINGING_AGENT, State.AGENT_ANSWERED):
        office.news(state)
        answer = anna.looks(seen)
        found = re.search(r'data-seen="(\w+)"', answer.text)
        assert found
        seen = found[1]
        unchanged = anna.looks(seen)
        assert (unchanged.status_code, unchanged.text) == (204, "")
        for word in (CALLER, CALLER[-8:], "Doctor", "Dutch"):
            assert word not in answer.text
    assert office.looked() == before


def test_without_a_script_refreshing_leads_to_the_page(anna: Agent) -> None:
    anna.presses()
    answer = anna.client.get(f"{anna.address}/call")
    assert answer.status_code == 303
    assert answer.headers["Location"] == f"{anna.address}#call-back"


def test_a_rehearsal_says_where_it_rings(office: Office, anna: Agent) -> None:
    anna.presses()
    assert 'href="/phone" target="_blank"' in anna.panel()


def test_a_claim_that_ran_out_is_taken_anew_by_calling(office: Office, anna: Agent, request_id: str) -> None:
    bram = office.agent("bram", request_id)
    office.line.house.database.write(lambda c: queue.claim(c, request_id, bram.member, office.clock()))
    assert anna.button() is None
    office.clock.now += timedelta(hours=2)
    anna = office.agent("anna", request_id)
    assert anna.button() == "Call back"
