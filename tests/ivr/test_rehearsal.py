"""The phone in the browser, from the server's side: what its page can do, and what no other page can."""

from __future__ import annotations

import io
import tomllib
import wave
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from callbacks.errors import DatabaseUnavailable
from ivr import captions, rehearsal, sound, team_view, triage
from ivr.nodes import Question
from ivr.phone_calls import Kind, Sound
from ivr.phone_errors import NoConnection
from ivr.seal import BrokenSeal, Seal
from ivr.transport import Answer, FlaskTransport, Form
from tests.ivr.line import Line, settings_for, sqlite

OURS = {"X-Zorglijn-Phone": "1"}
TEMPLATES = Path(rehearsal.__file__).parent / "templates"
has_espeak = pytest.mark.skipif(sound.program() is None, reason="espeak-ng is not installed")


class InProcess(FlaskTransport):
    """Reaches the line without a server; `asked` remembers every address."""

    def __init__(self, client: FlaskClient, asked: list[str]) -> None:
        super().__init__(client)
        self.asked = asked

    def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
        self.asked.append(url)
        return super().post(url, form, headers)

    def close(self) -> None:
        pass


@dataclass
class Page:
    """What the page does: it keeps the sealed call and gives it back."""

    client: FlaskClient
    asked: list[str]
    state: str = ""
    told: dict[str, Any] = field(default_factory=dict)

    def call(self, from_: str = "+31 6 12345678") -> dict[str, Any]:
        return self.keep(self.client.post("/phone/call", json={"from": from_}, headers=OURS))

    def does(self, do: str, value: str = "") -> dict[str, Any]:
        sent = {"do": do, "value": value, "state": self.state}
        return self.keep(self.client.post("/phone/act", json=sent, headers=OURS))

    def presses(self, *keys: str) -> dict[str, Any]:
        for key in keys:
            self.does("press", key)
        return self.told

    def keep(self, response: TestResponse) -> dict[str, Any]:
        self.told = response.get_json()
        self.state = self.told.get("state", self.state)
        return self.told

    @property
    def words(self) -> str:
        return " ".join(heard["text"] for heard in self.told["heard"])

    def team(self, name: str) -> list[str]:
        rows: dict[str, list[str]] = {row["name"]: row["says"] for row in self.told["team"]["rows"]}
        return rows.get(name, [])


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    made = Line(settings_for(sqlite(tmp_path)))
    yield made
    made.close()


@pytest.fixture
def page(line: Line, monkeypatch: pytest.MonkeyPatch) -> Page:
    asked: list[str] = []
    monkeypatch.setattr(rehearsal, "HttpTransport", lambda: InProcess(line.app.test_client(), asked))
    return Page(line.app.test_client(), asked)


def test_the_front_door_leads_to_the_phone(page: Page) -> None:
    assert page.client.get("/").location == "/phone"


def test_the_page_is_served_with_a_strict_policy_and_kept_nowhere(page: Page) -> None:
    served = page.client.get("/phone")
    html = served.get_data(as_text=True)
    policy = served.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert served.headers["Cache-Control"] == "no-store"
    assert served.headers["Referrer-Policy"] == "no-referrer"
    assert served.headers["X-Content-Type-Options"] == "nosniff"
    assert " style=" not in html
    assert " onclick=" not in html
    assert "zorglijn rehearse" in html


@pytest.mark.parametrize("labels, title", [("en", "Hang up"), ("nl", "Ophangen"), ("xx", "Hang up")])
def test_the_page_speaks_the_language_that_was_chosen(page: Page, labels: str, title: str) -> None:
    assert title in page.client.get(f"/phone?labels={labels}").get_data(as_text=True)


def test_both_languages_of_the_page_have_the_same_words() -> None:
    english, dutch = (tomllib.loads((TEMPLATES / f"phone.{code}.toml").read_text("utf-8")) for code in ("en", "nl"))
    assert {name: set(table) for name, table in english.items()} == {name: set(table) for name, table in dutch.items()}


