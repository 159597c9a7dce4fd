"""What the doctor looks at, one check a function: plain values in, findings out.

`doctor` gathers the values and puts the findings together. A finding says in one sentence what is so and in another
what to do about it; an error is what must not be so on a line that real callers reach.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from enum import StrEnum
from urllib.parse import urlsplit

from ivr.prompt_files import FACTS
from ivr.prompts import Expiring, Prompts
from settings import Organisation, PhoneNumber

SOON = timedelta(days=14)
OFFICE = "office"  # the one number that the apology, the goodbye and the fallback need
NUMBERS = tuple(sorted(name.removesuffix("_number") for name in FACTS if name.endswith("_number")))
NAMED_AT_MOST = 3

_MADE_UP_HOSTS = ("example", "example.org", "example.com", "example.net", "test", "invalid")
_FEWEST_CHARACTERS = 5  # 32 random hexadecimal digits have fewer different ones once in 10^14 times


class Severity(StrEnum):
    """How bad it is; only an error keeps the line from going live."""

    ERROR = "error"
    WARNING = "warning"
    OK = "ok"


@dataclass(frozen=True)
class Finding:
    """Something the doctor found, and the remedy where one is needed."""

    severity: Severity
    what: str
    remedy: str = ""

    @property
    def is_error(self) -> bool:
        """Whether the line may not go live like this."""
        return self.severity is Severity.ERROR


@dataclass(frozen=True)
class DatabaseState:
    """What a database says of itself; `trouble` is why nothing could be asked, empty where it answered."""

    engine: str
    version: str = ""
    journal: str = ""  # SQLite's journal mode
    has_fixed_wal: bool = True
    is_migrated: bool = False
    is_new: bool = False  # a SQLite file that is not there yet
    trouble: str = ""


REMEDIES = {
    "ZORGLIJN_ENV": "Set ZORGLIJN_ENV=production on the server that answers real calls.",
    "DATABASE_URL": "Set it to sqlite:////var/lib/zorglijn/zorglijn.sqlite3 or postgresql://user:password@host/zorglijn.",
    "PUBLIC_BASE_URL": "Set it to the address at which the provider reaches this line, with https:// and a real name.",
    "TWILIO_ACCOUNT_SID": "Copy it from the front page of Twilio's console.",
    "TWILIO_AUTH_TOKEN": "Copy it from the front page of Twilio's console, and keep it secret.",
    "TWILIO_API_BASE_URL": "Leave it out, unless calls are made by another provider that speaks Twilio's language.",
    "LINE_NUMBER": "Set it to the number of this line at Twilio, such as +31401234567: both sides see it.",
    "SECRET_KEY": 'Make one: python3 -c "import secrets; print(secrets.token_urlsafe(48))", and keep it secret.',
    "ORGANISATION_FILE": "Correct the file; organisation.toml in this repository shows what belongs there.",
    "SMTP_URL": "Set it to your mail server, such as smtp://user:password@mail.example.org:587.",
    "MAIL_FROM": "Set it to the address from which the line's e-mails come.",
    "MAIL_TO": "Set it to the team's address; several with commas between.",
}


def check_mode(mode: str) -> Iterator[Finding]:
    """A rehearsal answers no real calls."""
    if mode == "production":
        yield Finding(Severity.OK, "The line runs in production mode.")
    else:
        yield Finding(
            Severity.ERROR, f"Before going live: ZORGLIJN_ENV is {mode}, not production.", REMEDIES["ZORGLIJN_ENV"]
        )


def check_environment(problems: Sequence[str]) -> Iterator[Finding]:
    """What production would refuse to start with, by the name of the variable ("NAME: is not set")."""
    for problem in problems:
        name, _, wrong = problem.partition(": ")
        if name != "ZORGLIJN_ENV":  # the mode has a check of its own
            yield Finding(Severity.ERROR, f"Before going live: {name} {_verbed(wrong)}.", REMEDIES.get(name, ""))
    if not problems:
        yield Finding(Severity.OK, "Every setting is there.")


def check_mail(smtp_url: str) -> Iterator[Finding]:
    """Without a mail server, only who looks at the console hears of an urgent request."""
    if smtp_url:
        yield Finding(Severity.OK, "The team is told by e-mail.", "zorglijn notices try sends a trial.")
    else:
        what = "SMTP_URL is not set: nobody is told of an urgent request by e-mail, only on the pages of the console."
        yield Finding(Severity.WARNING, what, REMEDIES["SMTP_URL"])


def check_line_number(number: str) -> Iterator[Finding]:
    """A line without a number of its own answers callers, and rings no agent."""
    if not number:
        yield Finding(
            Severity.WARNING,
            "LINE_NUMBER is not set: nobody can be called back through the line, only by dialling by hand.",
            REMEDIES["LINE_NUMBER"],
        )
    elif not _is_valid(number):
        yield Finding(
            Severity.WARNING,
            f"LINE_NUMBER {number} looks like nobody's number: is a digit wrong?",
            REMEDIES["LINE_NUMBER"],
        )


def _is_valid(number: str) -> bool:
    import phonenumbers

    try:
        return phonenumbers.is_valid_number(phonenumbers.parse(number))
    except phonenumbers.NumberParseException:
        return False


def _verbed(wrong: str) -> str:
    return wrong if wrong.startswith(("is ", "must ")) else f"cannot be used: {wrong}"


def check_made_up(values: Mapping[str, str]) -> Iterator[Finding]:
    """Values that look right and cannot be: an address of the examples, a token of one letter."""
    host = _host(values.get("PUBLIC_BASE_URL", ""))
    if any(host == name or host.endswith(f".{name}") for name in _MADE_UP_HOSTS):
        yield Finding(Severity.ERROR, f"PUBLIC_BASE_URL is made up: nobody owns {host}.", REMEDIES["PUBLIC_BASE_URL"])
    for name in ("TWILIO_ACCOUNT_SID", "TWILIO_AUTH_TOKEN"):
        secret = values.get(name, "").removeprefix("AC")
        if secret and len(set(secret)) < _FEWEST_CHARACTERS:
            yield Finding(Severity.ERROR, f"{name} looks made up.", REMEDIES[name])


def _host(url: str) -> str:
    try:
        return urlsplit(url).hostname or ""
    except ValueError:
        return ""


def check_organisation(organisation: Organisation, today: date) -> Iterator[Finding]:
    """Hours, numbers and switches of organisation.toml."""
    verified = organisation.hours_verified_on
    if verified is None:
        yield Finding(
            Severity.ERROR,
            "Nobody has confirmed the opening hours: callers are told when we call, counted from them.",
            "Ask the organisation for its hours, and set verified_on under [hours] in organisation.toml.",
        )
    elif verified > today:
        yield Finding(Severity.ERROR, f"The opening hours were verified on {verified}, which is not yet.", _DATE_REMEDY)
    for name in NUMBERS:
        yield from check_number(name, organisation.numbers.get(name), today)
    for name in sorted(set(organisation.numbers) - set(NUMBERS)):
        yield Finding(
            Severity.WARNING,
            f"[numbers.{name}] of organisation.toml is never spoken: no prompt knows it.",
            f"Remove it, or name it as one of {', '.join(NUMBERS)}.",
        )
    if organisation.takes_voice_messages:
        yield Finding(
            Severity.WARNING,
            "Voice messages are switched on, but nobody listens to the recordings yet.",
            "Set voice_messages = false in organisation.toml until recordings are handled.",
        )
    yield from check_directory(organisation, today)


def check_directory(organisation: Organisation, today: date) -> Iterator[Finding]:
    """To whom the team refers: numbers that nobody verified lately, together; those that the line speaks were told."""
    told = {number.digits for number in organisation.numbers.values()}
    stale = [
        referral.name
        for referral in organisation.directory
        if referral.is_stale(today) and re.sub(r"\D", "", referral.phone or "") not in told
    ]
    if stale:
        yield Finding(
            Severity.WARNING,
            f"The console says to verify these numbers before referring: {', '.join(stale)}.",
            "Ring each of them, and set verified_on under its [[directory]] in organisation.toml to that day.",
        )


_DATE_REMEDY = "Correct verified_on in organisation.toml."


def check_number(name: str, number: PhoneNumber | None, today: date) -> Iterator[Finding]:
    """One phone number: there, verified, and not about to be kept back. Without the office's no line goes live."""
    serious = Severity.ERROR if name == OFFICE else Severity.WARNING
    if number is None:
        yield Finding(
            serious,
            f"The number {name} is missing: the line says “we will call you” instead.",
            f"Find the number, ring it, and add it with verified_on under [numbers.{name}] in organisation.toml.",
        )
        return
    if number.verified_on is None or number.expires is None:
        yield Finding(serious, f"The number {name} ({number.digits}) was never verified: it is not spoken.", _RING_IT)
    elif number.verified_on > today:
        yield Finding(Severity.ERROR, f"The number {name} was verified on {number.verified_on}: not yet.", _DATE_REMEDY)
    elif number.expires <= today:
        said = f"The number {name} ({number.digits}) expired on {number.expires}: it is not spoken."
        yield Finding(serious, said, _RING_IT)
    elif number.expires <= today + SOON:
        said = f"The number {name} ({number.digits}) is not spoken from {number.expires} on."
        yield Finding(Severity.WARNING, said, _RING_IT)
    else:
        yield Finding(Severity.OK, f"The number {name} ({number.digits}) is verified; it expires on {number.expires}.")


