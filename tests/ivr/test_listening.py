"""What callers press and say, and what the line hears in it: the corpus of utterances, and rules that hold for any."""

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr import flow as floor_plan
from ivr.answers import Answers
from ivr.answers_files import File, read
from ivr.heard import Command, Heard, Kind, Mode
from ivr.listening import listen
from ivr.nodes import Listener, Menu, Option, SpokenAnswer
from ivr.numbers import NumberPolicy
from ivr.words import plain

ROOT = Path(__file__).parents[2]
FLOW = floor_plan.build()
ANSWERS = Answers.load(ROOT / "prompts", FLOW)
FILES = read(ROOT / "prompts", {"region": "Eindhoven"}, [])
LISTENERS = [node for node in FLOW.nodes.values() if isinstance(node, Listener)]
MENUS = [node for node in LISTENERS if isinstance(node, Menu)]
OPTIONS = [(menu, option) for menu in MENUS for option in menu.options]
YES_NO = [menu for menu in MENUS if ANSWERS.vocabularies[menu.name].affirmative]
CORPUS = [
    (node, utterance, expected)
    for node, pairs in tomllib.loads(Path(__file__).with_name("utterances.toml").read_text(encoding="utf-8")).items()
    for utterance, expected in pairs
]


def hears(node: str, utterance: str | None, *, digits: str | None = None, confidence: float | None = None) -> Heard:
    """What the line hears at a node in these words or keys."""
    return listen(FLOW.listener(node), digits, utterance, confidence, "nl", ANSWERS, NumberPolicy())


def presses(node: str, digits: str) -> Heard:
    return hears(node, None, digits=digits)


def shorthand(heard: Heard, node: str, utterance: str) -> str:
    """A result as utterances.toml writes it."""
    is_aloud = isinstance(FLOW[node], SpokenAnswer)
    flags = "!" + "+".join(heard.flags) if heard.flags else ""
    match heard.kind:
        case Kind.MATCH:
            return "=" if is_aloud and heard.value == utterance else heard.value + flags
        case Kind.COMMAND:
            return ":" + heard.value
        case Kind.NO_MATCH:
            return "?" + heard.value
        case Kind.NO_INPUT:
            return "-"
        case Kind.RED_FLAG:
            return flags


@pytest.mark.parametrize("node,utterance,expected", CORPUS)
def test_people_are_understood(node: str, utterance: str, expected: str) -> None:
    assert shorthand(hears(node, utterance), node, utterance) == expected


def test_the_corpus_is_large_and_visits_every_question() -> None:
    assert len(CORPUS) >= 300
    missing = {node.name for node in LISTENERS} - {node for node, _, _ in CORPUS}
    assert {name for name in missing if not name.startswith("rights_")} == {
        "callback_voice_message",
        "callback_without_number",  # the same choices as callback_reference
    }


def is_listed(menu: Menu, utterance: str) -> bool:
    """Whether somebody wrote this very phrase down as an answer here ("morning or afternoon": any)."""
    listed = [phrase for file in FILES for option in menu.options for phrase in said_for(file, menu, option)]
    return plain(utterance).tokens in {plain(phrase).tokens for phrase in listed}


def said_for(file: File, menu: Menu, option: Option) -> tuple[str, ...]:
    said = file.said(menu, option.name)
    return said.words + said.also + said.alone


# ------------------------------------------------------------------------------------------------ every listed phrase


@pytest.mark.parametrize("language", ["nl", "en", None])
def test_the_example_of_every_option_is_understood_on_every_path(language: str | None) -> None:
    for menu, option in OPTIONS:
        for spoken in ("nl", "en"):
            example = ANSWERS.example(menu.name, option.name, spoken)
            heard = listen(menu, None, example, None, language, ANSWERS, NumberPolicy())
            assert (heard.kind, heard.value) == (Kind.MATCH, option.name), (menu.name, example)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.language)
