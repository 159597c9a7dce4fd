"""The floor plan of the line: every node, what it says, and where each answer leads. Reads from top to bottom.

Names of nodes, of options (answers.toml) and of prompts are the same words everywhere. The keys 0 (call me back),
9 (again) and * (emergency) work at every node and are handled by `conversation`, as is what happens after silence.
`nodes` explains the kinds, `triage` decides which question comes next.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from ivr import triage
from ivr.nodes import (
    YES_NO_NO_MATCH,
    Branch,
    End,
    Listener,
    Menu,
    Message,
    Node,
    NumberEntry,
    Option,
    Question,
    SpokenAnswer,
    Task,
    VoiceMessage,
    prompts_of,
)

if TYPE_CHECKING:
    from ivr.position import Circumstances, Position

START = "welcome"
CALLBACK = "callback"  # where 0 leads, and two silences
OFFER = "callback_offer"
GOODBYE = "goodbye"

OTHER_LANGUAGES = ("ar", "fr", "pt", "ti", "so", "tr", "fa", "es", "hy", "ru")  # that callers name
# Spoken by the key * and after words of danger, before the call comes back to the node where it was.
EMERGENCY = "emergency"
SUICIDE_HELP = "emergency_suicide"
ALREADY_ASKED = "callback_already"  # spoken when 0 is pressed in the middle of the callback's questions


@dataclass(frozen=True)
class Flow:
    """All nodes by name."""

    nodes: Mapping[str, Node]

    def __getitem__(self, name: str) -> Node:
        return self.nodes[name]

    def listener(self, name: str) -> Listener:
        """The waiting node of this name; a KeyError where none waits."""
        node = self.nodes[name]
        if not isinstance(node, Listener):
            raise KeyError(name)
        return node

    def prompts(self) -> frozenset[str]:
        """The name of every prompt that some node, key or word can make the line speak."""
        own = {EMERGENCY, SUICIDE_HELP, ALREADY_ASKED}
        return frozenset(own.union(*(prompts_of(node) for node in self.nodes.values())))


def build(languages: Sequence[str] = ("nl", "en")) -> Flow:
    """The whole line for these languages, in the order of their keys."""
    nodes = [
        *_welcome(languages),
        *_rights(),
        *_receptionist(),
        *_triage(),
        *_outcomes(),
        *_callback_offer(),
        *_callback_number(),
        *_callback_details(languages),
        *_endings(),
    ]
    by_name = {node.name: node for node in nodes}
    if len(by_name) != len(nodes):
        raise ValueError("two nodes of the flow have the same name")
    return Flow(by_name)


def _welcome(languages: Sequence[str]) -> Iterable[Node]:
    """Danger first, then the language, then who we are and what can be chosen."""
    choices = tuple(Option(str(key), language, "opening") for key, language in enumerate(languages, start=1))
    yield Question(
        name="welcome",
        tells=("welcome_emergency",),
        asks=("welcome_language",),
        options=choices,
        remembers="language",
    )
    yield Message(name="opening", says=("opening_who", "opening_kept", "opening_keys"), goto="menu_main")
    yield Menu(
        name="menu_main",
        asks=("menu_main",),
        options=(
            Option("1", "care_now", "triage_next"),
            Option("2", "rights", "rights"),
            Option("3", "receptionist", "receptionist_explain"),
        ),
    )


# In the order in which "next" walks them.
TOPICS = (
    *("doctor", "hospital", "medicine", "pregnancy", "stress", "teeth", "bills"),
    *("asylum", "health_check", "article_64", "medical_permit"),
)


def _rights() -> Iterable[Node]:
    """What one has a right to, a topic at a time."""
    yield Menu(
        name="rights",
        asks=("rights",),
        options=(
            Option("1", "doctor", "rights_doctor"),
            Option("2", "medicine", "rights_medicine"),
            Option("3", "pregnancy", "rights_pregnancy"),
            Option("4", "more", "rights_more"),
        ),
    )
    yield Menu(
        name="rights_more",
        asks=("rights_more",),
        options=(
            Option("1", "stress", "rights_stress"),
            Option("2", "teeth", "rights_teeth"),
            Option("3", "bill", "rights_bills"),
            Option("4", "asylum", "rights_asylum"),
        ),
    )
    for topic, following in zip(TOPICS, (*TOPICS[1:], None), strict=True):
        yield Menu(
            name=f"rights_{topic}",
            tells=(f"rights_{topic}",),
            asks=("rights_choices",),
            options=(
                Option("1", "next", f"rights_{following}" if following else "rights"),
                Option("2", "menu", "menu_main"),
            ),
        )


def _receptionist() -> Iterable[Node]:
    """Words in Dutch for the assistant at a desk where the caller was refused; silence lets it speak once more."""
    yield Message(name="receptionist_explain", says=("receptionist_explain",), goto="receptionist")
    yield Menu(
        name="receptionist",
        asks=("receptionist_duty@nl", "receptionist_costs@nl", "receptionist_contact@nl", "receptionist_choices"),
        options=(Option("1", "again", "receptionist"), Option("2", "menu", "menu_main")),
    )


def _triage() -> Iterable[Node]:
    """Q1 to Q7. `triage_next` asks the table which question is next, or which outcome it is."""
    yield Branch(
        name="triage_next",
        decide=_next_in_triage,
        exits=(
            "triage_danger",
            "triage_need",
            "triage_wait",
            "triage_wait_medicine",
            "triage_who",
            "triage_group",
            "triage_payer",
            "triage_refused",
            *(f"outcome_{outcome}" for outcome in triage.OUTCOMES),
        ),
    )
    yield _asks("triage_danger", "danger", {"1": "body", "2": "suicide", "3": "no"}, names_danger=True)
    yield Question(
        name="triage_need",
        asks=("triage_need",),
        options=(
            Option("1", "doctor", "triage_next"),
            Option("2", "medicine", "triage_next"),
            Option("3", "pregnancy", "triage_next"),
            Option("4", "other", "triage_need_other"),
        ),
        unasked=tuple(Option("", need, "triage_next") for need in ("stress", "teeth", "bill", "shelter")),
        remembers="need",
    )
    yield _asks("triage_need_other", "need", {"1": "stress", "2": "teeth", "3": "bill", "4": "shelter"})
    yield _asks("triage_wait", "wait", {"1": "today", "3": "can_wait"})
    yield _asks("triage_wait_medicine", "wait", {"1": "today", "2": "medicine_runs_out", "3": "can_wait"})
    yield _asks("triage_who", "who", {"1": "child", "2": "pregnant", "3": "adult"})
    yield _asks("triage_group", "group", {"1": "asylum", "2": "eu_or_dutch", "3": "permit_or_visa", "4": "none"})
    yield _asks("triage_payer", "payer", {"1": "yes", "2": "no", "3": "unknown"})
    yield _asks("triage_refused", "refused", {"1": "yes", "2": "no"}, no_match=YES_NO_NO_MATCH)


def _asks(
    name: str,
    remembers: str,
    options: Mapping[str, str],
    *,
    names_danger: bool = False,
    no_match: tuple[str, str] = Listener.no_match,
) -> Question:
    """A question of the triage: every answer leads to the next one."""
    return Question(
        name=name,
        asks=(name,),
        options=tuple(Option(key, option, "triage_next") for key, option in options.items()),
        remembers=remembers,
        names_danger=names_danger,
        no_match=no_match,
    )


def _next_in_triage(position: Position, circumstances: Circumstances) -> str:  # noqa: ARG001  a Branch's signature
    case = triage.Case.from_answers(position.answers, office_open=position.office_open)
    answer = triage.next_question(case)
    if answer is None:
        return f"outcome_{triage.decide(case).outcome}"
    if answer == "wait" and case.need is triage.Need.MEDICINE:
        return "triage_wait_medicine"
    return f"triage_{answer}"


def _outcomes() -> Iterable[Node]:
    """Each outcome has its own message; after every one of them the callback is offered."""
    for outcome in triage.OUTCOMES:
        yield Message(name=f"outcome_{outcome}", says=(f"outcome_{outcome}",), goto=CALLBACK)


def _callback_offer() -> Iterable[Node]:
    """Shall we call you?"""
    yield Branch(
        name=CALLBACK,
        decide=lambda position, circumstances: "callback_number" if _is_promised(position) else OFFER,
        exits=(OFFER, "callback_number"),
    )
    yield Question(
        name=OFFER,
        asks=("callback_offer",),
        no_match=("yes_no_no_match_first", "yes_no_no_match_second"),
        options=(Option("1", "yes", "callback_number"), Option("2", "no", "callback_declined")),
        remembers="call_me",
        gives_up_to=GOODBYE,
    )
    yield Message(name="callback_declined", says=("callback_declined",), goto="callback_declined_next")
    yield Branch(
        name="callback_declined_next",
        decide=lambda position, circumstances: "menu_main" if position.language else "welcome",
        exits=("menu_main", "welcome"),
    )


def _callback_number() -> Iterable[Node]:
    """On which number. The callback is queued as soon as that is known."""
    yield Branch(
        name="callback_number",
        decide=_which_number,
        exits=("callback_request", "callback_this_number", "callback_number_unknown"),
    )
    yield Question(
        name="callback_this_number",
        asks=("callback_this_number",),
        options=(Option("1", "this_number", "callback_request"), Option("2", "another", "callback_number_entry")),
        remembers="which_number",
        gives_up_to="callback_request",
    )
    yield Message(name="callback_number_unknown", says=("callback_number_unknown",), goto="callback_number_entry")
    yield NumberEntry(
        name="callback_number_entry",
        asks=("callback_number_entry",),
        no_input=("number_no_input_first", "no_input_second"),
        no_match=("number_no_match_first", "no_match_second"),
        goto="callback_number_confirm",
        gives_up_to="callback_request_without_number",
    )
    yield Question(
        name="callback_number_confirm",
        asks=("callback_number_confirm",),
        options=(Option("1", "right", "callback_request"), Option("2", "wrong", "callback_number_entry")),
        remembers="number_is_right",
        gives_up_to="callback_request",
    )
    yield Task(
        name="callback_request",
        exits={"queued": "callback_queued", "linked": "callback_linked", "already": "callback_already"},
    )
    yield Task(
        name="callback_request_without_number",
        with_number=False,
        exits={
            "queued": "callback_without_number",
            "linked": "callback_without_number",
            "already": "callback_already",
        },
    )
    yield Message(name="callback_queued", says=("callback_queued",), goto="callback_safe_message")
    yield Message(name="callback_linked", says=("callback_linked",), goto="callback_safe_message")
    yield Message(name="callback_already", says=("callback_already",), goto="callback_reference")


def _is_promised(position: Position) -> bool:
    """Nobody is offered what they have: a callback, and a number for it."""
    return position.promise is not None and position.promise.has_number


def _which_number(position: Position, circumstances: Circumstances) -> str:
    if _is_promised(position):
        return "callback_request"  # asked for already in this call: the same callback, with what was added since
    return "callback_this_number" if circumstances.caller_number else "callback_number_unknown"


def _callback_details(languages: Sequence[str]) -> Iterable[Node]:
    """What makes the callback better, one question at a time; a hang-up loses nothing, silence ends the questions."""
    yield _detail(
        "callback_safe_message", "safe_message", {"1": "yes", "2": "no"}, "callback_language", no_match=YES_NO_NO_MATCH
    )
    named = {str(key): language for key, language in enumerate((*languages, "other"), start=1)}
    said = tuple(Option("", name, "callback_part_of_day") for name in OTHER_LANGUAGES if name not in languages)
    asked = _detail(
        "callback_language",
        "callback_language",
        named,
        "callback_part_of_day",
        leads={"other": "callback_language_name"},
    )
    yield replace(asked, unasked=said)
    yield SpokenAnswer(
        name="callback_language_name",
        asks=("callback_language_name",),
        no_match=("language_no_match_first", "no_match_second"),
        remembers="callback_language",
        choices="languages",
        goto="callback_part_of_day",
        gives_up_to="callback_part_of_day",
    )
    yield _detail(
        "callback_part_of_day",
        "part_of_day",
        {"1": "morning", "2": "afternoon", "3": "any"},
        "callback_region",
    )
    yield _detail("callback_region", "region", {"1": "here", "2": "elsewhere"}, "callback_voice_message_next")
    yield Branch(
        name="callback_voice_message_next",
        decide=lambda position, circumstances: (
            "callback_voice_message" if circumstances.takes_voice_messages else "callback_reference"
        ),
        exits=("callback_voice_message", "callback_reference"),
    )
    yield VoiceMessage(
        name="callback_voice_message",
        asks=("callback_voice_message",),
        goto="callback_reference",
        gives_up_to="callback_reference",
    )


def _detail(
    name: str,
    remembers: str,
    options: Mapping[str, str],
    goto: str,
    *,
    leads: Mapping[str, str] | None = None,
    no_match: tuple[str, str] = Listener.no_match,
) -> Question:
    """A question that enriches the callback: nothing is lost by not answering it."""
    return Question(
        name=name,
        asks=(name,),
        options=tuple(Option(key, option, (leads or {}).get(option, goto)) for key, option in options.items()),
        remembers=remembers,
        enriches=True,
        no_match=no_match,
        gives_up_to="callback_reference",
    )


def _endings() -> Iterable[Node]:
    """The reference, when to expect us, and goodbye."""
    yield _done("callback_reference", "callback_reference", "callback_when")
    yield _done("callback_without_number", "callback_without_number", "callback_reference")
    yield End(name=GOODBYE, says=("goodbye",))


def _done(name: str, *tells: str) -> Menu:
    """The end of a callback's questions: on to the menu, or stop; whoever says nothing is wished well."""
    return Menu(
        name=name,
        tells=tells,
        asks=("callback_done",),
        options=(Option("1", "menu", "menu_main"), Option("2", "stop", GOODBYE)),
        gives_up_to=GOODBYE,
    )
