"""The provider's own client on a wire of ours, against a stand-in that does whatever a network can do."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta

import pytest

from callbacks.provider import Busy, PlaceCall, Refused, TwilioProvider, Uncertain
from callbacks.provider_wire import BrokenAnswer, Wire
from tests.standins import twilio_api as twilio
from tests.standins.twilio_api import ACCOUNT, TOKEN, Behaviour, TwilioApi

ANNAS_PHONE, LINE = "+31611111111", "+31401234567"
WANTED = PlaceCall(
    to=ANNAS_PHONE,
    from_=LINE,
    url="https://line.example.org/voice/callback/abc/agent",
    status_url="https://line.example.org/voice/callback/abc/status",
    ring_seconds=25,
    longest_seconds=3780,
)
LONG_AGO = datetime(2020, 1, 1, tzinfo=UTC)


@pytest.fixture
def api() -> Iterator[TwilioApi]:
    with TwilioApi() as standing_in:
        yield standing_in


def provider_at(url: str, *, token: str = TOKEN) -> TwilioProvider:
    return TwilioProvider(ACCOUNT, token, Wire(url, connect_seconds=0.3, answer_seconds=0.3))


def test_a_call_is_asked_for_with_everything_that_it_needs(api: TwilioApi) -> None:
    sid = provider_at(api.url).place(WANTED)
    (call,) = api.calls
    assert call.sid == sid
    assert call.form == {
        "To": [ANNAS_PHONE],
        "From": [LINE],
        "Url": [WANTED.url],
        "Method": ["POST"],
        "StatusCallback": [WANTED.status_url],
        "StatusCallbackMethod": ["POST"],
        "StatusCallbackEvent": ["initiated", "ringing", "answered", "completed"],
        "Timeout": ["25"],
        "TimeLimit": ["3780"],
    }


@pytest.mark.parametrize(
    "behaviour, code",
    [
        (twilio.invalid_number, "21211"),
        (twilio.unauthenticated, "20003"),
        (twilio.refused(403, 403), "http_403"),
    ],
)
def test_a_refusal_is_certain_and_says_why(api: TwilioApi, behaviour: Behaviour, code: str) -> None:
    api.next(behaviour)
    with pytest.raises(Refused) as no:
        provider_at(api.url).place(WANTED)
    assert no.value.code == code
    assert ANNAS_PHONE not in str(no.value)
    assert api.calls == []


def test_who_asks_too_often_may_ask_again_later(api: TwilioApi) -> None:
    api.next(twilio.too_many)
    with pytest.raises(Busy):
        provider_at(api.url).place(WANTED)
    assert api.calls == []


@pytest.mark.parametrize(
    "behaviour, calls",
    [
        (twilio.broken, 0),
        (twilio.broken_after_making, 1),
        (twilio.refused(408, 408), 0),
        (twilio.slow, 1),
        (twilio.hung, 0),
        (twilio.cut_off, 1),
        (twilio.cut_json, 1),
        (twilio.html, 1),
        (twilio.drip, 1),
        (twilio.endless, 1),
        (twilio.nonsense, 1),
        (twilio.nameless, 1),
    ],
)
def test_without_a_clear_answer_nothing_is_certain_and_nothing_is_asked_twice(
    api: TwilioApi, behaviour: Behaviour, calls: int
) -> None:
    api.next(behaviour)
    began = time.monotonic()
    with pytest.raises(Uncertain) as unknown:
        provider_at(api.url).place(WANTED)
    assert time.monotonic() - began < 20
    assert ANNAS_PHONE not in str(unknown.value)
    assert (api.asked("POST"), len(api.calls)) == (1, calls)


@pytest.mark.parametrize("behaviour", [twilio.cut_off, twilio.drip, twilio.endless, twilio.nonsense, twilio.hung])
def test_half_an_answer_is_none(api: TwilioApi, behaviour: Behaviour) -> None:
    """Also where what has come could be read."""
    api.next(behaviour)
    with pytest.raises(BrokenAnswer):
        Wire(api.url, answer_seconds=0.3).request(
            "POST", twilio.PATH, data={"To": "1", "From": "2"}, auth=(ACCOUNT, TOKEN)
        )


def test_a_redirect_is_not_followed_with_what_is_secret(api: TwilioApi) -> None:
    with TwilioApi() as elsewhere:
        api.next(twilio.redirect_to(f"{elsewhere.url}{twilio.PATH}"))
        with pytest.raises(Uncertain):
            provider_at(api.url).place(WANTED)
        assert elsewhere.requests == []


def test_two_answers_are_one_call(api: TwilioApi) -> None:
    api.next(twilio.answered_twice)
    assert provider_at(api.url).place(WANTED) == api.calls[0].sid
    assert len(api.calls) == 1


def test_where_nobody_listens_no_call_was_made() -> None:
    with TwilioApi() as gone:
        url = gone.url
    with pytest.raises(Refused) as no:
        provider_at(url).place(WANTED)
    assert no.value.code == "unreachable"


def test_calls_to_a_phone_are_found_by_number_and_moment_page_after_page(api: TwilioApi) -> None:
    provider = provider_at(api.url)
    api.page_size = 2
    wanted = [provider.place(WANTED) for _ in range(5)]
    provider.place(PlaceCall("+31622222222", LINE, WANTED.url, WANTED.status_url, 25, 60))
    api.calls[0].created_at = LONG_AGO
    api.calls[1].status = "completed"
    found = provider.find(ANNAS_PHONE, datetime.now(UTC) - timedelta(minutes=1))
    assert [call.sid for call in found] == wanted[:0:-1]
    assert {(call.to, call.from_) for call in found} == {(ANNAS_PHONE, LINE)}
    assert found[-1].status == "completed"
    assert found[0].created_at == api.calls[4].created_at.replace(microsecond=0)
    assert api.asked("GET") == 2


def test_calls_that_nobody_asked_for_here_are_not_found(api: TwilioApi) -> None:
    """The other leg of a call, and one that comes in, may be to the same phone."""
    for direction in ("outbound-dial", "inbound"):
        provider_at(api.url).place(WANTED)
        api.calls[-1].direction = direction
    assert provider_at(api.url).find(ANNAS_PHONE, LONG_AGO) == ()


def test_a_list_that_fails_finds_nothing_out(api: TwilioApi) -> None:
    api.list_fails = True
    with pytest.raises(Uncertain):
        provider_at(api.url).find(ANNAS_PHONE, LONG_AGO)
    with pytest.raises(Uncertain):
        provider_at(api.url, token="another").find(ANNAS_PHONE, LONG_AGO)


def test_the_provider_may_live_below_a_path(api: TwilioApi) -> None:
    with pytest.raises(Refused):
        provider_at(f"{api.url}/phone/api/").place(WANTED)
    assert api.requests == [("POST", f"/phone/api{twilio.PATH}")]


def test_numbers_are_not_shown_where_a_call_is_written_down() -> None:
    assert ANNAS_PHONE not in repr(WANTED)
    assert LINE not in repr(WANTED)


def test_the_providers_client_is_loaded_at_the_first_call_only() -> None:
    code = "import sys, app; print([name for name in sys.modules if name.startswith(('twilio.rest', 'requests'))])"
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout.strip() == "[]"
