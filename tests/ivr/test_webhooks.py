"""Whole turns over signed HTTP: what a caller hears, what is stored, and what no request can do."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Table, func, select

from callbacks import call_log, queue, service
from callbacks.errors import DatabaseUnavailable
from ivr import switchboard
from ivr.sweeper import sweep_once
from tests.callbacks import people
from tests.ivr.line import Caller, Line, settings_for, sqlite

AGREED = ("1", "0", "1")  # Dutch, call me back, yes


@pytest.fixture
def line(database_url: str) -> Iterator[Line]:
    """A line on each database."""
    made = Line(settings_for(database_url))
    yield made
    made.close()


@pytest.fixture
def quick_line(tmp_path: Path) -> Iterator[Line]:
    """A line on SQLite."""
    made = Line(settings_for(sqlite(tmp_path)))
    yield made
    made.close()


def rows(line: Line) -> tuple[int, int, int]:
    """How many calls, steps and callbacks are stored."""
    return count(line, call_log.calls), count(line, call_log.steps), count(line, service.callbacks)


def count(line: Line, table: Table) -> int:
    """How many rows a table has."""
    return line.house.database.read(lambda connection: connection.scalar(select(func.count()).select_from(table)) or 0)


def test_a_caller_is_helped_and_ends_up_in_the_queue(line: Line) -> None:
    """From the ring to the goodbye, by key."""
    caller = line.dial()
    assert "112" in caller.words
    caller.presses("1", "1", "3", "1", "3", "3", "4", "2", "2", "1", "1", "1", "1", "3", "1")
    record = caller.callback()
    assert record is not None
    assert (record["outcome"], record["urgency"], record["language"]) == ("likely_intake", "P3", "nl")
    assert (record["phone"], record["safe_message"], record["callback_language"]) == ("+31612345678", True, "nl")
    assert caller.reference_heard() == record["reference"]
    assert caller.presses("2").action is None
    assert "112" in caller.words


def test_every_step_keeps_what_was_heard_and_how(line: Line) -> None:
    """Keys, words, confidence and when."""
    caller = line.dial().presses("2").says("I want to be called back").is_silent().presses("1", "1")
    record = caller.callback()
    assert record is not None
    steps = record["steps"]
    assert [step["node"] for step in steps[1:]] == [
        "welcome", "menu_main", "callback_offer", "callback_offer", "callback_this_number",
    ]  # fmt: skip
    assert (steps[1]["digits"], steps[1]["mode"], steps[1]["value"]) == ("2", "digits", "en")
    assert (steps[2]["utterance"], steps[2]["confidence"]) == ("I want to be called back", 0.91)
    assert (steps[3]["heard"], steps[3]["mode"]) == ("no_input", "silence")


def test_a_webhook_that_comes_twice_gets_the_same_answer_and_changes_nothing(line: Line) -> None:
    """At every turn of a call, also much later, and with other keys."""
    caller = line.dial()
    heard = [("", caller.document)]
    for key in (*AGREED, "1", "2", "2", "3", "1"):
        action = caller.action or ""
        heard.append((action, caller.presses(key).document))
    stored = rows(line)
    for action, document in heard[1:]:
        assert line.post(action, caller.sid, Digits="3").text == document
    assert line.post("/voice/incoming", caller.sid).text == heard[0][1]
    assert rows(line) == stored


def test_the_same_turn_answered_by_many_at_once_is_answered_once(line: Line) -> None:
    """All of them hear the same, and there is one step and one callback."""
    caller = line.dial().presses(*AGREED)
    before = rows(line)
    together = threading.Barrier(8)

    def answer(_: int) -> str:
        together.wait()
        return caller.post(Digits="1").text

    with ThreadPoolExecutor(8) as pool:
        documents = set(pool.map(answer, range(8)))
    assert len(documents) == 1
    assert rows(line) == (before[0], before[1] + 1, before[2] + 1)


def test_an_answer_out_of_place_gets_the_current_turn_again(line: Line) -> None:
    """A turn that was never said, or one of a call that never rang."""
    caller = line.dial().presses("1")
    assert line.post("/voice/turn/77", caller.sid, Digits="1").text == caller.document
    stranger = line.post("/voice/turn/5", "CA" + "e" * 32, Digits="1")
    assert "/voice/turn/1" in stranger.text


@pytest.mark.parametrize("keys", [(), ("1",), ("1", "1"), ("1", "1", "3", "1"), ("1", "2", "1")], ids=len)
def test_a_hang_up_before_agreeing_promises_nothing(line: Line, keys: tuple[str, ...]) -> None:
    """It is labelled and leaves no callback."""
    line.dial().presses(*keys).hangs_up().hangs_up()
    assert rows(line)[2] == 0


def test_a_hang_up_after_agreeing_is_in_the_queue_as_incomplete(line: Line) -> None:
    """Before the number was confirmed: the number they called from, marked so; and only once."""
    caller = line.dial().presses(*AGREED).hangs_up().hangs_up()
    record = caller.callback()
    assert record is not None
    assert (record["outcome"], record["urgency"], record["phone"]) == ("incomplete", "P2", "+31612345678")
    assert record["number_confirmed"] is False
    assert rows(line)[2] == 1


def test_a_call_that_nobody_ended_is_swept_and_its_promise_kept(line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """No status callback ever came."""
    agreed, quiet = line.dial().presses(*AGREED), line.dial().presses("1")
    assert line.house.line.switchboard.sweep() == 0
    monkeypatch.setattr(switchboard, "CALL_IS_OVER_AFTER", timedelta(0))
    assert line.house.line.switchboard.sweep() == 2
    assert line.house.line.switchboard.sweep() == 0
    assert agreed.callback() is not None
    assert quiet.callback() is None


def test_a_sweep_puts_back_what_a_colleague_left_alone(quick_line: Line) -> None:
    """The same thread that ends calls ends claims, so that nobody waits behind a closed laptop."""
    quick_line.dial().presses(*AGREED, "1")
    anna = people.join(quick_line.house.database, "anna")
    now = datetime.now(UTC)
    database = quick_line.house.database
    taken = database.write(lambda connection: queue.list_page(connection, queue.Filters(), anna, now).entries[0])
    database.write(lambda connection: queue.claim(connection, taken.public_id, anna, now, timedelta(minutes=1)))
    quick_line.clock = lambda: now + timedelta(minutes=2)
    sweep_once(quick_line.house.line.switchboard)
    assert [record["status"] for record in quick_line.queue()] == ["queued"]
    told = database.read(lambda connection: queue.story(connection, taken.public_id, now))
    assert [event.what for event in told.events] == ["claimed", "claim_expired"]


def test_a_no_that_comes_after_the_end_withdraws_the_callback(quick_line: Line) -> None:
    """And says when and why, so that it is forgotten in time."""
    caller = quick_line.dial().presses("1", "0").hangs_up().presses("2")
    record = caller.callback()
    assert record is not None
    assert record["status"] == "cancelled"


def test_the_last_answer_counts_although_the_end_was_reported_first(line: Line) -> None:
    """The provider's requests may overtake each other; whichever comes first, the end is the same."""
    caller = line.dial().presses("1", "0").hangs_up()
    caller.presses("1")
    record = caller.callback()
    assert record is not None
    assert record["outcome"] == "incomplete"


