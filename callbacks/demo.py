"""Fills the queue of a rehearsal with invented requests, so that the console can be tried before anybody has called.

Nobody in here exists. They are told as short stories: what was answered, in which language, what the team did since.
They become rows through the same use cases as everything else. The numbers begin with 06 1234: no range is set apart in
the Netherlands for numbers that nobody has, and in a rehearsal nobody is called.
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from sqlalchemy import Connection, select

from callbacks import call_log, queue, service, staff
from callbacks.call_log import HeardStep, Taken
from callbacks.db import Database
from callbacks.lifecycle import Disposition, Urgency
from callbacks.office_hours import OfficeHours
from callbacks.service import Request, callbacks
from callbacks.staff import Member, Newcomer

COLLEAGUES = (Newcomer("demo-anna", "Anna"), Newcomer("demo-bram", "Bram", languages=("nl", "en", "ar")))
# Where each answer is given, in the order of the call; what names no node is answered with the one before.
NODES = {
    "danger": "triage_danger",
    "need": "triage_need",
    "wait": "triage_wait",
    "who": "triage_who",
    "group": "triage_group",
    "payer": "triage_payer",
    "refused": "triage_refused",
    "call_me": "callback_offer",
    "which_number": "callback_this_number",
    "safe_message": "callback_safe_message",
    "callback_language": "callback_language",
    "part_of_day": "callback_part_of_day",
    "region": "callback_region",
}
# The options of each question in the order of their keys.
KEYS: Mapping[str, tuple[str, ...]] = {
    "danger": ("body", "suicide", "no"),
    "need": ("doctor", "medicine", "pregnancy"),
    "wait": ("today", "medicine_runs_out", "can_wait"),
    "who": ("child", "pregnant", "adult"),
    "group": ("asylum", "eu_or_dutch", "permit_or_visa", "none"),
    "payer": ("yes", "no", "unknown"),
    "refused": ("yes", "no"),
    "call_me": ("yes", "no"),
    "which_number": ("this_number", "another"),
    "safe_message": ("yes", "no"),
    "callback_language": ("nl", "en"),
    "part_of_day": ("morning", "afternoon", "any"),
    "region": ("here", "elsewhere"),
}
_BETWEEN_STEPS = timedelta(seconds=9)


@dataclass(frozen=True)
class Invented:
    """One invented request: its answers, what was said aloud at which question, and what the team did about it.

    `hours` is how long ago the call was. `then` is a Disposition, "claimed" or "cancelled". `phone` is the end of the
    number; the same end is the same number, None a withheld one.
    """

    hours: float
    outcome: str
    urgency: int
    triage: Mapping[str, str]
    language: str
    phone: str | None
    details: Mapping[str, str] = field(default_factory=dict)
    said: Mapping[str, str] = field(default_factory=dict)
    flags: tuple[str, ...] = ()
    then: str | None = None
    note: str = ""


def _triage(need: str, wait: str, who: str, group: str, payer: str | None, refused: str) -> dict[str, str]:
    answers = {"danger": "no", "need": need, "wait": wait, "who": who, "group": group, "payer": payer}
    return {name: answer for name, answer in (answers | {"refused": refused}).items() if answer and answer != "-"}


def _details(safe_message: str, language: str, part_of_day: str, region: str = "here") -> dict[str, str]:
    details = {"safe_message": safe_message, "callback_language": language, "part_of_day": part_of_day}
    return details | {"region": region}


REQUESTS: tuple[Invented, ...] = (
    Invented(0.2, "emergency", 0, {"danger": "body"}, "nl", "0101", flags=("breathing",),
             said={"danger": "mijn man kan niet goed ademen"}),
    Invented(0.6, "refused_priority", 1, _triage("pregnancy", "can_wait", "-", "none", "no", "yes"), "en", "0102",
             _details("no", "ti", "morning"), {"refused": "yes, the midwife said no insurance, no appointment"}),
    Invented(1.5, "medicine_running_out", 1, _triage("medicine", "medicine_runs_out", "adult", "none", "no", "yes"),
             "nl", "0103", _details("yes", "nl", "any"), {"need": "mijn insuline is bijna op"}),
    Invented(5, "today_open", 1, _triage("doctor", "today", "child", "none", "unknown", "no"), "en", "0104",
             _details("yes", "en", "any"), {"who": "my daughter", "wait": "today please, she has a fever"}),
    Invented(26, "medicine_running_out", 1,
             _triage("medicine", "medicine_runs_out", "adult", "permit_or_visa", None, "no"),
             "nl", "0105", _details("no", "ar", "afternoon", "elsewhere"), then=Disposition.NO_ANSWER,
             note="rang out twice"),
    Invented(3, "likely_refused", 2, _triage("doctor", "can_wait", "adult", "none", "no", "yes"), "nl", "0106",
             _details("yes", "nl", "morning"), {"refused": "ja, de huisarts zei dat ik eerst moest betalen"}),
    Invented(7, "likely_maternity_child", 2, _triage("doctor", "can_wait", "child", "none", "no", "no"), "en", "0107",
             _details("no", "fr", "afternoon")),
    Invented(22, "likely_stress", 2, _triage("stress", "can_wait", "adult", "none", "no", "no"), "nl", "0108",
             _details("no", "fa", "any", "elsewhere"), {"need": "ik slaap al weken niet"}, then="claimed"),
    Invented(2, "incomplete", 2, {"danger": "no"}, "nl", "0109", {"safe_message": "no"}),
    Invented(4, "incomplete", 2, {}, "en", None),
    Invented(50, "likely_refused", 2, _triage("doctor", "can_wait", "adult", "none", "unknown", "yes"), "en", "0110",
             _details("yes", "so", "morning"), then=Disposition.NO_ANSWER),
    Invented(49, "bill", 3, _triage("bill", "-", "adult", "none", "no", "no"), "nl", "0111",
             _details("yes", "nl", "any"), {"need": "ik heb een rekening van het ziekenhuis"}),
    Invented(8, "bill", 3, _triage("bill", "-", "adult", "none", "no", "no"), "nl", "0111",
             _details("yes", "nl", "any"), note="second call about the same letter"),
    Invented(28, "payer_check", 3, _triage("doctor", "can_wait", "adult", "none", "yes", "no"), "en", "0112",
             _details("no", "pt", "afternoon")),
    Invented(96, "permit_or_visa", 3, _triage("doctor", "can_wait", "adult", "permit_or_visa", None, "no"), "en",
             "0113", _details("no", "hy", "any", "elsewhere")),
    Invented(30, "asylum", 3, _triage("doctor", "can_wait", "adult", "asylum", None, "no"), "en", "0114",
             _details("yes", "ti", "morning")),
    Invented(12, "shelter_request", 3, {"danger": "no", "need": "shelter", "who": "adult"}, "nl", "0115",
             _details("no", "nl", "any")),
    Invented(33, "shelter_request", 2, {"danger": "no", "need": "shelter", "who": "child"}, "en", "0116",
             _details("no", "es", "any"), then="claimed"),
    Invented(120, "likely_intake", 3, _triage("doctor", "can_wait", "adult", "none", "no", "no"), "nl", "0117",
             _details("yes", "tr", "afternoon")),
    Invented(55, "teeth", 4, _triage("teeth", "can_wait", "adult", "none", "no", "no"), "nl", "0118",
             _details("yes", "nl", "afternoon"), {"need": "mijn tand doet zeer"}),
    Invented(75, "eu_or_dutch", 4, _triage("doctor", "can_wait", "adult", "eu_or_dutch", None, "no"), "en", "0119",
             _details("yes", "ru", "any")),
    Invented(98, "likely_refused", 2, _triage("doctor", "can_wait", "adult", "none", "no", "yes"), "nl", "0120",
             _details("yes", "nl", "morning"), then=Disposition.MEDIATION_OPENED, note="the practice sees her"),
    Invented(52, "today_open", 1, _triage("doctor", "today", "child", "none", "no", "no"), "en", "0121",
             _details("yes", "en", "any"), then=Disposition.APPOINTMENT_ARRANGED, note="seen this afternoon"),
    Invented(76, "asylum", 3, _triage("medicine", "can_wait", "adult", "asylum", None, "no"), "en", "0122",
             _details("no", "ar", "any"), then=Disposition.OTHER_SCHEME, note="gave the number of the clinic"),
    Invented(54, "suicide", 0, {"danger": "suicide"}, "nl", "0123", flags=("suicide",),
             then=Disposition.EMERGENCY_REDIRECTED, note="talked until 113 had taken over"),
    Invented(31, "likely_intake", 3, _triage("doctor", "can_wait", "adult", "none", "no", "no"), "nl", "0124",
             _details("yes", "nl", "any"), then="cancelled", note="came by the office"),
)  # fmt: skip


def fill(database: Database, now: datetime, office: OfficeHours, *, seed: int = 1) -> int:
    """Invent the requests, once; how many there are new. `now` and the office decide what is overdue by then."""
    if any(member.login == COLLEAGUES[0].login for member in database.read(staff.list_members)):
        return 0
    return database.write(lambda connection: _fill(connection, now, office, random.Random(seed)))  # noqa: S311


def _fill(connection: Connection, now: datetime, office: OfficeHours, rng: random.Random) -> int:
    # No password fits: nobody comes in as one of these.
    team = [staff.add(connection, newcomer, "-", now) for newcomer in COLLEAGUES]
    for invented in sorted(REQUESTS, key=lambda invented: -invented.hours):
        asked_at = now - timedelta(hours=invented.hours)
        public_id = _call(connection, invented, asked_at, office, rng)
        _work(connection, public_id, invented, rng.choice(team), min(asked_at + timedelta(minutes=40), now), office)
    for member, invented in zip(team, (each for each in REQUESTS if each.then == "claimed"), strict=False):
        queue.claim(connection, _newest_of(connection, invented), member, now)
    door = queue.ByHand("doctor", "adult", "nl", urgency=Urgency.P2, note="stood at the door, has no phone")
    queue.add_by_hand(connection, team[0], door, now - timedelta(hours=1), office)
    return len(REQUESTS) + 1


def _number(invented: Invented) -> str | None:
    return f"+3161234{invented.phone}" if invented.phone else None


def _newest_of(connection: Connection, invented: Invented) -> str:
    query = select(callbacks.c.public_id).where(callbacks.c.phone == _number(invented)).order_by(callbacks.c.id.desc())
    return str(connection.execute(query).scalars().first())


def _call(
    connection: Connection, invented: Invented, asked_at: datetime, office: OfficeHours, rng: random.Random
) -> str:
    """The call itself: opened, step by step, ended; the public id of its callback."""
    call = call_log.open_call(connection, f"CA{rng.getrandbits(128):032x}", _number(invented), asked_at)
    agreed = {"call_me": "yes"} | ({"which_number": "this_number"} if invented.phone else {})
    answers = {"language": invented.language, **invented.triage, **agreed, **invented.details}
    steps = list(_steps(answers, invented, asked_at, rng))
    for step in steps:
        call_log.record_step(connection, call.id, step)
    request = Request(
        invented.outcome, invented.urgency, _number(invented), invented.language, answers, list(invented.flags)
    )
    service.request(connection, call.id, request, asked_at, office)
    call_log.end_call(connection, call.id, steps[-1].at, "finished", "goodbye")
    query = select(callbacks.c.public_id).where(callbacks.c.call_id == call.id)
    return str(connection.execute(query).scalar_one())


def _steps(answers: Mapping[str, str], invented: Invented, asked_at: datetime, rng: random.Random) -> Iterator[Taken]:
    """What was heard and said, a step an answer; the outcome is told before the offer to call back."""
    asked = [(name, NODES[name]) for name in answers if name in NODES]
    heard = HeardStep()
    for number, (name, node) in enumerate([*asked, ("", "goodbye")]):
        says = ("opening_who", "opening_keys", "menu_main") if number == 0 else ()
        told = (f"outcome_{invented.outcome}",) if name == "call_me" and invented.outcome != "incomplete" else ()
        at = asked_at + number * _BETWEEN_STEPS
        yield Taken(number, at, heard, json.dumps({"node": node}), json.dumps([*says, *told, node]))
        heard = _heard(name, answers.get(name, ""), invented.said.get(name), rng)


def _heard(name: str, value: str, utterance: str | None, rng: random.Random) -> HeardStep:
    node = NODES.get(name, "goodbye")
    if utterance is None:
        return HeardStep(node, "match", value, "digits", _key(name, value))
    return HeardStep(node, "match", value, "speech", None, utterance, round(rng.uniform(0.62, 0.97), 2))


def _key(name: str, value: str) -> str:
    """The key of an option; what stands on none is behind the last one: another need, another language."""
    options = KEYS.get(name, ())
    return str(options.index(value) + 1 if value in options else len(options) + 1)


def _work(
    connection: Connection, public_id: str, invented: Invented, member: Member, at: datetime, office: OfficeHours
) -> None:
    """What the team did about it since."""
    if invented.then == "cancelled":
        queue.cancel(connection, public_id, member, invented.note, at)
    elif invented.then in set(Disposition):
        queue.claim(connection, public_id, member, at)
        queue.wrap_up(connection, public_id, member, Disposition(invented.then), invented.note, at, office)
    elif invented.note:
        queue.add_note(connection, public_id, member, invented.note, at)
