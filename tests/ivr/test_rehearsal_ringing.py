"""A rehearsal without a phone company: the line asks itself for a call, and the agent's phone rings in the browser."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient

from callbacks import calling, queue
from callbacks.calling import CallWarning, State
from callbacks.provider import PlaceCall, Refused, TwilioProvider
from callbacks.provider_wire import Answer
from callbacks.ringing import Ringer
from ivr import rehearsal
from ivr.rehearsal_api import RINGS_FOR, sid_of
from settings import REHEARSAL_ACCOUNT_SID, REHEARSAL_AUTH_TOKEN
from tests.callbacks import people
from tests.ivr.line import Line, settings_for, sqlite
from tests.ivr.test_rehearsal import OURS, InProcess

CALLER = "+31687654321"
CALLS = f"/phone/api/2010-04-01/Accounts/{REHEARSAL_ACCOUNT_SID}/Calls.json"


@dataclass
class InProcessWire:
    """The provider's client asks the application itself, without a server."""

    client: FlaskClient
    is_async: bool = False

    def request(  # noqa: PLR0917  as the provider's client asks
        self,
        method: str,
        uri: str,
        params: Mapping[str, Any] | None = None,
        data: Mapping[str, Any] | None = None,
        headers: Mapping[str, str] | None = None,
        auth: tuple[str, str] | None = None,
        timeout: float | None = None,
        allow_redirects: bool = False,
    ) -> Answer:
        told = {**(headers or {})}
        if auth:
            told["Authorization"] = "Basic " + base64.b64encode(":".join(auth).encode()).decode()
        asked = self.client.open(
            "/phone/api" + urlsplit(uri).path,
            method=method,
            query_string=dict(params or {}),
            data=dict(data) if data else None,
            headers=told,
        )
        return Answer(asked.status_code, asked.text, dict(asked.headers))


@dataclass
class Phone:
    """The page of the phone, as somebody uses it."""

    client: FlaskClient
    told: dict[str, Any] = field(default_factory=dict)

    def rings(self) -> dict[str, Any] | None:
        answer = self.client.get("/phone/ringing")
        assert answer.status_code == 200
        ringing: dict[str, Any] | None = answer.get_json()["ringing"]
        if ringing is not None:
            self.told = {"state": ringing["state"]}
        return ringing

    def does(self, do: str, value: str = "") -> dict[str, Any]:
        sent = {"do": do, "value": value, "state": self.told["state"]}
        self.answer = self.client.post("/phone/act", json=sent, headers=OURS)
        self.told = self.answer.get_json()
        return self.told

    @property
    def words(self) -> str:
        return " ".join(heard["text"] for heard in self.told["heard"])


@dataclass
class Office:
    """A line with one request, an agent, and what its console does with the provider."""

    line: Line
    clock: people.Clock

    def __post_init__(self) -> None:
        self.database = self.line.house.database
        self.anna = people.join(self.database, "anna")
        self.line.dial(CALLER).presses(*"113133422111131")
        page = self.database.read(lambda c: queue.list_page(c, queue.Filters(), self.anna, self.clock()))
        self.request = page.entries[0].public_id
        settings = self.line.settings
        wire: Any = InProcessWire(self.line.app.test_client())
        self.provider = TwilioProvider(settings.twilio_account_sid, settings.twilio_auth_token, wire)
        base_url, number = settings.public_base_url, settings.line_number
        self.ringer = Ringer(self.database, self.provider, self.clock, base_url, number, start=lambda work: None)

    def calls_back(self) -> str:
        """Press Call back, and let the provider be asked."""
        office, now = self.line.house.line.switchboard.office, self.clock()
        outgoing = self.database.write(
            lambda c: calling.intend(c, self.request, self.anna, now, office, frozenset(CallWarning))
        )
        self.ringer.place(outgoing)
        return outgoing

    def state(self, outgoing: str) -> State:
        return self.database.read(lambda c: calling.find(c, outgoing)).state


@pytest.fixture
def office(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Office]:
    clock = people.Clock()
    line = Line(settings_for(sqlite(tmp_path)), clock)
    monkeypatch.setattr(rehearsal, "HttpTransport", lambda: InProcess(line.app.test_client(), []))
    yield Office(line, clock)
    line.close()


@pytest.fixture
def phone(office: Office) -> Phone:
    return Phone(office.line.app.test_client())


def test_nothing_rings_until_somebody_calls_back(phone: Phone, office: Office) -> None:
    assert phone.rings() is None
    office.calls_back()
    rung = phone.rings()
    assert rung is not None
    assert (rung["agent"], rung["to"]) == ("Anna", "+31 6 11111111")