def test_a_call_is_heard_in_both_languages_and_waits_for_a_key_or_words(page: Page) -> None:
    told = page.call()
    assert {heard["language"] for heard in told["heard"]} == {"nl-NL", "en-GB"}
    assert "112" in page.words
    assert told["waits"] == {"keys": True, "words": True, "digits": 1, "finish": "", "seconds": 8, "records": False}
    assert told["ended_by"] is None
    assert told["team"] is None


def test_a_whole_call_ends_with_what_the_team_sees(page: Page) -> None:
    page.call()
    page.presses("2", "0", "1", "1", "2", "2", "3", "1", "2")
    told = page.told
    assert told["ended_by"] == "line"
    assert told["waits"] is None
    assert page.team("Phone back on") == ["+31 6 12345678"]
    assert page.team("Leave a message?") == ["No, never"]
    assert page.team("Best time") == ["any time"]
    assert told["team"]["when"] == "By the next working day"


def test_a_call_that_asks_for_nothing_leaves_nothing_with_the_team(page: Page) -> None:
    page.call()
    told = page.does("hang_up")
    assert told["ended_by"] == "caller"
    assert told["team"] == {"none": True}


def test_a_withheld_number_is_asked_for_and_shown_as_it_was_keyed_in(page: Page) -> None:
    page.call("anonymous")
    page.presses("2", "0", "1")
    assert page.told["waits"]["digits"] is None
    assert page.told["waits"]["finish"] == "#"
    page.presses("0201234567#", "1")
    page.does("hang_up")
    assert page.team("Phone back on") == ["+31 20 123 4567"]


def test_words_and_silence_are_answered(page: Page) -> None:
    page.call()
    page.does("say", "English please")
    assert {heard["language"] for heard in page.told["heard"]} == {"en-GB"}
    assert page.does("stay_silent")["heard"]


@pytest.mark.parametrize("written", ["", "12", "hello", "+31 6 1234 5678 9012 3456", "javascript:1", "+0612345678"])
def test_what_is_no_number_cannot_be_called_from(page: Page, written: str) -> None:
    refused = page.client.post("/phone/call", json={"from": written}, headers=OURS)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "number")
    assert page.asked == []


@pytest.mark.parametrize("written", ["06 12345678", "06-12345678", "0031612345678", "+31 (6) 1234.5678"])
def test_a_number_may_be_written_as_people_write_it(page: Page, line: Line, written: str) -> None:
    page.call(written)
    page.presses("1", "0", "1", "1")
    page.does("hang_up")
    assert page.team("Phone back on") == ["+31 6 12345678"]


def test_a_long_call_does_not_outgrow_what_the_page_may_post(page: Page) -> None:
    page.call()
    page.presses("2", *["9"] * 40)
    assert page.told["ended_by"] is None
    assert len(page.state) < 16_000


# What goes wrong comes back as a sentence of the page's.


def test_a_line_that_is_down_is_told_and_the_call_can_go_on(page: Page, monkeypatch: pytest.MonkeyPatch) -> None:
    page.call()
    kept = page.state

    class Unplugged(InProcess):
        def post(self, url: str, form: Form, headers: Mapping[str, str]) -> Answer:
            raise NoConnection(url, "refused")

    with monkeypatch.context() as patched:
        patched.setattr(rehearsal, "HttpTransport", lambda: Unplugged(page.client, []))
        answer = page.client.post("/phone/act", json={"do": "press", "value": "2", "state": kept}, headers=OURS)
    assert (answer.status_code, answer.get_json()["error"]) == (502, "down")
    assert page.does("press", "2")["heard"]


def test_keys_that_no_phone_has_are_refused_kindly(page: Page) -> None:
    page.call()
    assert page.does("press", "A")["error"] == "keys"


def test_a_call_that_is_over_is_over(page: Page) -> None:
    page.call()
    page.does("hang_up")
    assert page.does("press", "1")["error"] == "over"


