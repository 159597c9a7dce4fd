"""Calling the line in a terminal: what is typed becomes a call, and nothing that is typed can break it."""

import dataclasses
import io
import re
import socket
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr.phone import Phone
from ivr.phone_errors import NoConnection
from ivr.screen import NotUnderstood, understand
from ivr.terminal import Desk, call, rehearse
from ivr.transport import Answer
from tests.ivr.fake_line import BASE, DUTCH, FakeLine, Page, gather, phone_to, say, twiml
from tests.ivr.line import Line, settings_for, sqlite

MENU = twiml(
    gather(
        'input="dtmf speech" language="nl-NL" numDigits="1" timeout="8" action="/answer" actionOnEmptyResult="true"',
        say("Druk op 1."),
        "<Play>/voice/prompts/en/menu_main.wav</Play>",
    )
)
GOODBYE = twiml(f"<Say {DUTCH}>Tot ziens.</Say>")


class Terminal(io.StringIO):
    """A terminal that a person looks at."""

    def isatty(self) -> bool:
        return True


def type_lines(
    *lines: str, pages: dict[str, Page | list[Page]] | None = None, callback: Mapping[str, Any] | None = None
) -> tuple[int, str, FakeLine]:
    line = FakeLine(pages or {"/voice/incoming": MENU, "/answer": [MENU, GOODBYE]})
    out = io.StringIO()
    desk = Desk(lambda sid: callback, io.StringIO("".join(f"{typed}\n" for typed in lines)), out)
    return rehearse(phone_to(line), desk), out.getvalue(), line


def test_a_call_typed_by_hand_shows_what_is_said_and_what_can_be_done() -> None:
    status, shown, line = type_lines("1", '"ja graag"')
    assert status == 0
    assert "  nl  Druk op 1.\n" in shown
    assert "  recording  menu_main\n" in shown
    assert "(a key or words in nl-NL; silence counts after 8 s; ? for help)" in shown
    assert "> 1\n" in shown
    assert "The line has hung up.\nNothing is in the queue for this call.\n" in shown
    assert [posted.form.get("Digits") for posted in line.posted] == [None, "1", None]
    assert line.last.form["SpeechResult"] == "ja graag"


def test_the_end_shows_what_is_now_in_the_queue() -> None:
    _, shown, _ = type_lines(
        "hang up", callback={"reference": "4712", "urgency": "P2", "safe_message": True, "steps": []}
    )
    assert "You have hung up.\nIn the queue for this call:\n" in shown
    assert "  reference          4712\n  urgency            P2\n  safe_message       yes\n" in shown


def test_the_end_of_what_is_typed_hangs_up() -> None:
    status, shown, line = type_lines()
    assert status == 0
    assert "> hang up\nYou have hung up." in shown
    assert line.paths == ["/voice/incoming"]


@pytest.mark.parametrize(
    "typed,does,value",
    [
        ("1", "presses", "1"),
        (" 06 1234 #", "presses", "061234#"),
        ("*", "presses", "*"),
        ('"ja graag"', "says", "ja graag"),
        ("“ja”", "says", "ja"),
        ("ja graag", "says", "ja graag"),
        ('"1"', "says", "1"),
        ('"silence"', "says", "silence"),
        ("", "stays silent", ""),
        ('""', "stays silent", ""),
        ("Silence", "stays silent", ""),
        ("hang  up", "hangs up", ""),
    ],
)
def test_what_is_typed_is_what_the_caller_does(typed: str, does: str, value: str) -> None:
    act = understand(typed)
    assert act is not None
    assert (act.doing, act.value) == (does, value)


@pytest.mark.parametrize("typed", ["+31612345678", "!", '"', "1-2", "---"])
def test_what_nobody_can_do_gets_a_clear_sentence_and_loses_nothing(typed: str) -> None:
    with pytest.raises(NotUnderstood):
        understand(typed)
    status, shown, line = type_lines(typed, "?", "1", "1")
    assert status == 0
    assert f"{typed} is no key: a phone has 0 to 9, * and #." in shown
    assert "put the phone down; so does Ctrl-D" in shown
    assert [posted.form.get("Digits") for posted in line.posted] == [None, "1", "1"]


def test_what_the_line_does_not_listen_to_is_said_and_the_call_goes_on() -> None:
    keys_only = twiml(gather('numDigits="1" action="/answer"', say("Druk op 1.")))
    status, shown, line = type_lines("ja", "1", pages={"/voice/incoming": keys_only, "/answer": GOODBYE})
    assert status == 0
    assert "The line does not listen to words here" in shown
    assert line.last.form["Digits"] == "1"


def test_a_line_that_is_not_there_is_said_in_a_sentence() -> None:
    gone = NoConnection(BASE, "refused")
    status, shown, _ = type_lines("1", pages={"/voice/incoming": gone, "/voice/fallback": gone})
    assert status == 1
    assert f"No answer from {BASE}: refused" in shown


def test_a_hang_up_that_the_line_refuses_ends_the_rehearsal_all_the_same() -> None:
    line = FakeLine({"/voice/incoming": MENU, "/voice/status": Answer(403, "text/xml", "")})
    out = io.StringIO()
    desk = Desk(lambda sid: None, io.StringIO(""), out)
    assert rehearse(phone_to(line, status_url="/voice/status"), desk) == 1
    assert "answered 403" in out.getvalue()


