"""What the team's e-mails say, in Dutch and then in English: how many requests wait, how urgent, until when, and where.

Nothing about a person: no number, name, need, language or reference. An e-mail lies about in mailboxes and on the
screens of phones; whoever wants to know more follows the link and signs in. `mailing` sends it, `outbox` knows of what.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from babel.dates import format_datetime

from callbacks.lifecycle import Urgency
from callbacks.notices import Kind
from callbacks.outbox import Due

MOST_LINKS = 10
SHOWN_IN_MINUTES = timedelta(minutes=90)


class Heading(StrEnum):
    """Under which heading of the e-mail a request stands."""

    URGENT = "urgent"
    NEARLY_OVERDUE = "nearly_overdue"
    OVERDUE = "overdue"


@dataclass(frozen=True)
class Letter:
    """An e-mail without its envelope."""

    subject: str
    body: str


@dataclass(frozen=True)
class Words:
    """One language of an e-mail; of each heading one and many, once for the subject and once above the list."""

    locale: str
    opening: str
    short: Mapping[Heading, str]
    one: Mapping[Heading, str]
    many: Mapping[Heading, str]
    urgencies: Mapping[Urgency, str]
    until: str
    since: str
    in_one_minute: str
    in_minutes: str
    more: str
    queue: str
    closing: str
    trial: str


DUTCH = Words(
    locale="nl",
    opening="Er wachten mensen op een telefoontje. Niemand heeft deze vragen genomen.",
    short={Heading.URGENT: "{} dringend", Heading.NEARLY_OVERDUE: "{} bijna te laat", Heading.OVERDUE: "{} te laat"},
    one={
        Heading.URGENT: "1 nieuwe dringende vraag:",
        Heading.NEARLY_OVERDUE: "1 vraag is bijna te laat:",
        Heading.OVERDUE: "1 vraag is te laat:",
    },
    many={
        Heading.URGENT: "{} nieuwe dringende vragen:",
        Heading.NEARLY_OVERDUE: "{} vragen zijn bijna te laat:",
        Heading.OVERDUE: "{} vragen zijn te laat:",
    },
    urgencies={
        Urgency.P0: "nu",
        Urgency.P1: "binnen 2 kantooruren",
        Urgency.P2: "volgende werkdag",
        Urgency.P3: "binnen 3 werkdagen",
        Urgency.P4: "binnen 5 werkdagen",
    },
    until="uiterlijk {}",
    since="te laat sinds {}",
    in_one_minute="over 1 minuut",
    in_minutes="over {} minuten",
    more="En nog {}.",
    queue="De hele wachtrij: {}",
    closing="Log in om een vraag te lezen en te nemen.\nIn deze e-mail staat expres niets over de mensen zelf.",
    trial="Dit is een proef. U hoeft niets te doen.\nZo krijgt het team bericht van een dringende vraag.",
)
ENGLISH = Words(
    locale="en_GB",
    opening="People are waiting for a phone call. Nobody has taken these requests.",
    short={
        Heading.URGENT: "{} urgent",
        Heading.NEARLY_OVERDUE: "{} nearly overdue",
        Heading.OVERDUE: "{} overdue",
    },
    one={
        Heading.URGENT: "1 new urgent request:",
        Heading.NEARLY_OVERDUE: "1 request is nearly overdue:",
        Heading.OVERDUE: "1 request is overdue:",
    },
    many={
        Heading.URGENT: "{} new urgent requests:",
        Heading.NEARLY_OVERDUE: "{} requests are nearly overdue:",
        Heading.OVERDUE: "{} requests are overdue:",
    },
    urgencies={
        Urgency.P0: "now",
        Urgency.P1: "within 2 office hours",
        Urgency.P2: "next working day",
        Urgency.P3: "within 3 working days",
        Urgency.P4: "within 5 working days",
    },
    until="by {}",
    since="overdue since {}",
    in_one_minute="in 1 minute",
    in_minutes="in {} minutes",
    more="And {} more.",
    queue="The whole queue: {}",
    closing="Sign in to see a request and to take it.\nOn purpose, this e-mail says nothing about the people.",
    trial="This is a trial. You need not do anything.\nThis is how the team hears of an urgent request.",
)
LANGUAGES = (DUTCH, ENGLISH)
_BELOW = "English below\n\n"
_RULE = "\n\n" + "-" * 40 + "\n\n"


def letter(due: Sequence[Due], base_url: str, zone: ZoneInfo, now: datetime) -> Letter:
    """What to tell of these requests; each is named once, and the first MOST_LINKS of them with a link."""
    grouped = _grouped(due, now)
    subject = " / ".join(_subject(grouped, words) for words in LANGUAGES)
    bodies = (_body(grouped, words, base_url, zone, now) for words in LANGUAGES)
    return Letter(f"Zorglijn: {subject}", _BELOW + _RULE.join(bodies) + "\n")


def trial() -> Letter:
    """An e-mail that only shows that e-mails arrive."""
    return Letter("Zorglijn: proef / trial", _BELOW + _RULE.join(words.trial for words in LANGUAGES) + "\n")


def _grouped(due: Sequence[Due], now: datetime) -> dict[Heading, list[Due]]:
    """The requests by heading, each the soonest first; one that is told for two reasons stands with the later one."""
    by_request = {one.public_id: one for one in sorted(due, key=lambda one: one.kind is Kind.NEARLY_OVERDUE)}
    grouped: dict[Heading, list[Due]] = {}
    for heading in Heading:
        found = [one for one in by_request.values() if _heading(one, now) is heading]
        if found:
            grouped[heading] = sorted(found, key=lambda one: (one.urgency, one.due_at, one.id))
    return grouped


def _heading(one: Due, now: datetime) -> Heading:
    if one.kind is Kind.URGENT:
        return Heading.URGENT
    return Heading.NEARLY_OVERDUE if one.due_at > now else Heading.OVERDUE


def _subject(grouped: Mapping[Heading, Sequence[Due]], words: Words) -> str:
    return ", ".join(words.short[heading].format(len(found)) for heading, found in grouped.items())


def _body(grouped: Mapping[Heading, Sequence[Due]], words: Words, base_url: str, zone: ZoneInfo, now: datetime) -> str:
    parts, links = [words.opening], MOST_LINKS
    for heading, found in grouped.items():
        lines = [words.one[heading] if len(found) == 1 else words.many[heading].format(len(found))]
        for one in found[:links]:
            lines += [f"- {_told(one, words, zone, now)}", f"  {base_url}/console/requests/{one.public_id}"]
        if len(found) > links:
            lines.append(words.more.format(len(found) - links))
        links = max(links - len(found), 0)
        parts.append("\n".join(lines))
    return "\n\n".join([*parts, words.queue.format(f"{base_url}/console/"), words.closing])


def _told(one: Due, words: Words, zone: ZoneInfo, now: datetime) -> str:
    """How urgent, and until when; what is for now (P0) has no other moment."""
    name = f"{one.urgency.name} ({words.urgencies[one.urgency]})"
    if one.urgency is Urgency.P0:
        return name
    moment = format_datetime(one.due_at, "EEEE d MMMM HH:mm", tzinfo=zone, locale=words.locale)
    if one.due_at <= now:
        return f"{name}, {words.since.format(moment)}"
    told = f"{name}, {words.until.format(moment)}"
    left = one.due_at - now
    if left > SHOWN_IN_MINUTES:
        return told
    minutes = -(-left // timedelta(minutes=1))
    return f"{told} ({words.in_one_minute if minutes == 1 else words.in_minutes.format(minutes)})"
