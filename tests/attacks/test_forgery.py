"""Requests that nobody but an attacker sends, and odd ones that are signed all the same.

They are refused in words the provider can act on, or answered; never a 500, and never a row that was not signed for.
"""

from __future__ import annotations

import base64
import gzip
import hmac
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from urllib.parse import quote, urlencode
from xml.etree import ElementTree as ET

import pytest
from sqlalchemy import func, select
from werkzeug.test import TestResponse

from callbacks import call_log, service
from settings import REHEARSAL_ACCOUNT_SID, REHEARSAL_BASE_URL
from tests.attacks.wire import FORM, Pairs, about, raw, signature, wire
from tests.ivr.line import Line, settings_for, sqlite
from tests.servers import RunningServer, free_port

SID = "CA" + "7" * 32
SIGNED_ROUTES = ("/voice/incoming", "/voice/turn/1", "/voice/turn/0", "/voice/turn/2", "/voice/status")


@pytest.fixture(scope="module")
def line(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Line]:
    """One line for all of them, in which a call waits: what is compared is before and after."""
    made = Line(settings_for(sqlite(tmp_path_factory.mktemp("forgery"))))
    made.post("/voice/incoming", SID)
    made.post("/voice/turn/1", SID, Digits="1")
    yield made
    made.close()


def rows(line: Line) -> list[int]:
    """How many calls, ended calls, steps and callbacks there are."""
    ended = select(func.count(call_log.calls.c.ended_at))
    counts = [
        ended,
        *(select(func.count()).select_from(t) for t in (call_log.calls, call_log.steps, service.callbacks)),
    ]
    return [line.house.database.read(lambda c, q=query: c.scalar(q)) or 0 for query in counts]  # type: ignore[misc]


def post(line: Line, target: str, body: bytes | str, sign: str | None, **headers: str) -> TestResponse:
    """Send a body with a signature, or with none."""
    signed = {} if sign is None else {"X-Twilio-Signature": sign}
    return line.client.post(target, data=body, content_type=headers.pop("kind", FORM), headers={**signed, **headers})


def is_refused(answer: TestResponse) -> bool:
    """A refusal that says nothing to a caller but ends in a hang-up; TwiML like everything else."""
    assert answer.content_type == "text/xml; charset=utf-8", answer.content_type
    ET.fromstring(answer.text)  # noqa: S314
    return 400 <= answer.status_code < 500


FORM_SENT: Pairs = about(SID, Digits="1", CallStatus="completed")


def other_algorithm(target: str, pairs: Pairs) -> str:
    """The right words under another hash."""
    signed = REHEARSAL_BASE_URL + target + "".join(name + value for name, value in sorted(pairs))
    return base64.b64encode(hmac.digest(b"rehearsal-auth-token", signed.encode(), "sha256")).decode()


def forged(target: str) -> Mapping[str, str | None]:
    """Signatures that are not this request's."""
    right = signature(REHEARSAL_BASE_URL, target, FORM_SENT)
    return {
        "missing": None,
        "empty": "",
        "blank": " ",
        "wrong": base64.b64encode(bytes(20)).decode(),
        "cut short": right[:-1],
        "longer": right + "=",
        "in capitals": right.upper(),
        "not ascii": "é" * 28,
        "two at once": f"{right},{right}",
        "another token": signature(REHEARSAL_BASE_URL, target, FORM_SENT, "0" * 32),
        "no token": signature(REHEARSAL_BASE_URL, target, FORM_SENT, ""),
        "another host": signature("http://evil.example", target, FORM_SENT),
        "https": signature("https://127.0.0.1:8000", target, FORM_SENT),
        "another path": signature(REHEARSAL_BASE_URL, "/voice/fallback", FORM_SENT),
        "a query": signature(REHEARSAL_BASE_URL, target + "?a=1", FORM_SENT),
        "no form": signature(REHEARSAL_BASE_URL, target, []),
        "a parameter less": signature(REHEARSAL_BASE_URL, target, FORM_SENT[:-1]),
        "another hash": other_algorithm(target, FORM_SENT),
    }


@pytest.mark.parametrize("target", SIGNED_ROUTES)
def test_no_forged_signature_is_believed(line: Line, target: str) -> None:
    """403 in TwiML, whichever route it is, and nothing is changed."""
    stored = rows(line)
    for how, sign in forged(target).items():
        answer = post(line, target, urlencode(FORM_SENT), sign)
        assert is_refused(answer), how
        assert answer.status_code == 403, how
    assert rows(line) == stored
    assert post(line, target, urlencode(FORM_SENT), signature(REHEARSAL_BASE_URL, target, FORM_SENT)).status_code == 200


