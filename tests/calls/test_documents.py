"""Every place in the call speaks a document that the caller's phone accepts, whatever has expired."""

from collections.abc import Iterator
from datetime import date
from pathlib import Path

import pytest

from app import House
from ivr.nodes import Listener
from ivr.twiml import Reply
from ivr.twiml_reader import read_twiml
from ivr.twiml_verbs import Gather, Record
from tests.ivr.line import Line, settings_for, sqlite

LONGEST_SPEECH = 3000  # characters: below the provider's limit, and so long only where every language is spoken


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    line = Line(settings_for(sqlite(tmp_path)))
    yield line.house
    line.close()


@pytest.mark.parametrize("today", [date(2026, 11, 24), date(2036, 1, 1)], ids=["today", "expired"])
@pytest.mark.parametrize("language", ["nl", "en", None])
def test_every_node_that_waits_is_accepted(house: House, language: str | None, today: date) -> None:
    line = house.line
    for name, node in line.switchboard.flow.nodes.items():
        if not isinstance(node, Listener):
            continue
        reply = Reply(
            node=name,
            turn=7,
            says=(*node.no_match, *node.no_input, *node.tells, *node.asks),
            language=language,
            caller_number="+31612345678",
            number="+31402512738",
            reference="4712",
            due=("day_tomorrow", "before", "hour_9"),
        )
        *_, waits = read_twiml(line.renderer.render(reply, today))
        assert isinstance(waits, Gather | Record), name
        assert waits.action == "/voice/turn/7", name
        if isinstance(waits, Gather):
            assert waits.takes_keys, name
            assert waits.takes_words, name
            assert waits.action_on_empty_result, name
            assert waits.barge_in, name
            assert waits.timeout == 8, name
            assert waits.prompts, name
            assert sum(len(prompt.text) for prompt in waits.prompts if hasattr(prompt, "text")) < LONGEST_SPEECH, name


@pytest.mark.parametrize("prompt", ["apology", "goodbye"])
@pytest.mark.parametrize("today", [date(2026, 11, 24), date(2036, 1, 1)], ids=["today", "expired"])
def test_the_last_words_are_accepted_in_both_languages(house: House, prompt: str, today: date) -> None:
    *spoken, end = read_twiml(house.line.renderer.goodbye(prompt, today))
    assert [getattr(words, "language", None) for words in spoken] == ["nl-NL", "en-GB"]
    assert all("112" in getattr(words, "text", "") for words in spoken)
    assert type(end).__name__ == "Hangup"
