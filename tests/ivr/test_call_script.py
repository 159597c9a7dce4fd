"""A call script reads like a call, is acted out on a phone, and says exactly what went otherwise."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from ivr import call_script
from ivr.call_replay import contains, replay
from ivr.call_script import Does, Hears, LineHangsUp, Queue, parse
from ivr.phone_calls import Act, Doing
from ivr.phone_errors import NotAsWritten, Unreadable
from tests.ivr.fake_line import FakeLine, gather, phone_to, say, twiml

ENGLISH = 'voice="Polly.Amy-Neural" language="en-GB"'
BOTH = 'input="dtmf speech" language="nl-NL" numDigits="1" actionOnEmptyResult="true"'
CALLBACK = {
    "reference": "4712",
    "outcome": "likely_intake",
    "urgency": "P3",
    "language": "nl",
    "safe_message": True,
    "flags": ["chest", "breathing"],
    "linked_to": None,
    "answers": {"region": "here"},
    "steps": [{"number": 1}],
}


def line() -> FakeLine:
    return FakeLine(
        {
            "/voice/incoming": twiml(
                gather(
                    f'{BOTH} action="/answer"',
                    say("Levensgevaar? Bel 112. Voor Nederlands, druk op 1."),
                    say("Danger of life? Call 112.", ENGLISH),
                )
            ),
            "/answer": twiml(say("Uw code is 4 7 1 2. Wij bellen u morgen."), "<Hangup/>"),
        }
    )


def act_out(text: str, callback: Mapping[str, Any] | None = None) -> FakeLine:
    answering = line()
    replay(parse(text, "amina.call"), phone_to(answering), lambda sid: callback)
    return answering


def test_every_sentence_of_a_script_is_understood() -> None:
    script = parse(
        """
        # A comment, and an empty line:

        dials
        dials from +31 6 12345678
        dials from a withheld number
        presses 06 12 345678#
        says "ja graag"
        says “misschien” with confidence 0.3
        stays silent
        hangs up
        hangs up while saying "bel mij"
        hears "bel "112" nu"
        hears "geen politie" in nl
        hears nothing of "betaal"
        the line hangs up
        queue: nothing
        queue: outcome likely_intake, urgency P3,language nl
        """
    )
    assert [step for _, step in script.steps] == [
        Does(Act(Doing.DIALS)),
        Does(Act(Doing.DIALS, "+31612345678")),
        Does(Act(Doing.DIALS, "anonymous")),
        Does(Act(Doing.PRESSES, "06 12 345678#")),
        Does(Act(Doing.SAYS, "ja graag")),
        Does(Act(Doing.SAYS, "misschien"), 0.3),
        Does(Act(Doing.STAYS_SILENT)),
        Does(Act(Doing.HANGS_UP)),
        Does(Act(Doing.HANGS_UP, "bel mij")),
        Hears('bel "112" nu'),
        Hears("geen politie", "nl"),
        Hears("betaal", is_heard=False),
        LineHangsUp(),
        Queue(()),
        Queue((("outcome", "likely_intake"), ("urgency", "P3"), ("language", "nl"))),
    ]
    assert [number for number, _ in script.steps][:2] == [4, 5]


@pytest.mark.parametrize(
    "line",
    ["press 1", "presses a", "says ja", 'says "ja" with confidence 2', 'hears ""', "queue: outcome", "hangs up now"],
)
def test_a_line_that_says_nothing_known_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "odd.call"
    path.write_text(f"dials\n{line}\n", encoding="utf-8")
    with pytest.raises(Unreadable) as refused:
        call_script.read(path)
    assert (refused.value.path, refused.value.line) == (str(path), 2)
    assert line in str(refused.value)


def test_a_script_is_acted_out_on_the_phone() -> None:
    answering = act_out(
        """
        dials from +31 6 87654321
        hears "BEL   112. voor nederlands"
        hears "Call 112" in en
        hears nothing of "Call 112. Voor"
        says "ja graag" with confidence 0.5
        hears "uw code is ... Wij bellen"
        the line hangs up
        """
    )
    assert [posted.form.get("From") for posted in answering.posted] == ["+31687654321"] * 2
    assert answering.last.form["SpeechResult"] == "ja graag"
    assert answering.last.form["Confidence"] == "0.5"


def test_a_script_can_call_again_with_another_call() -> None:
    answering = act_out(
        "dials\npresses 1\nthe line hangs up\ndials\nstays silent\ndials from a withheld number\nhangs up"
    )
    sids = [posted.form["CallSid"] for posted in answering.posted]
    assert len(set(sids)) == 3
    assert answering.last.form["From"] == "anonymous"


@pytest.mark.parametrize(
    "lines,number,expected,found",
    [
        (["dials", 'hears "politie"'], 2, 'to hear "politie"', "Levensgevaar? Bel 112."),
        (["dials", 'hears "Bel 112" in en'], 2, 'to hear "Bel 112" in en', "[nl-NL] Levensgevaar?"),
        (["dials", 'hears nothing of "bel 112"'], 2, 'to hear nothing of "bel 112"', "[nl-NL] Levensgevaar?"),
        (["", "dials", "presses 1", 'hears "Bel 112"'], 4, 'to hear "Bel 112"', "heard: [nl-NL] Uw code is 4 7 1 2."),
        (["dials", "the line hangs up"], 2, "the line to hang up", "it did not"),
        (["dials", "hangs up", "the line hangs up"], 3, "the line to hang up", "heard: nothing"),
        (["dials", "presses 1", "presses 1"], 3, "that the call goes on", "The call is over"),
        (["presses 1"], 1, "that the call goes on", "dial first"),
        (["dials", "queue: nothing"], 2, "the queue to hold nothing", "it holds reference 4712"),
        (["dials", "queue: urgency P1"], 2, "urgency P1 in the queue", "urgency P3"),
        (["dials", "queue: safe_message no"], 2, "safe_message no in the queue", "safe_message yes"),
        (["dials", "queue: linked_to something"], 2, "linked_to something in the queue", "it holds"),
    ],
)
def test_a_call_that_goes_otherwise_says_where_and_how(
    lines: list[str], number: int, expected: str, found: str
) -> None:
    with pytest.raises(NotAsWritten) as different:
        act_out("\n".join(lines), CALLBACK)
    assert (different.value.path, different.value.line, different.value.expected) == ("amina.call", number, expected)
    assert found in different.value.found
    assert str(different.value).startswith(f"amina.call:{number}: expected {expected}\n  but ")


def test_the_queue_is_compared_with_the_callback_of_the_call() -> None:
    act_out(
        "dials\nqueue: outcome likely_intake, urgency P3, safe_message yes, linked_to nothing, region here, "
        "flags breathing chest, reference something",
        CALLBACK,
    )
    act_out("dials\nqueue: nothing", None)
    with pytest.raises(NotAsWritten, match="it holds nothing"):
        act_out("dials\nqueue: urgency P3", None)


@pytest.mark.parametrize(
    "heard,text,is_there",
    [
        ("Wij zijn GEEN politie.", "geen  politie", True),
        ("Druk\n op 1", "druk op 1", True),
        ("dat\u2019s goed", "dat's goed", True),
        ("Uw code is 4 7. Dag.", "code is ... dag", True),
        ("Dag. Uw code is 4 7.", "code is ... dag", False),
        ("Een plus (een)", "plus (een)", True),
        ("eenheid", "een heid", False),
    ],
)
def test_words_are_found_whatever_the_case_spaces_and_quotation_marks(heard: str, text: str, is_there: bool) -> None:
    assert contains(heard, text) is is_there


def test_a_saved_call_can_be_replayed_and_says_everything_that_was_heard() -> None:
    phone = phone_to(line(), from_="anonymous")
    phone.dial()
    phone.say('zeg "ja"')
    written = call_script.write(
        phone.exchanges, phone.ended_by, title="A saved call", changing=["Uw code is {reference}."]
    )
    assert written.splitlines() == [
        "# A saved call",
        "",
        "dials from a withheld number",
        'hears "Levensgevaar?"',
        'hears "Bel 112."',
        'hears "Voor Nederlands, druk op 1."',
        'hears "Danger of life?"',
        'hears "Call 112."',
        "",
        'says "zeg "ja""',
        'hears "Uw code is ...."',
        'hears "Wij bellen u morgen."',
        "the line hangs up",
    ]
    act_out(written)


def test_everything_a_caller_did_can_be_saved() -> None:
    record = '<Record action="/answer" maxLength="20"/>'
    line = FakeLine({"/voice/incoming": twiml(gather(BOTH), record), "/answer": twiml()})
    phone = phone_to(line)
    phone.dial()
    phone.press("1")
    phone.stay_silent()
    saved = call_script.write(phone.exchanges, phone.ended_by, title="x")
    assert saved.split("\n\n") == ["# x", "dials from +31612345678", "presses 1", "stays silent\n"]
    line.pages["/voice/incoming"] = twiml(record)
    speaking = phone.new_call("+31687654321")
    speaking.dial()
    speaking.hang_up(saying="bel mij")
    again = call_script.write(speaking.exchanges, speaking.ended_by, title="y")
    assert again.splitlines()[-1] == 'hangs up while saying "bel mij"'
    assert len(parse(saved).steps) == 3
    assert len(parse(again).steps) == 2
