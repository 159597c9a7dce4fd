"""An agent's phone that a line rings: it tells what the provider tells, and plays the phone that a Dial connects."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from twilio.request_validator import RequestValidator

from ivr.phone_calls import Ending
from ivr.phone_errors import AlreadyDialled, BadAnswer, NoAnswer, NoCall, NotListening
from ivr.phone_outgoing import AGENT, LINE, UNTAKEN, AgentPhone
from ivr.transport import Answer
from tests.ivr.fake_line import ACCOUNT, BASE, TOKEN, FakeLine, Page, gather, say, twiml

CALLER = "+31687654321"
EVENTS = "initiated ringing answered completed"
ASKS = gather('action="/connect" numDigits="1" finishOnKey=""', say("Druk op 1."))
DIALS = (
    f'<Dial callerId="{LINE}" action="/done" timeout="30"><Number statusCallback="{BASE}/caller" '
    f'statusCallbackEvent="{EVENTS}">{CALLER}</Number></Dial>'
)


def ringing(**pages: Page) -> tuple[AgentPhone, FakeLine]:
    """A phone that rings, and a line that asks for a key and then dials."""
    own: dict[str, Page | list[Page]] = {
        "/agent": twiml(ASKS),
        "/connect": twiml(say("Wij bellen."), DIALS),
        "/done": twiml(say("Voorbij.")),
        "/status": twiml(),
        "/caller": twiml(),
    }
    line = FakeLine({**own, **{f"/{name}": page for name, page in pages.items()}})
    settings = {"base_url": BASE, "account_sid": ACCOUNT, "auth_token": TOKEN}
    return AgentPhone(line, incoming_url="/agent", status_url="/status", **settings), line


def connecting() -> tuple[AgentPhone, FakeLine]:
    """The agent has pressed 1, and the other phone rings."""
    phone, line = ringing()
    phone.answer()
    phone.press("1")
    return phone, line


def told(line: FakeLine) -> list[tuple[str, str]]:
    """What was posted: where, and the status of which call it told."""
    return [(posted.path, posted.form["CallStatus"]) for posted in line.posted]


def test_a_whole_call_is_told_step_by_step() -> None:
    phone, line = ringing()
    phone.ring()
    assert [sound.text for sound in phone.answer()] == ["Druk op 1."]
    assert [sound.text for sound in phone.press("1")] == ["Wij bellen."]
    phone.other_answers()
    assert [sound.text for sound in phone.other_hangs_up()] == ["Voorbij."]
    assert told(line) == [
        ("/status", "ringing"),
        ("/status", "in-progress"),
        ("/agent", "in-progress"),
        ("/connect", "in-progress"),
        ("/caller", "initiated"),
        ("/caller", "ringing"),
        ("/caller", "in-progress"),
        ("/caller", "completed"),
        ("/done", "in-progress"),
        ("/status", "completed"),
    ]
    assert phone.ended_by is Ending.LINE


def test_the_forms_tell_who_calls_whom_and_are_signed() -> None:
    _, line = connecting()
    agent = next(posted for posted in line.posted if posted.path == "/agent").form
    other = next(posted for posted in line.posted if posted.path == "/caller").form
    assert (agent["From"], agent["To"], agent["Direction"]) == (LINE, AGENT, "outbound-api")
    assert (other["From"], other["To"], other["Direction"]) == (LINE, CALLER, "outbound-dial")
    assert other["ParentCallSid"] == agent["CallSid"] != other["CallSid"]
    for posted in line.posted:
        expected = RequestValidator(TOKEN).compute_signature(posted.url, posted.form)
        assert posted.headers["X-Twilio-Signature"] == expected


@pytest.mark.parametrize("status", UNTAKEN)
def test_a_phone_that_nobody_picks_up_says_so_and_is_over(status: str) -> None:
    phone, line = ringing()
    phone.let_it_be(status)
    assert told(line) == [("/status", status)]
    assert phone.is_over
    with pytest.raises(NoCall):
        phone.answer()


@pytest.mark.parametrize("status", UNTAKEN)
def test_where_the_other_phone_is_not_taken_the_line_goes_on_with_the_agent(status: str) -> None:
    phone, line = connecting()
    assert phone.other is not None
    assert not phone.other.is_answered
    assert phone.other_is_left(status)[-1].text == "Voorbij."
    assert ("/caller", status) in told(line)
    done = next(posted for posted in line.posted if posted.path == "/done").form
    assert (done["DialCallStatus"], done["DialCallDuration"]) == (status, "0")
    assert phone.other is None


def test_an_agent_who_hangs_up_ends_the_other_call_too() -> None:
    rung, line = connecting()
    rung.hang_up()
    assert told(line)[-2:] == [("/caller", "canceled"), ("/status", "completed")]
    spoke, line = connecting()
    spoke.other_answers()
    spoke.hang_up()
    assert told(line)[-2:] == [("/caller", "completed"), ("/status", "completed")]
    assert "/done" not in line.paths


def test_only_the_events_that_the_line_asks_for_are_told() -> None:
    plain = f'<Dial action="/done"><Number statusCallback="/caller">{CALLER}</Number></Dial>'
    phone, line = ringing(connect=twiml(plain))
    phone.answer()
    phone.press("1")
    phone.other_answers()
    phone.other_hangs_up()
    assert [path for path in line.paths if path == "/caller"] == ["/caller"]


def test_nobody_can_answer_twice_or_where_nothing_rings() -> None:
    phone, _ = ringing()
    with pytest.raises(NoCall):
        phone.other_answers()
    phone.answer()
    with pytest.raises(AlreadyDialled):
        phone.answer()
    with pytest.raises(NoCall):
        phone.let_it_be()
    phone.press("1")
    with pytest.raises(NoCall):
        phone.other_hangs_up()
    phone.other_answers()
    for do in (phone.other_answers, phone.other_is_left):
        with pytest.raises(NoCall):
            do()


def test_while_two_phones_are_connected_the_line_listens_to_nothing() -> None:
    phone, line = connecting()
    phone.other_answers()
    before = len(line.posted)
    acts: tuple[Callable[[], object], ...] = (lambda: phone.press("1"), phone.stay_silent, lambda: phone.say("hallo"))
    for act in acts:
        with pytest.raises(NotListening):
            act()
    assert len(line.posted) == before
    assert phone.other is not None


def test_a_failure_leaves_the_call_where_it_was() -> None:
    phone, line = connecting()
    line.pages["/done"] = [NoAnswer(f"{BASE}/done", "timed out"), twiml(say("Voorbij."))]
    with pytest.raises(NoAnswer):
        phone.other_is_left("busy")
    assert phone.other is not None
    assert phone.other_is_left("busy")[-1].text == "Voorbij."


def test_a_refused_piece_of_news_is_an_error() -> None:
    phone, _ = ringing(status=Answer(403, "text/xml", twiml()))
    with pytest.raises(BadAnswer):
        phone.answer()


@pytest.mark.parametrize("speaks", [False, True])
def test_the_call_can_be_carried_away_as_json_and_gone_on_with(speaks: bool) -> None:
    phone, line = connecting()
    if speaks:
        phone.other_answers()
    carried = json.loads(json.dumps(phone.state()))
    assert TOKEN not in json.dumps(carried)
    settings = {"base_url": BASE, "account_sid": ACCOUNT, "auth_token": TOKEN}
    other = AgentPhone.from_state(carried, line, **settings)
    assert other.other == phone.other
    assert other.call_sid == phone.call_sid
    if not speaks:
        other.other_answers()
    other.other_hangs_up()
    assert other.ended_by is Ending.LINE
    ended = AgentPhone.from_state(json.loads(json.dumps(other.state())), line, **settings)
    assert ended.other is None