def test_every_listed_phrase_means_its_option(file: File) -> None:
    for menu, option in OPTIONS:
        for phrase in said_for(file, menu, option):
            heard = hears(menu.name, phrase)
            assert (heard.kind, heard.value) == (Kind.MATCH, option.name), (menu.name, phrase)


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.language)
def test_every_phrase_of_danger_is_heard_everywhere(file: File) -> None:
    for name, group in file.red_flags.items():
        for phrase in group.get("phrases", ()) if isinstance(group, dict) else ():
            words = " ".join(step.split("|")[-1].rstrip("*") for step in phrase.split() if step != "..")
            heard = hears("triage_need", f"please {words} now")
            assert heard.kind is Kind.RED_FLAG, phrase
            assert name in heard.flags, phrase


def test_every_command_in_words_works_where_no_option_claims_them() -> None:
    for file in FILES:
        for command, phrases in file.answers["commands"].items():
            for phrase in phrases:
                heard = hears("callback_region", phrase)
                assert (heard.kind, heard.value) == (Kind.COMMAND, command), phrase


# --------------------------------------------------------------------------------------------------------------- keys


def test_every_option_has_its_key() -> None:
    for menu, option in OPTIONS:
        for digits in (option.key, f"{option.key}#", option.key * 2):
            assert presses(menu.name, digits) == Heard(Kind.MATCH, option.name, Mode.DIGITS)


@pytest.mark.parametrize("node", LISTENERS, ids=lambda node: node.name)
def test_nine_nought_and_star_work_everywhere(node: Listener) -> None:
    assert presses(node.name, "9") == Heard(Kind.COMMAND, Command.REPEAT, Mode.DIGITS)
    assert presses(node.name, "0") == Heard(Kind.COMMAND, Command.CALLBACK, Mode.DIGITS)
    assert presses(node.name, "*") == Heard(Kind.COMMAND, Command.EMERGENCY, Mode.DIGITS)
    assert presses(node.name, "112") == Heard(Kind.COMMAND, Command.EMERGENCY, Mode.DIGITS)


@pytest.mark.parametrize("digits", ["12", "#", "w", "5", "1a", "##", "hangup", "²", "٣", "-1", "121"])
def test_other_keys_are_not_understood(digits: str) -> None:
    assert presses("triage_refused", digits) == Heard(Kind.NO_MATCH, "", Mode.DIGITS)


@pytest.mark.parametrize("digits", ["1*", "*1", "**", "*#"])
def test_a_star_among_keys_is_an_emergency(digits: str) -> None:
    assert presses("menu_main", digits).value == Command.EMERGENCY


def test_keys_win_over_speech() -> None:
    assert hears("callback_offer", "nee", digits="1") == Heard(Kind.MATCH, "yes", Mode.DIGITS)


@pytest.mark.parametrize("digits", [None, "", " "])
@pytest.mark.parametrize("utterance", [None, "", " \t", "?!"])
def test_nothing_is_silence(digits: str | None, utterance: str | None) -> None:
    for node in LISTENERS:
        assert hears(node.name, utterance, digits=digits) == Heard(Kind.NO_INPUT, "", Mode.SILENCE)


def test_a_number_is_keyed_in() -> None:
    allowed = Heard(Kind.MATCH, "+31612345678", Mode.DIGITS)
    assert presses("callback_number_entry", "0612345678") == allowed
    assert presses("callback_number_entry", "0612345678#") == allowed
    assert presses("callback_number_entry", "0031612345678") == allowed
    assert presses("callback_number_entry", "31612345678") == allowed


def test_a_number_that_is_refused_says_why() -> None:
    assert presses("callback_number_entry", "09001234") == Heard(Kind.NO_MATCH, "number_premium", Mode.DIGITS)
    assert presses("callback_number_entry", "14040") == Heard(Kind.NO_MATCH, "number_short", Mode.DIGITS)
    assert presses("callback_number_entry", "06*12") == Heard(Kind.NO_MATCH, "", Mode.DIGITS)


def test_only_the_closing_key_at_a_number_is_silence() -> None:
    assert presses("callback_number_entry", "#").kind is Kind.NO_INPUT


