"""A language is a folder: with prompts/fr/ beside the others the line is trilingual, and no code was touched."""

from __future__ import annotations

import shutil
from datetime import date
from pathlib import Path

import pytest

from app import PROMPTS, facts
from ivr import conversation, flow
from ivr.answers import Answers
from ivr.listening import listen
from ivr.numbers import NumberPolicy
from ivr.position import Circumstances
from ivr.prompts import Prompts
from settings import HERE, Organisation


@pytest.fixture
def prompts(tmp_path: Path) -> Path:
    """The line's own prompts, and a third folder with the same names."""
    shutil.copytree(PROMPTS, tmp_path / "prompts")
    french = shutil.copytree(PROMPTS / "en", tmp_path / "prompts" / "fr")
    about = (french / "language.toml").read_text(encoding="utf-8")
    (french / "language.toml").write_text(about.replace("en-GB", "fr-FR"), encoding="utf-8")
    return tmp_path / "prompts"


def test_a_folder_more_makes_the_line_trilingual(prompts: Path) -> None:
    """The third key and the language's own name choose it, and from then on it is spoken."""
    spoken = Prompts.load(prompts, facts(Organisation.load(HERE / "organisation.toml")))
    plan = flow.build(tuple(language.code for language in spoken.languages))
    answers = Answers.load(prompts, plan)
    turn = conversation.begin(plan, Circumstances())
    for digits, utterance in (("3", None), (None, "français")):
        heard = listen(plan.listener("welcome"), digits, utterance, 0.9, None, answers, NumberPolicy())
        chosen = conversation.resume(plan, turn.position, heard, Circumstances())
        assert chosen.position.language == "fr"
        said = spoken.speak(chosen.says, chosen.position.language, {}, date(2026, 11, 21))
        assert {segment.language for segment in said} == {"fr"}


def test_a_language_that_is_named_need_not_be_offered() -> None:
    """Who is asked for the language of the callback says "Tigrinya", not "another"."""
    plan = flow.build()
    answers = Answers.load(PROMPTS, plan)
    asked = plan.listener("callback_language")
    assert listen(asked, None, "Tigrinya please", 0.9, "en", answers, NumberPolicy()).value == "ti"
    assert not listen(asked, "4", None, None, "en", answers, NumberPolicy()).value
