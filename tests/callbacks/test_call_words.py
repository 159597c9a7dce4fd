"""A call reads as it went: the option in words, how it was given, how sure; and no number that was keyed."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from callbacks import call_words
from callbacks.story import StepTold
from ivr import flow
from ivr.heard import Command, Kind
from ivr.nodes import Menu, NumberEntry, Question

AT = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)
STEP = StepTold(1, AT, "triage_need", "match", "doctor", "digits", "1", None, None, ("triage_wait",))
PLAN = flow.build()


def said(step: StepTold) -> str:
    return str(call_words.lines([step])[0].caller)


@pytest.mark.parametrize("node", [node for node in PLAN.nodes.values() if isinstance(node, Question | Menu)], ids=repr)
def test_every_option_of_the_line_has_words(node: Question | Menu) -> None:
    options = [*node.options, *getattr(node, "unasked", ())]
    for option in options:
        words = said(replace(STEP, node=node.name, value=option.name))
        assert words != option.name, (node.name, option.name)
        assert words[0].isupper()


@pytest.mark.parametrize("command", Command)
def test_every_command_has_words(command: Command) -> None:
    assert said(replace(STEP, heard=Kind.COMMAND, value=command)) != command


def test_every_way_of_hearing_has_words() -> None:
    assert {kind: said(replace(STEP, heard=kind, value=None)) for kind in (Kind.NO_INPUT, Kind.NO_MATCH)} == {
        Kind.NO_INPUT: "Nothing: silence",
        Kind.NO_MATCH: "Not understood",
    }
    assert said(replace(STEP, heard=Kind.RED_FLAG, value=None)) == "Words of danger"


def test_what_was_pressed_or_said_stands_beside_it_with_how_sure_that_is() -> None:
    spoken = replace(STEP, mode="speech", digits=None, utterance="ik zoek een dokter", confidence=0.876)
    pressed, heard = call_words.lines([STEP, spoken])
    assert (pressed.keys, pressed.quote, pressed.sure) == ("1", None, None)
    assert (heard.keys, heard.quote, heard.sure) == (None, "ik zoek een dokter", 88)


def test_a_number_is_not_repeated_however_it_was_given() -> None:
    node = next(node.name for node in PLAN.nodes.values() if isinstance(node, NumberEntry))
    keyed = replace(STEP, node=node, value="+31612345678", digits="0612345678")
    spoken = replace(keyed, digits=None, utterance="nul zes twaalf", confidence=0.9)
    refused = replace(keyed, heard="no_match", value="number_premium", digits="0900123456")
    told = call_words.lines([keyed, spoken, refused])
    assert "6" not in repr([(line.caller, line.keys, line.quote) for line in told]).replace("0x", "")
    assert [str(line.caller) for line in told] == ["A phone number", "A phone number", "Not understood"]


def test_the_ring_has_nobody_speaking_but_the_line() -> None:
    ring = replace(STEP, node=None, heard=None, value=None, mode=None, digits=None)
    assert call_words.lines([ring])[0].caller is None
