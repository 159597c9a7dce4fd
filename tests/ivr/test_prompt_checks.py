"""The line's own prompts pass every check, and each check finds what it is there for."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from ivr import spoken
from ivr.flow import Flow, build
from ivr.nodes import Menu, Option
from ivr.prompt_checks import check, warnings
from ivr.prompts import Fact, Prompts
from ivr.readability import ease

TODAY = date(2026, 11, 21)
OWN = Path(__file__).parents[2] / "prompts"
NUMBER = Fact(spoken.digits("0402512738"), expires=date(2027, 2, 19))
FACTS = {
    "office_number": NUMBER,
    "asylum_gp_number": NUMBER,
    "insurance_number": Fact(spoken.digits("08006464644"), expires=date(2027, 2, 19)),
    "dental_number": NUMBER,
    "organisation": Fact(text="Vluchtelingen in de Knel"),
    "region": Fact(text="Eindhoven"),
    "days_kept": Fact(("number_30",)),
}

Rewrite = Callable[..., Prompts]


@pytest.fixture
def rewrite(tmp_path: Path) -> Rewrite:
    """The line's prompts with other words in some of the Dutch ones."""

    def rewrite(header: str = "", **texts: str) -> Prompts:
        shutil.copytree(OWN, tmp_path, dirs_exist_ok=True)
        for name, text in texts.items():
            path = tmp_path / "nl" / f"{name}.txt"
            path.write_text(f"source: own\nreviewed: 2026-11-21\n{header}\n{text}\n", encoding="utf-8")
        return Prompts.load(tmp_path, FACTS)

    return rewrite


def told(prompts: Prompts, flow: Flow | None = None) -> str:
    return "\n".join(f"{problem.where}: {problem.what}" for problem in check(prompts, flow or build()))


def changed(flow: Flow, name: str, **values: object) -> Flow:
    return Flow({**flow.nodes, name: replace(flow[name], **values)})  # type: ignore[arg-type]  # any field of a node


@pytest.mark.parametrize("facts", [FACTS, FACTS | {"emergency_gp_number": NUMBER}, {}])
def test_the_lines_own_prompts_pass(facts: dict[str, Fact]) -> None:
    assert check(Prompts.load(OWN, facts), build()) == []


def test_the_lines_own_prompts_are_up_to_date_on_the_day_of_their_review() -> None:
    assert warnings(Prompts.load(OWN, FACTS), TODAY) == []


# Length and plainness


def test_a_text_that_takes_too_long_is_found(rewrite: Rewrite) -> None:
    prompts = rewrite(no_match_first="Wij zijn er voor u. " * 7)
    assert "nl/no_match_first.txt: takes 14.0 seconds to say, and may take 12" in told(prompts)


def test_information_may_take_longer(rewrite: Rewrite) -> None:
    assert told(rewrite(header="kind: information\n", rights_doctor="Wij zijn er voor u. " * 12)) == ""
    assert "may take 25" in told(rewrite(header="kind: information\n", rights_doctor="Wij zijn er voor u. " * 13))


def test_digits_of_a_number_take_their_time(rewrite: Rewrite) -> None:
    prompts = rewrite(header="fallback: goodbye_plain\n", goodbye="{office_number} en 112, " * 3)
    assert "takes 16.8 seconds" in told(prompts)


def test_a_long_sentence_is_found(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_number_unknown="Wij zien niet met welk nummer u ons nu belt en dat is jammer.")
    assert "has 14.0 words a sentence on average, and may have 10" in told(prompts)


def test_hard_words_are_found(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_number_unknown="Uw telefoonnummer is onzichtbaar wegens afscherming.")
    assert "nl/callback_number_unknown.txt: is hard to read" in told(prompts)


@pytest.mark.parametrize("language", ["nl", "en"])
def test_plain_words_score_better_than_an_offices_words(language: str) -> None:
    plain = {"nl": "Wij bellen u. Dat is gratis.", "en": "We will call you. It is free of cost."}
    office = {"nl": "Declaratiegerechtigden contacteren.", "en": "Reimbursement necessitates documentation."}
    plain_score, office_score = ease(plain[language], language), ease(office[language], language)
    assert plain_score is not None
    assert office_score is not None
    assert plain_score > 80
    assert office_score < 30


@pytest.mark.parametrize("word", ["vreemdelingen", "Illegaal", "dossier", "controles"])
def test_a_word_to_avoid_is_found_in_any_form(rewrite: Rewrite, word: str) -> None:
    assert "a word to avoid on this line" in told(rewrite(callback_number_unknown=f"Dit gaat over {word}."))


def test_a_welcome_that_is_too_long_for_a_frightened_caller_is_found(rewrite: Rewrite) -> None:
    prompts = rewrite(welcome_language="Wilt u liever Nederlands? Voor Nederlands, druk op 1.")
    assert "node welcome: takes 11.6 seconds in all languages together, and may take 10" in told(prompts)