def tampered() -> Mapping[str, list[tuple[str, str]]]:
    """Forms that were changed on their way."""
    form = list(FORM_SENT)
    cut = [(name, value) for name, value in form if name not in ("CallSid", "Digits", "AccountSid")]
    return {
        "another key": [*form[:-2], ("Digits", "2"), form[-1]],
        "another call": [("CallSid", "CA" + "8" * 32), *form[1:]],
        "one more": [*form, ("SpeechResult", "0")],
        "one less": form[:-1],
        "twice": [*form, form[-1]],
        "twice with another value": [*form, ("Digits", "0")],
        "nothing": [],
        "name and value cut elsewhere": [*cut, ("CallSi", "d" + SID), ("AccountSid", REHEARSAL_ACCOUNT_SID)],
        "two joined": [*cut, ("AccountSid", REHEARSAL_ACCOUNT_SID), ("CallSid", SID + "Digits1")],
        "another account": [*form[:1], ("AccountSid", "AC" + "1" * 32), *form[2:]],
    }


@pytest.mark.parametrize("target", SIGNED_ROUTES)
@pytest.mark.parametrize("how", tampered())
def test_no_form_that_was_changed_is_believed(line: Line, target: str, how: str) -> None:
    """Also where the signature, which knows no delimiters, is right."""
    stored, pairs = rows(line), tampered()[how]
    for signed in (
        (FORM_SENT, pairs) if how in ("two joined", "twice", "name and value cut elsewhere") else (FORM_SENT,)
    ):
        answer = post(line, target, urlencode(pairs), signature(REHEARSAL_BASE_URL, target, signed))
        assert is_refused(answer), answer.status_code
    assert rows(line) == stored


def addressed() -> Mapping[str, str]:
    """Other ways to write an address."""
    return {
        "a query": "/voice/turn/2?a=1",
        "a slash more": "/voice/turn/2/",
        "two slashes": "/voice//turn/2",
        "two slashes first": "//voice/turn/2",
        "capitals": "/VOICE/TURN/2",
        "an escape": "/voice/%74urn/2",
        "an escaped slash": "/voice%2Fturn/2",
        "a dot": "/voice/./turn/2",
        "two dots": "/voice/turn/../turn/2",
        "a path parameter": "/voice/turn/2;a=1",
        "a sign": "/voice/turn/+2",
        "negative": "/voice/turn/-1",
        "zeros": "/voice/turn/0002",
        "huge": "/voice/turn/" + "9" * 400,
        "another script": "/voice/turn/" + quote("٢"),
        "a NUL": "/voice/turn/2%00",
        "no number": "/voice/turn/",
        "a fragment of ours": "/voice/turn/2%23rc=2",
    }


@pytest.mark.parametrize("how", addressed())
def test_no_address_written_otherwise_is_believed_on_the_signature_of_the_usual_one(line: Line, how: str) -> None:
    """And signed for itself it is refused or rightly answered."""
    stored, target = rows(line), addressed()[how]
    usual = post(line, target, urlencode(FORM_SENT), signature(REHEARSAL_BASE_URL, "/voice/turn/2", FORM_SENT))
    if target.startswith("/voice/"):
        assert is_refused(usual), usual.status_code
    assert 400 <= usual.status_code < 500
    assert rows(line) == stored
    own = post(line, target, urlencode(FORM_SENT), signature(REHEARSAL_BASE_URL, target, FORM_SENT))
    assert own.status_code in (200, 400, 404), own.status_code
    assert rows(line)[0] == stored[0]