def test_the_end_may_be_reported_before_the_ring(line: Line) -> None:
    """Upserts, not check-then-insert."""
    sid = "CA" + "d" * 32
    line.post("/voice/status", sid, CallStatus="completed")
    assert "/voice/turn/1" in line.post("/voice/incoming", sid).text
    assert rows(line)[:2] == (1, 1)


def test_a_finished_call_is_immutable(line: Line) -> None:
    """Played again a month later, nothing happens."""
    caller = line.dial().presses("1", "0").hangs_up()
    stored = rows(line)
    later = datetime.now(UTC) + timedelta(days=30)
    line.clock = lambda: later
    assert caller.post(Digits="1").text == caller.document
    caller.hangs_up()
    assert rows(line) == stored


@pytest.mark.parametrize(
    "from_", ["anonymous", "+266696687", "+7378742833", "+2562533", "+8656696", "+86282452253", ""]
)
def test_a_withheld_number_is_asked_for_and_read_back(quick_line: Line, from_: str) -> None:
    """Keyed in, ended with #, read back digit by digit, corrected."""
    caller = quick_line.dial(from_).presses(*AGREED)
    caller.presses("0687654321")
    assert "0687654321" in "".join(character for character in caller.words if character.isdigit())
    caller.presses("2", "0687654322", "1")
    record = caller.callback()
    assert record is not None
    assert (record["phone"], record["number_confirmed"]) == ("+31687654322", True)


