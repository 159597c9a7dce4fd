"""Plain words, phrases among them, and numbers that are said."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.answers_files import read
from ivr.grammar import Grammar
from ivr.red_flags import Phrase
from ivr.words import LONGEST_UTTERANCE, Found, Phrases, outermost, plain

GRAMMAR = Grammar.of([file.answers for file in read(Path(__file__).parents[2] / "prompts", {}, [])])


@pytest.mark.parametrize(
    "utterance,tokens",
    [
        ("Ja, hoor!", "ja hoor"),
        ("één", "een"),
        ("oké", "oke"),
        ("Weeën", "weeen"),
        ("I can't", "i cant"),
        ("I can’t", "i cant"),  # noqa: RUF001  as a recogniser writes it
        ("'s ochtends", "s ochtends"),
        ("+31 6", "plus 31 6"),
        ("no-one", "no one"),
        ("٠٦", "06"),
        ("İstanbul STRASSE straße", "istanbul strasse strasse"),
        ("العربيّة", "العربية"),
        ("_ - *", ""),
    ],
)
def test_spelling_makes_no_difference(utterance: str, tokens: str) -> None:
    assert " ".join(plain(utterance).tokens) == tokens


def test_marks_are_remembered_as_pauses() -> None:
    assert plain("no, he is bleeding. now").pauses == {1, 4}


def test_an_endless_utterance_is_cut() -> None:
    assert len(plain("ja " * 100_000).tokens) <= LONGEST_UTTERANCE


@given(st.text())
def test_plain_words_stay_as_they_are(text: str) -> None:
    tokens = plain(text[:500]).tokens
    assert plain(" ".join(tokens)).tokens == tokens


def test_the_longest_phrase_is_found() -> None:
    phrases = Phrases({("dokter",): "doctor", ("dokter", "of", "ziekenhuis"): "both", ("ziekenhuis",): "hospital"})
    assert phrases.find(plain("een dokter of ziekenhuis graag").tokens) == [Found(1, 4, "both")]


def test_a_phrase_is_only_dropped_for_one_that_contains_it() -> None:
    beside, containing, contained = Found(4, 6, "c"), Found(0, 3, "a"), Found(1, 3, "b")
    crossing = Found(2, 5, "d")
    assert outermost([containing, contained, beside, crossing]) == [containing, beside, crossing]


def test_only_whole_words_are_found() -> None:
    assert Phrases({("ja",): True}).find(plain("jas jarig jan").tokens) == []


@pytest.mark.parametrize(
    "word,number",
    [("nul", 0), ("zeven", 7), ("vierendertig", 34), ("drieënnegentig", 93), ("twenty", 20), ("12", 12), ("ja", None)],
)
def test_words_that_are_numbers(word: str, number: int | None) -> None:
    assert GRAMMAR.number(plain(word).tokens[0]) == number


def test_every_number_below_a_hundred_can_be_dictated() -> None:
    tens = {20: "twintig", 30: "dertig", 40: "veertig", 50: "vijftig", 60: "zestig", 70: "zeventig", 80: "tachtig"}
    units = ["een", "twee", "drie", "vier", "vijf", "zes", "zeven", "acht", "negen"]
    english = {20: "twenty", 30: "thirty", 40: "forty", 50: "fifty", 60: "sixty", 70: "seventy", 80: "eighty"}
    ones = ["one", "two", "three", "four", "five", "six", "seven", "eight", "nine"]
    for ten, dutch_ten in tens.items():
        for unit, (dutch, one) in enumerate(zip(units, ones, strict=True), start=1):
            for said in (f"{dutch}en{dutch_ten}", f"{dutch} en {dutch_ten}", f"{english[ten]} {one}"):
                assert GRAMMAR.dictated(plain(f"nul zes {said}")) == f"06{ten + unit}", said


@pytest.mark.parametrize(
    "said,digits",
    [
        ("nul zes twaalf", "0612"),
        ("oh six double five", "0655"),
        ("dubbel nul triple one", "00111"),
        ("plus one two", "+12"),
        ("een ander nummer", ""),
        ("oh hello", ""),
        ("dat is een 06 nummer", "106"),
        ("thirty", "30"),
        ("twintig", "20"),
        ("one two plus", "12"),
    ],
)
def test_a_number_is_taken_down_as_it_is_said(said: str, digits: str) -> None:
    assert GRAMMAR.dictated(plain(said)) == digits


@pytest.mark.parametrize("text", ["", "..", ".. bloed", "bloed ..", "bloed .. .. erg", "bloed|", "wat?!|- x"])
def test_a_phrase_of_danger_must_be_made_of_words(text: str) -> None:
    with pytest.raises(ValueError, match="word"):
        Phrase.read("bleeding", text, frozenset())


def test_a_phrase_of_danger_bears_three_words_in_its_gap() -> None:
    phrase = Phrase.read("bleeding", "bloed* .. erg|veel", frozenset())
    assert phrase.end(plain("bloeding toch wel heel erg").tokens, 0) == 5
    assert phrase.end(plain("bloeding toch wel heel heel erg").tokens, 0) is None
    assert phrase.end(plain("bloed veel").tokens, 0) == 2