def test_colours_are_for_people_only() -> None:
    for out, is_coloured in ((io.StringIO(), False), (Terminal(), True)):
        line = FakeLine({"/voice/incoming": MENU})
        rehearse(phone_to(line), Desk(lambda sid: None, io.StringIO(), out))
        assert ("\x1b[" in out.getvalue()) is is_coloured


def replay_file(path: Path, script: str, save: Path | None = None) -> tuple[int, str]:
    path.write_text(script, encoding="utf-8")
    line = FakeLine({"/voice/incoming": MENU, "/answer": [MENU, GOODBYE], "/voice/status": twiml()})
    phone: Phone = phone_to(line, status_url="/voice/status")
    out = io.StringIO()
    status = rehearse(phone, Desk(lambda sid: None, io.StringIO(), out), script=path, save=save)
    return status, out.getvalue()


def test_a_script_is_replayed_and_shown(tmp_path: Path) -> None:
    status, shown = replay_file(tmp_path / "short.call", 'dials\nhears "druk op 1"\npresses 1\nqueue: nothing\n')
    assert status == 0
    assert "dials +31612345678\n  nl  Druk op 1.\n" in shown
    assert "The call went as short.call says.\nYou have hung up.\n" in shown


def test_a_script_that_does_not_hold_shows_the_call_and_the_difference(tmp_path: Path) -> None:
    path = tmp_path / "wrong.call"
    status, shown = replay_file(path, 'dials\nhears "politie"\n')
    assert status == 1
    assert "Druk op 1." in shown
    assert f'{path}:2: expected to hear "politie"\n' in shown


@pytest.mark.parametrize("script", [b"\xff\xfe", b"sings\n"])
def test_a_script_that_cannot_be_read_is_said_in_a_sentence(tmp_path: Path, script: bytes) -> None:
    path = tmp_path / "odd.call"
    path.write_bytes(script)
    out = io.StringIO()
    assert rehearse(phone_to(FakeLine({})), Desk(lambda sid: None, io.StringIO(), out), script=path) == 1
    assert out.getvalue().strip()


def test_a_call_is_saved_as_a_script_that_holds(tmp_path: Path) -> None:
    saved = tmp_path / "saved.call"
    status, shown = replay_file(tmp_path / "a.call", 'dials\npresses 1\nsays "ja"\nthe line hangs up\n', save=saved)
    assert status == 0
    assert f"The call is saved in {saved}" in shown
    status, _ = replay_file(tmp_path / "b.call", saved.read_text(encoding="utf-8"))
    assert status == 0


def test_a_call_that_cannot_be_saved_is_shown_instead(tmp_path: Path) -> None:
    status, shown = replay_file(tmp_path / "a.call", "dials\n", save=tmp_path / "nowhere" / "saved.call")
    assert status == 0
    assert "The call could not be saved" in shown
    assert 'hears "Druk op 1."' in shown


@pytest.fixture
def line(tmp_path: Path) -> Iterator[Line]:
    """The real line, which nobody serves: nothing listens at its address."""
    with socket.create_server(("127.0.0.1", 0)) as gone:
        address = f"http://127.0.0.1:{gone.getsockname()[1]}"
    made = Line(settings_for(sqlite(tmp_path), PUBLIC_BASE_URL=address))
    yield made
    made.close()


def test_the_real_line_is_called_within_the_process_when_nobody_serves_it(
    line: Line, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    saved = tmp_path / "saved.call"
    typed = ["1", "0", "1", "1", "", "", "2"]
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n".join(typed) + "\n"))
    house = line.house.line
    status = call(lambda: line.app, house, line.settings, script=None, save=saved, from_="+31612345678")
    shown = capsys.readouterr().out
    assert status == 0
    assert shown.startswith(
        f"Calling the line inside this process (none is served at {line.settings.public_base_url})\n"
    )
    assert "The line has hung up.\nIn the queue for this call:\n" in shown
    assert "  outcome            incomplete\n" in shown
    assert "  phone              +31612345678\n" in shown

    # What was said to this caller alone, a code and a time, does not keep the saved call from being replayed.
    assert "Uw code is ...." in saved.read_text(encoding="utf-8")
    anew = saved.with_name("anew.call")
    text = saved.read_text(encoding="utf-8").replace("+31612345678", "+31687654321")
    anew.write_text(re.sub(r"Uw nummer is [0-9, ]+", "Uw nummer is ...", text), encoding="utf-8")
    assert call(lambda: line.app, house, line.settings, script=anew, save=None, from_="+31687654321") == 0
    assert "The call went as anew.call says." in capsys.readouterr().out


def test_a_rehearsal_never_calls_a_real_line(line: Line, capsys: pytest.CaptureFixture[str]) -> None:
    real = dataclasses.replace(line.settings, zorglijn_env="production")
    assert call(lambda: line.app, line.house.line, real, script=None, save=None, from_="+31612345678") == 1
    assert "real queue" in capsys.readouterr().out
    assert line.queue() == []
