"""Answers -> outcome and urgency: the decision table, as a table.

The questions, their skips and every row follow the triage table of the content that the organisation reviews
(questions Q1 to Q7). The first row that fits wins, from the top, and the last row fits everybody: nobody leaves the
triage without an outcome, and no outcome is a "no". Pure: `conversation` asks, `flow` names the nodes.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from callbacks.lifecycle import Urgency


class Danger(StrEnum):
    """Q1: is there danger now?"""

    BODY = "body"
    SUICIDE = "suicide"
    NO = "no"


class Need(StrEnum):
    """Q2: what help is needed? `OTHER` only leads to the second half of the question."""

    DOCTOR = "doctor"
    MEDICINE = "medicine"
    PREGNANCY = "pregnancy"
    OTHER = "other"
    STRESS = "stress"
    TEETH = "teeth"
    BILL = "bill"
    SHELTER = "shelter"


class Wait(StrEnum):
    """Q3: can it wait?"""

    TODAY = "today"
    MEDICINE_RUNS_OUT = "medicine_runs_out"
    CAN_WAIT = "can_wait"


class Who(StrEnum):
    """Q4: who is it for?"""

    CHILD = "child"
    PREGNANT = "pregnant"
    ADULT = "adult"


class Group(StrEnum):
    """Q5: what fits? Nobody has to say that they have no papers."""

    ASYLUM = "asylum"
    EU_OR_DUTCH = "eu_or_dutch"
    PERMIT_OR_VISA = "permit_or_visa"
    NONE = "none"


class Payer(StrEnum):
    """Q6: insurance, or did someone sign to pay?"""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Refused(StrEnum):
    """Q7: did a doctor, hospital or pharmacy say no?"""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True)
class Case:
    """What a caller has answered so far; None where a question was skipped or not reached yet."""

    danger: Danger | None = None
    need: Need | None = None
    wait: Wait | None = None
    who: Who | None = None
    group: Group | None = None
    payer: Payer | None = None
    refused: Refused | None = None
    office_open: bool = False

    @classmethod
    def from_answers(cls, answers: Mapping[str, str], *, office_open: bool) -> Case:
        """Read the stored answers of a call (name of the question -> name of the option)."""
        known = {name: kind(answers[name]) for name, kind in _KINDS.items() if name in answers}
        return cls(**known, office_open=office_open)  # type: ignore[arg-type]  # each name has its own enum, by _KINDS

    @property
    def is_maternity_or_child(self) -> bool:
        """A baby, a pregnancy or a child: Q2=3, Q4=1 or Q4=2."""
        return self.need is Need.PREGNANCY or self.who in (Who.CHILD, Who.PREGNANT)

    @property
    def is_likely(self) -> bool:
        """Q5=4: none of the other routes fits, so the scheme for the uninsurable likely does."""
        return self.group is Group.NONE

    @property
    def was_refused(self) -> bool:
        """Q7=1: a provider said no."""
        return self.refused is Refused.YES


_KINDS: Mapping[str, type[StrEnum]] = {
    "danger": Danger,
    "need": Need,
    "wait": Wait,
    "who": Who,
    "group": Group,
    "payer": Payer,
    "refused": Refused,
}


@dataclass(frozen=True)
class Asked:
    """One question of the triage: the answer it fills and when it is asked."""

    answer: str
    is_asked: Callable[[Case], bool]


QUESTIONS: tuple[Asked, ...] = (
    Asked("danger", lambda case: True),
    Asked("need", lambda case: True),
    Asked("wait", lambda case: case.need not in (Need.BILL, Need.SHELTER)),
    Asked("who", lambda case: case.need is not Need.PREGNANCY),
    Asked("group", lambda case: case.need is not Need.SHELTER),
    Asked("payer", lambda case: case.group is Group.NONE),
    Asked("refused", lambda case: case.need is not Need.SHELTER),
)


def next_question(case: Case) -> str | None:
    """The answer that is still to be asked for, or None when the triage is complete."""
    if case.danger in (Danger.BODY, Danger.SUICIDE):
        return None
    for question in QUESTIONS:
        if getattr(case, question.answer) is None and question.is_asked(case):
            return question.answer
    return None


@dataclass(frozen=True)
class Row:
    """One line of the table: when it fits, what is concluded, how soon we call; `sooner` lifts the urgency to P2."""

    outcome: str
    urgency: Urgency
    fits: Callable[[Case], bool]
    sooner: Callable[[Case], bool] = lambda case: False


TABLE: tuple[Row, ...] = (
    Row("emergency", Urgency.P0, lambda c: c.danger is Danger.BODY),
    Row("suicide", Urgency.P0, lambda c: c.danger is Danger.SUICIDE),
    Row(
        "shelter_request",
        Urgency.P3,
        lambda c: c.need is Need.SHELTER,
        sooner=lambda c: c.who in (Who.CHILD, Who.PREGNANT),
    ),
    Row("today_closed", Urgency.P1, lambda c: c.wait is Wait.TODAY and not c.office_open),
    Row("today_open", Urgency.P1, lambda c: c.wait is Wait.TODAY),
    Row("medicine_running_out", Urgency.P1, lambda c: c.wait is Wait.MEDICINE_RUNS_OUT),
    Row("refused_priority", Urgency.P1, lambda c: c.is_maternity_or_child and c.was_refused),
    Row("asylum", Urgency.P3, lambda c: c.group is Group.ASYLUM, sooner=lambda c: c.was_refused),
    Row("eu_or_dutch", Urgency.P4, lambda c: c.group is Group.EU_OR_DUTCH),
    Row("permit_or_visa", Urgency.P3, lambda c: c.group is Group.PERMIT_OR_VISA),
    Row(
        "payer_check",
        Urgency.P3,
        lambda c: c.is_likely and c.payer is Payer.YES,
        sooner=lambda c: c.was_refused,
    ),
    Row("likely_maternity_child", Urgency.P2, lambda c: c.is_likely and c.is_maternity_or_child),
    Row("likely_refused", Urgency.P2, lambda c: c.is_likely and c.was_refused),
    Row("likely_stress", Urgency.P2, lambda c: c.is_likely and c.need is Need.STRESS),
    Row("bill", Urgency.P3, lambda c: c.is_likely and c.need is Need.BILL),
    Row("teeth", Urgency.P4, lambda c: c.is_likely and c.need is Need.TEETH),
    Row("likely_intake", Urgency.P3, lambda c: c.is_likely),
)

# Agreed to be called, but no triage finished: a person asks the rest.
INCOMPLETE = Row("incomplete", Urgency.P2, lambda c: True)

OUTCOMES: tuple[str, ...] = tuple(row.outcome for row in TABLE)


@dataclass(frozen=True)
class Decision:
    """What the triage concludes: the outcome's name and how soon somebody phones back."""

    outcome: str
    urgency: Urgency


def decide(case: Case) -> Decision:
    """Conclude from what was answered; a triage that is not finished is `incomplete`, for a person."""
    if next_question(case) is not None:
        return Decision(INCOMPLETE.outcome, INCOMPLETE.urgency)
    row = next((row for row in TABLE if row.fits(case)), INCOMPLETE)
    return Decision(row.outcome, Urgency.P2 if row.sooner(case) else row.urgency)
