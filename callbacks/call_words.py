"""A call as it went, in words: what the line said, what the caller chose or said, and how sure that is.

`console_words` has the words of the answers; here stands where each was asked, and what else a caller can do at the
keypad. A phone number that was keyed or spoken is not repeated: the page shows numbers on a click of their own, which
is logged.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from flask_babel import LazyString, lazy_gettext

from callbacks.console_words import ANSWERS, LANGUAGES, NEEDS, Words, words
from callbacks.story import StepTold

NUMBER_NODE = "callback_number_entry"

_MENU: Words = {
    "care_now": lazy_gettext("Needs care now"),
    "rights": lazy_gettext("Asks about rights"),
    "receptionist": lazy_gettext("Lets the line speak to a receptionist"),
    "more": lazy_gettext("More subjects"),
    "next": lazy_gettext("The next subject"),
    "menu": lazy_gettext("Back to the menu"),
    "again": lazy_gettext("Again"),
    "stop": lazy_gettext("Stop"),
    "asylum": lazy_gettext("Asylum"),
}
# Which words an option has, by the node at which it is chosen; at every other node it is one of the menus.
_AT: Mapping[str, Words] = {
    "welcome": LANGUAGES,
    "triage_danger": ANSWERS["danger"],
    "triage_need": {**NEEDS, "other": lazy_gettext("Something else")},
    "triage_need_other": NEEDS,
    "triage_wait": ANSWERS["wait"],
    "triage_wait_medicine": ANSWERS["wait"],
    "triage_who": ANSWERS["who"],
    "triage_group": ANSWERS["group"],
    "triage_payer": ANSWERS["payer"],
    "triage_refused": ANSWERS["refused"],
    "callback_offer": {"yes": lazy_gettext("Wants to be called"), "no": lazy_gettext("Does not want to be called")},
    "callback_this_number": {
        "this_number": lazy_gettext("On this number"),
        "another": lazy_gettext("On another number"),
    },
    "callback_number_confirm": {
        "right": lazy_gettext("The number is right"),
        "wrong": lazy_gettext("The number is wrong"),
    },
    "callback_safe_message": {
        "yes": lazy_gettext("A message may be left"),
        "no": lazy_gettext("No message may be left"),
    },
    "callback_language": LANGUAGES,
    "callback_language_name": LANGUAGES,
    "callback_part_of_day": ANSWERS["part_of_day"],
    "callback_region": ANSWERS["region"],
}
_TOPICS = ("doctor", "medicine", "pregnancy", "stress", "teeth", "bill")
_REST: Words = {**_MENU, **{code: NEEDS[code] for code in _TOPICS}}
_COMMANDS: Words = {
    "repeat": lazy_gettext("Wants to hear it again"),
    "callback": lazy_gettext("Asks to be called back"),
    "emergency": lazy_gettext("Asks for the emergency message"),
}
_HEARD: Words = {"no_input": lazy_gettext("Nothing: silence"), "no_match": lazy_gettext("Not understood")}
_GIVEN: Words = {
    NUMBER_NODE: lazy_gettext("A phone number"),
    "callback_voice_message": lazy_gettext("A voice message"),
}
_DANGER = lazy_gettext("Words of danger")


@dataclass(frozen=True)
class Line:
    """One turn of the call: what the caller did (None at the ring), then what the line said (names of prompts).

    `keys` and `quote` are how: what was pressed, or what was said as far as it was understood; `sure` is how sure, in
    percent.
    """

    at: datetime
    caller: LazyString | str | None
    keys: str | None
    quote: str | None
    sure: int | None
    is_understood: bool
    says: tuple[str, ...]


def lines(steps: Sequence[StepTold]) -> list[Line]:
    """The turns of a call, in their order."""
    return [_line(step) for step in steps]


def _line(step: StepTold) -> Line:
    is_number = step.node == NUMBER_NODE
    sure = None if step.confidence is None else round(step.confidence * 100)
    return Line(
        at=step.at,
        caller=_did(step),
        keys=None if is_number else step.digits,
        quote=None if is_number else step.utterance,
        sure=sure if step.utterance else None,
        is_understood=step.heard in ("match", "command"),
        says=step.says,
    )


def _did(step: StepTold) -> LazyString | str | None:
    node = step.node or ""
    match step.heard:
        case None:
            return None
        case "red_flag":
            return _DANGER
        case "command":
            return words(_COMMANDS, step.value)
        case "match" if node not in _GIVEN:
            return words(_AT.get(node, _REST), step.value)
        case heard:
            return words({**_HEARD, **_GIVEN}, node if heard == "match" else heard)
