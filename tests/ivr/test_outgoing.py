"""Calling back, from the provider's side: the agent is rung, presses 1, and only then the caller's phone rings.

No news is believed that was not signed, comes too late, or is about another call.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from urllib.parse import urlencode
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import select
from werkzeug.test import TestResponse

from callbacks import calling, queue, staff
from callbacks.calling import CallWarning, Progress, State
from callbacks.calling_views import outgoing_calls
from callbacks.errors import DatabaseUnavailable
from callbacks.staff import Member
from ivr.outgoing import CALLER_FAILED, YOUNG
from ivr.sayings import Saying
from ivr.twiml_reader import read_twiml
from ivr.twiml_verbs import Dial, Gather, Hangup, Say
from tests.callbacks import people
from tests.ivr.line import Line, settings_for, sqlite

CALLER = "+31687654321"
TRIAGE = "113133422111131"  # Dutch; a doctor; call this number
SIDS = itertools.count(0xA0000)


@dataclass
class CallBack:
    """One call that an agent asked for, as the provider carries it out."""

    line: Line
    clock: people.Clock
    login: str = "anna"
    sid: str = field(default_factory=lambda: f"CA{next(SIDS):032x}")

    def __post_init__(self) -> None:
        database = self.line.house.database
        self.member: Member = people.join(database, self.login)
        self.line.dial(CALLER).presses(*TRIAGE)
        self.reference: str = self.line.queue()[-1]["reference"]
        listed = database.read(
            lambda c: queue.list_page(c, queue.Filters(words=self.reference), self.member, self.clock())
        )
        self.request = listed.entries[0].public_id
        self.id = self.asks()

    def asks(self) -> str:
        """Press Call back; the public id of the outgoing call."""
        office, now = self.line.house.line.switchboard.office, self.clock()
        return self.line.house.database.write(
            lambda c: calling.intend(c, self.request, self.member, now, office, frozenset(CallWarning))
        )

    def post(self, path: str, **form: str) -> TestResponse:
        """A signed request about the call to the agent."""
        return self.line.post(f"/voice/callback/{self.id}/{path}", self.sid, **form)

    def hears(self, path: str, **form: str) -> str:
        """What the agent hears."""
        self.answer = self.post(path, **form)
        assert self.answer.status_code == 200, self.answer.text
        self.verbs = read_twiml(self.answer.text)
        root = ET.fromstring(self.answer.text)  # noqa: S314  our own document
        return " ".join(" ".join(say.itertext()) for say in root.iter("Say"))

    def picks_up(self) -> str:
        return self.hears("agent")

    def presses(self, key: str = "1", asked: int = 1) -> str:
        return self.hears(f"connect/{asked}", **({"Digits": key} if key else {}))

    def caller(self, status: str) -> None:
        """News of the call to the caller, under its own SID."""
        path = f"/voice/callback/{self.id}/caller"
        answer = self.line.post(path, f"CA{next(SIDS):032x}", CallStatus=status, ParentCallSid=self.sid)
        assert answer.status_code == 200

    def agent(self, status: str) -> None:
        """News of the call to the agent."""
        assert self.post("status", CallStatus=status).status_code == 200

    @property
    def progress(self) -> Progress:
        row = self.line.house.database.read(lambda c: calling.latest_of(c, calling.find(c, self.id).callback_id))
        assert row is not None
        return row

    def state(self) -> State:
        return self.progress.state

    def rows(self) -> list[tuple[object, ...]]:
        """Everything that is stored of calls to callers."""
        return self.line.house.database.read(lambda c: [tuple(row) for row in c.execute(select(outgoing_calls))])

    def gone(self) -> None:
        """The request is taken away from the agent meanwhile."""
        now = self.clock()
        self.line.house.database.write(lambda c: queue.cancel(c, self.request, self.member, "not needed", now))


@pytest.fixture
def clock() -> people.Clock:
    return people.Clock()


@pytest.fixture
def line(database_url: str, clock: people.Clock) -> Iterator[Line]:
    made = Line(settings_for(database_url), clock)
    yield made
    made.close()


@pytest.fixture
def call(line: Line, clock: people.Clock) -> CallBack:
    return CallBack(line, clock)


def dial_of(call: CallBack) -> Dial | None:
    return next((verb for verb in call.verbs if isinstance(verb, Dial)), None)


def test_a_whole_call_is_followed_from_the_first_ring_to_the_end(call: CallBack) -> None:
    call.agent("ringing")
    assert call.state() is State.RINGING_AGENT
    heard = call.picks_up()
    assert call.state() is State.AGENT_ANSWERED
    assert "press 1" in heard
    assert call.reference in re.sub(r"\D", "", heard)
    call.presses()
    assert call.state() is State.RINGING_CALLER
    dial = dial_of(call)
    assert dial is not None
    call.caller("ringing")
    call.caller("in-progress")
    assert call.state() is State.CONNECTED
    assert call.progress.connected_at is not None
    call.caller("completed")
    assert "has ended" in call.hears("done", DialCallStatus="completed")
    assert isinstance(call.verbs[-1], Hangup)
    call.agent("completed")
    assert call.state() is State.ENDED
    assert call.progress.ended_at is not None


def test_the_caller_sees_the_number_of_the_line_and_nobody_speaks_for_ever(call: CallBack) -> None:
    call.picks_up()
    call.presses()
    dial = dial_of(call)
    assert dial is not None
    assert (dial.number, dial.caller_id) == (CALLER, call.line.settings.line_number)
    assert dial.action == f"/voice/callback/{call.id}/done"
    assert dial.status_callback.endswith(f"/voice/callback/{call.id}/caller")
    assert dial.status_events == {"initiated", "ringing", "answered", "completed"}
    assert dial.time_limit == calling.TIME_LIMIT.total_seconds()
    assert dial.timeout <= 60


def test_whoever_picks_up_an_agents_phone_hears_no_name_need_or_number(call: CallBack) -> None:
    """Anna reads English: so does her phone; and no word is of health, of papers or of us."""
    heard = call.picks_up().casefold()
    for word in ("doctor", "dokter", "health", "papers", "anna", "zorglijn", "knel", "vluchteling", "87654321"):
        assert word not in heard
    (gather,) = call.verbs
    assert isinstance(gather, Gather)
    assert {prompt.language for prompt in gather.prompts if isinstance(prompt, Say)} == {"en-GB"}


def test_an_agent_hears_their_own_language(line: Line, clock: people.Clock) -> None:
    assert "druk op 1" in CallBack(line, clock, "bram").picks_up()


def test_an_agent_who_does_not_press_1_is_asked_once_more_and_then_left_alone(call: CallBack) -> None:
    call.picks_up()
    assert "press 1" in call.presses("7")
    assert call.state() is State.AGENT_ANSWERED
    (gather,) = call.verbs
    assert isinstance(gather, Gather)
    assert gather.action.endswith("/connect/2")
    assert "Nobody is called" in call.presses("", asked=2)
    assert isinstance(call.verbs[-1], Hangup)
    call.agent("completed")
    assert call.state() is State.AGENT_DECLINED


def test_a_1_at_the_second_asking_connects(call: CallBack) -> None:
    call.picks_up()
    call.presses("")
    call.presses("1", asked=2)
    assert dial_of(call) is not None


@pytest.mark.parametrize(
    "status, says, state",
    [
        ("busy", "busy", State.CALLER_BUSY),
        ("no-answer", "Nobody took the phone", State.CALLER_NO_ANSWER),
        ("canceled", "Nobody took the phone", State.CALLER_NO_ANSWER),
        ("failed", "cannot be called", State.FAILED),
        ("completed", "has ended", State.ENDED),
        ("answered", "has ended", State.ENDED),
    ],
)
def test_the_agent_hears_how_it_went(call: CallBack, status: str, says: str, state: State) -> None:
    call.picks_up()
    call.presses()
    assert says in call.hears("done", DialCallStatus=status)
    assert call.state() is state
    assert call.progress.error == (CALLER_FAILED if state is State.FAILED else None)


@pytest.mark.parametrize(
    "status, state",
    [
        ("busy", State.AGENT_NO_ANSWER),
        ("no-answer", State.AGENT_NO_ANSWER),
        ("canceled", State.AGENT_NO_ANSWER),
        ("failed", State.FAILED),
    ],
)
def test_an_agent_who_does_not_pick_up_ends_the_call(call: CallBack, status: str, state: State) -> None:
    call.agent("ringing")
    call.agent(status)
    assert call.state() is state
    assert not call.progress.is_live


def test_an_agent_who_hangs_up_is_no_end_that_was_not_reached(call: CallBack) -> None:
    """While it rings at the caller's, nobody answered there; once they speak, they spoke."""
    call.picks_up()
    call.presses()
    call.agent("completed")
    assert call.state() is State.CALLER_NO_ANSWER
    call.caller("in-progress")  # the news that they spoke comes last
    assert call.state() is State.ENDED