def test_a_call_back_is_answered_connected_and_ended(phone: Phone, office: Office) -> None:
    outgoing = office.calls_back()
    assert office.state(outgoing) is State.RINGING_AGENT
    phone.rings()
    phone.does("answer")
    assert "press 1" in phone.words
    assert phone.told["waits"]["keys"]
    phone.does("press", "1")
    assert phone.told["other"] == {"number": "+31 … 21", "speaks": False}
    assert office.state(outgoing) is State.RINGING_CALLER
    phone.does("other_answers")
    assert phone.told["other"]["speaks"]
    assert office.state(outgoing) is State.CONNECTED
    phone.does("other_hangs_up")
    assert phone.told["ended_by"] == "line"
    assert "has ended" in phone.words
    assert office.state(outgoing) is State.ENDED
    assert phone.rings() is None


@pytest.mark.parametrize(
    "does, state",
    [
        ("let_it_ring", State.AGENT_NO_ANSWER),
        ("other_does_not_answer", State.CALLER_NO_ANSWER),
        ("other_is_busy", State.CALLER_BUSY),
    ],
)
def test_nobody_picks_up(phone: Phone, office: Office, does: str, state: State) -> None:
    outgoing = office.calls_back()
    phone.rings()
    if does.startswith("other"):
        phone.does("answer")
        phone.does("press", "1")
    phone.does(does)
    assert phone.told["ended_by"] is not None
    assert office.state(outgoing) is state
    assert phone.rings() is None


def test_a_phone_cannot_do_what_only_the_other_kind_does(phone: Phone, office: Office) -> None:
    asked = phone.client.post("/phone/call", json={"from": "0612345678"}, headers=OURS)
    phone.told = asked.get_json()
    phone.does("other_answers")
    assert phone.answer.status_code == 400
    office.calls_back()
    phone.rings()
    assert phone.does("other_answers")["error"] == "over"
    assert phone.answer.status_code == 409


def test_a_window_in_which_it_still_rings_ends_no_call_that_was_answered_in_another(
    phone: Phone, office: Office
) -> None:
    outgoing = office.calls_back()
    other = Phone(office.line.app.test_client())
    phone.rings()
    other.rings()
    phone.does("answer")
    assert other.does("let_it_ring")["error"] == "over"
    assert office.state(outgoing) is State.AGENT_ANSWERED


def test_a_call_that_nobody_sees_rings_out(phone: Phone, office: Office) -> None:
    """Also where no browser is open: the provider's list then says that nobody answered."""
    outgoing = office.calls_back()
    office.clock.now += RINGS_FOR + timedelta(seconds=1)
    assert phone.rings() is None
    office.clock.now += timedelta(minutes=1)
    office.ringer.reconcile()
    assert office.state(outgoing) is State.AGENT_NO_ANSWER


def test_the_provider_that_a_rehearsal_has_lists_what_was_placed(office: Office) -> None:
    outgoing = office.calls_back()
    (found,) = office.provider.find(str(office.anna.phone), office.clock() - timedelta(minutes=1))
    assert found.sid == sid_of(outgoing, REHEARSAL_AUTH_TOKEN)
    assert (found.status, found.created_at) == ("ringing", office.clock().replace(microsecond=0))
    assert office.provider.find("+31600000000", office.clock() - timedelta(minutes=1)) == ()
    assert office.provider.find(str(office.anna.phone), office.clock() + timedelta(minutes=1)) == ()


def test_it_rings_no_number_of_which_the_line_knows_nothing(office: Office) -> None:
    elsewhere = PlaceCall("+31611111111", "+31850000000", "https://elsewhere.example/agent", "", 25, 60)
    with pytest.raises(Refused) as refused:
        office.provider.place(elsewhere)
    assert refused.value.code == "21205"


@pytest.mark.parametrize(
    "user, password", [("", ""), (REHEARSAL_ACCOUNT_SID, "guessed"), ("AC1", REHEARSAL_AUTH_TOKEN)]
)
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_stranger_to_the_provider_learns_and_calls_nothing(
    office: Office, method: str, user: str, password: str
) -> None:
    auth = (user, password) if user else None
    answer = office.line.app.test_client().open(CALLS, method=method, auth=auth)
    assert answer.status_code == 401
    assert "calls" not in answer.get_json()


def test_no_line_but_a_rehearsal_has_a_phone_company_of_its_own(tmp_path: Path) -> None:
    real = {
        "ZORGLIJN_ENV": "production",
        "PUBLIC_BASE_URL": "https://line.example.org",
        "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
        "TWILIO_AUTH_TOKEN": "2" * 31 + "a",
    }
    line = Line(settings_for(sqlite(tmp_path), **real))
    client = line.app.test_client()
    for address in ("/phone/ringing", CALLS, "/phone"):
        assert client.get(address).status_code == 404
    line.close()