@pytest.mark.parametrize("target", [*SIGNED_ROUTES, "/voice/fallback", "/voice/nowhere"])
def test_no_other_method_does_anything(line: Line, target: str) -> None:
    """Also not by a header or a parameter that some frameworks obey."""
    stored = rows(line)
    for method in ("GET", "HEAD", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE", "PROPFIND"):
        sign = signature(REHEARSAL_BASE_URL, target, FORM_SENT)
        answer = line.client.open(
            target,
            method=method,
            data=urlencode(FORM_SENT),
            content_type=FORM,
            headers={"X-Twilio-Signature": sign, "X-HTTP-Method-Override": "POST"},
        )
        assert answer.status_code < 500, method
        allowed = method == "OPTIONS" or (target == "/voice/fallback" and method in ("GET", "HEAD"))
        assert (answer.status_code == 200) == (allowed and target != "/voice/nowhere"), (method, answer.status_code)
    override = line.client.get(f"{target}?_method=POST", headers={"X-HTTP-Method": "POST"})
    assert override.status_code == (200 if target == "/voice/fallback" else 404 if "nowhere" in target else 405)
    assert rows(line) == stored


def bodies() -> Mapping[str, tuple[bytes, Mapping[str, str]]]:
    """Bodies that are no form, or not as they say."""
    form = urlencode(FORM_SENT).encode()
    part = b'--x\r\nContent-Disposition: form-data; name="CallSid"\r\n\r\n' + SID.encode() + b"\r\n--x--\r\n"
    return {
        "several parts": (part, {"kind": "multipart/form-data; boundary=x"}),
        "json": (b'{"CallSid": "' + SID.encode() + b'"}', {"kind": "application/json"}),
        "pressed": (gzip.compress(form), {"Content-Encoding": "gzip"}),
        "a megabyte": (b"a=" + b"b" * 1_000_000, {}),
        "many parameters": (b"a=1&" * 2000 + form, {}),
        "another character set": (form, {"kind": FORM + "; charset=utf-16"}),
        "bytes": (bytes(range(256)), {}),
        "half an escape": (form + b"&a=%", {}),
        "not UTF-8": (form + b"&SpeechResult=%ff%fe", {}),
        "half a character": (form + b"&SpeechResult=%ed%a0%80", {}),
        "no value": (form + b"&a", {}),
        "no name": (form + b"&=a", {}),
    }


@pytest.mark.parametrize("target", SIGNED_ROUTES)
@pytest.mark.parametrize("how", bodies())
def test_no_odd_body_is_believed(line: Line, target: str, how: str) -> None:
    """Refused in TwiML; the signature is that of the form that it might be taken for."""
    stored, (body, headers) = rows(line), bodies()[how]
    if how == "another character set":  # it says so, but it is the form that was signed, byte for byte
        assert post(line, target, body, None, **headers).status_code == 403
    else:
        answer = post(line, target, body, signature(REHEARSAL_BASE_URL, target, FORM_SENT), **headers)
        assert is_refused(answer), answer.status_code
    assert rows(line) == stored


ODD_WORDS = {
    "4000 characters": "ja " * 1333 + "j",
    "emoji": "😀👩🏽‍⚕️ ja",
    "right to left": "\u202eنعم\u202c ja",
    "a zero width": "j\u200ba\ufeff",
    "combining": "j" + "a\u0301" * 500,
    "markup": "</Say><Hangup/>]]>&amp;",
    "a formula": "=HYPERLINK(1)",
    "lines": "ja\r\n\tja\x0b\x1b[2J",
    "quotes": "'; DROP TABLE calls; -- \"",
    "braces": "{number} {0.__class__} %s %(a)s",
    "private": "\ue000\U0010fffd",
    "blank": "   ",
}


@pytest.mark.parametrize("how", ODD_WORDS)
def test_odd_words_are_heard_stored_and_answered(line: Line, how: str) -> None:
    """As they came; at every kind of node that takes words, the caller's own language among them."""
    caller = line.dial()
    for keys in ((), ("1",), ("1", "0", "1"), ("1", "0", "1", "2"), ("1", "0", "1", "1", "1", "3")):
        caller = line.dial().presses(*keys)
        caller.says(ODD_WORDS[how])
        steps = line.house.database.read(
            lambda c: [row.utterance for row in c.execute(select(call_log.steps).order_by(call_log.steps.c.at))]
        )
        assert ODD_WORDS[how] in steps
        assert caller.action is not None
    assert "<Hangup" not in caller.document


@pytest.mark.parametrize(
    "form",
    [
        {"SpeechResult": "ja\x00"},
        {"SpeechResult": "j" * 4001},
        {"Confidence": "nan"},
        {"Confidence": "2"},
        {"Confidence": "-0.1"},
        {"Confidence": "high"},
        {"Digits": "1\n"},
        {"Digits": "\uff11"},
        {"Digits": "hangup "},
        {"RecordingSid": "RE../../x"},
        {"From\x00": "x", "To": "\x00"},
    ],
    ids=str,
)
def test_what_no_phone_sends_is_refused_although_it_is_signed(line: Line, form: dict[str, str]) -> None:
    """400 in TwiML, and nothing is changed."""
    stored = rows(line)
    answer = line.post("/voice/turn/2", SID, **form)
    assert is_refused(answer)
    assert answer.status_code == 400
    assert rows(line) == stored


@pytest.mark.parametrize(
    "from_",
    ["", "+", "+31", "client:anna", "sip:a@b.example;transport=tcp", "+31 6 12345678", "0612345678", "+" + "9" * 300,
     "+٣١٦١٢٣٤٥٦٧٨", "😀", "Anonymous", "+3161234567\uff18", "+31612345678,+31687654321", "null", "tel:+31612345678"],
)  # fmt: skip
def test_whoever_calls_from_something_odd_is_asked_for_a_number(line: Line, from_: str) -> None:
    """Nothing but a number that we may dial is ever read out as theirs or stored."""
    caller = line.dial(from_).presses("1", "0", "1")
    assert caller.callback() is None
    caller.presses("0687654321", "1")
    record = caller.callback()
    assert record is not None
    assert record["phone"] == "+31687654321"


def test_somebody_who_leans_on_the_keypad_is_not_cut_off(line: Line) -> None:
    """However many keys: not understood, and asked again."""
    assert line.dial().presses("5" * 300).action is not None
    caller = line.dial().presses("1", "0", "1", "2").presses("5" * 300)
    assert caller.action is not None
    assert caller.presses("0687654321", "1").callback() is not None


def test_recordings_give_away_nothing_but_recordings(line: Line) -> None:
    """No way out of the folder, no folder, and no odd range is a 500."""
    names = ("..%2f..%2fsettings.py", "../../app.py", "nl/", "nl", "nl%00", "%00", "nl/" + "a" * 5000,
             "nl/../../app.py", "/etc/passwd", "..%5c..%5capp.py", "nl/..%c0%af..%c0%afapp.py")  # fmt: skip
    for name in names:
        assert line.client.get(f"/voice/prompts/{name}").status_code in (404, 308), name
    for header in ({"Range": "bytes=9-1"}, {"Range": "bytes=a-b"}, {"If-Modified-Since": "\x80 Sat"}):
        with line.client.get("/voice/prompts/nl/welcome_language.txt", headers=header) as answer:
            assert answer.status_code < 500


@pytest.fixture
def server(tmp_path: Path, start_server: Callable[[Mapping[str, str]], RunningServer]) -> Iterator[RunningServer]:
    """A line for real, whose signed address is its own."""
    port = free_port()
    env = {"DATABASE_URL": sqlite(tmp_path), "PUBLIC_BASE_URL": f"http://127.0.0.1:{port}"}
    with RunningServer(env, port) as running:
        yield running


def test_what_only_a_raw_socket_can_send_changes_nothing(server: RunningServer, tmp_path: Path) -> None:
    """Bodies of another length than was said, in chunks, or never finished: refused or cut off, and no 500."""
    base, body = server.url, urlencode(about(SID)).encode()
    sign = signature(base, "/voice/incoming", about(SID)).encode()

    def request(head: bytes, content: bytes, first: bytes = b"POST /voice/incoming HTTP/1.1") -> bytes:
        kind = b"Content-Type: " + FORM.encode() + b"\r\n"
        return first + b"\r\nHost: x\r\nX-Twilio-Signature: " + sign + b"\r\n" + kind + head + b"\r\n\r\n" + content

    length = b"Content-Length: %d"
    chunk, cut = (b"%x\r\n%s\r\n0\r\n\r\n" % (len(form), form) for form in (body, body[:-1]))
    odd = {
        "no length": request(b"X: y", body),
        "too short a length": request(length % 10, body),
        "too long a length": request(length % (len(body) + 50), body[:-1]),
        "a negative length": request(b"Content-Length: -1", body),
        "a length in words": request(b"Content-Length: many", body),
        "two lengths": request((length % len(body)) + b"\r\nContent-Length: 3", body),
        "length and chunks": request((length % len(body)) + b"\r\nTransfer-Encoding: chunked", cut),
        "broken chunks": request(b"Transfer-Encoding: chunked", b"zz\r\n" + body),
        "an unfinished chunk": request(b"Transfer-Encoding: chunked", b"ffff\r\n" + body[:-1]),
        "a tunnel": request(length % len(body), body, b"CONNECT x:80 HTTP/1.1"),
        "old": request(length % 10, body, b"POST /voice/incoming HTTP/1.0"),
        "very old": b"GET /voice/incoming\r\n",
        "nothing": b"",
        "noise": bytes(range(256)) * 8,
        "a header in the signature": request(b"X-Twilio-Signature: " + sign, body),
        "an underscore": request(b"X_Twilio_Signature: y", body[:-1]),
    }
    with wire(server.port) as line:
        for how, data in odd.items():
            answer = raw(server.port, data)
            assert b" 500 " not in answer.partition(b"\r\n")[0], (how, answer[:200])
            assert b" 200 " not in answer.partition(b"\r\n")[0], (how, answer[:200])
            assert line.get("/healthz").status == 200
    check = Line(settings_for(sqlite(tmp_path)))
    assert rows(check) == [0, 0, 0, 0]
    chunked = raw(server.port, request(b"Transfer-Encoding: chunked\r\nConnection: close", chunk), hangs_up=False)
    elsewhere = b"POST http://evil.example/voice/incoming HTTP/1.1"
    asked = request(length % len(body) + b"\r\nConnection: close", body, elsewhere)
    absolute = raw(server.port, asked, hangs_up=False)
    assert b" 200 " in chunked.partition(b"\r\n")[0]
    assert b"evil" not in absolute
    assert rows(check) == [0, 1, 1, 0]
    check.close()