_RING_IT = "Ring it, and set verified_on in organisation.toml to that day."


def check_prompts(prompts: Prompts, days_kept: int | None, today: date) -> Iterator[Finding]:
    """What the line says: alarms, facts past their day, the number that it must be able to say, the voice."""
    alarms = prompts.alarms(today)
    for alarm in alarms:
        yield Finding(
            Severity.ERROR,
            f"{alarm.what} names an emergency number and expired on {alarm.expires}; it is still spoken.",
            "Compare it with the official site (never by ringing), then renew reviewed and expires in the text.",
        )
    ringing = {alarm.what for alarm in alarms}
    yield from check_expiring([one for one in prompts.expiring(today, SOON.days) if one.what not in ringing], today)
    if days_kept is not None and f"number_{days_kept}" not in prompts.names:
        yield Finding(
            Severity.ERROR,
            f"The line cannot say for how many days data is kept ({days_kept}), and so it does not start.",
            f"Write number_{days_kept}.txt in every language, or choose another closed_days in organisation.toml.",
        )
    yield from check_voice(prompts)


def check_expiring(expiring: Iterable[Expiring], today: date) -> Iterator[Finding]:
    """Prompts that are or will soon be kept back, those of one day together."""
    by_day: dict[date, list[str]] = {}
    for one in expiring:
        by_day.setdefault(one.expires, []).append(one.what)
    for day, names in sorted(by_day.items()):
        more = f" and {len(names) - NAMED_AT_MOST} more" if len(names) > NAMED_AT_MOST else ""
        what = f"{', '.join(names[:NAMED_AT_MOST])}{more}"
        severity, when = (
            (Severity.ERROR, f"Expired on {day}, not spoken any more:")
            if day <= today
            else (Severity.WARNING, f"Not spoken from {day} on:")
        )
        yield Finding(
            severity, f"{when} {what}.", "Have the facts reviewed, then renew reviewed and expires in the texts."
        )
    if not by_day:
        yield Finding(Severity.OK, f"No prompt expires before {today + SOON}.")