# Menus


def test_a_menu_that_keeps_a_key_to_itself_is_found(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_offer="Zullen wij u bellen? Voor ja, druk op 1.")
    assert "nl/callback_offer.txt: does not say what key 2 is for (node callback_offer)" in told(prompts)


def test_a_menu_that_names_a_key_without_use_is_found(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_offer="Voor ja, druk op 1. Voor nee, druk op 2. Voor hulp, druk op 3.")
    assert "nl/callback_offer.txt: names key 3, which does nothing there" in told(prompts)


@pytest.mark.parametrize("count", ["Er zijn 4 keuzes. ", ""])
def test_a_menu_says_how_many_choices_there_are(rewrite: Rewrite, count: str) -> None:
    keys = "Voor hulp, druk op 1. Voor uw rechten, druk op 2. Voor de balie, druk op 3."
    assert "nl/menu_main.txt: must say that there are 3 choices" in told(rewrite(menu_main=count + keys))


def test_the_goal_comes_before_the_key(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_offer="Druk op 1 om gebeld te worden. Voor nee, druk op 2.")
    assert "names the key before the goal ('Druk op 1 om gebeld te worden')" in told(prompts)


def test_a_fallback_of_a_menu_names_the_keys_too(rewrite: Rewrite) -> None:
    prompts = rewrite(callback_region_plain="Waar bent u?")
    assert "nl/callback_region_plain.txt: does not say what key 1 is for" in told(prompts)


def test_a_third_language_has_its_own_key_named_in_its_own_words() -> None:
    problems = told(Prompts.load(OWN, FACTS), build(("nl", "en", "fr")))
    assert "nl/callback_language.txt: does not say what key 4 is for" in problems
    assert "welcome_language" not in problems


# The flow


def test_a_prompt_that_nobody_has_written_is_found() -> None:
    flow = changed(build(), "menu_main", asks=("menu_new",))
    assert "menu_new.txt: the line says this somewhere, but nobody has written it" in told(Prompts.load(OWN, {}), flow)


def test_a_prompt_that_nobody_will_ever_hear_is_found(tmp_path: Path) -> None:
    shutil.copytree(OWN, tmp_path, dirs_exist_ok=True)
    for code in ("nl", "en"):
        (tmp_path / code / "forgotten.txt").write_text("source: own\nreviewed: 2026-11-21\n\nDag.\n")
    assert "forgotten.txt: no node of the flow says this" in told(Prompts.load(tmp_path, FACTS))


def test_a_node_that_no_caller_can_come_to_is_found() -> None:
    flow = build()
    alone = Menu(name="island", asks=("menu_main",), options=flow.listener("menu_main").options)  # type: ignore[attr-defined]  # a menu
    problems = told(Prompts.load(OWN, FACTS), Flow({**flow.nodes, "island": alone}))
    assert "node island: no caller can come here from 'welcome'" in problems


def test_a_node_that_no_caller_can_leave_is_found() -> None:
    flow = changed(build(), "callback_declined_next", exits=("callback_declined",))
    assert "node callback_declined: a caller who comes here can never get to 'goodbye'" in told(
        Prompts.load(OWN, FACTS), flow
    )


def test_an_answer_that_leads_nowhere_is_found() -> None:
    flow = changed(build(), "callback_declined", goto="somewhere")
    assert "node callback_declined: leads to 'somewhere', which is no node" in told(Prompts.load(OWN, FACTS), flow)


def test_a_menu_that_nobody_can_remember_is_found() -> None:
    options = tuple(Option(str(key), f"option_{key}", "goodbye") for key in range(1, 6))
    assert "has 5 options; nobody remembers more than 4" in told(
        Prompts.load(OWN, FACTS), changed(build(), "rights", options=options)
    )


def test_a_language_without_style_is_told(tmp_path: Path) -> None:
    shutil.copytree(OWN, tmp_path, dirs_exist_ok=True)
    (tmp_path / "en" / "style.toml").unlink()
    assert "prompts/en/style.toml: cannot be read" in told(Prompts.load(tmp_path, FACTS))


# Warnings


def test_expired_facts_and_lonely_recordings_are_warnings(tmp_path: Path) -> None:
    shutil.copytree(OWN, tmp_path, dirs_exist_ok=True)
    (tmp_path / "nl" / "goodbye.1.wav").write_bytes(b"RIFF")
    prompts = Prompts.load(tmp_path, FACTS)
    assert check(prompts, build()) == []
    listed = {problem.where: problem.what for problem in warnings(prompts, date(2027, 1, 21))}
    assert "the facts were good until 2027-01-20" in listed["prompts/nl/rights_doctor.txt"]
    assert "not played: nl/goodbye.1.wav" in listed["prompts/nl/goodbye.txt"]
    assert "prompts/nl/emergency.txt" not in listed
