"""A request says why it is as urgent as it is: the answers that decided, and what changed it since."""

from __future__ import annotations

from itertools import product

import pytest

from callbacks import conclusions
from callbacks.console_words import ANSWERS
from callbacks.db import Database
from callbacks.lifecycle import Urgency
from ivr import triage
from ivr.triage import Case
from tests.callbacks.house import House

WHOLE = {"danger": "no", "need": "doctor", "wait": "can_wait", "who": "adult", "group": "none", "payer": "no"}
REFUSED = {"refused": "yes"}


@pytest.fixture
def house(database: Database) -> House:
    return House(database)


def test_every_outcome_of_the_triage_has_its_reasons() -> None:
    assert set(conclusions.DECIDES) == set(triage.OUTCOMES)


def test_every_question_has_words() -> None:
    assert set(conclusions.QUESTIONS) == set(ANSWERS)


def test_the_other_answers_are_told_too_each_once() -> None:
    answers = WHOLE | REFUSED
    both = conclusions.because("likely_refused", answers) + conclusions.besides("likely_refused", answers)
    assert sorted(str(one.question) for one in both) == sorted(str(conclusions.QUESTIONS[name]) for name in answers)


def test_whoever_finished_the_triage_is_told_why() -> None:
    """Every way through the questions ends with at least one answer that decided it, in words."""
    options = [tuple(triage._KINDS[question.answer]) for question in triage.QUESTIONS]
    for chosen in product(*options):
        answers = {question.answer: str(value) for question, value in zip(triage.QUESTIONS, chosen, strict=True)}
        case = Case.from_answers(answers, office_open=True)
        outcome = triage.decide(case).outcome
        assert conclusions.because(outcome, answers), answers


@pytest.mark.parametrize(
    "outcome, answers, told",
    [
        ("emergency", {"danger": "body"}, ["Danger to the body"]),
        ("likely_refused", WHOLE | REFUSED, ["None of these, or not said", "Was refused care"]),
        ("likely_intake", WHOLE | {"refused": "no"}, ["None of these, or not said"]),
        ("refused_priority", WHOLE | REFUSED | {"who": "child"}, ["A child under 18", "Was refused care"]),
        (
            "refused_priority",
            WHOLE | REFUSED | {"need": "pregnancy"},
            ["Pregnancy or baby", "Was refused care"],
        ),
        ("asylum", WHOLE | {"group": "asylum", "refused": "no"}, ["In asylum, COA care"]),
        ("incomplete", {"danger": "no"}, []),
        ("by_hand", {"need": "doctor"}, []),
    ],
)
def test_only_what_decided_is_told(outcome: str, answers: dict[str, str], told: list[str]) -> None:
    assert [str(one.answer) for one in conclusions.because(outcome, answers)] == told


def test_a_second_call_and_a_colleague_change_the_urgency_and_are_named(house: House) -> None:
    asked = house.calls()
    house.calls()
    house.retriages(house.chris, asked, Urgency.P1, reason="fever since")
    house.retriages(house.chris, asked, Urgency.P1, need="medicine", reason="only the need")
    told = [(one.what, one.before, one.after, one.by, one.reason) for one in conclusions.changes(house.story(asked))]
    assert told == [
        ("asked_again", Urgency.P3, Urgency.P2, None, ""),
        ("retriaged", Urgency.P2, Urgency.P1, "Chris", "fever since"),
    ]
