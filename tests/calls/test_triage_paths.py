"""Every path of the triage through signed webhooks, by keypad alone and by speech alone, in both languages.

The whole line takes part: signature, listening, conversation, database, words. Each path is a call from a number of its
own, so that no call is a repeat of another.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path as File
from zoneinfo import ZoneInfo

import pytest

from callbacks.office_hours import WEEKDAYS
from ivr.nodes import Menu
from settings import HERE
from tests.ivr.line import Caller, Line, settings_for
from tests.ivr.paths import Path, all_paths, expected

PATHS = list(all_paths())


@pytest.fixture
def office_open(language: str) -> bool:
    """Open for the Dutch callers and closed for the English ones, whatever day it is."""
    return language == "nl"


@pytest.fixture
def line(database_url: str, tmp_path: File, office_open: bool) -> Iterator[Line]:
    """A line whose office is open, or is not."""
    text = (HERE / "organisation.toml").read_text(encoding="utf-8")
    today = datetime.now(ZoneInfo("Europe/Amsterdam")).weekday()
    days = WEEKDAYS if office_open else (WEEKDAYS[(today + 3) % 7],)
    hours = "\n".join(f'{day} = "00:00-23:59"' for day in days)

    text = re.sub(r"(?ms)^\[hours\].*?(?=^# Numbers)", f"[hours]\n{hours}\n\n", text)
    file = tmp_path / "organisation.toml"
    file.write_text(text, encoding="utf-8")
    made = Line(settings_for(database_url, ORGANISATION_FILE=str(file)))
    yield made
    made.close()


def choices(path: Path) -> Iterator[tuple[str, str]]:
    """Each node on the way and the option that is chosen there, from the language on."""
    yield ("menu_main", "care_now")
    for question, answer in path.answers.items():
        if question == "need" and answer in ("stress", "teeth", "bill", "shelter"):
            yield ("triage_need", "other")
            yield ("triage_need_other", answer)
        elif question == "wait" and path.answers["need"] == "medicine":
            yield ("triage_wait_medicine", answer)
        else:
            yield (f"triage_{question}", answer)
    yield ("callback_offer", "yes")
    yield ("callback_this_number", "this_number")


def press(line: Line, caller: Caller, node: str, name: str, _language: str) -> None:
    """The option's key."""
    menu = line.house.line.switchboard.flow[node]
    assert isinstance(menu, Menu)
    caller.presses(next(option.key for option in menu.options if option.name == name))


def say(line: Line, caller: Caller, node: str, name: str, language: str) -> None:
    """The option's own words, in the caller's language."""
    caller.says(line.house.line.switchboard.answers.example(node, name, language))


@pytest.mark.timeout(300)
@pytest.mark.parametrize("language", ["nl", "en"])
@pytest.mark.parametrize("answer", [press, say], ids=["keypad", "speech"])
def test_every_path_ends_in_the_queue_as_the_table_says(
    line: Line, language: str, answer: Callable[[Line, Caller, str, str, str], None], office_open: bool
) -> None:
    """Outcome, urgency, language and answers of all 389 paths."""
    wrong = []
    for number, path in enumerate(PATHS):
        caller = line.dial(f"+316{10_000_000 + number}")
        answer(line, caller, "welcome", language, language)
        for node, name in choices(path):
            answer(line, caller, node, name, language)
        record = caller.callback()
        found = record and (record["outcome"], record["urgency"], record["language"])
        if found != (*expected(path, office_open=office_open), language):
            wrong.append((str(path), found))
        elif record is not None:
            assert path.answers.items() <= record["answers"].items()
    assert wrong == []
