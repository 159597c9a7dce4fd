"""The line speaks what the files say, in the right language, and never what is out of date."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Mapping
from datetime import date
from pathlib import Path

import pytest

from ivr import flow, spoken
from ivr.prompts import Expiring, Fact, PromptError, Prompts, Segment

TODAY = date(2026, 11, 21)
LONG_AGO = date(2026, 1, 1)
ROOT = Path(__file__).parents[2]


class Shelf:
    """A folder of prompts under construction; a language more for each code."""

    def __init__(self, directory: Path, *codes: str) -> None:
        self.directory = directory
        self.codes = codes or ("nl", "en")
        for code in self.codes:
            self.add_language(code)
        self.write("we_will_call_you", nl="Wij bellen u.", en="We will call you.")

    def add_language(self, code: str) -> None:
        (self.directory / code).mkdir(parents=True)
        lines = (f'{key} = "{code}-{key}"' for key in ("name", "locale", "voice", "espeak"))
        (self.directory / code / "language.toml").write_text("\n".join(lines))

    def write(self, name: str, *, header: str = "", **texts: str) -> None:
        for code in self.codes:
            path = self.directory / code / f"{name}.txt"
            path.write_text(f"source: own\nreviewed: 2026-11-21\n{header}\n{texts.get(code, name)}\n", encoding="utf-8")

    def record(self, *files: str) -> None:
        for file in files:
            (self.directory / file).write_bytes(b"RIFF")

    def digits(self) -> None:
        for digit in range(10):
            self.write(f"number_{digit}", header="kind: small\n", nl=str(digit), en=str(digit))

    def load(self, facts: Mapping[str, Fact] | None = None) -> Prompts:
        return Prompts.load(self.directory, facts or {})


@pytest.fixture
def shelf(tmp_path: Path) -> Shelf:
    return Shelf(tmp_path)


def heard(prompts: Prompts, *says: str, language: str | None = "nl", **values: tuple[str, ...]) -> list[str]:
    return [segment.text for segment in prompts.speak(says, language, values, TODAY)]


def problems_of(shelf: Shelf, facts: Mapping[str, Fact] | None = None) -> str:
    with pytest.raises(PromptError) as caught:
        shelf.load(facts)
    return "\n".join(caught.value.problems)


# Speaking


def test_prompts_in_a_row_are_one_stretch_of_speech(shelf: Shelf) -> None:
    shelf.write("hello", nl="Goedendag.\nDag.")
    shelf.write("ask", nl="Zullen wij u bellen?")
    assert heard(shelf.load(), "hello", "ask") == ["Goedendag. Dag. Zullen wij u bellen?"]


def test_before_a_language_is_chosen_every_prompt_is_spoken_in_every_language(shelf: Shelf) -> None:
    shelf.write("danger", nl="Gevaar?", en="Danger?")
    shelf.write("ask", nl="Nederlands?", en="English?")
    assert heard(shelf.load(), "danger", "ask", language=None) == ["Gevaar?", "Danger?", "Nederlands?", "English?"]


def test_a_language_that_is_gone_is_replaced_by_all_there_are(shelf: Shelf) -> None:
    shelf.write("ask", nl="Nederlands?", en="English?")
    assert heard(shelf.load(), "ask", language="fr") == ["Nederlands?", "English?"]


def test_words_for_the_receptionist_are_dutch_whatever_the_caller_chose(shelf: Shelf) -> None:
    shelf.write("explain", nl="Wij praten Nederlands.", en="We speak Dutch now.")
    shelf.write("duty", nl="U moet helpen.", en="You must help.")
    assert shelf.load().speak(("explain", "duty@nl"), "en", {}, TODAY) == (
        Segment("en", "We speak Dutch now."),
        Segment("nl", "U moet helpen."),
    )


def test_dutch_and_english_come_first_and_other_languages_by_name(tmp_path: Path) -> None:
    prompts = Shelf(tmp_path, "fr", "en", "ar", "nl").load()
    assert [language.code for language in prompts.languages] == ["nl", "en", "ar", "fr"]
    assert prompts.languages[0].voice == "nl-voice"


def test_a_number_of_the_organisation_is_read_out_in_groups(shelf: Shelf) -> None:
    shelf.digits()
    shelf.write("contact", nl="Bel {office_number}.", en="Call {office_number}.")
    prompts = shelf.load({"office_number": Fact(spoken.digits("0402512738"), expires=TODAY)})
    assert heard(prompts, "contact") == ["Bel 0 4 0, 2 5 1, 2 7 3 8."]


def test_the_name_of_the_organisation_is_said_as_it_is(shelf: Shelf) -> None:
    shelf.write("who", nl="Wij zijn {organisation}.", en="We are {organisation}.")
    assert heard(shelf.load({"organisation": Fact(text="De Brug")}), "who") == ["Wij zijn De Brug."]


def test_a_value_of_the_call_is_filled_in_wherever_it_stands(shelf: Shelf) -> None:
    shelf.digits()
    shelf.write("code", nl="{reference}, ja, {reference}", en="{reference}, yes, {reference}")
    prompts = shelf.load()
    assert heard(prompts, "code", reference=spoken.digits("4711")) == ["4, 7, 1, 1, ja, 4, 7, 1, 1"]
    assert prompts.needs(("code", "we_will_call_you")) == {"reference"}


# What must not be spoken


def test_an_expired_prompt_is_replaced_by_a_promise_to_call(shelf: Shelf) -> None:
    shelf.write("law", header="expires: 2026-11-20\n", nl="U mag dit.")
    assert heard(shelf.load(), "law") == ["Wij bellen u."]


def test_a_prompt_is_spoken_on_its_last_day(shelf: Shelf) -> None:
    shelf.write("law", header="expires: 2026-11-21\n", nl="U mag dit.")
    assert heard(shelf.load(), "law") == ["U mag dit."]


def test_emergency_numbers_are_spoken_for_ever_and_raise_an_alarm(shelf: Shelf) -> None:
    shelf.write("danger", header="expires: 2026-11-20\non_expiry: alarm\n", nl="Bel 112.", en="Call 112.")
    prompts = shelf.load()
    assert heard(prompts, "danger") == ["Bel 112."]
    assert prompts.alarms(TODAY)[1] == Expiring("prompts/nl/danger.txt", date(2026, 11, 20))
    assert prompts.alarms(LONG_AGO) == ()


@pytest.mark.parametrize("facts", [{}, {"office_number": Fact(("number_1",), expires=LONG_AGO)}])
def test_a_number_that_is_unknown_or_unverified_is_not_spoken(shelf: Shelf, facts: dict[str, Fact]) -> None:
    shelf.digits()
    shelf.write("goodbye", header="fallback: goodbye_plain\n", nl="Bel {office_number}.", en="{office_number}")
    shelf.write("goodbye_plain", nl="Tot ziens.")
    assert heard(shelf.load(facts), "goodbye") == ["Tot ziens."]


def test_a_fallback_that_is_out_of_date_itself_falls_back_further(shelf: Shelf) -> None:
    shelf.write("teeth", header="fallback: teeth_plain\n", nl="Bel {dental_number}.", en="{dental_number}")
    shelf.write("teeth_plain", header="expires: 2026-01-01\n", nl="Betaal zelf.")
    assert heard(shelf.load(), "teeth") == ["Wij bellen u."]


@pytest.mark.parametrize("due", [(), ("day_never",)])
def test_a_value_that_nobody_can_say_leads_to_the_fallback(shelf: Shelf, due: tuple[str, ...]) -> None:
    shelf.write("when", nl="Wij bellen u {due}.", en="{due}")
    assert heard(shelf.load(), "when", due=due) == ["Wij bellen u."]


def test_what_expires_is_listed_before_it_does(shelf: Shelf) -> None:
    shelf.digits()
    shelf.write("law", header="expires: 2026-12-01\n")
    prompts = shelf.load({"office_number": Fact(("number_1",), expires=date(2026, 11, 30))})
    assert [one.what for one in prompts.expiring(TODAY, within_days=30)] == [
        "organisation.toml: office_number",
        "prompts/en/law.txt",
        "prompts/nl/law.txt",
    ]
    assert prompts.expiring(TODAY, within_days=5) == ()


# Recordings


def test_a_recording_beside_the_text_is_played(shelf: Shelf) -> None:
    shelf.write("ask", nl="Zullen wij u bellen?")
    shelf.record("nl/ask.mp3", "nl/we_will_call_you.wav", "nl/we_will_call_you.mp3")
    assert shelf.load().speak(("ask", "we_will_call_you"), "nl", {}, TODAY) == (
        Segment("nl", "Zullen wij u bellen?", "nl/ask.mp3"),
        Segment("nl", "Wij bellen u.", "nl/we_will_call_you.wav"),
    )


def test_a_recorded_prompt_with_a_value_is_played_piece_by_piece(shelf: Shelf) -> None:
    shelf.digits()
    shelf.write("code", nl="Uw code is {reference}. Bewaar die.", en="{reference}")
    shelf.record("nl/code.1.wav", "nl/code.2.wav", "nl/number_4.wav", "nl/number_7.wav")
    segments = shelf.load().speak(("code",), "nl", {"reference": spoken.digits("47")}, TODAY)
    assert [segment.recording for segment in segments] == [
        "nl/code.1.wav",
        "nl/number_4.wav",
        "nl/number_7.wav",
        "nl/code.2.wav",
    ]
    assert segments[0].text == "Uw code is"


@pytest.mark.parametrize("recorded", [["nl/code.1.wav", "nl/number_4.wav"], ["nl/code.1.wav", "nl/code.2.wav"]])
def test_two_voices_are_never_mixed_in_one_prompt(shelf: Shelf, recorded: list[str]) -> None:
    shelf.digits()
    shelf.write("code", nl="Uw code is {reference}. Bewaar die.", en="{reference}")
    shelf.record(*recorded)
    segments = shelf.load().speak(("code",), "nl", {"reference": spoken.digits("47")}, TODAY)
    assert segments == (Segment("nl", "Uw code is 4, 7. Bewaar die."),)


# Mistakes of whoever writes texts


@pytest.mark.parametrize(
    "file, told",
    [
        ("source: own\nreviewed: soon\n\nDag.", "prompts/nl/hello.txt:2: 'reviewed' is a day such as 2026-11-21"),
        ("source: own\nreviewed: 2026-11-21\nauthor: me\n\nDag.", "prompts/nl/hello.txt:3: there is no header key"),
        (
            "source: own\nsource: own\nreviewed: 2026-11-21\n\nDag.",
            "prompts/nl/hello.txt:2: 'source' stands there twice",
        ),
        ("source:\nreviewed: 2026-11-21\n\nDag.", "prompts/nl/hello.txt:1: 'source' says nothing"),
        ("reviewed: 2026-11-21\n\nDag.", "prompts/nl/hello.txt: 'source' is missing"),
        ("source: own\n\nDag.", "prompts/nl/hello.txt: 'reviewed' is missing"),
        ("source: own\nreviewed: 2026-11-21\nkind: song\n\nDag.", "prompts/nl/hello.txt:3: 'kind' is one of"),
        ("source: own\nreviewed: 2026-11-21\non_expiry: hush\n\nDag.", "'on_expiry' can only be 'alarm'"),
        ("source: own\nreviewed: 2026-11-21\n", "after the header lines come an empty line and the text"),
        ("source: own\nreviewed: 2026-11-21\n\nDag {name}.", "nothing is known by the name of {name}"),
        ("source: own\nreviewed: 2026-11-21\n\nDag {.", "a brace stands alone"),
    ],
)
def test_a_mistake_in_a_file_is_told_with_its_place(tmp_path: Path, file: str, told: str) -> None:
    shelf = Shelf(tmp_path / "prompts")
    shelf.write("hello")
    (shelf.directory / "nl" / "hello.txt").write_text(file, encoding="utf-8")
    assert told in problems_of(shelf)


def test_a_file_in_another_encoding_is_named(shelf: Shelf) -> None:
    (shelf.directory / "nl" / "hello.txt").write_bytes("Één".encode("latin-1"))
    assert "hello.txt is not saved as UTF-8" in problems_of(shelf)


def test_every_mistake_is_told_at_once(shelf: Shelf) -> None:
    (shelf.directory / "nl" / "hello.txt").write_text("Dag.")
    (shelf.directory / "en" / "goodbye.txt").write_text("Bye.")
    (shelf.directory / "en" / "language.toml").write_text("name = 'English'")
    told = problems_of(shelf)
    assert all(word in told for word in ("hello.txt", "goodbye.txt", "'voice' is missing"))


def test_the_line_refuses_to_start_when_the_languages_disagree(shelf: Shelf) -> None:
    shelf.write("only_dutch")
    (shelf.directory / "en" / "only_dutch.txt").unlink()
    shelf.write("code", nl="Uw code is {reference}.", en="Your code.")
    told = problems_of(shelf)
    assert "only_dutch.txt is missing in en" in told
    assert "code.txt has other placeholders" in told


@pytest.mark.parametrize(
    "fallback, told", [("law_plain", "is not there"), ("law", "no fallback can always be spoken: law > law")]
)
def test_a_fallback_must_lead_to_something_that_can_always_be_said(shelf: Shelf, fallback: str, told: str) -> None:
    shelf.write("law", header=f"expires: 2026-12-01\nfallback: {fallback}\n")
    assert told in problems_of(shelf)


def test_facts_that_no_prompt_could_say_are_refused(shelf: Shelf) -> None:
    told = problems_of(shelf, {"days_kept": Fact(("number_45",)), "shoe_size": Fact(text="43")})
    assert "'days_kept' cannot be said in nl: there is no number_45" in told
    assert "no prompt can say 'shoe_size'" in told


def test_an_empty_folder_is_no_line(tmp_path: Path) -> None:
    with pytest.raises(PromptError, match="there is no language in"):
        Prompts.load(tmp_path / "nowhere", {})


# The line's own prompts


def test_the_lines_own_prompts_are_all_there_and_load_fast() -> None:
    Prompts.load(ROOT / "prompts", {})
    began = time.process_time()
    prompts = Prompts.load(ROOT / "prompts", {})
    assert time.process_time() - began < 0.2  # 20 ms, and room for a busy machine
    assert flow.build().prompts() <= prompts.names
    assert prompts.names >= spoken.SMALL_PROMPTS


def test_without_a_single_fact_every_prompt_still_says_something() -> None:
    prompts = Prompts.load(ROOT / "prompts", {})
    for name in sorted(prompts.names):
        for segment in prompts.speak((name,), None, {}, date(2036, 1, 1)):
            assert segment.text
            assert "{" not in segment.text


@pytest.mark.parametrize("name", ["apology", "goodbye"])
def test_the_last_words_name_112_and_the_office_while_its_number_is_known(name: str) -> None:
    prompts = Prompts.load(ROOT / "prompts", {"office_number": Fact(spoken.digits("0402512738"), expires=TODAY)})
    dutch, english = heard(prompts, name, language=None)
    assert "112" in dutch
    assert "0 4 0, 2 5 1, 2 7 3 8" in dutch
    assert "112" in english
    afterwards = prompts.speak((name,), "nl", {}, date(2036, 1, 1))
    assert "112" in afterwards[0].text
    assert "0 4 0" not in afterwards[0].text


def test_a_promise_is_a_sentence_in_both_languages() -> None:
    due = ("day_monday", "number_7", "month_12", "before", "hour_17")
    assert heard(Prompts.load(ROOT / "prompts", {}), "callback_when", language=None, due=due) == [
        "Wij bellen u op maandag 7 december voor 17 uur.",
        "We will call you on Monday 7 December before 5 in the afternoon.",
    ]


def test_loading_prompts_needs_nothing_but_python_itself() -> None:
    without_packages = [sys.executable, "-S", "-c", "import ivr.prompts"]
    subprocess.run(without_packages, cwd=ROOT, check=True)
