"""What the picture of the flow calls things: rooms, nodes, answers and outcomes in plain English.

`flow_picture` writes the picture as text (Mermaid) and `flow_drawing` draws it. A node or an answer that nobody has
named here is called by its own name, so that a new one is never missing from the picture.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum

from callbacks.lifecycle import Urgency
from ivr import triage
from ivr.flow import CALLBACK
from ivr.nodes import Listener, Menu, Node, NumberEntry, SpokenAnswer, Task, VoiceMessage, exits_of


class Room(StrEnum):
    """A part of the flow, in the order in which a colleague reads them."""

    WELCOME = "welcome"
    RIGHTS = "rights"
    RECEPTIONIST = "receptionist"
    TRIAGE = "triage"
    OUTCOMES = "outcomes"
    CALLBACK = "callback"
    GOODBYE = "goodbye"


ROOM_TITLES = {
    Room.WELCOME: "Welcome",
    Room.RIGHTS: "Your rights",
    Room.RECEPTIONIST: "A message for the receptionist",
    Room.TRIAGE: "The care you need now",
    Room.OUTCOMES: "Outcomes: the first that fits",
    Room.CALLBACK: "We call you back",
    Room.GOODBYE: "Goodbye",
}

URGENCY_WORDS = {
    Urgency.P0: "now",
    Urgency.P1: "within 2 office hours",
    Urgency.P2: "by the next working day",
    Urgency.P3: "within 3 working days",
    Urgency.P4: "within 5 working days",
}

EVERYWHERE = (
    ("0", "Call me back"),
    ("9", "Say it again"),
    ("*", "Emergency message, then back here"),
)
SILENCE = "Silence twice"  # or two answers not understood, where another way out than the callback offer is given

TITLES = {
    "welcome": "In danger: 112. Which language?",
    "opening": "Who we are, what is kept",
    "menu_main": "Main menu",
    "rights": "Your rights: which topic?",
    "rights_more": "More topics",
    "rights_bills": "Bills and costs",
    "rights_asylum": "Asylum and permits",
    "rights_stress": "Stress and sleep",
    "rights_teeth": "Teeth and physiotherapy",
    "rights_pregnancy": "Pregnancy and baby",
    "rights_health_check": "Health check",
    "rights_article_64": "Article 64",
    "rights_medical_permit": "Permit for treatment",
    "receptionist_explain": "What will be said, in Dutch",
    "receptionist": "In Dutch: duty, costs, contact",
    "triage_next": "Next question, or the outcome",
    "triage_danger": "Q1  Danger now?",
    "triage_need": "Q2  What help?",
    "triage_need_other": "Q2  Something else",
    "triage_wait": "Q3  Can it wait?",
    "triage_wait_medicine": "Q3  Can it wait? (medicine)",
    "triage_who": "Q4  Who is it for?",
    "triage_group": "Q5  What fits?",
    "triage_payer": "Q6  Insured, or a guarantor?",
    "triage_refused": "Q7  Did somebody say no?",
    "outcome_emergency": "Danger to life: 112",
    "outcome_suicide": "Thoughts of suicide: 113 and 112",
    "outcome_shelter_request": "A place to sleep, a lawyer",
    "outcome_today_closed": "Needed today, office closed",
    "outcome_today_open": "Needed today, office open",
    "outcome_medicine_running_out": "Medicine runs out",
    "outcome_refused_priority": "Child or pregnancy, refused",
    "outcome_asylum": "In asylum: GZA",
    "outcome_eu_or_dutch": "EU or Dutch passport",
    "outcome_permit_or_visa": "Permit or visa: a person checks",
    "outcome_payer_check": "Insured or guarantor: check",
    "outcome_likely_maternity_child": "Child or pregnancy: likely",
    "outcome_likely_refused": "Refused: likely eligible",
    "outcome_likely_stress": "Stress or sleep: likely, 113",
    "outcome_bill": "A bill: do not ignore it",
    "outcome_teeth": "Teeth: usually not covered",
    "outcome_likely_intake": "Anything else: likely eligible",
    "callback": "Asked already in this call?",
    "callback_offer": "Shall we call you?",
    "callback_declined": "That is fine",
    "callback_declined_next": "Back to the menu",
    "callback_number": "Do we know the number?",
    "callback_this_number": "On this number?",
    "callback_number_unknown": "We cannot see your number",
    "callback_number_entry": "Key in a number, then #",
    "callback_number_confirm": "Is this number right?",
    "callback_request": "Into the queue",
    "callback_request_without_number": "Into the queue, no number",
    "callback_queued": "You are in the queue",
    "callback_linked": "You had asked: it goes faster",
    "callback_already": "You are in the queue already",
    "callback_safe_message": "Safe to leave a message?",
    "callback_language": "Which language?",
    "callback_language_name": "Say your language",
    "callback_part_of_day": "Which part of the day?",
    "callback_region": "Where are you?",
    "callback_voice_message_next": "Are voice messages on?",
    "callback_voice_message": "Leave a voice message",
    "callback_reference": "Your reference, and when",
    "callback_without_number": "Your reference: call us",
    "goodbye": "Goodbye: 112, our number",
}

ANSWERS = {
    "nl": "Dutch",
    "en": "English",
    "care_now": "Care you need now",
    "rights": "Your rights",
    "receptionist": "For the receptionist",
    "body": "The body",
    "suicide": "Thoughts of suicide",
    "doctor": "Doctor or hospital",
    "pregnancy": "Pregnancy or baby",
    "stress": "Stress or sleep",
    "bill": "A bill",
    "shelter": "Place to sleep, lawyer",
    "today": "Needed today",
    "medicine_runs_out": "Runs out in two days",
    "child": "A child under 18",
    "pregnant": "Someone pregnant",
    "adult": "Another adult",
    "asylum": "In asylum",
    "eu_or_dutch": "EU or Dutch passport",
    "permit_or_visa": "Permit or valid visa",
    "none": "None, or won't say",
    "unknown": "Do not know",
    "here": "In the region",
    "queued": "New",
    "linked": "One was open already",
    "already": "Asked before in this call",
}

# What lifts an outcome to P2, in words; the triage holds it as a rule.
SOONER = {
    "shelter_request": "for a child or a pregnancy",
    "asylum": "if somebody said no",
    "payer_check": "if somebody said no",
}


@dataclass(frozen=True)
class Way:
    """One way out of a node: the key (empty where no key leads there), what it is called, and the node it leads to."""

    key: str
    label: str
    goto: str


def room_of(name: str) -> Room:
    """The room in which this node is."""
    if name in ("welcome", "opening", "menu_main"):
        return Room.WELCOME
    prefix = name.partition("_")[0]
    return Room.OUTCOMES if prefix == "outcome" else Room(prefix)


def title_of(name: str) -> str:
    """What a colleague calls this node."""
    short = name.removeprefix(f"{name.partition('_')[0]}_")
    return TITLES.get(name) or spoken_name(short)


def answer_words(option: str) -> str:
    """What a colleague calls this answer, or this result of the queue."""
    return ANSWERS.get(option) or spoken_name(option)


def spoken_name(name: str) -> str:
    """A name of the code as words: `health_check` is "Health check"."""
    return name.replace("_", " ").capitalize()


def ways_of(node: Node) -> Iterator[Way]:
    """Every way out that a node has of its own; the keys 0, 9 and *, and the usual end of patience, are everywhere."""
    match node:
        case Menu():
            yield from (Way(option.key, answer_words(option.name), option.goto) for option in node.options)
        case NumberEntry():
            yield Way("#", "The number", node.goto)
        case SpokenAnswer() | VoiceMessage():
            yield Way("", "Spoken", node.goto)
        case Task():
            yield from (Way("", answer_words(result), goto) for result, goto in node.exits.items())
        case _:
            yield from (Way("", "", goto) for goto in exits_of(node))
    if isinstance(node, Listener) and node.gives_up_to != CALLBACK:
        yield Way("", SILENCE, node.gives_up_to)


def outcome_row(name: str) -> triage.Row | None:
    """The row of the triage table that ends at this node, or None."""
    return next((row for row in triage.TABLE if name == f"outcome_{row.outcome}"), None)


def urgency_words(row: triage.Row) -> str:
    """How soon somebody calls after this outcome: "P3, within 3 working days"."""
    return f"{row.urgency.name}, {URGENCY_WORDS[row.urgency]}"


def skip_words(name: str) -> str:
    """When this question is left out, or the only answer after which it is asked; empty when it is always asked."""
    asked = next((asked for asked in triage.QUESTIONS if name == f"triage_{asked.answer}"), None)
    if asked is None:
        return ""
    for earlier, kind in _KINDS.items():
        skipped = [value for value in kind if not asked.is_asked(_case(earlier, value))]
        if asked.is_asked(triage.Case()) and skipped:
            return f"Skipped: {_listed(skipped)}"
        if not asked.is_asked(triage.Case()) and 0 < len(skipped) < len(kind):
            return f"Only after: {_listed([value for value in kind if value not in skipped])}"
    return ""


def _case(earlier: str, value: StrEnum) -> triage.Case:
    return triage.Case.from_answers({earlier: value}, office_open=False)


_KINDS: dict[str, type[StrEnum]] = {
    "need": triage.Need,
    "who": triage.Who,
    "group": triage.Group,
}


def _listed(values: list[StrEnum]) -> str:
    return "; ".join(answer_words(value).lower() for value in values)


def words_of(node: Node, text_of: Callable[[str], str]) -> str:
    """What a node says, for whoever points at it in the picture; empty for one that the caller does not hear."""
    match node:
        case Listener():
            names = (*node.tells, *node.asks)
        case _:
            names = getattr(node, "says", ())
    return " ".join(text_of(name.partition("@")[0]) for name in names)
