"""The phone in the browser, as a visitor meets it: dials, presses, speaks, is silent, hangs up."""

from __future__ import annotations

import io
import time
import wave
from collections.abc import Callable, Mapping
from contextlib import closing
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Route, expect

from callbacks.sqlite_library import sqlite3
from ivr import sound
from tests.browser.visitor import StartServer, Visitor, rehearsal, visit
from tests.servers import RunningServer

# Counts what sounds and what is stopped, before the page's own scripts run.
EARS = """
window.heard = { started: 0, stopped: 0 };
for (const [name, count] of [["start", "started"], ["stop", "stopped"]]) {
  const original = AudioBufferSourceNode.prototype[name];
  AudioBufferSourceNode.prototype[name] = function (...all) {
    window.heard[count] += 1;
    return original.apply(this, all);
  };
}
"""


# Two voices of the browser's own, one of which lives elsewhere; both are done at once.
OWN_VOICES = """
window.spoken = [];
const voices = [
  { name: "Local Dutch", lang: "nl-NL", localService: true },
  { name: "Remote English", lang: "en-GB", localService: false },
];
window.SpeechSynthesisUtterance = class { constructor(text) { this.text = text; } };
Object.defineProperty(window, "speechSynthesis", { value: {
  getVoices: () => voices,
  cancel() {},
  speak(words) { window.spoken.push([words.voice.name, words.text]); setTimeout(() => words.onend(), 10); },
} });
"""


def test_a_whole_call_in_dutch_by_clicking_keys_ends_in_the_queue(visitor: Visitor) -> None:
    visitor.calls("06 20000001").clicks("1", "1", "3", "1", "3", "3", "4", "2", "2", "1", "1", "1", "1", "3", "1", "2")
    visitor.reaches("speaking", "ended").listens().reaches("ended")
    expect(visitor.page.get_by_role("heading", name="What the team sees now")).to_be_focused()
    assert visitor.team("Phone back on") == "+31 6 20000001"
    assert visitor.team("Best time") == "any time"
    reference = visitor.team("Reference")
    assert ", ".join(reference) in visitor.page.locator("#captions").inner_text()
    assert "112" in visitor.last_words("nl-NL")


def test_a_whole_call_in_english_by_keyboard_alone(visitor: Visitor) -> None:
    page = visitor.page
    for _ in range(20):
        page.keyboard.press("Tab")
        if page.locator("#call:focus").count():
            break
    page.keyboard.press("Enter")
    visitor.types("2", "0", "1", "1", "1", "2", "2", "1", "2").reaches("ended", "speaking")
    visitor.listens().reaches("ended")
    assert visitor.team("What it is about").startswith("Wants to be phoned back")
    page.keyboard.press("Shift+Tab")
    assert page.evaluate("document.activeElement !== document.body")


def test_captions_come_at_the_pace_of_the_speech(visitor: Visitor) -> None:
    visitor.calls("06 20000003")
    said = visitor.page.locator(".line-says span[class='']:not(.mark), .line-says p span")
    expect(said).to_have_count(1)
    expect(visitor.page.locator("#captions")).to_contain_text("112")
    expect(visitor.page.locator("#captions")).not_to_contain_text("English")
    expect(said).to_have_count(3)
    visitor.page.get_by_role("button", name="Show all the words").click()
    visitor.reaches("waiting")
    expect(visitor.page.locator("#captions")).to_contain_text("English")
    assert visitor.page.locator(".line-says p").evaluate_all("all => all.map((one) => one.lang)") == [
        "nl-NL",
        "en-GB",
        "nl-NL",
        "en-GB",
    ]


@pytest.mark.skipif(sound.program() is None, reason="espeak-ng is not installed")
def test_a_key_stops_the_sound(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url) as visitor:
        visitor.page.add_init_script(EARS)
        visitor.opens().calls("06 20000004").reaches("speaking")
        visitor.page.wait_for_timeout(500)
        assert visitor.page.evaluate("window.heard") == {"started": 1, "stopped": 0}
        visitor.page.keyboard.press("2")
        visitor.listens()
        assert visitor.page.evaluate("window.heard.stopped") >= 1
        assert visitor.faults == []


def test_without_sound_the_words_are_only_shown(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url) as visitor:
        visitor.page.add_init_script(EARS)
        asked: list[str] = []
        visitor.page.on("request", lambda request: asked.append(request.url))
        visitor.opens()
        visitor.page.get_by_label("Sound").uncheck()
        visitor.calls("06 20000005").clicks("2")
        assert "press 1" in visitor.last_words("en-GB")
        assert visitor.page.evaluate("window.heard.started") == 0
        assert not any("/phone/sound" in url for url in asked)
        assert visitor.faults == []