def test_a_queue_that_cannot_be_read_is_told_after_the_call(
    page: Page, line: Line, monkeypatch: pytest.MonkeyPatch
) -> None:
    page.call()

    def unavailable(*args: object) -> None:
        raise DatabaseUnavailable

    monkeypatch.setattr(rehearsal, "record_of_call", unavailable)
    assert page.does("hang_up")["team"] == {"unknown": True}


# What nobody else can do.


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {**OURS, "Origin": "https://elsewhere.example"},
        {**OURS, "Origin": "null"},
        {**OURS, "Sec-Fetch-Site": "cross-site"},
        {**OURS, "Sec-Fetch-Site": "same-site"},
    ],
)
def test_a_page_of_another_site_cannot_call(page: Page, headers: dict[str, str]) -> None:
    refused = page.client.post("/phone/call", json={"from": "+31612345678"}, headers=headers)
    assert (refused.status_code, refused.get_json()["error"]) == (403, "foreign")
    assert page.asked == []


def test_a_form_of_another_site_cannot_call(page: Page) -> None:
    assert page.client.post("/phone/call", data={"from": "+31612345678"}, headers=OURS).status_code == 403
    assert page.asked == []


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"null", b'{"do":"press"}', b'{"do":"fly","state":"x"}'])
def test_a_post_that_cannot_be_read_is_refused(page: Page, body: bytes) -> None:
    refused = page.client.post("/phone/act", data=body, headers=OURS, content_type="application/json")
    assert (refused.status_code, refused.get_json()["error"]) == (400, "lost")


def test_a_call_that_the_page_changed_is_refused(page: Page) -> None:
    page.call()
    middle = len(page.state) // 2
    page.state = page.state[:middle] + ("A" if page.state[middle] != "A" else "B") + page.state[middle + 1 :]
    assert page.does("press", "1")["error"] == "lost"


def test_a_call_never_leads_to_another_address(page: Page, line: Line) -> None:
    """Not even a sealed call: the phone itself asks nobody but the line."""
    page.call()
    calls = Seal(line.settings.twilio_auth_token, "call")
    state = calls.open(page.state)
    state["url"] = "http://elsewhere.example/voice/incoming"
    page.state = calls.close(state)
    before = list(page.asked)
    assert page.does("press", "1")["error"] == "faulty"
    assert page.asked == before


def test_in_production_there_is_no_phone(tmp_path: Path) -> None:
    made = Line(
        settings_for(
            sqlite(tmp_path),
            ZORGLIJN_ENV="production",
            PUBLIC_BASE_URL="https://line.example.org",
            TWILIO_ACCOUNT_SID="AC" + "1" * 32,
            TWILIO_AUTH_TOKEN="2" * 32,
            SECRET_KEY="kP3vX8mQ2tR7wY5zB9nC4dF6gH1jL0sA",
        )
    )
    assert made.client.get("/phone").status_code == 404
    assert made.client.post("/phone/call", json={"from": "anonymous"}, headers=OURS).status_code == 404
    made.close()


# Sound.


@has_espeak
def test_what_the_line_said_can_be_heard(page: Page) -> None:
    words = page.call()["heard"][0]["words"]
    heard = page.client.post("/phone/sound", json={"words": words}, headers=OURS)
    assert heard.mimetype == "audio/wav"
    with wave.open(io.BytesIO(heard.data)) as wav:
        assert wav.getnframes() / wav.getframerate() > 1.0
        assert len(wav.readframes(wav.getnframes())) == wav.getnframes() * 2


@pytest.mark.parametrize("words", ["", "hello", "aGVsbG8=", None, 5, ["x"]])
def test_nothing_else_can_be_made_to_sound(page: Page, words: object) -> None:
    refused = page.client.post("/phone/sound", json={"words": words}, headers=OURS)
    assert (refused.status_code, refused.get_json()["error"]) == (400, "lost")


def test_a_call_cannot_be_passed_off_as_words(page: Page) -> None:
    page.call()
    assert page.client.post("/phone/sound", json={"words": page.state}, headers=OURS).status_code == 400


