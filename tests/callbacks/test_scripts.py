"""Call scripts: one for every outcome, in the languages of agent and caller, and nothing that must not be said."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from shutil import copytree

import pytest

from callbacks import scripts
from callbacks.console_words import OUTCOMES
from callbacks.script_files import Kind, Script, Step
from callbacks.scripts import AVOID, FOLDER, SHARED, Library, ScriptsError, script_for, shared_for
from ivr import readability, triage
from settings import HERE, Organisation

KEYS = [referral.key for referral in Organisation.load(HERE / "organisation.toml").directory]
VALUES = {"agent": "Anna", "organisation": "Onze hulp", "reference": "1234", "days_kept": "30"}
# What may not be asked, in the words in which somebody might: a question that holds one of them asks for it.
NEVER_ASKED = {
    "nl": ["uw naam", "heet u", "adres", "slaapt u", "bsn", "v-nummer", "geboren", "nationaliteit", "welk land",
           "gereisd", "asielverhaal", "uw werk", "inkomen", "welke ziekte", "hiv", "geloof", "wie helpt"],
    "en": ["your name", "address", "you sleep", "bsn", "v-number", "born", "nationality", "country", "route",
           "asylum story", "your work", "income", "which illness", "hiv", "religion", "who helps"],
}  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """A request, as far as its script is concerned."""

    outcome: str = "bill"
    language: str | None = "nl"
    callback_language: str | None = None


def steps(script: Script, *kinds: Kind) -> list[Step]:
    return [step for part in script.parts for step in part.steps if not kinds or step.kind in kinds]


def changed(tmp_path: Path, path: str, change: Callable[[str], str]) -> Path:
    """The scripts with one file changed."""
    folder = copytree(FOLDER, tmp_path / "scripts")
    file = folder / path
    file.write_text(change(file.read_text(encoding="utf-8")), encoding="utf-8")
    return folder


def wrong(folder: Path) -> list[str]:
    return scripts.problems(Library.load(folder), OUTCOMES, KEYS)


def test_every_outcome_has_a_script_that_may_be_said() -> None:
    assert wrong(FOLDER) == []


def test_every_conclusion_of_the_triage_is_an_outcome_with_a_script() -> None:
    assert {*triage.OUTCOMES, triage.INCOMPLETE.outcome} <= scripts.library().names


@pytest.mark.parametrize("language", ["nl", "en"])
def test_words_that_the_line_avoids_are_avoided_by_agents_too(language: str) -> None:
    style = tomllib.loads((HERE / "prompts" / language / "style.toml").read_text(encoding="utf-8"))
    assert set(style["avoid"]) <= set(AVOID[language])


@pytest.mark.parametrize("language", ["nl", "en"])
def test_sentences_are_as_plain_as_those_of_the_line(language: str) -> None:
    said = {
        name: [re.sub(r"\{\w+\}|\d+", "x", step.text) for step in steps(script, Kind.SAY, Kind.DESK)]
        for name, script in scripts.library().scripts[language].items()
    }
    scores = {name: readability.ease(" ".join(texts), language) or 100 for name, texts in said.items() if texts}
    assert [name for name, score in scores.items() if score < readability.HARDEST] == []
    assert sum(scores.values()) / len(scores) >= readability.AIM


@pytest.mark.parametrize("language", ["nl", "en"])
def test_nothing_is_asked_that_is_never_asked(language: str) -> None:
    said = [
        step.text.lower()
        for script in scripts.library().scripts[language].values()
        for step in steps(script, Kind.SAY)
        if "?" in step.text
    ]
    assert [(text, word) for text in said for word in NEVER_ASKED[language] if word in text] == []


@pytest.mark.parametrize(
    "path, change, told",
    [
        ("nl/bill.txt", lambda text: text + "say: U heeft geen recht op zorg.\n", "says 'geen recht'"),
        ("en/bill.txt", lambda text: text + "say: Are you illegal?\n", "says 'illegal'"),
        ("nl/bill.txt", lambda text: text + f"say: {'en ' * 21}dan.\n", "too long to say in one breath"),
        ("nl/bill.txt", lambda text: text + "refer: nobody\n", "the directory has no 'nobody'"),
        ("nl/bill.txt", lambda text: text + "say: Van wie is de rekening?\n", "says something twice"),
    ],
)
def test_what_is_not_to_be_said_is_found(tmp_path: Path, path: str, change: Callable[[str], str], told: str) -> None:
    folder = changed(tmp_path, path, change)
    other = folder / ("en" if path.startswith("nl") else "nl") / "bill.txt"
    line = (folder / path).read_text(encoding="utf-8").splitlines()[-1]
    added = line if line.startswith("refer") else "say: ?"
    other.write_text(f"{other.read_text(encoding='utf-8')}{added}\n", encoding="utf-8")
    assert [problem for problem in wrong(folder) if told in problem and path in problem]


def test_a_script_that_nobody_wrote_is_missed(tmp_path: Path) -> None:
    folder = copytree(FOLDER, tmp_path / "scripts")
    for language in ("nl", "en"):
        (folder / language / "teeth.txt").rename(folder / language / "tooth.txt")
    assert wrong(folder) == [
        "teeth.txt: nobody has written this script",
        "tooth.txt: no outcome needs this script",
    ]


@pytest.mark.parametrize(
    "path, change, told",
    [
        ("nl/bill.txt", lambda text: text + "say: Nog iets?\n", "bill.txt: en and nl are not made alike from line"),
        ("nl/bill.txt", lambda text: text.replace("[tell]", "[do]"), "are not made alike"),
        ("nl/bill.txt", lambda text: text.replace("expires: 2027-01-20", "expires: 2027-01-21"), "are not made alike"),
        ("nl/opening.txt", lambda text: text.replace("{reference}", ""), "are not made alike"),
        ("nl/bill.txt", lambda text: text.replace("[tell]", "[song]"), "nl/bill.txt: [song] is no heading"),
        ("nl/bill.txt", lambda text: text.replace("source:", "bron:"), "'source' is missing in the header"),
        ("nl/bill.txt", lambda text: text.replace("2026-11-21", "today"), "'reviewed' is a day such as"),
        ("nl/bill.txt", lambda text: text + "say: {name}\n", "nothing is known by the name of {name}"),
        ("nl/bill.txt", lambda text: text + "[do]\n", "nothing stands under [do]"),
        ("nl/bill.txt", lambda text: text.partition("\n\n")[0], "there is nothing to say or to do"),
    ],
)
def test_scripts_that_cannot_be_used_are_refused_by_name(
    tmp_path: Path, path: str, change: Callable[[str], str], told: str
) -> None:
    with pytest.raises(ScriptsError) as caught:
        Library.load(changed(tmp_path, path, change))
    assert [problem for problem in caught.value.problems if told in problem]


def test_a_script_in_one_language_only_is_refused(tmp_path: Path) -> None:
    folder = copytree(FOLDER, tmp_path / "scripts")
    (folder / "en" / "bill.txt").unlink()
    with pytest.raises(ScriptsError, match=r"en/bill\.txt is missing"):
        Library.load(folder)
    with pytest.raises(ScriptsError, match="there are no scripts"):
        Library.load(folder / "nl")


def test_sentences_are_in_the_language_of_the_caller_and_instructions_in_that_of_the_page() -> None:
    script = script_for(Asked("bill", language="en"), "nl")
    assert {step.language for step in steps(script, Kind.SAY)} == {"en"}
    assert {step.language for step in steps(script, Kind.NOTE)} == {"nl"}
    first = steps(script, Kind.SAY)[0]
    assert (first.text, first.meaning) == ("Who sent the bill?", "Van wie is de rekening?")


def test_the_language_to_be_called_back_in_goes_before_that_of_the_call() -> None:
    script = script_for(Asked("bill", language="nl", callback_language="en"), "en")
    assert {step.language for step in steps(script)} == {"en"}
    assert {step.meaning for step in steps(script)} == {None}


@pytest.mark.parametrize("language", ["ar", "other", None])
def test_for_an_interpreter_sentences_are_in_the_language_of_the_page(language: str | None) -> None:
    script = script_for(Asked("bill", language=None, callback_language=language), "nl")
    assert {step.language for step in steps(script)} == {"nl"}


def test_a_front_desk_is_spoken_to_in_dutch() -> None:
    said = steps(shared_for("provider", Asked(language="en"), "en"), Kind.DESK)
    assert {step.language for step in said} == {"nl"}
    assert said[0].meaning == "Hello. I am calling for a patient who needs care."


def test_an_outcome_that_nobody_wrote_a_script_for_is_asked_about_from_the_start() -> None:
    assert script_for(Asked("of_next_year"), "nl").name == "incomplete"


@pytest.mark.parametrize("name", SHARED)
@pytest.mark.parametrize("language", ["nl", "en"])
def test_what_only_the_request_knows_is_filled_in(name: str, language: str) -> None:
    script = shared_for(name, Asked(language=language), language).filled(VALUES)
    assert not [step for step in steps(script) if "{" in step.text]


def test_nothing_tells_who_we_are_before_the_caller_is_known() -> None:
    """The phone may be shared: name, organisation, care and papers come after the check."""
    check = shared_for("opening", Asked(), "nl").parts[0]
    assert check.heading == "check"
    said = " ".join(step.text for step in check.steps if step.kind is Kind.SAY)
    assert "{agent}" not in said
    assert "{organisation}" not in said


@pytest.mark.parametrize("language", ["nl", "en"])
def test_a_message_tells_a_first_name_and_that_they_asked_and_nothing_else(language: str) -> None:
    said = steps(shared_for("voicemail", Asked(language=language), language).filled(VALUES), Kind.SAY)
    expected = {"nl": "Dit is Anna. U vroeg ons te bellen.", "en": "This is Anna. You asked us to call."}
    assert [step.text for step in said] == [expected[language]]


def test_facts_past_their_day_are_to_be_looked_up_first() -> None:
    script = script_for(Asked("bill"), "nl")
    assert script.expires == date(2027, 1, 20)
    assert not script.is_expired(date(2027, 1, 20))
    assert script.is_expired(date(2027, 1, 21))
    assert not shared_for("voicemail", Asked(), "nl").is_expired(date(2037, 1, 1))