def test_where_the_server_has_no_voice_one_of_the_browser_speaks_if_it_needs_no_network(
    browser: Browser, server: RunningServer
) -> None:
    with visit(browser, server.url) as visitor:
        visitor.page.add_init_script(OWN_VOICES)
        visitor.page.route("**/phone/call*", _without_voice)
        visitor.page.route("**/phone/act*", _without_voice)
        visitor.opens().calls("06 20000015").reaches("waiting")
        spoken = visitor.page.evaluate("window.spoken")
        assert spoken[0] == ["Local Dutch", "Levensgevaar? Hang op, bel 1 1 2."]
        assert {voice for voice, _ in spoken} == {"Local Dutch"}  # the English voice would send the words away
        expect(visitor.page.locator("#captions")).to_contain_text("For English")
        assert visitor.faults == []


def test_a_recording_is_played_instead_of_a_synthetic_voice(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url) as visitor:
        asked: list[str] = []
        visitor.page.add_init_script(EARS)
        visitor.page.on("request", lambda request: asked.append(request.url.removeprefix(server.url)))
        visitor.page.route("**/phone/call*", _with_recordings)
        visitor.page.route("**/voice/prompts/**", lambda route: route.fulfill(body=_second_of_silence()))
        visitor.opens().calls("06 20000018").reaches("waiting")
        assert visitor.page.evaluate("window.heard.started") == 4
        assert asked.count("/voice/prompts/nl/recorded.wav") == 4
        assert not any("/phone/sound" in path for path in asked)
        assert visitor.faults == []


def test_keys_pressed_ahead_of_the_line_are_kept_in_order(visitor: Visitor) -> None:
    visitor.calls("06 20000016")
    visitor.page.keyboard.type("2012")
    expect(visitor.page.locator("#status")).to_have_text("Key in a number, end with #")
    assert visitor.page.locator(".caller-does").all_inner_texts()[1:] == [f"You pressed {key}" for key in "2012"]


def test_no_key_breaks_off_the_goodbye(visitor: Visitor) -> None:
    visitor.calls("06 20000017").clicks("2", "0", "2").listens().clicks("0", "1", "1", "1", "1", "1", "1")
    visitor.clicks("2").reaches("speaking")
    visitor.page.keyboard.press("1")
    visitor.page.wait_for_timeout(300)
    visitor.reaches("speaking").listens().reaches("ended")
    assert "112" in visitor.last_words("en-GB")
    expect(visitor.page.get_by_text("You pressed 2")).to_have_count(3)


def test_a_caller_can_say_it(visitor: Visitor) -> None:
    visitor.calls("06 20000006").says("English please").says("I need help now")
    assert "danger" in visitor.last_words("en-GB").lower()
    visitor.sees("You said: I need help now")
    visitor.page.get_by_label("Say something").fill("3")
    visitor.page.get_by_label("Say something").press("Enter")
    visitor.reaches("waiting", "speaking").sees("You said: 3")


def test_digits_written_in_the_text_box_press_no_keys(visitor: Visitor) -> None:
    visitor.calls("06 20000007").clicks("2")
    visitor.listens()
    visitor.page.get_by_label("Say something").focus()
    visitor.page.keyboard.type("12")
    expect(visitor.page.get_by_text("You pressed 1")).to_have_count(0)
    assert visitor.page.get_by_label("Say something").input_value() == "12"


def test_keys_of_the_keyboard_can_be_switched_off(visitor: Visitor) -> None:
    visitor.page.get_by_label("Dial with my keyboard").uncheck()
    visitor.calls("06 20000008").listens()
    visitor.page.keyboard.press("2")
    visitor.page.wait_for_timeout(200)
    expect(visitor.page.get_by_text("You pressed 2")).to_have_count(0)


def test_silence_is_answered_when_the_caller_chooses_it(visitor: Visitor) -> None:
    visitor.calls("06 20000009").clicks("2")
    visitor.listens()
    visitor.page.get_by_role("button", name="Stay silent").click()
    visitor.listens().sees("You stayed silent")
    assert visitor.page.locator(".line-says").count() > 4


def test_silence_is_answered_by_itself_only_where_that_was_wished(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url) as visitor:
        visitor.page.clock.install()
        visitor.opens()
        visitor.page.get_by_label("Sound").uncheck()
        visitor.calls("06 20000010").listens()
        visitor.page.clock.run_for(30_000)
        expect(visitor.page.get_by_text("You stayed silent")).to_have_count(0)
        visitor.page.get_by_label("Answer silence by itself").check()
        visitor.page.clock.run_for(1_000)
        expect(visitor.page.locator("#status")).to_have_text("Silence in 7 s")
        visitor.page.clock.run_for(7_500)
        visitor.sees("You stayed silent")
        assert visitor.faults == []


def test_a_withheld_number_is_keyed_in_and_read_back(visitor: Visitor) -> None:
    visitor.calls(withheld=True).clicks("2", "0", "1")
    visitor.listens()
    expect(visitor.page.locator("#status")).to_have_text("Key in a number, end with #")
    for key in "0201234567":
        visitor.page.keyboard.press(key)
    expect(visitor.page.locator("#entered")).to_have_text("0201234567")
    visitor.page.keyboard.press("#")
    assert "0 2 0" in visitor.last_words("en-GB")
    expect(visitor.page.locator("#entered")).to_have_text("")
    visitor.clicks("1").listens()
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.reaches("ended")
    assert visitor.team("Phone back on") == "+31 20 123 4567"