@pytest.mark.parametrize("end", ["silence", "hang up"])
def test_a_number_given_after_all_reaches_the_request_that_had_none(quick_line: Line, end: str) -> None:
    """A caller who could not key it in at first tries again by 0, and says nothing to the reading back."""
    caller = quick_line.dial("anonymous").presses(*AGREED).is_silent(2).presses("1", "0").presses("0687654321")
    if end == "silence":
        caller.is_silent(2)
    else:
        caller.hangs_up()
    record = caller.callback()
    assert record is not None
    assert (record["phone"], record["number_confirmed"]) == ("+31687654321", False)


@pytest.mark.parametrize(
    "number", ["0900123456", "09061234567", "112", "0031881621662000", "+8816123456", "0048221234567"]
)
def test_a_number_we_may_not_dial_is_refused_kindly(quick_line: Line, number: str) -> None:
    """Premium, satellite, short and foreign numbers are asked for again, never queued."""
    caller = quick_line.dial("anonymous").presses(*AGREED).presses(number.replace("+", "00"))
    assert caller.callback() is None
    assert caller.action is not None
    assert caller.presses("0687654321", "1").callback() is not None


def test_a_second_call_is_told_kindly_that_we_know(line: Line) -> None:
    """And is linked, not merged."""
    line.dial().presses(*AGREED, "1")
    again = line.dial().presses(*AGREED, "1")
    assert len(line.queue()) == 2
    record = again.callback()
    assert record is not None
    assert record["linked_to"] == line.queue()[0]["reference"]


def test_words_of_danger_are_answered_at_once_and_marked(line: Line) -> None:
    """At any node, in any language."""
    caller = line.dial().presses("1").says("help mijn kind kan niet ademen")
    assert "112" in caller.words
    caller.presses("0", "1", "1")
    record = caller.callback()
    assert record is not None
    assert record["flags"] == ["breathing"]


def test_a_bad_signature_changes_nothing_on_any_route(quick_line: Line) -> None:
    """403, whichever route it is."""
    caller = quick_line.dial()
    stored = rows(quick_line)
    for path in ("/voice/incoming", "/voice/turn/1", "/voice/status"):
        for signature in (None, "", "bm8="):
            headers = {} if signature is None else {"X-Twilio-Signature": signature}
            data = {"CallSid": caller.sid, "AccountSid": quick_line.settings.twilio_account_sid, "Digits": "1"}
            answer = quick_line.client.post(path, data=data, headers=headers)
            assert answer.status_code == 403
            assert answer.content_type.startswith("text/xml")
    assert rows(quick_line) == stored


def test_a_host_header_chooses_nothing(quick_line: Line) -> None:
    """The address that is signed is the configured one."""
    caller = quick_line.dial()
    pairs = f"CallSid={caller.sid}&AccountSid={quick_line.settings.twilio_account_sid}"
    for host in ("evil.example", "x:99999", "127.0.0.1:8000"):
        answer = quick_line.client.post(
            "/voice/incoming",
            data=pairs,
            headers={"Host": host, "X-Twilio-Signature": "bm8="},
            content_type="application/x-www-form-urlencoded",
        )
        assert answer.status_code == 403