def test_without_a_voice_on_the_server_the_words_are_left_to_the_browser(
    page: Page, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sound, "program", lambda: None)
    assert all(heard["words"] is None for heard in page.call()["heard"])
    assert sound.speak("hello", "en-gb") is None


@pytest.mark.parametrize("program", ["/bin/false", "/bin/echo", "/nowhere/espeak-ng"])
def test_a_voice_that_fails_is_silence_and_no_error(program: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sound, "program", lambda: program)
    assert sound.speak("hello", "en-gb") is None


def test_emergency_numbers_are_spoken_digit_by_digit() -> None:
    assert sound.aloud("Bel 112, of 113. Niet 1123.") == "Bel 1 1 2, of 1 1 3. Niet 1123."


def test_a_recording_is_shown_with_its_words(line: Line) -> None:
    prompts = line.house.line.renderer.prompts
    goodbye = prompts.prompt("goodbye_plain", "nl")
    recording = replace(goodbye, parts=(goodbye.text,), recordings=("nl/goodbye_plain.wav",))
    recorded = captions.Captioner(prompts, Seal("token", "sound"))
    recorded.__dict__["_words"] = dict(captions._recorded_words(recording))
    heard = Sound(Kind.PLAY, "goodbye_plain", url="http://127.0.0.1:8000/voice/prompts/nl/goodbye_plain.wav")
    caption = recorded.caption(heard)
    assert caption["text"] == goodbye.text
    assert (caption["language"], caption["recording"]) == ("nl-NL", "/voice/prompts/nl/goodbye_plain.wav")


# Seals, and the team's view in words.


def test_what_was_sealed_opens_for_its_purpose_only() -> None:
    sealed = Seal("token", "call").close({"städt": [1, None, "\ud800"]})
    assert Seal("token", "call").open(sealed) == {"städt": [1, None, "\ud800"]}
    for other in (Seal("token", "sound"), Seal("another token", "call")):
        with pytest.raises(BrokenSeal):
            other.open(sealed)


def test_the_team_reads_a_late_request_in_dutch() -> None:
    words = tomllib.loads((TEMPLATES / "phone.nl.toml").read_text("utf-8"))
    record = {
        "reference": "0042",
        "urgency": "P1",
        "outcome": "refused_priority",
        "language": None,
        "callback_language": "ti",
        "phone": "+31612345678",
        "number_confirmed": False,
        "safe_message": None,
        "part_of_day": None,
        "region": "here",
        "answers": {"need": "pregnancy", "call_me": "yes", "refused": "yes"},
        "flags": ["cannot_breathe"],
        "due_at": "2026-11-23T10:00:00.000+00:00",
        "linked_to": "7777",
    }
    view = team_view.in_words(record, words, ZoneInfo("Europe/Amsterdam"))
    rows = {row["name"]: row["says"] for row in view["rows"]}
    assert view["when"] == "Binnen 2 kantooruren"
    assert rows["Uiterlijk"] == ["maandag 23 november, 11:00 uur"]
    assert rows["Terugbellen op"] == ["+31 6 12345678 (niet bevestigd door de beller)"]
    assert rows["Wat de beller vertelde"] == ["Hulp: zwangerschap of baby", "Geweigerd: ja"]
    assert rows["Taal"] == ["niet gekozen, terug te bellen in: Tigrinya"]
    assert rows["Bericht achterlaten?"] == ["Niet gevraagd, dus nee"]
    assert rows["Woorden van gevaar"] == ["cannot breathe"]
    assert rows["Hoort bij"] == ["verzoek 7777 van hetzelfde nummer"]


def test_every_outcome_and_answer_has_words_for_the_team(line: Line) -> None:
    words = tomllib.loads((TEMPLATES / "phone.en.toml").read_text("utf-8"))
    assert set(words["outcome"]) == {*triage.OUTCOMES, "incomplete"}
    for node in line.house.line.renderer.flow.nodes.values():
        if isinstance(node, Question) and node.name.startswith("triage_"):
            for option in node.options:
                assert f"{node.remembers}.{option.name}" in words["answer"]
