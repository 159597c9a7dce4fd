"""Why a request is as urgent as it is: which answers led to the conclusion of the triage, and what changed it since.

The table stands beside that of the triage, which belongs to the call: it names for each outcome the answers that decide
it; a test compares the two. A request is more urgent than that where its number called again or an agent said so.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask_babel import LazyString, lazy_gettext

from callbacks.console_words import ANSWERS, Words, words
from callbacks.lifecycle import Urgency
from callbacks.story import EventTold, Story

Deciding = Mapping[str, frozenset[str]]
_ANY: frozenset[str] = frozenset()  # whatever was answered
_IS_REFUSED: Deciding = {"refused": frozenset({"yes"})}
_MOTHER_OR_CHILD: Deciding = {"need": frozenset({"pregnancy"}), "who": frozenset({"child", "pregnant"})}

DECIDES: Mapping[str, Deciding] = {
    "emergency": {"danger": _ANY},
    "suicide": {"danger": _ANY},
    "shelter_request": {"need": _ANY, "who": frozenset({"child", "pregnant"})},
    "today_closed": {"wait": _ANY},
    "today_open": {"wait": _ANY},
    "medicine_running_out": {"wait": _ANY},
    "refused_priority": {**_MOTHER_OR_CHILD, **_IS_REFUSED},
    "asylum": {"group": _ANY, **_IS_REFUSED},
    "eu_or_dutch": {"group": _ANY},
    "permit_or_visa": {"group": _ANY},
    "payer_check": {"group": _ANY, "payer": _ANY, **_IS_REFUSED},
    "likely_maternity_child": {**_MOTHER_OR_CHILD, "group": _ANY},
    "likely_refused": {"group": _ANY, **_IS_REFUSED},
    "likely_stress": {"need": _ANY, "group": _ANY},
    "bill": {"need": _ANY, "group": _ANY},
    "teeth": {"need": _ANY, "group": _ANY},
    "likely_intake": {"group": _ANY},
}


QUESTIONS: Words = {
    "danger": lazy_gettext("Danger now?"),
    "need": lazy_gettext("What help?"),
    "wait": lazy_gettext("Can it wait?"),
    "who": lazy_gettext("Who is it for?"),
    "group": lazy_gettext("Asylum, passport or permit?"),
    "payer": lazy_gettext("Insured, or does somebody pay?"),
    "refused": lazy_gettext("Did a care provider say no?"),
    "part_of_day": lazy_gettext("When to call?"),
    "region": lazy_gettext("Where?"),
}


@dataclass(frozen=True)
class Answered:
    """A question of the call and its answer, both in words."""

    question: LazyString | str
    answer: LazyString | str


@dataclass(frozen=True)
class Change:
    """Urgency or need were changed: `what` is asked_again or retriaged; `by` is a name, None for the line."""

    at: datetime
    what: str
    before: Urgency
    after: Urgency
    by: str | None
    reason: str
    need_before: str | None = None
    need_after: str | None = None


def because(outcome: str, answers: Mapping[str, str]) -> list[Answered]:
    """The answers that led to this outcome; none where no triage was finished."""
    return [_answered(name, answers[name]) for name in ANSWERS if _decides(outcome, name, answers)]


def besides(outcome: str, answers: Mapping[str, str]) -> list[Answered]:
    """What else the caller answered, in the order of the questions."""
    rest = (name for name in ANSWERS if name in answers and not _decides(outcome, name, answers))
    return [_answered(name, answers[name]) for name in rest]


def _decides(outcome: str, name: str, answers: Mapping[str, str]) -> bool:
    values = DECIDES.get(outcome, {}).get(name)
    return name in answers and values is not None and (not values or answers[name] in values)


def _answered(name: str, value: str) -> Answered:
    return Answered(words(QUESTIONS, name), words(ANSWERS[name], value))


def changes(story: Story) -> list[Change]:
    """What made a request more or less urgent since it was asked for, the oldest first."""
    found = [change for event in story.events if (change := change_of(event)) is not None]
    return [change for change in found if change.before is not change.after]


def change_of(event: EventTold) -> Change | None:
    """What an event changed of urgency and need; None for an event that changes neither."""
    told = event.details
    match event.what:
        case "asked_again":
            return Change(event.at, event.what, Urgency(told["before"]), Urgency(told["after"]), event.by, "")
        case "retriaged":
            before, after = told["before"], told["after"]
            urgencies = Urgency(before["urgency"]), Urgency(after["urgency"])
            return Change(
                event.at, event.what, *urgencies, event.by, told["reason"], before.get("need"), after.get("need")
            )
        case _:
            return None