def test_a_key_where_a_language_is_asked_for_gets_help() -> None:
    assert presses("callback_language_name", "3").kind is Kind.NO_MATCH
    assert presses("callback_language_name", "#").kind is Kind.NO_MATCH


def test_any_key_ends_a_message_and_a_hang_up_does_not() -> None:
    assert presses("callback_voice_message", "#").kind is Kind.MATCH
    assert presses("callback_voice_message", "1").kind is Kind.MATCH
    assert presses("callback_voice_message", "hangup").kind is Kind.NO_INPUT


# ------------------------------------------------------------------------------------------------ confidence, danger


@pytest.mark.parametrize("confidence", [None, 0.0, 0.3, 0.9, 1.0])
def test_words_that_may_be_right_are_used(confidence: float | None) -> None:
    assert hears("callback_offer", "ja", confidence=confidence).kind is Kind.MATCH


@pytest.mark.parametrize("node,utterance", [("callback_offer", "ja"), ("callback_number_entry", "06 12345678")])
def test_words_that_are_likely_wrong_are_not_used(node: str, utterance: str) -> None:
    assert hears(node, utterance, confidence=0.2).kind is Kind.NO_MATCH


def test_danger_is_heard_at_any_confidence() -> None:
    for node in LISTENERS:
        assert hears(node.name, "ik krijg geen lucht", confidence=0.01) == Heard(
            Kind.RED_FLAG, "", Mode.SPEECH, ("breathing",)
        )
    assert hears("menu_main", "noodgeval", confidence=0.01).value == Command.EMERGENCY


@pytest.mark.parametrize(
    "utterance",
    [
        "geen pijn op de borst",
        "not bleeding",
        "geen bloeding",
        "niet bewusteloos",
        "he is not unconscious",
        "no chest pain",
        "I don't have chest pain",
        "ik heb geen last van pijn op mijn borst",
        "hij bloedt niet",
        "niet aan het bloeden",
        "zonder bloedverlies",
        "my blood pressure",
        "mijn bloeddruk",
        "ik wil een afspraak voor mijn hart",
    ],
)
def test_danger_that_is_denied_right_there_is_none(utterance: str) -> None:
    assert hears("triage_need", utterance).flags == ()


@pytest.mark.parametrize(
    "utterance,category",
    [
        ("no he is bleeding", "bleeding"),
        ("no, bleeding", "bleeding"),
        ("nee hij bloedt", "bleeding"),
        ("het bloeden stopt niet", "bleeding"),
        ("ik weet niet, bloeding denk ik", "bleeding"),
        ("ik weet niet bloeding denk ik", "bleeding"),
        ("no is bleeding", "bleeding"),
        ("no have chest pain", "chest_pain"),
        ("I don't have no air", "breathing"),
        ("bloed heel erg", "bleeding"),
        ("ik kan niet goed ademen", "breathing"),
        ("i cannot breathe", "breathing"),
        ("she can’t really breathe", "breathing"),  # noqa: RUF001  as a recogniser writes it
        ("he's not breathing anymore", "breathing"),
        ("krijg bijna geen lucht meer", "breathing"),
        ("pijn op mijn borst", "chest_pain"),
        ("my chest really hurts", "chest_pain"),
        ("hij heeft een hartaanval", "chest_pain"),
        ("mijn vader is flauwgevallen", "unconscious"),
        ("she won't wake up", "unconscious"),
        ("he passed out", "unconscious"),
        ("hij is niet wakker te krijgen", "unconscious"),
        ("I think it is a stroke", "stroke"),
        ("zijn mond hangt scheef", "stroke"),
        ("mijn kind heeft een koortsstuip", "seizure"),
        ("she took too many sleeping pills", "poisoning"),
        ("mijn water is gebroken", "labour"),
        ("the contractions started", "labour"),
        ("he is hitting me", "violence"),
        ("hij slaat mij", "violence"),
        ("ik wil er een einde aan maken", "suicide"),
        ("I want to die", "suicide"),
        ("I don't want to live anymore", "suicide"),
        ("ik wil niet meer leven", "suicide"),
        ("I'm going to kill myself", "suicide"),
    ],
)
def test_danger_is_heard_in_the_middle_of_anything(utterance: str, category: str) -> None:
    for node in ("triage_need", "callback_number_entry", "callback_language_name"):
        heard = hears(node, f"eh hello {utterance} please")
        assert heard.kind is Kind.RED_FLAG
        assert category in heard.flags