def test_news_in_any_order_and_doubled_leads_to_the_same_end(database_url: str, clock: people.Clock) -> None:
    news: list[Callable[[CallBack], object]] = [
        lambda call: call.agent("in-progress"),
        lambda call: call.caller("ringing"),
        lambda call: call.caller("in-progress"),
        lambda call: call.hears("done", DialCallStatus="completed"),
        lambda call: call.agent("completed"),
    ]
    line = Line(settings_for(database_url), clock)
    for number, order in enumerate(itertools.permutations(news)):
        if number % 10:
            continue  # every tenth of the 120 orders
        call = CallBack(line, clock)
        call.picks_up()
        call.presses()
        for tell in order:
            tell(call)
            tell(call)
        assert call.state() is State.ENDED, number
        call.gone()  # the next caller has the same number
    line.close()


@pytest.mark.parametrize("when", ["before the phone is picked up", "before 1 is pressed"])
def test_a_request_that_is_not_the_agents_any_more_is_not_connected(call: CallBack, when: str) -> None:
    if when == "before 1 is pressed":
        call.picks_up()
    call.gone()
    heard = call.presses() if when == "before 1 is pressed" else call.picks_up()
    assert "not needed any more" in heard
    assert dial_of(call) is None
    assert call.state() is State.STOPPED
    call.agent("completed")
    assert call.state() is State.STOPPED