def test_the_fallback_needs_nothing_and_says_where_help_is(quick_line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """No signature, no database; both languages, 112 and the office's number."""
    monkeypatch.setattr(quick_line.house.database, "write", _unavailable)
    monkeypatch.setattr(quick_line.house.database, "read", _unavailable)
    for answer in (quick_line.client.get("/voice/fallback"), quick_line.client.post("/voice/fallback", data="%%%")):
        assert answer.status_code == 200
        root = ET.fromstring(answer.text)  # noqa: S314
        assert {say.attrib["language"] for say in root.iter("Say")} == {"nl-NL", "en-GB"}
        words = " ".join(root.itertext())
        assert "112" in words
        assert "0402512738" in "".join(character for character in words if character.isdigit())


def test_a_database_that_is_away_is_apologised_for(quick_line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """Kind words with 112 and the office's number, no promise, and not ready."""
    caller = quick_line.dial()
    monkeypatch.setattr(quick_line.house.database, "write", _unavailable)
    caller.presses("1")
    assert caller.action is None
    assert "112" in caller.words
    assert quick_line.client.get("/healthz").status_code == 200


def test_a_mistake_of_ours_is_apologised_for_too(quick_line: Line, monkeypatch: pytest.MonkeyPatch) -> None:
    """A bug must not end in the provider's error message."""
    caller = quick_line.dial()
    monkeypatch.setattr(switchboard, "listen", _broken)
    assert "112" in caller.presses("1").words


def _unavailable(_: object) -> None:
    raise DatabaseUnavailable("away")


def _broken(*_: object) -> None:
    raise ZeroDivisionError


def test_odd_requests_are_refused_in_words_the_provider_can_act_on(quick_line: Line) -> None:
    """Wrong method, no such page, too large, not a form: always TwiML, never a 500."""
    client = quick_line.client
    answers = [
        client.get("/voice/incoming"),
        client.post("/voice/turn/x"),
        client.post("/voice/turn/99999999999999999999999999"),
        client.post("/voice/incoming", data=b"\xff\xfe%zz&&&==", content_type="text/plain"),
        client.post("/voice/incoming", data="a=1&" * 500, content_type="application/x-www-form-urlencoded"),
        client.post("/voice/incoming", data=b"x" * 100_000, content_type="application/x-www-form-urlencoded"),
        client.post("/voice/incoming", json={"CallSid": 1}),
        client.get("/voice/prompts/../../settings.py"),
    ]
    assert all(400 <= answer.status_code < 500 for answer in answers), [a.status_code for a in answers]


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.dictionaries(
        st.sampled_from(["Digits", "SpeechResult", "Confidence", "From", "CallStatus", "RecordingSid", "Odd"]),
        st.text(max_size=60),
    ),
    st.sampled_from(["/voice/incoming", "/voice/turn/1", "/voice/turn/2", "/voice/turn/0", "/voice/status"]),
)
def test_no_signed_request_is_a_500(quick_line: Line, form: dict[str, str], path: str) -> None:
    """Whatever is in the form, the answer is a document."""
    answer = quick_line.post(path, "CA" + "b" * 32, **form)
    assert answer.status_code in (200, 400)
    ET.fromstring(answer.text)  # noqa: S314


def reprompted(caller: Caller) -> str:
    return caller.is_silent().words


def test_a_caller_who_says_nothing_at_all_is_offered_a_callback_in_both_languages(quick_line: Line) -> None:
    """Never into silence; and at the very end a goodbye with 112."""
    caller = quick_line.dial().is_silent(2)
    assert "nl-NL" in caller.document
    assert "en-GB" in caller.document
    assert caller.is_silent(2).action is None
    assert "112" in caller.words