def check_voice(prompts: Prompts) -> Iterator[Finding]:
    """Whether a person speaks or a machine; one voice is understood better than two that take turns."""
    texts = [prompts.prompt(name, language.code) for language in prompts.languages for name in prompts.names]
    recorded = sum(bool(text.recordings) for text in texts)
    if not recorded:
        yield Finding(
            Severity.OK,
            "No prompt is recorded: the provider's synthetic voice speaks.",
            "A recorded human voice is understood better; put a .wav or .mp3 beside each text.",
        )
    elif recorded < len(texts):
        yield Finding(
            Severity.WARNING,
            f"{recorded} of {len(texts)} prompts are recorded: callers hear two voices.",
            "Record the others too.",
        )
    else:
        yield Finding(Severity.OK, "Every prompt is recorded.")
    stray = [f"{text.language}/{name}" for text in texts for name in text.stray_recordings]
    if stray:
        yield Finding(
            Severity.WARNING, f"These recordings are never played: {', '.join(stray)}.", "Add what is missing."
        )


def check_database(state: DatabaseState) -> Iterator[Finding]:
    """Whether the database answers, has its tables, and keeps what it has been told."""
    if state.is_new:
        yield Finding(Severity.WARNING, "The database is not there yet.", "zorglijn serve makes it when it starts.")
        return
    if state.trouble:
        remedy = "Start it, or correct DATABASE_URL; meanwhile callers only hear an apology."
        yield Finding(Severity.ERROR, f"The database ({state.engine}) does not answer: {state.trouble}.", remedy)
        return
    mode = f", journal mode {state.journal}" if state.journal else ""
    yield Finding(Severity.OK, f"The database answers: {state.engine} {state.version}{mode}.")
    if not state.is_migrated:
        remedy = "zorglijn serve makes them when it starts."
        yield Finding(Severity.WARNING, "The database lacks tables, or the newest change to them.", remedy)
    if state.has_fixed_wal:
        return
    yield Finding(
        Severity.OK,
        f"SQLite {state.version} can lose commits in WAL mode: the line uses the slower rollback journal.",
        "SQLite 3.51.3, 3.50.7 or 3.44.6, or PostgreSQL, takes about three times as many calls.",
    )


def check_addresses(public_base_url: str) -> Iterator[Finding]:
    """What to enter at the provider, for the number of the line."""
    for when, path in (
        ("A call comes in” (voice URL", "/voice/incoming"),
        ("Primary handler fails” (fallback URL", "/voice/fallback"),
        ("Call status changes” (status callback", "/voice/status"),
    ):
        yield Finding(Severity.OK, f"Enter at the provider, for “{when}):", f"HTTP POST {public_base_url}{path}")