def test_a_request_that_was_pressed_replayed_later_gives_no_number(call: CallBack, clock: people.Clock) -> None:
    call.picks_up()
    call.presses()
    assert dial_of(call) is not None
    clock.now += YOUNG + timedelta(seconds=1)
    call.presses()
    assert dial_of(call) is None
    assert CALLER not in call.answer.text


@pytest.mark.parametrize("days", [0, 40])
def test_a_call_that_is_over_replayed_changes_nothing_and_gives_no_number(
    call: CallBack, clock: people.Clock, days: int
) -> None:
    call.picks_up()
    call.presses()
    call.caller("in-progress")
    stored = call.rows()
    call.presses()  # while they speak
    assert dial_of(call) is None
    assert call.rows() == stored
    call.hears("done", DialCallStatus="completed")
    stored = call.rows()
    clock.now += timedelta(days=days)
    assert "not needed any more" in call.picks_up()
    for asked in (1, 2):
        call.presses("1", asked)
        assert dial_of(call) is None
    call.agent("ringing")
    call.caller("busy")
    assert call.rows() == stored


def test_a_second_call_for_the_same_wish_is_sent_away(call: CallBack) -> None:
    """Should the provider ever make two, only the first that is picked up is connected."""
    call.picks_up()
    first, call.sid = call.sid, f"CA{next(SIDS):032x}"
    assert "not needed any more" in call.picks_up()
    call.presses()
    assert dial_of(call) is None
    call.agent("completed")
    assert call.state() is State.AGENT_ANSWERED
    call.sid = first
    call.presses()
    assert dial_of(call) is not None


@pytest.mark.parametrize("path", ["agent", "connect/1", "caller", "done", "status"])
def test_what_is_not_signed_or_about_no_call_changes_nothing(call: CallBack, path: str) -> None:
    stored = call.rows()
    address = f"/voice/callback/{call.id}/{path}"
    forms = {"CallSid": call.sid, "AccountSid": call.line.settings.twilio_account_sid, "CallStatus": "completed"}
    for signature in ({}, {"X-Twilio-Signature": "AAAA"}):
        answer = call.line.client.post(
            address, data=urlencode(forms), headers=signature, content_type="application/x-www-form-urlencoded"
        )
        assert answer.status_code == 403
        assert answer.content_type.startswith("text/xml")
    sent = [*forms.items(), ("Digits", "1")]
    for_another = {"X-Twilio-Signature": call.line.verifier.sign("/voice/status", sent).decode()}
    answer = call.line.client.post(
        address, data=urlencode(sent), headers=for_another, content_type="application/x-www-form-urlencoded"
    )
    assert answer.status_code == 403
    call.id = "f" * 32
    answer = call.post(path, CallStatus="completed", Digits="1", DialCallStatus="completed")
    assert answer.status_code == 200
    assert "Dial" not in answer.text
    assert call.rows() == stored


@pytest.mark.parametrize("path", ["agent", "connect/1", "done", "caller", "status"])
def test_where_the_database_is_away_the_agent_hears_a_kind_sentence(
    tmp_path: Path, clock: people.Clock, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    line = Line(settings_for(sqlite(tmp_path)), clock)
    call = CallBack(line, clock)

    def away(*_: object) -> None:
        raise DatabaseUnavailable("locked")

    monkeypatch.setattr(line.house.database, "write", away)
    answer = call.post(path, CallStatus="completed", Digits="1", DialCallStatus="completed")
    assert (answer.status_code, answer.content_type) == (200, "text/xml; charset=utf-8")
    assert "something went wrong" in answer.text
    assert "ging iets mis" in answer.text
    assert CALLER not in answer.text
    monkeypatch.undo()
    line.close()


def test_a_line_without_a_number_connects_nobody(tmp_path: Path, clock: people.Clock) -> None:
    line = Line(settings_for(sqlite(tmp_path), LINE_NUMBER=" "), clock)
    call = CallBack(line, clock)
    if line.settings.line_number is None:
        call.picks_up()
        assert call.state() is State.STOPPED
    line.close()


def test_an_agent_who_left_the_team_connects_nobody(call: CallBack, clock: people.Clock) -> None:
    call.picks_up()
    call.line.house.database.write(lambda c: staff.disable(c, "anna", clock()))
    call.presses()
    assert call.state() is State.STOPPED


def test_every_saying_is_written_in_every_language(call: CallBack) -> None:
    prompts = call.line.house.line.renderer.prompts
    for saying in Saying:
        for language in prompts.languages:
            assert prompts.text(saying, language.code)