def test_hanging_up_at_once_leaves_nothing_with_the_team(visitor: Visitor) -> None:
    visitor.calls("06 20000011").reaches("speaking", "waiting")
    visitor.page.get_by_role("button", name="Hang up").click()
    visitor.reaches("ended").sees("nobody is in the queue")
    visitor.page.get_by_role("button", name="Call again").click()
    visitor.listens().clicks("2").listens()
    assert "press 1" in visitor.last_words("en-GB")


def test_leaving_the_page_is_hanging_up(browser: Browser, server: RunningServer) -> None:
    with visit(browser, server.url) as visitor:
        visitor.opens().calls("06 20000012").clicks("2").listens()
        visitor.page.goto("about:blank")
        assert _await(lambda: _open_calls(server, "+31620000012") == 0)


def test_a_number_that_is_none_is_told(visitor: Visitor) -> None:
    visitor.calls("hello").reaches("idle").sees("That is no phone number")
    expect(visitor.page.get_by_label("Call from this number")).to_be_focused()
    # Chromium itself reports an answer of 400 on the console.
    assert len(visitor.faults) == 1
    visitor.faults.clear()
    visitor.calls("06 20000013").clicks("2").listens()


def test_the_page_has_dutch_words_too(visitor: Visitor) -> None:
    visitor.page.get_by_role("link", name="Nederlands").click()
    visitor.page.get_by_role("button", name="Bellen", exact=True).click()
    visitor.clicks("1").listens()
    visitor.page.get_by_role("button", name="Ophangen").click()
    visitor.reaches("ended").sees("Wat het team nu ziet")
    assert visitor.page.locator("html").get_attribute("lang") == "nl"


def test_a_line_that_dies_in_mid_call_is_told_kindly_and_the_call_goes_on(
    browser: Browser, start_server: StartServer, tmp_path: Path
) -> None:
    server = start_server(rehearsal(tmp_path / "line.sqlite3"))
    with visit(browser, server.url) as visitor:
        visitor.opens().calls("06 20000014").clicks("2", "0").listens()
        server.kill_hard()
        visitor.page.keyboard.press("1")
        expect(visitor.page.get_by_role("alert")).to_contain_text("The line does not answer")
        server.start()
        visitor.page.get_by_role("button", name="Try again").click()
        assert "press 1" in visitor.last_words("en-GB")
        expect(visitor.page.locator("#trouble")).to_be_empty()
        server.kill_hard()
        visitor.page.keyboard.press("1")
        visitor.reaches("stuck")
        visitor.page.get_by_role("button", name="Hang up").click()
        visitor.reaches("ended").sees("The queue cannot be read just now")
        visitor.page.get_by_role("button", name="Call again").click()
        visitor.reaches("stuck")
        visitor.page.get_by_role("button", name="Hang up").click()
        visitor.reaches("idle")


def test_in_production_there_is_no_phone(browser: Browser, start_server: StartServer, tmp_path: Path) -> None:
    server = start_server(
        rehearsal(tmp_path / "line.sqlite3")
        | {
            "ZORGLIJN_ENV": "production",
            "PUBLIC_BASE_URL": "https://line.example.org",
            "TWILIO_ACCOUNT_SID": "AC" + "1" * 32,
            "TWILIO_AUTH_TOKEN": "2" * 32,
            "SECRET_KEY": "kP3vX8mQ2tR7wY5zB9nC4dF6gH1jL0sA",
        }
    )
    with visit(browser, server.url) as visitor:
        answer = visitor.page.goto(f"{server.url}/phone")
        assert answer is not None
        assert answer.status == 404


def _without_voice(route: Route) -> None:
    _change_captions(route, {"words": None})


def _with_recordings(route: Route) -> None:
    _change_captions(route, {"words": None, "recording": "/voice/prompts/nl/recorded.wav"})


def _change_captions(route: Route, change: Mapping[str, str | None]) -> None:
    answer = route.fetch()
    told = answer.json()
    route.fulfill(response=answer, json=told | {"heard": [one | change for one in told["heard"]]})


def _second_of_silence() -> bytes:
    sound_file = io.BytesIO()
    with wave.open(sound_file, "wb") as wav:
        wav.setnchannels(1)
        wav.setsampwidth(2)
        wav.setframerate(8000)
        wav.writeframes(bytes(16_000))
    return sound_file.getvalue()


def _open_calls(server: RunningServer, number: str) -> int:
    path = server._env["DATABASE_URL"].removeprefix("sqlite:///")
    with closing(sqlite3.connect(path)) as database:
        query = "SELECT count(*) FROM calls WHERE caller_number = ? AND ended_at IS NULL"
        found: int = database.execute(query, (number,)).fetchone()[0]
    return found


def _await(is_so: Callable[[], bool], seconds: float = 5.0) -> bool:
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and not is_so():
        time.sleep(0.05)
    return is_so()
