"""What the console calls things: every code of the queue in the words of an agent, in the language of the page.

Lazy texts, so that a table that is read at import is said in the language of each request. A code without words is
shown as it is stored: a word too few is better than an answer that disappears.
"""

from __future__ import annotations

from collections.abc import Mapping

from flask_babel import LazyString, lazy_gettext

from callbacks.call_states import State
from callbacks.lifecycle import Disposition, Status, Urgency

Words = Mapping[str, LazyString]

URGENCIES: Words = {
    Urgency.P0.name: lazy_gettext("now"),
    Urgency.P1.name: lazy_gettext("within 2 office hours"),
    Urgency.P2.name: lazy_gettext("next working day"),
    Urgency.P3.name: lazy_gettext("within 3 working days"),
    Urgency.P4.name: lazy_gettext("within 5 working days"),
}
STATUSES: Words = {
    "open": lazy_gettext("Open"),
    Status.QUEUED: lazy_gettext("Waiting"),
    Status.CLAIMED: lazy_gettext("Claimed"),
    Status.CLOSED: lazy_gettext("Closed"),
    Status.CANCELLED: lazy_gettext("Cancelled"),
}
NEEDS: Words = {
    "doctor": lazy_gettext("Doctor or hospital"),
    "medicine": lazy_gettext("Medicine"),
    "pregnancy": lazy_gettext("Pregnancy or baby"),
    "stress": lazy_gettext("Stress or sleep"),
    "teeth": lazy_gettext("Teeth"),
    "bill": lazy_gettext("A bill"),
    "shelter": lazy_gettext("Place to sleep, or a lawyer"),
}
ANSWERS: Mapping[str, Words] = {
    "danger": {
        "body": lazy_gettext("Danger to the body"),
        "suicide": lazy_gettext("Thoughts of suicide"),
        "no": lazy_gettext("No danger"),
    },
    "need": NEEDS,
    "wait": {
        "today": lazy_gettext("Needed today"),
        "medicine_runs_out": lazy_gettext("Medicine runs out within two days"),
        "can_wait": lazy_gettext("It can wait"),
    },
    "who": {
        "child": lazy_gettext("A child under 18"),
        "pregnant": lazy_gettext("Somebody pregnant"),
        "adult": lazy_gettext("An adult"),
    },
    "group": {
        "asylum": lazy_gettext("In asylum, COA care"),
        "eu_or_dutch": lazy_gettext("EU or Dutch passport"),
        "permit_or_visa": lazy_gettext("Permit or visa"),
        "none": lazy_gettext("None of these, or not said"),
    },
    "payer": {
        "yes": lazy_gettext("Insured, or somebody signed"),
        "no": lazy_gettext("No insurance, nobody signed"),
        "unknown": lazy_gettext("Insurance not known"),
    },
    "refused": {"yes": lazy_gettext("Was refused care"), "no": lazy_gettext("Was not refused")},
    "part_of_day": {
        "morning": lazy_gettext("In the morning"),
        "afternoon": lazy_gettext("In the afternoon"),
        "any": lazy_gettext("Any time"),
    },
    "region": {"here": lazy_gettext("In our region"), "elsewhere": lazy_gettext("Elsewhere")},
}
LANGUAGES: Words = {
    "nl": lazy_gettext("Dutch"),
    "en": lazy_gettext("English"),
    "ar": lazy_gettext("Arabic"),
    "fr": lazy_gettext("French"),
    "pt": lazy_gettext("Portuguese"),
    "ti": lazy_gettext("Tigrinya"),
    "so": lazy_gettext("Somali"),
    "tr": lazy_gettext("Turkish"),
    "fa": lazy_gettext("Dari or Farsi"),
    "es": lazy_gettext("Spanish"),
    "hy": lazy_gettext("Armenian"),
    "ru": lazy_gettext("Russian"),
    "other": lazy_gettext("Another language"),
}
OUTCOMES: Words = {
    "emergency": lazy_gettext("Danger to life: was told to call 112"),
    "suicide": lazy_gettext("Thoughts of suicide: was told of 113 and 112"),
    "shelter_request": lazy_gettext("Asks for shelter or a lawyer"),
    "today_closed": lazy_gettext("Needed today, while the office was closed"),
    "today_open": lazy_gettext("Needed today"),
    "medicine_running_out": lazy_gettext("Medicine is running out"),
    "refused_priority": lazy_gettext("Child or pregnancy, refused: mediate"),
    "asylum": lazy_gettext("In asylum: has care of its own"),
    "eu_or_dutch": lazy_gettext("EU or Dutch: insurance"),
    "permit_or_visa": lazy_gettext("Permit or visa: check insurance or guarantor"),
    "payer_check": lazy_gettext("Somebody may pay: check"),
    "likely_maternity_child": lazy_gettext("Child or pregnancy: likely eligible"),
    "likely_refused": lazy_gettext("Was refused: likely eligible"),
    "likely_stress": lazy_gettext("Stress or sleep: likely eligible"),
    "bill": lazy_gettext("Has a bill"),
    "teeth": lazy_gettext("Teeth: usually not covered"),
    "likely_intake": lazy_gettext("Likely eligible"),
    "incomplete": lazy_gettext("Asked to be called, questions not finished"),
    "by_hand": lazy_gettext("Added by hand"),
}
FLAGS: Words = {
    "breathing": lazy_gettext("breathing"),
    "bleeding": lazy_gettext("bleeding"),
    "chest_pain": lazy_gettext("chest pain"),
    "unconscious": lazy_gettext("unconscious"),
    "stroke": lazy_gettext("stroke"),
    "suicide": lazy_gettext("suicide"),
    "poisoning": lazy_gettext("poisoning"),
    "seizure": lazy_gettext("seizure"),
    "labour": lazy_gettext("labour"),
    "violence": lazy_gettext("violence"),
    "severe": lazy_gettext("very ill"),
}
DISPOSITIONS: Words = {
    Disposition.INFORMATION_GIVEN: lazy_gettext("Information given"),
    Disposition.APPOINTMENT_ARRANGED: lazy_gettext("Appointment arranged"),
    Disposition.MEDIATION_OPENED: lazy_gettext("Mediation opened"),
    Disposition.REFERRED: lazy_gettext("Referred to another organisation"),
    Disposition.OTHER_SCHEME: lazy_gettext("Another scheme applies"),
    Disposition.NOT_ELIGIBLE: lazy_gettext("Not eligible"),
    Disposition.NO_ANSWER: lazy_gettext("No answer: try again later"),
    Disposition.WRONG_NUMBER: lazy_gettext("Wrong number"),
    Disposition.DUPLICATE: lazy_gettext("Same as another request"),
    Disposition.WITHDREW: lazy_gettext("Needs no call any more"),
    Disposition.EMERGENCY_REDIRECTED: lazy_gettext("Sent to emergency care"),
}
EVENTS: Words = {
    "claimed": lazy_gettext("Claimed"),
    "claim_expired": lazy_gettext("The claim ran out"),
    "released": lazy_gettext("Released"),
    "calling": lazy_gettext("Calls back through the line"),
    "called": lazy_gettext("That call ended"),
    "wrapped_up": lazy_gettext("Wrapped up"),
    "undone": lazy_gettext("The wrap-up was taken back"),
    "cancelled": lazy_gettext("Cancelled"),
    "retriaged": lazy_gettext("Urgency or need changed"),
    "noted": lazy_gettext("Note"),
    "added": lazy_gettext("Added by hand"),
    "asked_again": lazy_gettext("Called again"),
    "reopened": lazy_gettext("Opened again"),
    "withdrawn": lazy_gettext("Withdrawn by the caller"),
}
# How far a call to a caller is, or how it ended: after the name of who called, or after a colon.
CALL_STATES: Words = {
    State.ASKED: lazy_gettext("about to ring the agent"),
    State.UNCERTAIN: lazy_gettext("not clear whether it was made"),
    State.NOT_PLACED: lazy_gettext("the call was not made"),
    State.RINGING_AGENT: lazy_gettext("the agent's phone rings"),
    State.AGENT_ANSWERED: lazy_gettext("the agent picked up"),
    State.RINGING_CALLER: lazy_gettext("the caller's phone rings"),
    State.CONNECTED: lazy_gettext("they are speaking"),
    State.AGENT_NO_ANSWER: lazy_gettext("the agent did not pick up"),
    State.AGENT_DECLINED: lazy_gettext("the agent did not press 1"),
    State.STOPPED: lazy_gettext("the request was taken away"),
    State.CALLER_NO_ANSWER: lazy_gettext("the caller did not answer"),
    State.CALLER_BUSY: lazy_gettext("the caller's phone was busy"),
    State.FAILED: lazy_gettext("the call could not be made"),
    State.ENDED: lazy_gettext("they spoke"),
}
# What spoke against calling when somebody called all the same (calling.CallWarning).
CALL_WARNINGS: Words = {
    "office_closed": lazy_gettext("the office was closed"),
    "other_part_of_day": lazy_gettext("asked for another time of the day"),
    "too_soon": lazy_gettext("too soon after the last attempt"),
    "not_confirmed": lazy_gettext("the number is not confirmed"),
}
HEARD: Words = {
    "match": lazy_gettext("understood"),
    "no_match": lazy_gettext("not understood"),
    "no_input": lazy_gettext("silence"),
    "command": lazy_gettext("0, 9 or *"),
    "red_flag": lazy_gettext("words of danger"),
}


def words(table: Words, code: str | None) -> LazyString | str:
    """The words for a code; the code itself where there are none, and nothing where there is no code."""
    return "" if code is None else table.get(code, code)
