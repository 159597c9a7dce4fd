"""Words that could be misunderstood stop the line from starting, and all faults are told at once."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from ivr import flow as floor_plan
from ivr.answers import LONGEST_HINT, MOST_HINTS, Answers, AnswersError
from ivr.nodes import Listener

PROMPTS = Path(__file__).parents[2] / "prompts"
FLOW = floor_plan.build()
FILES = ("nl/answers.toml", "en/answers.toml", "nl/red_flags.toml", "en/red_flags.toml")

Edit = Callable[[str, str, str], None]


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The words of the line, to be spoiled."""
    for name in FILES:
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(PROMPTS / name, tmp_path / name)
    return tmp_path


@pytest.fixture
def edit(copy: Path) -> Edit:
    def replace(name: str, old: str, new: str) -> None:
        text = (copy / name).read_text(encoding="utf-8")
        assert old in text
        (copy / name).write_text(text.replace(old, new, 1), encoding="utf-8")

    return replace


def problems(directory: Path) -> str:
    with pytest.raises(AnswersError) as error:
        Answers.load(directory, FLOW)
    return "\n".join(error.value.problems)


def test_the_words_as_they_are_can_be_used() -> None:
    assert Answers.load(PROMPTS, FLOW).vocabularies.keys() <= FLOW.nodes.keys()


@pytest.mark.parametrize(
    "name,old,new,problem",
    [
        ("nl/answers.toml", "[options.bill]", "[options.bil]", "[options.bil] is the name of no option"),
        ("nl/answers.toml", "[options.bill]", "[options.bil]", "triage_need_other has no words for bill"),
        ("nl/answers.toml", "[nodes.triage_danger.no]", "[nodes.triage_dangre.no]", "[nodes.triage_dangre]"),
        ("nl/answers.toml", "[nodes.triage_danger.no]", "[nodes.triage_danger.non]", "[nodes.triage_danger.non]"),
        ("en/answers.toml", 'words = ["bill"', 'words = ["teeth"', "'teeth' means both"),
        ("en/answers.toml", 'words = ["bill"', 'words = ["tanden"', "triage_need_other: 'tanden' means both"),
        ("en/answers.toml", '"yes please"', '"why not yes"', "'why not yes' would be a yes with a denial"),
        ("en/answers.toml", 'words = ["bill"', 'wrods = ["bill"', "[options.bill] wrods is not understood"),
        ("en/answers.toml", 'words = ["bill"', 'words = ["?!"', "'?!' has no letters"),
        (
            "en/answers.toml",
            'words = ["bill", "a bill", "bills", "invoice", "costs"]',
            "words = []",
            "bill] words is empty",
        ),
        ("en/answers.toml", 'like = "yes"', 'like = "maybe"', "like is not understood"),
        ("en/answers.toml", "[languages]", "[tongues]", "the table [languages] is missing"),
        ("en/answers.toml", "[languages]", "[tongues]", "the table [tongues] is unknown"),
        ("en/answers.toml", "emergency = [", "emergencies = [", "[commands] emergency is missing"),
        ("en/answers.toml", "negations = [", "denials = [", "[grammar] negations is not a list"),
        ("en/answers.toml", '12 = ["twelve"]', 'dozen = ["twelve"]', "[numbers] dozen is no number"),
        ("en/answers.toml", "[grammar]", "[grammar", "cannot be read"),
        ("en/red_flags.toml", "reviewed = 2026-11-21", 'reviewed = "soon"', "reviewed is not a date"),
        ("en/red_flags.toml", 'source = "own"', "", "source is missing"),
        ("en/red_flags.toml", 'answer = "body"', 'answer = "head"', "answer 'head' is no answer"),
        ("en/red_flags.toml", 'answer = "body"', "", "[breathing] must have answer and phrases"),
        ("en/red_flags.toml", '"passed out"', '".. passed out"', "'.. passed out': '..' must stand between words"),
        ("en/red_flags.toml", "knowing = [", "guessing = [", "[denials] knowing is not a list"),
    ],
)
def test_a_fault_is_named(copy: Path, edit: Edit, name: str, old: str, new: str, problem: str) -> None:
    edit(name, old, new)
    assert problem in problems(copy)


def test_all_faults_are_told_at_once(copy: Path, edit: Edit) -> None:
    edit("nl/answers.toml", "[options.bill]", "[options.bil]")
    edit("en/answers.toml", "[options.teeth]", "[options.tooth]")
    (copy / "en" / "red_flags.toml").write_text("", encoding="utf-8")
    found = problems(copy)
    for fault in ("nl/answers.toml: [options.bil]", "en/answers.toml: [options.tooth]", "en/red_flags.toml: reviewed"):
        assert fault in found


def test_a_language_without_words_is_a_fault(copy: Path) -> None:
    (copy / "fr").mkdir()
    assert "fr/answers.toml is missing" in problems(copy)


def test_no_language_at_all_is_a_fault(tmp_path: Path) -> None:
    assert "no language has words" in problems(tmp_path)


def test_the_region_is_the_organisations() -> None:
    answers = Answers.load(PROMPTS, FLOW, region="Utrecht")
    assert answers.example("callback_region", "here", "nl") == "Utrecht"
    assert "Utrecht" in answers.hints("callback_region", "en")


@pytest.mark.parametrize("language", ["nl", "en", None])
def test_hints_fit_what_the_provider_takes(language: str | None) -> None:
    answers = Answers.load(PROMPTS, FLOW)
    for node in FLOW.nodes.values():
        if isinstance(node, Listener):
            hints = answers.hints(node.name, language)
            assert len(hints.split(",")) <= MOST_HINTS
            assert all(len(hint) <= LONGEST_HINT for hint in hints.split(","))


def test_hints_are_of_the_callers_language_and_of_both_where_it_is_not_known() -> None:
    answers = Answers.load(PROMPTS, FLOW)
    assert "tandarts" in answers.hints("triage_need_other", "nl")
    assert "dentist" not in answers.hints("triage_need_other", "nl")
    assert "dentist" in answers.hints("triage_need_other", "en")
    both = answers.hints("welcome", None)
    assert "Nederlands" in both
    assert "English" in both