def test_a_callers_own_words_are_kept_short_and_on_one_line() -> None:
    assert hears("callback_language_name", "  Pashto \t and\nmore ").value == "Pashto and more"
    assert hears("callback_language_name", "Pashto " * 50).value == ("Pashto " * 50)[:100].strip()


# ------------------------------------------------------------------------------------------------------- rules for any

DENIALS = sorted(ANSWERS.grammar.negations)
YES_WORDS = sorted(
    {w for file in FILES for key in ("words", "also", "alone") for w in file.answers["options"]["yes"][key]}
)
FILLERS = sorted(ANSWERS.grammar.fillers)
EVERYDAY = st.lists(st.sampled_from([*YES_WORDS, *FILLERS, "bel mij", "this number", "één", "optie een", "verzekerd"]))


@given(st.sampled_from(LISTENERS), st.text(max_size=300) | st.none(), st.text(max_size=30) | st.none(), st.floats())
def test_nothing_that_can_be_said_or_pressed_fails(
    node: Listener, utterance: str | None, digits: str | None, confidence: float
) -> None:
    for pressed, said in ((digits, utterance), (None, utterance)):
        heard = listen(node, pressed, said, confidence, None, ANSWERS, NumberPolicy())
        if heard.kind is Kind.MATCH and isinstance(node, Menu):
            assert heard.value in {option.name for option in node.options}
        if heard.kind is Kind.MATCH and isinstance(node, SpokenAnswer):
            assert 0 < len(heard.value) <= 100
            assert heard.value.isprintable()
        if heard.kind is Kind.COMMAND:
            assert Command(heard.value)


@given(st.sampled_from(YES_NO), EVERYDAY, st.sampled_from(DENIALS), EVERYDAY)
def test_a_no_is_never_a_yes(node: Menu, before: list[str], denial: str, after: list[str]) -> None:
    heard = hears(node.name, " ".join([*before, denial, *after]))
    assert heard.value not in ANSWERS.vocabularies[node.name].affirmative
    assert heard.value != Command.CALLBACK  # at the offer that is a yes as well


@given(
    st.data(), st.sampled_from(MENUS), st.lists(st.sampled_from(["eh", "of", "or", "en", "and", "graag"]), max_size=2)
)
def test_two_options_are_never_a_match(data: st.DataObject, menu: Menu, between: list[str]) -> None:
    first, second = data.draw(st.permutations(menu.options).map(lambda options: options[:2]))
    languages = st.sampled_from(["nl", "en"])
    said = [
        ANSWERS.example(menu.name, first.name, data.draw(languages)),
        *between,
        ANSWERS.example(menu.name, second.name, data.draw(languages)),
    ]
    assert hears(menu.name, " ".join(said)).kind is not Kind.MATCH or is_listed(menu, " ".join(said)), said


@given(st.data(), st.sampled_from(OPTIONS), st.sampled_from(["geen", "not", "niet"]))
def test_a_denied_option_is_not_chosen(data: st.DataObject, choice: tuple[Menu, Option], denial: str) -> None:
    menu, option = choice
    example = ANSWERS.example(menu.name, option.name, data.draw(st.sampled_from(["nl", "en"])))
    said = f"{denial} {example}"
    is_a_denial = option.name in ANSWERS.vocabularies[menu.name].negative or ANSWERS.grammar.denies(plain(example))
    assert is_a_denial or is_listed(menu, said) or hears(menu.name, said).value != option.name, said
